# SPDX-License-Identifier: Apache-2.0

"""Text to instants and back, and durations to text.

In:  an RFC 3339 timestamp as a source spelled it, or a day as a person typed it.
Out: epoch milliseconds, UTC; digits beyond the millisecond are cut off, never rounded up into the future.
Never guesses: a timestamp without a zone is refused, because an hour's difference decides a test.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

from app.errors import RecordRejected, UsageError

LAST_INSTANT = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last instant RFC 3339 can spell."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 64
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"))
_NEVER_YEARS = ("0000-", "0001-")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
)


def parse_instant(text: str) -> int:
    """Read an RFC 3339 timestamp (section 5.6; a space for the ``T`` is allowed by its note).

    A leap second (``:60``) is the first instant of the next minute.

    Args:
        text: such as ``2026-08-23T10:11:12.123456Z`` or ``2026-08-23T12:11:12+02:00``.

    Returns:
        Epoch milliseconds, UTC, from 1970 on.

    Raises:
        RecordRejected: the text is not such a timestamp, has no zone, or lies before 1970.
    """
    match = _RFC3339.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise _refusal(text)
    leap = match[1] == "60"
    try:
        moment = datetime.fromisoformat((f"{text[:17]}59{text[19:]}" if leap else text).upper())
    except ValueError:
        raise _refusal(text) from None
    since = moment - _EPOCH
    instant = since.days * 86_400_000 + since.seconds * 1000 + (1000 if leap else since.microseconds // 1000)
    if not 0 <= instant <= LAST_INSTANT:
        raise _refusal(text)
    return instant


def parse_optional_instant(text: str | None) -> int | None:
    """Read an instant that may be missing: None, empty, and the vendors' "never" (year 1, or 1970 exactly) give None.

    Raises:
        RecordRejected: there is a text, and it is not an RFC 3339 timestamp.
    """
    if not text or text.startswith(_NEVER_YEARS):
        return None
    return parse_instant(text) or None


def format_instant(instant: int) -> str:
    """Write epoch milliseconds as RFC 3339, UTC: ``2026-08-23T10:11:12.123Z``; whole seconds have no fraction.

    Raises:
        ValueError: the instant lies outside the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=instant)
    except OverflowError:
        raise ValueError(f"{instant} is not an instant that can be written") from None
    fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


def format_span(milliseconds: int) -> str:
    """Write a duration by its two largest units: ``3 d 4 h``, ``90 ms``, ``0 s``."""
    left, parts = milliseconds, []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def parse_day(text: str, *, where: str | None = None) -> date:
    """Read a day that a person typed; only YYYY-MM-DD, because the other spellings of ISO 8601 are misread.

    Raises:
        UsageError: it is not such a day.
    """
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise UsageError(f"'{text[:40]}' is not a day", where=where, hint="Write it as YYYY-MM-DD")


def first_instant(day: date) -> int:
    """Return the first instant of a day, UTC."""
    return (datetime.combine(day, time(), UTC) - _EPOCH) // timedelta(milliseconds=1)


def _refusal(text: str) -> RecordRejected:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:40])
    return RecordRejected(
        f"'{shown}' is not an instant",
        hint="Write RFC 3339 with a zone, such as 2026-08-23T10:11:12Z",
    )
