# SPDX-License-Identifier: Apache-2.0

"""How a step says that its rule does not hold, or that it cannot tell."""

from collections.abc import Sequence


class Failed(Exception):
    """The rule does not hold; ``problems`` are sentences for people."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = tuple(problems)


class NotDone(Exception):
    """The step cannot be done; the message says why."""


def require(holds: object, problem: str) -> None:
    """Fail with one sentence unless something holds.

    Raises:
        Failed: it does not.
    """
    if not holds:
        raise Failed([problem])


def fail_if_any(problems: Sequence[str]) -> None:
    """Fail with all problems, if there are any.

    Raises:
        Failed: there are.
    """
    if problems:
        raise Failed(problems)
