# SPDX-License-Identifier: Apache-2.0

"""What becomes a gap, of which kind, with which words and which id."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.model import Evaluation, ItemOutcome
from app.gaps.derive import derive_gaps
from app.gaps.findings import MOST_ITEMS, period_text, rate, sentence, worst
from app.gaps.items import NamedItems
from app.gaps.model import Gap, GapKind
from app.trails.populations import SourceRow

K = GapKind
Evaluated = Callable[..., Evaluation]
MakeSource = Callable[..., SourceRow]


def _of(gaps: tuple[Gap, ...], kind: GapKind) -> list[Gap]:
    return [gap for gap in gaps if gap.kind is kind]


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ({"pass": 5}, []),
        ({}, []),
        ({"not_applicable": 3}, []),
        ({"pass": 5, "fail": 1}, [K.CONTROL_DEVIATION]),
        ({"waived": 1}, [K.CONTROL_DEVIATION]),
        ({"pass": 5, "no_evidence": 2}, [K.MISSING_EVIDENCE]),
        ({"error": 2}, [K.TEST_ERROR]),
        ({"fail": 1, "no_evidence": 2, "error": 3}, [K.CONTROL_DEVIATION, K.MISSING_EVIDENCE, K.TEST_ERROR]),
    ],
)
def test_each_outcome_becomes_its_own_kind(
    counts: dict[str, int], kinds: list[GapKind], evaluated: Evaluated, controls: Any
) -> None:
    gaps = derive_gaps(evaluated({"APR-01": counts}), controls, (), ())
    assert [gap.kind for gap in gaps if gap.test_id == "APR-01"] == kinds


def test_a_deviation_is_told_in_five_parts(evaluated: Evaluated, controls: Any) -> None:
    counts = {"pass": 4_778, "fail": 10, "waived": 2, "no_evidence": 7, "error": 1, "not_applicable": 50}
    items = NamedItems(test_id="APR-01", rows=(("b", "fail"), ("a", "waived"), ("c", "no_evidence")))
    (gap,) = _of(derive_gaps(evaluated({"APR-01": counts}), controls, (), (items,)), K.CONTROL_DEVIATION)
    assert gap == Gap(
        id=gap.id,
        kind=K.CONTROL_DEVIATION,
        severity="high",
        title="Deviations: Claim of APR-01",
        test_id="APR-01",
        control_ids=("CC6.1", "CC6.2"),
        criteria="CC6.1 Logical access; CC6.2 Registration. Test APR-01: Claim of APR-01.",
        condition="From 2026-04-01 to 2026-06-30 (UTC), 12 of 4,790 grants that could be judged deviate (0.3 %). 2 of "
        "them are under an approved waiver and stay deviations. Of 8 further grants nothing can be said; that is a "
        "finding of its own.",
        cause="The test does not establish the cause. What usually makes it fail: somebody forgot.",
        effect="Something can happen.",
        recommendation="Do it.",
        item_count=12,
        waived_count=2,
        items=("a", "b"),
    )


def test_missing_evidence_says_what_to_collect(evaluated: Evaluated, controls: Any) -> None:
    (gap,) = _of(
        derive_gaps(evaluated({"SES-01": {"pass": 1, "no_evidence": 1}}), controls, (), ()), K.MISSING_EVIDENCE
    )
    assert gap.condition == "From 2026-04-01 to 2026-06-30 (UTC), evidence is missing for 1 of 2 sessions."
    assert gap.recommendation == (
        "Connect, for the whole period, sources of: session, approval; have them give these fields: session.starts_at."
    )
    assert (gap.item_count, gap.waived_count, gap.severity) == (1, 0, "critical")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rejected": 3}, "3 record(s) could not be used"),
        ({"sequence_gaps": 2}, "2 gap(s) in the source's own numbering"),
        ({"problems": 1}, "1 collection run(s) ended with a problem"),
        ({"source_count": 9, "counted_received": 8}, "the source counted 9 records, received were 8"),
        ({"longest_hole": 93_600_000}, "up to 1 d 2 h of the period were not covered by any collection"),
    ],
)
def test_a_source_that_is_not_whole_is_a_gap_and_grades_by_what_it_weakens(
    changed: dict[str, int], reason: str, evaluated: Evaluated, controls: Any, source_row: MakeSource
) -> None:
    evaluation = evaluated(incomplete={"APR-01": (f"idp: {reason}",)})
    gaps = derive_gaps(evaluation, controls, [source_row("idp", **changed), source_row("other")], ())
    (gap,) = _of(gaps, K.INCOMPLETE_COLLECTION)
    assert gap.condition == f"For 2026-04-01 to 2026-06-30 (UTC), source idp: {reason}."
    assert gap.effect.endswith("Not known to be whole for: APR-01.")
    assert (gap.severity, gap.control_ids) == ("high", ("CC6.1", "CC6.2"))
    assert _of(gaps, K.MISSING_EVIDENCE) == [], "the source's own gap says it already"


def test_a_source_that_weakens_nothing_is_still_a_gap(
    evaluated: Evaluated, controls: Any, source_row: MakeSource
) -> None:
    (gap,) = _of(derive_gaps(evaluated(), controls, [source_row("idp", rejected=1)], ()), K.INCOMPLETE_COLLECTION)
    assert (gap.severity, gap.control_ids, gap.item_count) == ("medium", (), 0)


def test_a_population_that_no_source_fills_is_missing_evidence(evaluated: Evaluated, controls: Any) -> None:
    reason = "no collected source yields records of type grant"
    (gap,) = _of(derive_gaps(evaluated({"APR-01": {}}, {"APR-01": (reason,)}), controls, (), ()), K.MISSING_EVIDENCE)
    assert gap.condition == f"The population is not known to be whole: {reason}."
    assert gap.item_count == 0


def test_a_control_without_tests_is_named_with_its_reason(evaluated: Evaluated, controls: Any) -> None:
    (gap,) = derive_gaps(evaluated(), controls, (), ())
    assert (gap.kind, gap.severity, gap.control_ids) == (K.UNTESTED_CONTROL, "low", ("CC1.1",))
    assert gap.cause == "It is about conduct."
    assert gap.criteria == "CC1.1 Integrity. About integrity."


def test_worse_comes_first_within_a_kind(evaluated: Evaluated, controls: Any) -> None:
    fail = {"pass": 5, "fail": 1, "no_evidence": 1}
    gaps = derive_gaps(evaluated({"APR-01": fail, "SES-01": fail, "IDN-01": fail}), controls, (), ())
    assert [(gap.kind, gap.test_id) for gap in gaps] == [
        (K.CONTROL_DEVIATION, "SES-01"),
        (K.CONTROL_DEVIATION, "APR-01"),
        (K.CONTROL_DEVIATION, "IDN-01"),
        (K.MISSING_EVIDENCE, "SES-01"),
        (K.MISSING_EVIDENCE, "APR-01"),
        (K.MISSING_EVIDENCE, "IDN-01"),
        (K.UNTESTED_CONTROL, None),
    ]


def test_at_most_a_hundred_items_are_named_in_order(evaluated: Evaluated, controls: Any) -> None:
    rows = tuple((f"s/grant/{number:04d}", "fail") for number in reversed(range(300)))
    items = NamedItems(test_id="APR-01", rows=rows)
    (gap,) = _of(derive_gaps(evaluated({"APR-01": {"fail": 300}}), controls, (), (items,)), K.CONTROL_DEVIATION)
    assert gap.item_count == 300
    assert gap.items == tuple(f"s/grant/{number:04d}" for number in range(MOST_ITEMS))


_COUNTS = st.fixed_dictionaries({outcome.word: st.integers(0, 9) for outcome in ItemOutcome})


@given(first=_COUNTS, second=_COUNTS)
def test_kinds_never_mix_and_ids_stay(
    first: dict[str, int], second: dict[str, int], evaluated: Evaluated, controls: Any
) -> None:
    gaps = derive_gaps(evaluated({"APR-01": first}), controls, (), ())
    later = derive_gaps(evaluated({"APR-01": second}), controls, (), ())
    expected = {
        K.CONTROL_DEVIATION: first["fail"] + first["waived"],
        K.MISSING_EVIDENCE: first["no_evidence"],
        K.TEST_ERROR: first["error"],
    }
    counted = {gap.kind: gap.item_count for gap in gaps if gap.test_id == "APR-01"}
    assert counted == {kind: count for kind, count in expected.items() if count}
    assert len({gap.id for gap in gaps}) == len(gaps)
    ids = {(gap.kind, gap.test_id, gap.control_ids): gap.id for gap in gaps}
    assert all(ids.get((gap.kind, gap.test_id, gap.control_ids), gap.id) == gap.id for gap in later)


def test_an_id_is_fixed_for_ever(evaluated: Evaluated, controls: Any) -> None:
    (gap,) = _of(derive_gaps(evaluated({"APR-01": {"fail": 1}}), controls, (), ()), K.CONTROL_DEVIATION)
    assert gap.id == "GAP-3A49FD55"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (0, 10, "0 %"),
        (1, 100_000, "< 0.1 %"),
        (1, 3, "33.3 %"),
        (99_999, 100_000, "> 99.9 %"),
        (5, 5, "100 %"),
        (1, 10, "10 %"),
    ],
)
def test_a_rate_never_hides_a_deviation(part: int, whole: int, text: str) -> None:
    assert rate(part, whole) == text


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_rate_of_something_is_never_nothing(part: int, rest: int) -> None:
    assert rate(part, part + rest) not in ("0 %", "100 %")


def test_small_words(evaluated: Evaluated) -> None:
    assert period_text(evaluated().period) == "2026-04-01 to 2026-06-30 (UTC)"
    assert worst(["low", "critical", "high"]) == "critical"
    assert worst([]) == "medium"
    assert sentence("a  thing\nis so") == "A thing is so."
    assert sentence("Is it so?") == "Is it so?"
