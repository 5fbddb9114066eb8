# SPDX-License-Identifier: Apache-2.0

"""Credentials, reviews and campaigns, legal holds, outsiders and their sponsors, and when a right was last used."""

from typing import Any

import pytest

from app.records.model import Credential, Grant, Identity, LegalHold, Review, Session
from app.trails.example import example_row

DAY = 86_400_000
END = 90 * DAY


@pytest.mark.parametrize(
    ("expires_at", "inside"), [(None, True), (-1, False), (0, True), (5, True), (END, True), (END + 9, True)]
)
def test_credentials_that_had_not_expired(world: Any, expires_at: int | None, inside: bool) -> None:
    world.tell("vault", Credential(id="c", expires_at=expires_at))
    assert ("vault/credential/c" in world.rows("credential")) is inside


def test_a_credential_and_whose_it_is(world: Any) -> None:
    world.tell("hr", Identity(id="etl", kind="service", email="etl@x.example"))
    said: dict[str, Any] = {"kind": "api-key", "issued_at": 1, "rotated_at": 2, "last_used_at": 3, "expires_at": 4}
    world.tell("vault", Credential(id="c", subject="etl@x.example", privileged=False, **said), Credential(id="d"))
    row, silent = world.row("vault/credential/c"), world.row("vault/credential/d")
    assert {name: getattr(row.credential, name) for name in said} == said
    assert (row.identity.id, row.identity.kind, row.credential.privileged) == ("etl", "service", False)
    assert len(row.ledger) == 2
    assert (silent.identity, silent.credential.privileged) == (None, True)


@pytest.mark.parametrize(
    ("fields", "inside"),
    [
        ({"due_at": 5}, True),
        ({"due_at": -1}, False),
        ({"due_at": -1, "completed_at": 5}, True),
        ({"due_at": 5, "completed_at": -1}, True),
        ({"due_at": END}, False),
        ({"due_at": END, "completed_at": END - 1}, True),
        ({}, True),  # First heard of in the period.
        ({"kind": "access_item", "completed_at": 5}, False),
        ({"kind": "session", "session_id": "s", "completed_at": 5}, True),
    ],
)
def test_reviews_due_or_completed_in_the_period(world: Any, fields: dict[str, Any], inside: bool) -> None:
    world.tell("grc", Review(id="r", **fields), at=3)
    assert ("grc/review/r" in world.rows("review")) is inside


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"due_at": 5, "completed_at": 9}, 5),
        ({"due_at": -5, "completed_at": 9}, 9),
        ({"completed_at": 9}, 9),
        ({"due_at": 80 * DAY}, 60 * DAY),  # It is judged as of what has been seen.
    ],
)
def test_the_instant_of_a_review(world: Any, fields: dict[str, Any], at: int) -> None:
    world.period = type(world.period)(start=0, end=END, as_of=60 * DAY)
    world.tell("grc", Review(id="r", **fields))
    assert world.row("grc/review/r").at == at


def test_a_campaign_with_its_decisions(world: Any) -> None:
    for key in ("ana", "bo"):
        world.person(key, tp=key)
    world.tell("tp", Grant(id="g", subject="ana", starts_at=1))
    world.tell("grc", Review(id="q1", kind="access", due_at=50, completed_at=40, population_count=3, snapshot_count=4))
    world.tell(
        "grc",
        Review(id="i1", kind="access_item", campaign_id="q1", grant_id="tp/grant/g", reviewer="bo@x.example",
               outcome="remove", completed_at=30, executed_at=35, verified_removed=True),
        Review(id="i2", kind="access_item", campaign_id="q1", subject="P-bo", reviewer="P-bo", outcome="keep"),
        Review(id="i3", kind="access_item", campaign_id="q1", grant_id="unknown"),
        Review(id="i4", kind="access_item", campaign_id="q2", subject="P-bo"),
    )  # fmt: skip
    row = world.row("grc/review/q1")
    assert (row.review.population_count, row.review.snapshot_count, row.previous_completed_at) == (3, 4, None)
    assert [each.id for each in row.items] == ["i1", "i2", "i3"]
    first, second, third = row.items
    assert (first.subject_person_id, first.reviewer_person_id, first.outcome) == ("P-ana", "P-bo", "remove")
    assert (first.decided_at, first.executed_at, first.verified_removed) == (30, 35, True)
    assert (second.subject_person_id, second.reviewer_person_id, second.grant_id) == ("P-bo", "P-bo", None)
    assert (third.subject_person_id, third.grant_id) == (None, "unknown")
    assert {world.told[index].source for index in row.ledger} == {"grc", "tp", "hr"}
    assert [each.id for each in world.row("tp/grant/g").reviews] == ["i1"]


