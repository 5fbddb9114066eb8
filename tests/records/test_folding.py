# SPDX-License-Identifier: Apache-2.0

"""Folding: later statements win field by field, silence never erases, and order of arrival never matters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.folding import fold, select
from app.records.model import AccessRecord, Alias, Grant, Identity, Observation, Session


def seen(record: AccessRecord, *, at: int, index: int, source: str = "tp") -> Observation:
    """Return an observation, short enough for tables."""
    return Observation(source=source, ledger_index=index, observed_at=at, record=record)


START = Session(id="s1", subject="ana", started_at=100, status="open", grant_ids=("r1",))
END = Session(id="s1", ended_at=200, status="closed")


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        ([seen(START, at=100, index=0)], START),
        (
            [seen(START, at=100, index=0), seen(END, at=200, index=1)],
            Session(id="s1", subject="ana", started_at=100, ended_at=200, status="closed", grant_ids=("r1",)),
        ),
        (  # The end arrived first; its instant still makes it the later word.
            [seen(END, at=200, index=0), seen(START, at=100, index=1)],
            Session(id="s1", subject="ana", started_at=100, ended_at=200, status="closed", grant_ids=("r1",)),
        ),
        (  # A stale repetition from before says nothing new.
            [seen(END, at=200, index=0), seen(START, at=100, index=1), seen(START, at=100, index=2)],
            Session(id="s1", subject="ana", started_at=100, ended_at=200, status="closed", grant_ids=("r1",)),
        ),
        (  # Saying "there are none" is saying something; leaving a field out is not.
            [
                seen(Session(id="s1", grant_ids=("r1",)), at=1, index=0),
                seen(Session(id="s1", grant_ids=()), at=2, index=1),
            ],
            Session(id="s1", grant_ids=()),
        ),
    ],
)
def test_later_words_win_and_silence_erases_nothing(observations: list[Observation], expected: Session) -> None:
    (folded,) = fold(observations)
    assert folded.record == expected
    assert folded.ledger == tuple(range(len(observations)))


def test_a_default_that_is_not_none_is_silence_too() -> None:
    aliases = (Alias(source="tp", subject="ana"),)
    (folded,) = fold(
        [
            seen(Identity(id="1", aliases=aliases), at=1, index=0),
            seen(Identity(id="1", status="terminated"), at=2, index=1),
        ]
    )
    assert folded.record == Identity(id="1", aliases=aliases, status="terminated")


def test_sources_and_types_are_never_mixed() -> None:
    folded = fold(
        [
            seen(Session(id="1", run_as="a"), at=1, index=0, source="tp"),
            seen(Session(id="1", run_as="b"), at=2, index=1, source="pg"),
            seen(Grant(id="1"), at=2, index=2, source="pg"),
        ]
    )
    assert [each.item_id for each in folded] == ["pg/grant/1", "pg/session/1", "tp/session/1"]
    assert [each.record.run_as for each in select(folded, Session)] == ["b", "a"]


def test_versions_and_instants_are_kept() -> None:
    (folded,) = fold([seen(START, at=100, index=4), seen(START, at=150, index=9), seen(END, at=200, index=5)])
    assert (folded.versions, folded.first_observed_at, folded.last_observed_at) == (2, 100, 200)
    assert folded.ledger == (4, 5, 9)


_SESSIONS = st.builds(
    Session,
    id=st.sampled_from(["1", "2"]),
    subject=st.sampled_from([None, "ana", "bo"]),
    started_at=st.none() | st.integers(0, 3),
    mfa=st.none() | st.booleans(),
    grant_ids=st.none() | st.lists(st.sampled_from(["g1", "g2"]), max_size=2).map(tuple),
)
_OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        source=st.sampled_from(["a", "b"]),
        ledger_index=st.integers(0, 9),
        observed_at=st.integers(0, 2),
        record=_SESSIONS,
    ),
    max_size=8,
)


@settings(deadline=None)
@given(st.data())
def test_order_never_matters(data: st.DataObject) -> None:
    observations = data.draw(_OBSERVATIONS)
    shuffled = data.draw(st.permutations(observations))
    assert fold(observations) == fold(shuffled)


@settings(deadline=None)
@given(_OBSERVATIONS)
def test_hearing_everything_twice_changes_nothing(observations: list[Observation]) -> None:
    assert fold(observations) == fold(observations + observations)
