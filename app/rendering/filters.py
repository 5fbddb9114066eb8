# SPDX-License-Identifier: Apache-2.0

"""The filters that templates may use, and the spelling of instants and numbers they stand for.

In:  values of a report.
Out: text for people; ``breakable`` gives escaped markup with places where a line may break.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from app.records.times import format_instant
from app.rendering.visible import clip, oneline, short, visible

_THIN = "\u202f"
"""Narrow no-break space: the thousands separator of ISO 80000-1, 7.3.1."""
_DAY = 86_400_000
_RFC3339 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?)Z", re.ASCII)
_AFTER = re.compile(r"(?<=[/_@,;=])|(?<=-)(?![0-9]{2}(?:[^0-9]|$))", re.ASCII)
"""Where an id or path may break; never inside a date."""
_DOTTED = re.compile(r"(?<=[._])", re.ASCII)
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9]{3})", re.ASCII)


def instant(milliseconds: int | None) -> str:
    """Return epoch milliseconds as ``2026-08-23 10:11:12 UTC``; a missing one as ``open``."""
    if milliseconds is None:
        return "open"
    return spaced(format_instant(milliseconds))


def spaced(text: str) -> str:
    """Return RFC 3339 instants inside a text in the form people read: a space for the T, UTC for the Z."""
    return _RFC3339.sub(r"\1 \2 UTC", text)


def day(milliseconds: int) -> str:
    """Return the UTC day of an instant: ``2026-08-23``."""
    return format_instant(milliseconds)[:10]


def period(value: Mapping[str, int]) -> str:
    """Return a period with its exclusive end, spelled inclusively where whole days allow: ``2026-04-01 to 2026-06-30``.

    Args:
        value: ``start`` and ``end``, epoch milliseconds.
    """
    start, end = value["start"], value["end"]
    if start % _DAY or end % _DAY or end <= start:
        return f"{instant(start)} until {instant(end)}"
    return f"{day(start)} to {day(end - 1)}"


def number(value: float) -> str:
    """Return a number in groups of three, parted by a narrow space: ``4 812``."""
    return f"{value:,}".replace(",", _THIN)


def size(octets: int) -> str:
    """Return a number of bytes: ``812 B``, ``3.1 MiB``."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if octets >= 1 << power:
            return f"{octets / (1 << power):.1f} {unit}"
    return f"{octets} B"


def cell(text: str, most: int = 400) -> str:
    """Return a record's own text as it stands in a table: one line, cut when long, instants made readable."""
    return oneline(clip(spaced(text), most))


def breakable(text: str) -> Markup:
    """Return escaped text with break opportunities after the separators of ids and paths."""
    return Markup("<wbr>").join(escape(piece) for piece in _AFTER.split(oneline(text)))


def dotted(text: str) -> Markup:
    """Return a dotted name, escaped, with break opportunities after each part."""
    return Markup("<wbr>").join(escape(piece) for piece in _DOTTED.split(oneline(text)))


def prose(text: str) -> str:
    """Return a sentence of ours with numbers and instants spelled as in the tables."""
    return _COMMA.sub(_THIN, spaced(text)).replace("< ", "<\u00a0").replace("> ", ">\u00a0").replace(" %", "\u00a0%")


def by_key(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    """Return rows by the value of one of their keys."""
    return {row[key]: row for row in rows}


def tally(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, int]:
    """Count rows by the value of one of their keys; a value that does not occur has no entry."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row[key]] = counts.get(row[key], 0) + 1
    return counts


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 item``, ``4 812 items``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "breakable": breakable,
    "by_key": by_key,
    "cell": cell,
    "clip": clip,
    "day": day,
    "dotted": dotted,
    "instant": instant,
    "number": number,
    "oneline": oneline,
    "period": period,
    "plural": plural,
    "prose": prose,
    "short": short,
    "size": size,
    "spaced": spaced,
    "tally": tally,
    "visible": visible,
}