@pytest.mark.parametrize(
    ("reviews", "previous"),
    [
        ([], None),
        ([{"completed_at": -90}], -90),
        ([{"completed_at": -90}, {"completed_at": 20}], 20),
        ([{"completed_at": 40}], None),  # At the same instant is not before.
        ([{"completed_at": 60}], None),
        ([{"due_at": 20}], None),
        ([{"completed_at": 20, "kind": "session"}], None),
        ([{"completed_at": 20, "grant_id": "g"}], None),
        ([{"completed_at": 20, "kind": "access_item", "campaign_id": "r"}], None),
    ],
)
def test_when_the_campaign_before_was_completed(
    world: Any, reviews: list[dict[str, Any]], previous: int | None
) -> None:
    world.tell("grc", Review(id="r", kind="access", due_at=50, completed_at=40))
    world.tell("other", Review(id="r", kind="access", completed_at=39))
    for number, fields in enumerate(reviews):
        world.tell("grc", Review(id=f"p{number}", **{"kind": "access", **fields}))
    row = world.row("grc/review/r")
    assert row.previous_completed_at == previous
    assert len(row.ledger) == 1 + (previous is not None) + any("campaign_id" in each for each in reviews)


def test_a_campaign_that_is_still_open_looks_back_from_when_it_is_due(world: Any) -> None:
    world.tell("grc", Review(id="old", kind="access", completed_at=10), Review(id="new", kind="access", due_at=50))
    world.tell("grc", Review(id="of one right", kind="access", due_at=50, grant_id="g"))
    assert world.row("grc/review/new").previous_completed_at == 10
    assert world.row("grc/review/of one right").previous_completed_at is None


def test_reviews_about_a_person_stand_with_all_their_logins(world: Any) -> None:
    world.person("ana")
    world.tell("ad", Identity(id="ana-admin", person_id="P-ana"))
    world.person("bo")
    world.tell("grc", Review(id="r", kind="pattern", subject="ana@x.example", completed_at=5, reviewer="P-bo"))
    world.tell("grc", Review(id="nobody", kind="pattern", subject="who"))
    rows = world.rows("identity")
    assert {item_id: [each.id for each in row.reviews] for item_id, row in rows.items()} == {
        "hr/identity/ana": ["r"],
        "ad/identity/ana-admin": ["r"],
        "hr/identity/bo": [],
    }
    (review,) = rows["hr/identity/ana"].reviews
    assert (review.kind, review.reviewer_person_id, review.completed_at) == ("pattern", "P-bo", 5)


@pytest.mark.parametrize(
    ("fields", "inside"),
    [
        ({}, True),
        ({"placed_at": -9}, True),
        ({"placed_at": END - 1}, True),
        ({"placed_at": END}, False),
        ({"placed_at": -9, "lifted_at": -1}, False),
        ({"placed_at": -9, "lifted_at": 0}, True),
    ],
)
def test_holds_in_force_in_the_period(world: Any, fields: dict[str, Any], inside: bool) -> None:
    world.tell("legal", LegalHold(id="h", **fields))
    assert ("legal/legal_hold/h" in world.rows("legal_hold")) is inside


def test_a_hold_and_its_people(world: Any) -> None:
    world.person("ana")
    said: dict[str, Any] = {"matter_ref": "M-1", "matched_count": 3, "present_count": 2, "changed_count": 0}
    world.tell("legal", LegalHold(id="h", custodian="P-ana", placed_by="counsel", placed_at=1, **said))
    row = world.row("legal/legal_hold/h")
    hold = row.legal_hold
    assert {name: getattr(hold, name) for name in said} == said
    assert (hold.custodian_id, hold.custodian_status, hold.placed_by_id) == ("ana", "active", "counsel")
    assert len(row.ledger) == 2


