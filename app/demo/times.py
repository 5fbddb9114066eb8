# SPDX-License-Identifier: Apache-2.0

"""Instants of the demo: the period, spans in milliseconds, and reproducible ids.

In:  names and UTC calendar figures. Out: epoch milliseconds and ids. It never reads a clock and draws nothing at
random, so that two runs write the same bytes.
"""

import hashlib
import uuid
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_NAMESPACE = uuid.UUID("5c1f6f0e-7c1a-5f0e-9b55-1a6b3f2d9e41")


def instant(text: str) -> int:
    """Return the epoch milliseconds of a UTC time such as ``2026-07-14 09:30`` or ``2026-07-14``."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


PERIOD_START = instant("2026-07-01")
PERIOD_END = instant("2026-09-29")
"""Exclusive: the last day of the demo is 2026-09-28, its ninetieth."""


def moment(at: int) -> datetime:
    """Return the instant as an aware UTC datetime, for writers that spell times their vendor's way."""
    return datetime.fromtimestamp(at // SECOND, tz=UTC).replace(microsecond=at % SECOND * 1000)


def stable_uuid(*parts: str) -> str:
    """Return the UUID (RFC 9562, version 5) that always belongs to these parts."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def stable_hex(*parts: str, length: int = 64) -> str:
    """Return ``length`` hex digits that always belong to these parts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:length]


def stable_int(*parts: str, below: int) -> int:
    """Return a number from 0 to ``below - 1`` that always belongs to these parts."""
    return int(stable_hex(*parts, length=12), 16) % below


def ragged(at: int) -> int:
    """Return the instant with milliseconds; the story keeps whole seconds, and real logs do not. Order is kept."""
    return at + stable_int("ragged", str(at), below=SECOND)
