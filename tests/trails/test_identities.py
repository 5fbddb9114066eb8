# SPDX-License-Identifier: Apache-2.0

"""Who stands behind a login: by alias, e-mail address or id; never by resemblance, never by luck."""

from typing import Any

import pytest

from app.records.folding import fold, select
from app.records.model import Account, Alias, Approval, Grant, Identity, Session
from app.trails.identities import IdentityIndex, status_at


def index_of(world: Any) -> IdentityIndex:
    """Return the index over the world's identities."""
    return IdentityIndex(select(fold(world.told), Identity))


@pytest.mark.parametrize(
    ("source", "subject", "found"),
    [
        ("teleport", "ana", "u1"),
        ("hoop", "ana", None),  # An alias counts for its source only,
        ("hoop", "ana-anywhere", "u1"),  # but one for any source counts everywhere.
        ("hoop", "ana@x.example", "u1"),
        ("hoop", "ANA@X.Example", "u1"),
        ("hoop", "ana@x", None),  # No prefix.
        ("hoop", "an", None),
        ("hoop", "Ana", None),  # No display name.
        ("teleport", "ANA", None),  # Logins are case sensitive.
        ("hoop", "u1", "u1"),
        ("hoop", "\u212aim@x.example", None),  # A Kelvin sign is not a K.
        ("hoop", "kim@x.example", "u2"),
        ("hoop", "P-1", None),  # A person id is no login.
        ("hoop", "", None),
        ("hoop", None, None),
    ],
)
def test_a_login_names_one_identity_or_none(world: Any, source: str, subject: str | None, found: str | None) -> None:
    aliases = (Alias(source="teleport", subject="ana"), Alias(source="*", subject="ana-anywhere"))
    world.tell(
        "hr",
        Identity(id="u1", display="Ana", email="Ana@x.example", person_id="P-1", aliases=aliases),
        Identity(id="u2", email="kim@x.example", person_id="P-2"),
    )
    identity = index_of(world).resolve(source, subject).identity
    assert (None if identity is None else identity.record.id) == found


def test_two_identities_with_one_login_leave_it_unresolved_and_say_so(world: Any) -> None:
    for key in ("u1", "u2"):
        world.tell("hr", Identity(id=key, person_id=key, aliases=(Alias(source="sudo", subject="ops"),)))
    world.tell("sudo", Session(id="s", subject="ops", started_at=5))
    assert world.row("sudo/session/s").identity is None
    (link,) = [each for each in world.trail("sudo/session/s").links if each.relation == "identity"]
    assert (link.basis, link.to_id) == ("ambiguous", None)
    assert link.candidates == ("hr/identity/u1", "hr/identity/u2")


def test_an_ambiguous_login_is_not_settled_by_the_grant(world: Any) -> None:
    for key in ("u1", "u2"):
        world.tell("hr", Identity(id=key, person_id=key, aliases=(Alias(source="tp", subject="ops"),)))
    world.tell("tp", Grant(id="g", subject="u1"), Session(id="s", subject="ops", started_at=5, grant_ids=("g",)))
    assert world.row("tp/session/s").identity is None


def test_two_records_of_one_person_are_one_and_the_stricter_word_counts(world: Any) -> None:
    world.tell("idp", Identity(id="00u", email="ana@x.example", person_id="P-1", status="active", kind="human"))
    world.tell(
        "hr", Identity(id="17", email="ana@x.example", person_id="P-1", employment_end_at=50, status="terminated")
    )
    identity = index_of(world).resolve("hoop", "ana@x.example").identity
    assert identity is not None
    assert (identity.record.kind, identity.record.status, identity.record.employment_end_at) == (
        "human",
        "terminated",
        50,
    )


def test_records_that_share_no_person_id_are_never_merged(world: Any) -> None:
    world.tell("idp", Identity(id="00u", email="ana@x.example"))
    world.tell("hr", Identity(id="17", email="ana@x.example", person_id="P-1"))
    resolution = index_of(world).resolve("hoop", "ana@x.example")
    assert (resolution.identity, len(resolution.candidates)) == (None, 2)


