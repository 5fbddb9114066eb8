# SPDX-License-Identifier: Apache-2.0

"""Which grant a session used: the links of four real sources, and every way in which there is no one answer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.model import Approval, Credential, Grant, Session, Target
from app.trails.windows import WindowIndex

HASH = "hmac-sha256:77096b21"
LEASED = "v-userpass-billing--dm4BEZhYZvw12pHDrzs9-1795248646"


def test_teleport_names_its_request_exactly(world: Any) -> None:
    world.person("ana", teleport="ana")
    world.person("bo", teleport="bo")
    world.tell(
        "teleport",
        Grant(id="r1", subject="ana", starts_at=1_000, expires_at=9_000, basis="jit"),
        Approval(id="r1/bo", grant_id="r1", decision="approved", decided_at=900, approver="bo", mode="human"),
        Session(id="s1", subject="ana", target="app-01", started_at=2_000, grant_ids=("r1",)),
    )
    row = world.row("teleport/session/s1")
    assert (row.session.grant_link, row.grant.id, row.session.grant_candidates) == ("exact", "r1", 1)
    (approval,) = row.approvals
    assert (approval.approver_person_id, approval.approver_status, approval.link_basis) == ("P-bo", "active", "exact")
    assert world.row("teleport/grant/r1").sessions[0].id == "teleport/session/s1"


def test_openbao_lease_leads_to_the_postgres_session_by_its_audit_hash(world: Any) -> None:
    world.person("alice", openbao="userpass-alice")
    world.person("bob", openbao="userpass-bob")
    world.tell(
        "openbao",
        Grant(
            id="req-1", subject="userpass-alice", starts_at=1_000, expires_at=9_000, basis="lease", credential_ref=HASH
        ),
        Approval(id="a1", grant_id="req-1", decision="approved", decided_at=900, approver="userpass-bob"),
    )
    world.tell("inventory", Credential(id=HASH, subject=LEASED, kind="audit-hash"))
    world.tell("postgresql", Session(id="6b01", subject=LEASED, run_as=LEASED, target="billing", started_at=2_000))
    row = world.row("postgresql/session/6b01")
    assert (row.session.grant_link, row.grant.id, row.grant.link_basis) == ("derived", "req-1", "derived")
    # Nobody is known by the leased name; the lease says whose it is.
    assert (row.identity.id, row.session.initiator_person_id) == ("alice", "P-alice")
    assert [(each.approver_id, each.link_basis) for each in row.approvals] == [("bob", "derived")]
    # Both people, grant, approval, the credential that proves the join, session: the row rests on all of them.
    assert row.ledger == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("granted", "used", "basis"),
    [
        ("45439242db12d4f8", "4990993627897582840", "derived"),
        ("4990993627897582840", "45439242db12d4f8", "derived"),
        ("45439242DB12D4F8", "45:43:92:42:db:12:d4:f8", "derived"),
        ("4990993627897582840", "4990993627897582840", "derived"),
        ("45439242db12d4f8", "4990993627897582841", "none"),
        ("10", "16", "none"),  # Small numbers are ids, not serials; they are equal in hex by accident.
    ],
)
def test_certificate_serials_join_across_bases(world: Any, granted: str, used: str, basis: str) -> None:
    world.tell("openbao", Grant(id="g", credential_ref=granted))
    world.tell("sshd", Session(id="s", started_at=5, credential_ref=used))
    assert world.row("sshd/session/s").session.grant_link == basis


def test_one_credential_on_two_grants_is_told_apart_by_time_or_not_at_all(world: Any) -> None:
    for key, start, end in (("g1", 0, 1_000), ("g2", 1_000, 2_000), ("g3", 1_500, 2_500)):
        world.tell("openbao", Grant(id=key, credential_ref=HASH, starts_at=start, expires_at=end))
    for key, at in (("in-g1", 500), ("in-both", 1_700), ("in-none", 9_000)):
        world.tell("pg", Session(id=key, credential_ref=HASH, started_at=at))
    assert world.row("pg/session/in-g1").grant.id == "g1"
    for key in ("in-both", "in-none"):
        row = world.row(f"pg/session/{key}")
        assert (row.session.grant_link, row.grant, len(row.grants)) == ("ambiguous", None, 3)


@pytest.mark.parametrize(
    ("changes", "basis"),
    [
        ({}, "window"),
        ({"started_at": 1_000}, "window"),  # The start of a grant is inside,
        ({"started_at": 5_000}, "none"),  # its end is not,
        ({"started_at": 999}, "none"),  # and a millisecond early is early.
        ({"started_at": None}, "none"),
        ({"subject": "bo@x.example"}, "none"),
        ({"subject": None}, "none"),
        ({"target": "claims-db"}, "none"),
        ({"target": "patients"}, "window"),  # An alias of patient-db.
        ({"subject": "auth0|ana"}, "window"),  # Another login of the same person.
        ({"grant_ids": ()}, "none"),  # The source says that no request was used.
        ({"grant_ids": ("other",)}, "none"),  # It names another one, which was not collected.
    ],
)
def test_hoop_reuses_a_jit_review_by_window(world: Any, changes: dict[str, Any], basis: str) -> None:
    world.person("ana", hoop="auth0|ana")
    world.person("bo")
    world.tell("inventory", Target(id="patient-db", aliases=("patients",)), Target(id="claims-db"))
    world.tell(
        "hoop",
        Grant(
            id="r1", subject="ana@x.example", targets=("patient-db",), basis="jit", starts_at=1_000, expires_at=5_000
        ),
    )
    fields = {"subject": "ana@x.example", "target": "patient-db", "started_at": 2_000, **changes}
    world.tell("hoop", Session(id="s1", **fields), at=2_000)
    row = world.row("hoop/session/s1")
    assert row.session.grant_link == basis
    assert (row.grant is not None) == (basis == "window")


@pytest.mark.parametrize(
    ("grant", "approved_at", "basis"),
    [
        ({"starts_at": 1_000}, 1_500, "window"),
        ({"starts_at": 1_000}, 2_500, "none"),  # Approved after the session had started.
        ({}, 1_500, "window"),  # No start on record, so it starts with its approval.
        ({}, None, "none"),  # Nothing says when it started.
        ({"basis": "standing"}, None, "window"),  # A standing right has always been there.
        ({"starts_at": 1_000, "state": "denied"}, None, "none"),
        ({"starts_at": 1_000, "state": "requested"}, None, "none"),
        ({"starts_at": 1_000, "ended_at": 1_900, "expires_at": 9_000}, None, "none"),
    ],
)
def test_only_a_right_that_was_in_force_fits_a_window(
    world: Any, grant: dict[str, Any], approved_at: int | None, basis: str
) -> None:
    world.tell("hoop", Grant(**{"id": "g", "subject": "ana", "targets": ("db",), "basis": "jit", **grant}))
    if approved_at is not None:
        world.tell("hoop", Approval(id="a", grant_id="g", decision="approved", decided_at=approved_at))
    world.tell("hoop", Session(id="s", subject="ana", target="db", started_at=2_000))
    assert world.row("hoop/session/s").session.grant_link == basis


def test_two_fitting_grants_are_shown_and_none_is_picked(world: Any) -> None:
    for key in ("g1", "g2"):
        world.tell(
            "hoop",
            Grant(id=key, subject="ana", targets=("db",), starts_at=0, expires_at=9_000, ticket_keys=("CHG-1",)),
            Approval(id=f"{key}-a", grant_id=key, decision="approved", decided_at=0),
        )
    world.tell("hoop", Session(id="s", subject="ana", target="db", started_at=2_000))
    row = world.row("hoop/session/s")
    assert (row.session.grant_link, row.session.grant_candidates, row.grant) == ("ambiguous", 2, None)
    assert [each.id for each in row.grants] == ["g1", "g2"]
    assert not row.approvals  # A candidate's approval does not vouch for the session.
    assert not world.row("hoop/grant/g1").sessions
    (link,) = [each for each in world.trail("hoop/session/s").links if each.relation == "grant"]
    assert (link.to_id, link.candidates) == (None, ("hoop/grant/g1", "hoop/grant/g2"))


def test_several_named_grants_all_count_and_the_tightest_is_the_grant(world: Any) -> None:
    world.tell(
        "teleport",
        Grant(id="long", starts_at=0, expires_at=9_000),
        Grant(id="short", starts_at=1_000, expires_at=3_000),
        Grant(id="over", starts_at=0, expires_at=100),
        Session(id="s", started_at=2_000, grant_ids=("long", "short", "over", "lost")),
    )
    row = world.row("teleport/session/s")
    assert (row.session.grant_link, row.grant.id, len(row.grants)) == ("exact", "short", 3)
    lost = [each for each in world.trail("teleport/session/s").links if each.basis == "none"]
    assert any("'lost'" in each.explanation for each in lost)


def test_the_same_login_name_elsewhere_is_somebody_else(world: Any) -> None:
    world.tell("hoop", Grant(id="g", subject="root", targets=("db",), starts_at=0))
    world.tell("sudo", Session(id="s", subject="root", target="db", started_at=5))
    assert world.row("sudo/session/s").session.grant_link == "none"


_WINDOWS = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.none() | st.integers(0, 50), st.none() | st.integers(0, 50), st.integers(0, 99)
    ),
    max_size=12,
)


@settings(deadline=None)
@given(_WINDOWS, st.sampled_from("ab"), st.integers(-1, 51), st.sampled_from([1, 1_000_003, 2**40]))
def test_the_window_index_finds_what_a_plain_search_finds(
    windows: list[tuple[str, int | None, int | None, int]], key: str, at: int, scale: int
) -> None:
    grown = [
        (name, None if start is None else start * scale, None if end is None else end * scale, item)
        for name, start, end, item in windows
    ]
    plain = [
        item
        for name, start, end, item in grown
        if name == key
        and (start is None or start <= at * scale)
        and (end is None or at * scale < end)
        and (start is None or end is None or start < end)
    ]
    assert sorted(WindowIndex(grown).find(key, at * scale)) == sorted(plain)
