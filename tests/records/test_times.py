# SPDX-License-Identifier: Apache-2.0

"""Timestamps: what is read, what is refused, and that writing and reading agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import RecordRejected
from app.records.times import LAST_INSTANT, format_instant, format_span, parse_instant, parse_optional_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("2026-08-23T10:11:12Z", 1_787_479_872_000),
        ("2026-08-23T12:11:12+02:00", 1_787_479_872_000),
        ("2026-08-23T04:41:12-05:30", 1_787_479_872_000),
        ("2026-08-23t10:11:12z", 1_787_479_872_000),
        ("2026-08-23 10:11:12Z", 1_787_479_872_000),
        ("2026-08-23T10:11:12.123456789Z", 1_787_479_872_123),
        ("2026-08-23T10:11:12.9999999Z", 1_787_479_872_999),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("9999-12-31T23:59:59.999Z", LAST_INSTANT),
    ],
)
def test_reads_rfc_3339(text, expected):
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-08-23",
        "2026-08-23T10:11:12",
        "2026-08-23T10:11Z",
        "20260823T101112Z",
        "2026-W34-7T10:11:12Z",
        "2026-02-30T10:11:12Z",
        "2026-08-23T24:00:00Z",
        "2026-08-23T10:11:61Z",
        "2026-08-23T10:11:12+24:00",
        "2026-08-23T10:11:12+02:60",
        "2026-08-23T10:11:12,5Z",
        "2026-08-23T10:11:12.Z",
        "2026-08-23T10:11:12Z ",
        " 2026-08-23T10:11:12Z",
        "\uff12\uff10\uff12\uff16-08-23T10:11:12Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00Z",
        "yesterday",
        "2026-08-23T10:11:12." + "1" * 100_000 + "Z",
        "\x00\x1b[31m",
    ],
)
def test_refuses_everything_else(text):
    with pytest.raises(RecordRejected, match="is not an instant") as caught:
        parse_instant(text)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", [None, "", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_never_is_none(text):
    assert parse_optional_instant(text) is None


def test_an_optional_instant_that_is_there_must_be_one():
    assert parse_optional_instant("1970-01-01T00:00:01Z") == 1000
    with pytest.raises(RecordRejected):
        parse_optional_instant("soon")


@given(st.integers(min_value=0, max_value=LAST_INSTANT))
def test_writing_and_reading_agree(instant):
    text = format_instant(instant)
    assert parse_instant(text) == instant
    assert ".000" not in text


@given(st.text(max_size=40))
def test_any_text_is_read_or_rejected(text):
    try:
        instant = parse_instant(text)
    except RecordRejected:
        return
    assert 0 <= instant <= LAST_INSTANT


@pytest.mark.parametrize("instant", [-(10**17), 10**17])
def test_refuses_to_write_what_has_no_spelling(instant):
    with pytest.raises(ValueError, match="not an instant"):
        format_instant(instant)


DAY = 86_400_000


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 s"), (90, "90 ms"), (61_000, "1 min 1 s"), (3 * DAY + 4 * 3_600_000 + 1, "3 d 4 h"), (DAY + 1, "1 d 1 ms")],
)
def test_a_span_has_its_two_largest_units(milliseconds, text):
    assert format_span(milliseconds) == text