def test_one_person_with_two_logins_who_approves_herself_is_one_person(world: Any) -> None:
    world.tell(
        "hr",
        Identity(id="ana", person_id="P-1", aliases=(Alias(source="hoop", subject="ana@x"),)),
        Identity(id="ana-admin", person_id="P-1", aliases=(Alias(source="hoop", subject="adm-ana@x"),)),
    )
    world.tell(
        "hoop",
        Grant(id="g", subject="ana@x", requester="ana@x", targets=("db",), starts_at=1_000, expires_at=9_000),
        Approval(id="a", grant_id="g", decision="approved", decided_at=900, approver="adm-ana@x"),
        Session(id="s", subject="adm-ana@x", target="db", started_at=2_000),
    )
    grant = world.row("hoop/grant/g")
    assert grant.grant.requester_person_id == grant.approvals[0].approver_person_id == "P-1"
    assert world.row("hoop/session/s").session.grant_link == "window"  # Her other login's right, found by person.
    for key in ("ana", "ana-admin"):
        row = world.row(f"hr/identity/{key}")
        assert ([each.id for each in row.grants], [each.id for each in row.sessions]) == (["g"], ["hoop/session/s"])


@pytest.mark.parametrize(
    ("status", "end", "at", "expected"),
    [
        ("active", None, 5, "active"),
        ("terminated", None, 5, "terminated"),
        ("terminated", 10, 9, "active"),
        ("terminated", 10, 10, "terminated"),
        ("active", 10, 11, "terminated"),  # The date decides, even where nobody has changed the status yet.
        ("suspended", 10, 9, "suspended"),
        (None, 10, 9, "active"),
        (None, None, 9, None),
        ("active", 10, None, None),
        ("active", None, None, "active"),
    ],
)
def test_status_is_told_as_of_an_instant(status: Any, end: int | None, at: int | None, expected: str | None) -> None:
    assert status_at(Identity(id="1", status=status, employment_end_at=end), at) == expected


def test_a_leavers_session_and_a_leavers_earlier_approval(world: Any) -> None:
    world.person("ana", hoop="ana")
    world.person("bo", hoop="bo")
    world.tell("hr", Identity(id="bo", status="terminated", employment_end_at=5_000), at=5_000)
    world.tell(
        "hoop",
        Grant(id="g", subject="ana"),
        Approval(id="early", grant_id="g", decision="approved", decided_at=4_999, approver="bo"),
        Approval(id="late", grant_id="g", decision="approved", decided_at=5_000, approver="bo"),
        Session(id="before", subject="bo", started_at=4_000),
        Session(id="after", subject="bo", started_at=6_000),
    )
    assert [each.approver_status for each in world.row("hoop/grant/g").approvals] == ["active", "terminated"]
    assert world.row("hoop/session/before").identity.status == "active"
    assert world.row("hoop/session/after").identity.status == "terminated"
    assert world.row("hoop/session/after").identity.employment_end_at == 5_000
    assert world.row("hr/identity/bo").identity.status == "terminated"


def test_ids_that_two_sources_share_do_not_make_two_people_one(world: Any) -> None:
    world.tell("idp", Identity(id="7", email="ana@x.example", person_id="P-1"))
    world.tell("hr", Identity(id="7", email="bo@x.example", person_id="P-2"))
    world.tell("cmdb", Account(id="1", owner="ana@x.example", reviewer="bo@x.example"))
    account = world.row("cmdb/account/1").account
    assert (account.owner_id, account.reviewer_id) == ("idp/identity/7", "hr/identity/7")


def test_a_responsible_person_may_be_named_by_person_id(world: Any) -> None:
    world.tell("hr", Identity(id="ana", person_id="P-1"))
    world.tell("cmdb", Account(id="1", owner="P-1", reviewer="somebody"))
    account = world.row("cmdb/account/1").account
    assert (account.owner_id, account.reviewer_id) == ("ana", "somebody")
