# SPDX-License-Identifier: Apache-2.0

"""How instants, numbers and ids are spelled."""

import pytest

from app.rendering.filters import (
    breakable,
    by_key,
    cell,
    dotted,
    instant,
    number,
    period,
    plural,
    prose,
    size,
    tally,
)

DAY = 86_400_000


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_787_479_872_000, "2026-08-23 10:11:12 UTC"),
        (1_787_479_872_123, "2026-08-23 10:11:12.123 UTC"),
        (None, "open"),
    ],
)
def test_an_instant_names_its_zone(milliseconds: int | None, text: str) -> None:
    assert instant(milliseconds) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (0, DAY, "1970-01-01 to 1970-01-01"),
        (0, 31 * DAY, "1970-01-01 to 1970-01-31"),
        (0, 31 * DAY + 1, "1970-01-01 00:00:00 UTC until 1970-02-01 00:00:00.001 UTC"),
        (DAY, DAY, "1970-01-02 00:00:00 UTC until 1970-01-02 00:00:00 UTC"),
    ],
)
def test_a_period_is_spelled_with_both_days_included(start: int, end: int, text: str) -> None:
    assert period({"start": start, "end": end}) == text


def test_numbers_have_thin_separators() -> None:
    assert number(4812) == "4\u202f812"
    assert number(1_000_000) == "1\u202f000\u202f000"
    assert plural(1, "item") == "1 item"
    assert plural(1200, "entry", "entries") == "1\u202f200 entries"
    assert size(812) == "812 B"
    assert size(5 * 1024 * 1024) == "5.0 MiB"


def test_prose_is_spelled_like_tables() -> None:
    assert prose("12 of 4,790 (< 0.1 %), until 2026-08-23T10:11:12Z") == (
        "12 of 4\u202f790 (<\u00a00.1\u00a0%), until 2026-08-23 10:11:12 UTC"
    )


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("source/session/id-ab12", "source/<wbr>session/<wbr>id-<wbr>ab12"),
        ("2026-08-23 10:11:12 UTC", "2026-08-23 10:11:12 UTC"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("a/\u202e<i>", "a/<wbr>[U+202E]&lt;i&gt;"),
    ],
)
def test_breaks_are_offered_and_text_is_escaped(text: str, markup: str) -> None:
    assert breakable(text) == markup


def test_a_dotted_name_breaks_at_its_parts() -> None:
    assert dotted("grant.starts_at") == "grant.<wbr>starts_<wbr>at"


def test_a_cell_is_one_line_and_ends() -> None:
    assert cell("a\nb 2026-08-23T10:11:12.500Z") == "a[U+000A]b 2026-08-23 10:11:12.500 UTC"
    assert cell("x" * 1000).startswith("x" * 400 + "… [1,000")


def test_rows_by_key() -> None:
    rows = [{"k": "a", "n": 1}, {"k": "b", "n": 2}, {"k": "a", "n": 3}]
    assert tally(rows, "k") == {"a": 2, "b": 1}
    assert by_key(rows[:2], "k")["b"]["n"] == 2