def test_an_outsider_with_sponsor_and_contract(world: Any) -> None:
    world.person("ana")
    world.tell(
        "vms",
        Identity(id="vic", kind="vendor", employer="Fixit", sponsor="ana@x.example", contract_ref="C-1",
                 evidence_clause=True, workflow_id="w"),
        Identity(id="vac", kind="vendor", sponsor="somebody"),
    )  # fmt: skip
    vic, vac = world.row("vms/identity/vic"), world.row("vms/identity/vac").identity
    known = vic.identity
    assert (known.sponsor_id, known.sponsor_status, known.sponsor_kind) == ("ana", "active", "human")
    assert (known.employer, known.contract_ref, known.evidence_clause, known.workflow_id) == ("Fixit", "C-1", True, "w")
    assert (vac.sponsor_id, vac.sponsor_status, vac.sponsor_kind, vac.evidence_clause) == ("somebody", None, None, None)
    assert len(vic.ledger) == 2


@pytest.mark.parametrize(
    ("stated", "sessions", "last"),
    [
        (None, [], None),
        (7, [], 7),
        (None, [{"started_at": 5}, {"started_at": 9}, {"started_at": 6}], 9),
        (7, [{"started_at": 5}], 7),
        (7, [{"started_at": 7}], 7),
        (7, [{"started_at": 8}], 8),
        (None, [{"started_at": -500}], -500),  # Before the period is a use as well.
        (None, [{"started_at": 95 * DAY}], 95 * DAY),  # So is after it, up to as_of.
        (None, [{"started_at": 100 * DAY + 1}], None),
        (None, [{"started_at": 5, "status": "failed_attempt"}], None),
        (None, [{"started_at": None}], None),
    ],
)
def test_when_a_right_was_last_used(
    world: Any, stated: int | None, sessions: list[dict[str, Any]], last: int | None
) -> None:
    world.tell("tp", Grant(id="g", basis="standing", starts_at=-900, last_used_at=stated))
    for number, fields in enumerate(sessions):
        world.tell("tp", Session(id=f"s{number}", grant_ids=("g",), **fields))
    row = world.row("tp/grant/g")
    assert row.grant.last_used_at == last
    deciding = {1 + number for number, each in enumerate(sessions) if stated != last == each["started_at"]}
    assert deciding <= set(row.ledger)


def test_an_ambiguous_session_uses_no_right(world: Any) -> None:
    world.person("ana", tp="ana")
    for name in "gh":
        world.tell("tp", Grant(id=name, subject="ana", targets=("db",), starts_at=1, expires_at=99))
    world.tell("tp", Session(id="s", subject="ana", target="db", started_at=5))
    assert {row.grant.last_used_at for row in world.rows("grant").values()} == {None}


def test_only_its_own_row_knows_when_sessions_used_a_right(world: Any) -> None:
    world.person("ana", tp="ana")
    world.tell("tp", Grant(id="g", subject="ana", starts_at=1, last_used_at=2, data_access_approved=True))
    world.tell("tp", Session(id="s", subject="ana", started_at=5, grant_ids=("g",)))
    world.tell("tp", Session(id="t", subject="ana", started_at=6, grant_ids=("g",)))
    own = world.row("tp/grant/g").grant
    views = [
        world.row("tp/session/s").grant,
        *world.row("tp/session/t").grants,
        *world.row("hr/identity/ana").grants,
        world.trail("tp/session/s").row.grant,
    ]
    assert (own.last_used_at, own.data_access_approved) == (6, True)
    assert {(each.last_used_at, each.data_access_approved) for each in views} == {(2, True)}, "days stay as they are"


@pytest.mark.parametrize(
    ("population", "given"),
    [
        (
            "session_event",
            {"event": {"flags": [{"rule": "data.export", "severity": "high"}]}, "session": {"draw": 0.5}},
        ),
        ("session", {"events": [{"kind": "query", "flags": [{"family": "data"}]}]}),
        ("recording", {"recording": {"retrieved_at": "2026-02-01T00:00:00Z"}}),
        ("credential", {"identity": {"kind": "service"}, "credential": {"kind": "api-key"}}),
        ("review", {"items": [{"outcome": "keep"}], "previous_completed_at": "2025-12-01T00:00:00Z"}),
        ("legal_hold", {"legal_hold": {"matched_count": 3}}),
    ],
)
def test_examples_of_the_new_populations(population: str, given: dict[str, Any]) -> None:
    row = example_row(population, given)
    blank = example_row(population, {})
    assert row.item_id == blank.item_id == f"example/{population}/1"
    assert row != blank
