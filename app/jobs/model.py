# SPDX-License-Identifier: Apache-2.0

"""What a job looks like from outside."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class JobState(StrEnum):
    """Where a job stands; the last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


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
"""Called with (step in words, done, total)."""


class Handler(Protocol):
    """Does the work of one kind of job. It may be run again after a crash, so doing it twice must be harmless."""

    def __call__(self, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Do the work and return a small JSON-able result."""
        ...
