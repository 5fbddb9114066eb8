# SPDX-License-Identifier: Apache-2.0

"""What the collections can speak for: covered windows, declared kinds, inventories, and sums per source."""

from typing import Any

import pytest

from app.collection.model import CollectionRun
from app.connectors.base import SequenceGap, Window
from app.records.model import Grant, Identity, Session
from app.trails.evidence import Evidence, coverages, covered_window, source_view
from app.trails.windows import longest_hole, merged

END = 1_000


def evidenced(runs: list[CollectionRun], at: int, declared: Any = None) -> set[str]:
    """Return the record types that are evidenced at an instant."""
    view = Evidence(coverages(runs, declared or {}), END).at(at)
    return {name for name in view.__struct_fields__ if getattr(view, name)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"covered": Window(start=10, end=20)}, [(10, 20)]),
        ({"covered": Window(start=None, end=20)}, [(-(2**63), 20)]),
        ({"covered": Window(start=10, end=None), "finished_at": 99}, [(10, 100)]),
        ({"covered": Window(start=10, end=500), "finished_at": 99}, [(10, 100)]),  # Nobody speaks for the future.
        ({"covered": Window(start=10, end=20), "problem": "gone"}, []),
        ({"covered": Window(start=10, end=20), "covered_basis": "observed"}, [(10, 20)]),
        ({"covered": Window(start=10, end=20), "covered_basis": "observed", "problem": "gone"}, [(10, 20)]),
        ({"covered": Window(), "covered_basis": "observed"}, []),
    ],
)
def test_what_a_run_speaks_for(world: Any, fields: dict[str, Any], expected: list[tuple[int, int]]) -> None:
    assert covered_window(world.box("a", **fields)) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [(9, set()), (10, {"session", "approval"}), (19, {"session", "approval"}), (20, set())],
)
def test_an_event_is_evidenced_inside_the_window_only(world: Any, at: int, expected: set[str]) -> None:
    run = world.box("a", connector="tp", covered=Window(start=10, end=20), produced={"session": 3, "grant": 0})
    assert evidenced([run], at, {"tp": ["approval"]}) == expected


def test_an_inventory_that_covers_the_end_of_the_period_speaks_for_all_of_it(world: Any) -> None:
    early = world.box("a", covered=Window(start=10, end=20), produced={"identity": 1, "session": 1})
    late = world.box("b", covered=Window(start=990, end=END), produced={"identity": 1, "session": 1})
    assert evidenced([early], 5) == set()
    assert evidenced([late], 5) == {"identity"}


def test_a_kind_that_one_run_of_a_source_produced_counts_for_its_other_runs(world: Any) -> None:
    first = world.box("a", covered=Window(start=0, end=10), produced={"session": 1})
    second = world.box("a", covered=Window(start=10, end=20))
    other = world.box("b", covered=Window(start=20, end=30))
    assert evidenced([second, other, first], 15) == {"session"}
    assert evidenced([second, other, first], 25) == set()


def test_approvals_of_an_old_right_are_expected_when_it_started(world: Any) -> None:
    run = world.box("a", covered=Window(start=100, end=200), produced={"approval": 1, "grant": 1})
    view = Evidence(coverages([run], {}), END).at(150, decided=50)
    assert (view.grant, view.approval) == (True, False)


@pytest.mark.parametrize(
    ("covered", "hole"),
    [
        ([], 100),
        ([(0, 100)], 0),
        ([(-50, 500)], 0),
        ([(10, 40), (45, 100)], 10),
        ([(0, 40), (30, 50)], 50),
        ([(200, 300)], 100),
        ([(-20, -10)], 100),
        ([(0, 0), (50, 60)], 50),
    ],
)
def test_the_longest_hole(covered: list[tuple[int, int]], hole: int) -> None:
    assert longest_hole(merged(covered), 0, 100) == hole


def test_a_source_is_summed_up(world: Any) -> None:
    runs = [
        world.box(
            "a", id="1", connector="tp", covered=Window(start=0, end=400), received=5, accepted=4, rejected=1,
            source_count=6, produced={"session": 4}, finished_at=500,
            gaps=(SequenceGap(what="x", first_missing=1, last_missing=2),),
        ),
        world.box(
            "a", id="2", connector="tp", covered=Window(start=600, end=1_000), received=3, duplicates=3,
            covered_basis="observed", finished_at=2_000, problem="timed out",
        ),
    ]  # fmt: skip
    (source,) = coverages(runs, {"tp": ["grant"]})
    view = source_view(source, world.period.__class__(start=0, end=END, as_of=2_000))
    assert (view.id, view.connector, view.record_types, view.runs) == ("a", "tp", ["grant", "session"], 2)
    assert (view.received, view.accepted, view.duplicates, view.rejected) == (8, 4, 3, 1)
    assert (view.sequence_gaps, view.source_count, view.counted_received, view.problems) == (1, 6, 5, 1)
    assert (view.covered_from, view.covered_until, view.longest_hole, view.declared) == (0, 1_000, 200, False)
    assert view.last_success_at == 500


def test_rows_carry_the_evidence_of_their_instant(world: Any) -> None:
    world.tell("tp", Session(id="in", started_at=10), Session(id="out", started_at=30))
    world.tell("tp", Grant(id="old", basis="standing", starts_at=-5), Identity(id="1"))
    world.boxes.append(
        world.box("tp", covered=Window(start=0, end=20), produced={"session": 2, "approval": 1, "identity": 1})
    )
    assert world.row("tp/session/in").evidence.session
    assert not world.row("tp/session/out").evidence.session
    old = world.row("tp/grant/old")
    assert (old.at, old.evidence.session, old.evidence.approval) == (0, True, False)
    assert not world.row("tp/identity/1").evidence.identity  # Judged at the period's end, which nobody covered.
