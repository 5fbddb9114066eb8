# SPDX-License-Identifier: Apache-2.0

"""What may be written as ``watched``, and which days it means."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import NotFound, UsageError
from app.records.times import LAST_INSTANT, parse_instant
from app.settings import Settings
from app.watching.spans import CLOSING, Watch, periods_at, read_watched
from tests.watching.small_evaluations import days

IDS = {"soc2": "soc2-tsc-2017", "soc2-tsc-2017": "soc2-tsc-2017", "hipaa": "hipaa-security"}


def framework_id(name: str) -> str:
    if name not in IDS:
        raise NotFound(f"there is no framework '{name}'")
    return IDS[name]


def test_frameworks_and_spans_are_read() -> None:
    assert read_watched(["soc2 quarter", "  hipaa   2026-07-01..2026-09-30 "], framework_id) == (
        Watch(framework="soc2-tsc-2017", span="quarter"),
        Watch(framework="hipaa-security", span=days("2026-07-01", "2026-09-30")),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a framework and a period"),
        ("soc2", "not a framework and a period"),
        ("soc2 this quarter", "not a framework and a period"),
        ("cobit quarter", "no framework 'cobit'"),
        ("soc2 fortnight", "'fortnight' is no period"),
        ("soc2 2026-07-01", "'2026-07-01' is no period"),
        ("soc2 2026-07-01..", "'' is not a day"),
        ("soc2 2026-07-01..30.9.", "'30.9.' is not a day"),
        ("soc2 2026-09-30..2026-07-01", "ends before it starts"),
        ("soc2 \x1b[31mred", "'?[31mred' is no period"),
        ("soc2-tsc-2017 month", "is there twice"),
    ],
)
def test_a_bad_word_is_named_with_its_setting(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_watched(["soc2 month", text], framework_id)
    assert str(caught.value).startswith("setting 'watched': ")
    assert words in str(caught.value)
    assert "soc2 quarter" in str(caught.value)


@pytest.mark.parametrize(
    ("span", "at", "first", "last"),
    [
        ("month", "2026-02-28T23:59:59.999Z", "2026-02-01", "2026-02-28"),
        ("month", "2028-02-29T12:00:00Z", "2028-02-01", "2028-02-29"),
        ("month", "2026-12-31T23:59:59Z", "2026-12-01", "2026-12-31"),
        ("quarter", "2026-09-30T23:59:59.999Z", "2026-07-01", "2026-09-30"),
        ("quarter", "2026-10-01T00:00:00Z", "2026-10-01", "2026-12-31"),
        ("year", "2026-01-01T00:00:00Z", "2026-01-01", "2026-12-31"),
    ],
)
def test_the_calendar_period_holds_the_instant(span: str, at: str, first: str, last: str) -> None:
    watch = Watch(framework="x", span=span)  # type: ignore[arg-type]
    assert periods_at(watch, parse_instant(at))[-1] == days(first, last)


@given(st.sampled_from(["month", "quarter", "year"]), st.integers(0, LAST_INSTANT - 400 * 86_400_000))
def test_it_always_holds_the_instant_and_the_period_before_ends_where_it_starts(span: str, instant: int) -> None:
    *before, current = periods_at(Watch(framework="x", span=span), instant)  # type: ignore[arg-type]
    assert current.start <= instant < current.end
    assert bool(before) == (instant - current.start < CLOSING and current.start > 0)
    for period in before:
        assert period.end == current.start


def test_fixed_days_are_these_days_at_any_time() -> None:
    fixed = days("2026-07-01", "2026-09-30")
    assert periods_at(Watch(framework="x", span=fixed), 0) == (fixed,)


def test_the_settings_are_read_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "proofroom.toml").write_text('watched = ["soc2 quarter"]\nwatch_every = 5\n')
    settings = Settings.load(tmp_path)
    assert (settings.watched, settings.watch_every) == (("soc2 quarter",), 5)
    (tmp_path / "proofroom.toml").write_text("watch_every = 0\n")
    with pytest.raises(UsageError, match="watch_every"):
        Settings.load(tmp_path)
