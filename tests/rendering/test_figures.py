# SPDX-License-Identifier: Apache-2.0

"""Figures for people: nothing is rounded to all or to nothing, and what is unknown has its bounds."""

from typing import Any

import pytest

from app.rendering.figures import (
    bounds,
    detail,
    groups,
    headline,
    path_words,
    per_hundred,
    percent,
    signed_span,
    unbroken,
)
from app.rendering.sparkline import sparkline

NONE = dict.fromkeys(("numerator", "denominator", "p50", "p95", "maximum"))


def figures(items: int = 1, unknown: int = 0, errors: int = 0, **fields: Any) -> dict[str, Any]:
    """Return figures as plain values."""
    return {**NONE, "items": items, "unknown": unknown, "errors": errors, **fields}


def metric(measure: str, unit: str, numbers: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """Return a metric as plain values."""
    return {"measure": measure, "unit": unit, "figures": numbers, "milliseconds": False, "trend": [], **fields}


@pytest.mark.parametrize(
    ("upper", "lower", "text"),
    [
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.3 %"),
        (2, 3, "66.7 %"),
        (1, 1_000_000, "< 0.1 %"),
        (999_999, 1_000_000, "> 99.9 %"),
        (1, 2000, "0.1 %"),
        (3, 2, "150.0 %"),
        (2**53 - 2, 2**53 - 1, "> 99.9 %"),
    ],
)
def test_percent(upper: int, lower: int, text: str) -> None:
    assert percent(upper, lower) == text


def test_per_hundred_and_spans() -> None:
    assert [per_hundred(0, 7), per_hundred(1, 7), per_hundred(1, 10**6), per_hundred(30, 7)] == [
        "0",
        "14.3",
        "< 0.1",
        "428.6",
    ]
    assert signed_span(-90_061_000) == "\N{MINUS SIGN}1 d 1 h"
    assert signed_span(868_263) == "14 min 28 s"
    assert signed_span(250) == "250 ms"


@pytest.mark.parametrize(
    ("found", "number", "made_of"),
    [
        (metric("count", "items", figures(3, numerator=3)), "3", ""),
        (metric("ratio", "ratio", figures(8, numerator=6, denominator=8)), "75.0 %", "6 of 8"),
        (
            metric("ratio", "ratio", figures(8, 2, numerator=6, denominator=8)),
            "75.0 %",
            "6 of 8; 60.0 % to 80.0 % of all 10",
        ),
        (
            metric("quotient", "ratio", figures(2, numerator=3_600_000, denominator=7_200_000), milliseconds=True),
            "50.0 %",
            "1.0 h of 2.0 h",
        ),
        (metric("sum", "duration", figures(2, numerator=894_872_852)), "248.6 h", "over 2 items"),
        (
            metric("quantiles", "duration", figures(9, p50=60_000, p95=120_000, maximum=180_000)),
            "1 min",
            "median of 9; p95 2 min, longest 3 min",
        ),
        (metric("ratio", "ratio", None, state="no_evidence"), "no evidence", ""),
    ],
)
def test_headline_and_detail(found: dict[str, Any], number: str, made_of: str) -> None:
    assert (headline(found), detail(found)) == (number, made_of)


def test_no_line_breaks_between_a_number_and_its_unit() -> None:
    assert unbroken("p95 4 h, 1 min 2 s of 3 days; 5 % of 7 items") == (
        "p95 4\u00a0h, 1\u00a0min 2\u00a0s of 3 days; 5\u00a0% of 7 items"
    )


def test_bounds_are_for_shares_of_items_only() -> None:
    assert bounds(metric("sum", "items", figures(8, 2, numerator=6))) == ""
    assert (
        bounds(metric("outcome_ratio", "ratio", figures(0, 4, numerator=0, denominator=0))) == "0 % to 100 % of all 4"
    )


def test_a_breakdown_names_its_path_and_leaves_out_values_without_a_number() -> None:
    found = [
        {"value": "ssh\n", "figures": figures(2, numerator=2)},
        {"value": None, "figures": figures(1, numerator=1)},
        {"value": "none", "figures": figures(0, 1)},
    ]
    breakdowns = [{"path": "session.protocol", "groups": found, "left_out": 0}]
    assert groups(metric("count", "items", figures(), breakdowns=breakdowns)).endswith("not told 1")
    assert groups(metric("count", "items", figures(), breakdowns=breakdowns)).startswith("protocol: ssh")
    assert groups(metric("count", "items", figures(), breakdowns=[{**breakdowns[0], "groups": found[:1]}])) == ""
    assert [path_words(path) for path in ("workflow.name", "target.env", "each.outcome")] == [
        "workflow",
        "env",
        "outcome",
    ]


def test_a_drawing_speaks_its_months_and_holds_nothing_but_numbers() -> None:
    trend = [
        {"month": "2026-07", "partial": False, "figures": figures(2, numerator=2)},
        {"month": "2026-08", "partial": True, "figures": figures(0, numerator=0)},
    ]
    drawn = str(sparkline(metric("count", "items", figures(), trend=trend)))
    assert "<title>By month: 2026-07: 2, 2026-08 (part): 0</title>" in drawn
    assert drawn.count("<rect") == 3
    empty = [{"month": "<x>", "partial": False, "figures": figures(0, numerator=0, denominator=0)}]
    drawn = str(sparkline(metric("ratio", "ratio", figures(), trend=empty)))
    assert "&lt;x&gt;" in drawn
    assert "<circle" in drawn
    assert str(sparkline(metric("count", "items", figures()))) == ""
