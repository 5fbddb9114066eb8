# SPDX-License-Identifier: Apache-2.0

"""What a job looks like from outside."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobStopped(Exception):
    """Raised by a job's progress call when the job was cancelled, or was taken over by another worker.

    It is no error of the work: a handler lets it pass, and puts away what it had begun.
    """


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of long work, with its progress as ``done`` of ``total`` and the present step in words."""

    id: str
    kind: str
    arguments: dict[str, Any]
    state: JobState
    step: str
    done: int
    total: int
    attempt: int
    result: dict[str, Any] | None
    problem: str | None
    created_at: int
    updated_at: int


Progress = Callable[[str, int, int], None]
"""Called with (step in words, done, total). It raises JobStopped where the work is no longer wanted."""


class Handler(Protocol):
    """Does the work of one kind of job. It may be run again after a crash, so doing it twice must be harmless.

    A progress call may raise, and then nothing half done may stay behind.
    """

    def __call__(self, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Do the work and return a small JSON-able result."""
        ...
