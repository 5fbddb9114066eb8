# SPDX-License-Identifier: Apache-2.0

"""How the figures of a metric are written for people: one large number, what it is made of, how it went by month.

In:  a metric's result as plain values: ``measure``, ``unit``, ``figures``, ``trend`` and so on.
Out: text. A share is never rounded to all or to nothing unless it is; what could not be measured is never left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.records.times import format_span
from app.rendering.filters import number
from app.rendering.visible import clip, oneline

NOTHING = "\N{EN DASH}"
_UNIT = re.compile(r"(?<=[0-9]) (?=(?:d|h|min|s|ms|%)(?![A-Za-z]))")
_LONGEST = 40
_ALL = 1000
"""The whole, in tenths of a per cent."""
Plain = Mapping[str, Any]
_WORDS = {
    "no_evidence": "no evidence",
    "no_occurrences": "no occurrences",
    "error": "could not be computed",
    "not_measured": "not measured",
}


def headline(metric: Plain) -> str:
    """Return the one number a metric comes to, or the word for why there is none."""
    if metric["figures"] is None:
        return _WORDS[metric["state"]]
    return short_figure(metric, metric["figures"])


def short_figure(metric: Plain, figures: Plain) -> str:
    """Return the number of some figures of a metric; a dash where there is none."""
    value = figures["p50"] if metric["measure"] == "quantiles" else figures["numerator"]
    if value is None or figures["denominator"] == 0:
        return NOTHING
    match metric["unit"]:
        case "ratio":
            return percent(value, figures["denominator"])
        case "per_100":
            return per_hundred(value, figures["denominator"])
        case "duration":
            return hours(value) if metric["measure"] == "sum" else signed_span(value)
        case _:
            return number(value)


def detail(metric: Plain) -> str:
    """Return what a number is made of: both sides of a ratio, the other quantiles, what could not be measured."""
    figures = metric["figures"]
    if figures is None:
        return ""
    parts = []
    if metric["measure"] == "quantiles":
        most = [_amount(metric, figures[name]) for name in ("p95", "maximum")]
        parts.append(f"median of {number(figures['items'])}; p95 {most[0]}, longest {most[1]}")
    elif metric["measure"] == "quotient":
        parts.append(f"{_side(metric, 'numerator')} of {_side(metric, 'denominator')}")
    elif figures["denominator"] is not None:
        parts.append(f"{number(figures['numerator'])} of {number(figures['denominator'])}")
    elif metric["measure"] == "sum":
        parts.append(f"over {number(figures['items'])} items")
    if between := bounds(metric):
        parts.append(between)
    return "; ".join(parts)


def bounds(metric: Plain) -> str:
    """Return between which values a share of items lies, whatever the items are that could not be measured."""
    figures = metric["figures"]
    unsure = figures["unknown"] + figures["errors"]
    if metric["measure"] not in {"ratio", "outcome_ratio"} or not unsure:
        return ""
    whole = figures["items"] + unsure
    least, most = percent(figures["numerator"], whole), percent(figures["numerator"] + unsure, whole)
    return f"{least} to {most} of all {number(whole)}"


def by_month(metric: Plain) -> str:
    """Return the months in one line: ``2026-07: 382, 2026-08: 316, 2026-09 (part): 283``."""
    return ", ".join(
        f"{point['month']}{' (part)' if point['partial'] else ''}: {short_figure(metric, point['figures'])}"
        for point in metric["trend"]
    )


def groups(metric: Plain, most: int = 4) -> str:
    """Return the first breakdown in one line, ``protocol: ssh 496, kube 177``; empty where there is none."""
    if metric["figures"] is None or not metric["breakdowns"]:
        return ""
    breakdown = metric["breakdowns"][0]
    found = [
        f"{'not told' if group['value'] is None else oneline(clip(group['value'], _LONGEST))} {figure}"
        for group in breakdown["groups"]
        if (figure := short_figure(metric, group["figures"])) != NOTHING
    ]
    if len(found) < 2:  # noqa: PLR2004 - One group is the whole.
        return ""
    more = ", …" if len(found) > most or breakdown["left_out"] else ""
    return f"{path_words(breakdown['path'])}: {', '.join(found[:most])}{more}"


def unbroken(text: str) -> str:
    """Return text in which no line breaks between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def path_words(path: str) -> str:
    """Return the words that name a path to a reader: ``workflow.name`` is ``workflow``, ``target.env`` is ``env``."""
    *before, last = path.split(".")
    return (before[-1] if before and last in {"name", "id"} else last).replace("_", " ")


def hours(milliseconds: int) -> str:
    """Return a long time as hours with one decimal."""
    tenths = _rounded(milliseconds, 360_000)
    sign, tenths = ("\N{MINUS SIGN}", -tenths) if tenths < 0 else ("", tenths)
    return f"{sign}{number(tenths // 10)}.{tenths % 10} h"


def percent(upper: int, lower: int) -> str:
    """Return a share with one decimal; it says 100 % only of all, and 0 % only of nothing."""
    if upper in (0, lower):
        return "0 %" if upper == 0 else "100 %"
    tenths = _rounded(upper * _ALL, lower)
    if tenths <= 0 < upper:
        return "< 0.1 %"
    if tenths >= _ALL and upper < lower:
        return "> 99.9 %"
    return f"{number(tenths // 10)}.{tenths % 10} %"


def per_hundred(upper: int, lower: int) -> str:
    """Return how many there are to a hundred, with one decimal."""
    tenths = _rounded(upper * 1000, lower)
    if upper and not tenths:
        return "< 0.1"
    return f"{number(tenths // 10)}.{tenths % 10}" if tenths else "0"


def signed_span(milliseconds: int) -> str:
    """Return a duration, which may be negative, by its two largest units."""
    rounded = milliseconds if abs(milliseconds) < 1000 else _rounded(milliseconds, 1000) * 1000  # noqa: PLR2004
    return f"\N{MINUS SIGN}{format_span(-rounded)}" if rounded < 0 else format_span(rounded)


def _amount(metric: Plain, value: int) -> str:
    return signed_span(value) if metric["unit"] == "duration" else number(value)


def _side(metric: Plain, name: str) -> str:
    value = metric["figures"][name]
    return hours(value) if metric["milliseconds"] else number(value)


def _rounded(upper: int, lower: int) -> int:
    """Return the quotient to the nearest whole number, halves away from zero, without floating point."""
    sign = 1 if (upper < 0) == (lower < 0) else -1
    upper, lower = abs(upper), abs(lower)
    return sign * ((2 * upper + lower) // (2 * lower))
