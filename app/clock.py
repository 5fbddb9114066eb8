# SPDX-License-Identifier: Apache-2.0

"""The only place that asks what time it is, so that everything else can be told."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant in epoch milliseconds, UTC."""

    def now(self) -> int:
        """Return the present instant in epoch milliseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return the machine's present instant in epoch milliseconds."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that stands still, for tests, the demo and reproducible builds."""

    def __init__(self, instant: int) -> None:
        self._instant = instant

    def now(self) -> int:
        """Return the instant this clock was set to."""
        return self._instant
