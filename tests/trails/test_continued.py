# SPDX-License-Identifier: Apache-2.0

"""Whatever is told after a freeze, going on from it gives what all from the beginning gives: one case per rule.

A row of one day may change because of something that is told on another: each case is one way in which that happens.
"""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from msgspec.structs import replace

from app.connectors.base import Window
from app.records.model import (
    AccessEvent,
    AccessRecord,
    Account,
    Alert,
    Alias,
    Approval,
    Credential,
    Grant,
    Identity,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Waiver,
    Workflow,
)
from tests.trails.continuing import AFTER, DAY, PERIOD, Case, Group, Outcome, go_on

HOUR = DAY // 24


def session(own: str = "", day: int = 1, **said: object) -> list[AccessRecord]:
    """Return session ``s`` of some day, with one command ``e`` and one recording ``r``, which show it too."""
    return [
        Session(**{"id": f"s{own}", "started_at": day * DAY, **said}),
        SessionEvent(id=f"e{own}", session_id=f"s{own}", at=day * DAY),
        Recording(id=f"r{own}", session_id=f"s{own}"),
    ]


def grant(**said: object) -> Grant:
    """Return grant ``g`` of three days."""
    return Grant(**{"id": "g", "starts_at": 0, "expires_at": 3 * DAY, **said})


def ana(**said: object) -> Identity:
    """Return Ana, who logs in as ``ana-login``."""
    logins = tuple(Alias(source=source, subject="ana-login") for source in ("tp", "pam", "db"))
    return Identity(**{"id": "ana", "person_id": "P-1", "status": "active", "aliases": logins, **said})


WINDOW = {"subject": "ana-login", "targets": ("db",)}
THROUGH = {"subject": "ana-login", "target": "db"}


def right(own: str = "", day: int = 1) -> list[AccessRecord]:
    """Return grant ``g``, from some day on."""
    return [grant(id=f"g{own}", starts_at=day * DAY)]


def login(own: str = "", day: int = 1) -> list[AccessRecord]:
    """Return login ``l`` of some day."""
    return [AccessEvent(id=f"l{own}", at=day * DAY)]


def orphan(own: str = "", day: int = 1) -> list[AccessRecord]:
    """Return command ``o`` of some day, which belongs to no session."""
    return [SessionEvent(id=f"o{own}", at=day * DAY)]


REFERENCES = (
    (Approval(id="x"), "session_id", "session/s", session),
    (Approval(id="x"), "grant_id", "grant/g", right),
    (Recording(id="x", starts_at=2 * DAY), "session_id", "session/s", session),
    (SessionEvent(id="x", at=2 * DAY), "session_id", "session/s", session),
    (Review(id="x"), "session_id", "session/s", session),
    (Review(id="x"), "grant_id", "grant/g", right),
    (Review(id="x"), "event_id", "session_event/e", session),
    (Review(id="x"), "event_id", "session_event/o", orphan),
    (Ticket(id="x"), "session_id", "session/s", session),
    (Ticket(id="x"), "event_id", "session_event/e", session),
    (Alert(id="x", about_type="session"), "about_id", "session/s", session),
    (Alert(id="x", about_type="session_event"), "about_id", "session_event/e", session),
    (Alert(id="x", about_type="access_event"), "about_id", "access_event/l", login),
)
"""What names another record, by which field, which record, and what makes that one and what there is besides."""

MORE = {
    Approval: {"decided_at": HOUR},
    Recording: {"size": 5},
    SessionEvent: {"rows": 5},
    Review: {"outcome": "fine"},
    Ticket: {"status": "done"},
    Alert: {"raised_at": HOUR},
}


def of_references() -> Iterator[Case]:
    """Yield what may happen to a record that names another."""
    for child, field, parent, make in REFERENCES:
        what, parents = f"{type(child).__name__} by {field} {parent}", make()
        name = parent.split("/")[1]
        bare = replace(child, **{field: name})
        whole = replace(child, **{field: f"tp/{parent}"})
        yield Case(f"{what} comes", {"tp": parents}, {"tp": [bare]})
        yield Case(f"{what} says more", {"tp": [*parents, bare]}, {"tp": [replace(bare, **MORE[type(child)])]})
        yield Case(f"{what} was waited for", {"tp": [bare]}, {"tp": parents})
        yield Case(f"{what} was waited for from elsewhere", {"pam": [whole]}, {"tp": parents})
        yield Case(f"{what} is not the only one any more", {"tp": parents, "db": [bare]}, {"pam": make("", 3)})
        moved = replace(child, **{field: f"{name}2"})
        yield Case(f"{what} is another", {"tp": [*parents, *make("2", 3), bare]}, {"tp": [moved]})


LOGINS = (
    ("subject of a session", session(subject="ana-login")),
    ("initiator of a session", session(subject="bot", initiator="ana-login")),
    ("subject of a grant", [grant(subject="ana-login")]),
    ("requester of a grant", [grant(requester="ana-login")]),
    ("holder of the grant of a session", [*session(grant_ids=("g",)), grant(subject="ana-login")]),
    ("requester of the grant of a session", [*session(grant_ids=("g",)), grant(requester="ana-login")]),
    ("approver of a session", [*session(), Approval(id="a", session_id="s", approver="ana-login")]),
    ("approver of a grant", [grant(), Approval(id="a", grant_id="g", approver="ana-login")]),
    ("reviewer of a session", [*session(), Review(id="v", session_id="s", reviewer="ana-login")]),
    ("reviewer of a grant", [grant(), Review(id="v", grant_id="g", reviewer="ana-login")]),
    ("subject of a review", [Review(id="v", kind="access", subject="ana-login")]),
    (
        "reader of an alert",
        [*session(), Alert(id="n", about_type="session", about_id="s", acknowledged_by="ana-login")],
    ),
    ("account of a login", [AccessEvent(id="l", at=DAY, account="ana-login")]),
)
"""Where a login may be named."""

BOTH = ("g", "h")
TWO = [grant(subject="ana-login"), grant(id="h", subject="ana-login")]
"""Grants that a session uses both of, so that neither is the one."""


def of_people() -> Iterator[Case]:
    """Yield what may become known of somebody."""
    clerk = Identity(id="clerk", status="active")
    for what, told in LOGINS:
        yield Case(f"{what} becomes known", {"tp": told}, {"hr": [ana()]})
        yield Case(f"{what} leaves", {"tp": told, "hr": [ana()]}, {"hr": [ana(employment_end_at=0)]})
        yield Case(
            f"{what} may be somebody else", {"tp": told, "hr": [ana()]}, {"ldap": [ana(id="ben", person_id="P-2")]}
        )
        # The id is not the only one of its kind any more, so people are shown by their item id.
        yield Case(f"{what} shares an id", {"tp": told, "hr": [ana()]}, {"ldap": [Identity(id="ana")]})
        yield Case(
            f"owner of {what} leaves",
            {"tp": told, "hr": [ana(owner="clerk"), clerk]},
            {"hr": [Identity(id="clerk", status="terminated")]},
        )
    told = [*session(grant_ids=BOTH), *TWO]
    yield Case("holder of two grants becomes known", {"tp": told}, {"hr": [ana()]})
    yield Case("holder of two grants shares an id", {"tp": told, "hr": [ana()]}, {"ldap": [Identity(id="ana")]})


def of_systems() -> Iterator[Case]:
    """Yield what may become known of a target, an account or a workflow."""
    flow, system = Workflow(id="f", name="care"), Target(id="main", aliases=("db",))
    through_system = Target(id="db", workflow_id="f")
    places = (
        ("a session", session(target="db")),
        ("a grant", [grant(targets=("db",))]),
        ("one of two of a grant", [grant(targets=("db", "other"))]),
        ("a login", [AccessEvent(id="l", at=DAY, target="db")]),
        ("a command", [*session(), SessionEvent(id="x", session_id="s", at=2 * DAY, downstream="db")]),
    )
    for what, told in places:
        yield Case(f"target of {what} becomes known", {"tp": told}, {"hr": [system]})
        yield Case(f"target of {what} shares an id", {"tp": told, "hr": [system]}, {"ldap": [Target(id="main")]})
        yield Case(f"target of {what} says more", {"tp": told, "hr": [system]}, {"hr": [replace(system, env="prod")]})
    flows = (
        ("a grant", [grant(workflow_id="f")]),
        ("the grant of a session", [*session(grant_ids=("g",)), grant(workflow_id="f")]),
        ("the target of a session", [*session(target="db"), through_system]),
        ("the target of a grant", [grant(targets=("db",)), through_system]),
    )
    for what, told in flows:
        yield Case(f"workflow of {what} becomes known", {"tp": told}, {"tp": [flow]})
        yield Case(f"workflow of {what} says more", {"tp": [*told, flow]}, {"tp": [Workflow(id="f", active=False)]})
    told, root = session(target="db", run_as="root"), Account(id="root", target="db")
    yield Case("an account becomes known", {"tp": told}, {"db": [root]})
    yield Case("an account says more", {"tp": told, "db": [root]}, {"db": [Account(id="root", shared=True)]})
    yield Case(
        "an account was used before",
        {"tp": told, "db": [root]},
        {"tp": [Session(id="t", target="db", run_as="root", started_at=0)]},
    )


def of_grants() -> Iterator[Case]:
    """Yield how a session may come to use another grant than before, or the same one otherwise."""
    named, window = session(grant_ids=("g",)), session(**THROUGH)
    yield Case("a session names a grant", {"tp": [grant()]}, {"tp": named})
    yield Case("a named grant comes", {"tp": named}, {"tp": [grant()]})
    yield Case("a grant named by item id comes", {"tp": session(grant_ids=("pam/grant/g",))}, {"pam": [grant()]})
    yield Case("a named grant comes with a holder", {"tp": named, "hr": [ana()]}, {"tp": [grant(subject="ana-login")]})
    yield Case("a session fits a window", {"tp": [grant(**WINDOW)]}, {"tp": window})
    yield Case("a window opens", {"tp": window}, {"tp": [grant(**WINDOW)]})
    yield Case("a window closes", {"tp": [*window, grant(**WINDOW)]}, {"tp": [grant(**WINDOW, ended_at=HOUR)]})
    yield Case("a third window fits", {"tp": [*window, *several("g", "h")]}, {"tp": several("i")})
    yield Case(
        "one of two windows is another",
        {"tp": [*window, *several("g", "h")]},
        {"tp": [replace(*several("h"), state="denied"), *several("i")]},
    )
    decision = Approval(id="a", grant_id="i", decision="approved", decided_at=HOUR)
    yield Case(
        "one of two windows closes when a known one opens",
        {"tp": [*window, *several("g", "h"), Grant(id="i", **WINDOW)]},
        {"tp": [Grant(id="h", state="denied"), decision]},
    )
    reasons = [Approval(id="a", grant_id="g"), Ticket(id="CHG-1")]
    yield Case(
        "a window opens by a grant that is known",
        {"tp": [*window, *reasons, grant(subject="ana-login", ticket_keys=("CHG-1",))]},
        {"tp": [grant(targets=("db",))]},
    )
    yield Case("a grant says more", {"tp": [*named, grant()]}, {"tp": [grant(role="admin")]})
    # The shortest of several that cover the session's start is the one.
    two = [grant(), Grant(id="h", starts_at=0)]
    told = session(grant_ids=BOTH)
    yield Case("one of two grants is the one", {"tp": [*told, *two]}, {"tp": [grant(id="h", ended_at=2 * DAY)]})
    yield Case("one of two grants says more", {"tp": [*told, grant(), grant(id="h")]}, {"tp": [grant(role="admin")]})
    yield from of_decisions()


def several(*names: str) -> list[Grant]:
    """Return grants that open the same door at the same time."""
    return [grant(id=name, **WINDOW) for name in names]


def of_decisions() -> Iterator[Case]:
    """Yield how a decision may open a window."""
    window, right = session(**THROUGH), Grant(id="g", **WINDOW)
    decided = {"decision": "approved", "decided_at": HOUR}
    decision = Approval(id="a", grant_id="g", **decided)
    yield Case("a decision comes", {"tp": [*window, right]}, {"tp": [decision]})
    yield Case(
        "a decision is another", {"tp": [*window, right, decision]}, {"tp": [Approval(id="a", decision="denied")]}
    )
    told = [*window, right, Approval(id="a", grant_id="p", **decided)]
    pending = Approval(id="p", grant_id="g", decision="pending")
    yield Case("a decision was put before a group", {"tp": told}, {"tp": [pending]})
    yield Case("the group's grant is another", {"tp": [*told, pending]}, {"tp": [Approval(id="p", grant_id="h")]})
    yield Case("another source knows the group too", {"tp": told}, {"xy": [replace(pending, grant_id="tp/grant/g")]})
    named = session(grant_ids=("g",))
    yield Case("a decision on the grant of a session", {"tp": [*named, grant()]}, {"tp": [decision]})
    of_session = Approval(id="a", session_id="s", **decided)
    yield Case("a decision on the session of a grant", {"tp": [*named, grant()]}, {"tp": [of_session]})
    yield Case(
        "a decided session names a grant",
        {"tp": [*session(), grant(), of_session]},
        {"tp": [Session(id="s", grant_ids=("g",))]},
    )


def of_credentials() -> Iterator[Case]:
    """Yield how a credential may lead a session to a grant."""
    told, issued = session(credential_ref="c"), grant(credential_ref="c")
    yield Case("a credential is used", {"tp": [issued]}, {"tp": told})
    yield Case("a credential was issued", {"tp": told}, {"tp": [issued]})
    yield Case("a credential is used again", {"tp": [issued, *told]}, {"tp": session("2", 3, credential_ref="c")})
    other = Grant(id="h", credential_ref="c", starts_at=0)
    yield Case(
        "one of two of a credential had ended", {"tp": [*told, issued, other]}, {"tp": [Grant(id="h", ended_at=HOUR)]}
    )
    leased, proof = session(run_as="v-ana"), Credential(id="c", subject="v-ana")
    yield Case("a lease becomes known", {"tp": [*leased, issued]}, {"tp": [proof]})
    held = grant(credential_ref="c", subject="ana-login")
    yield Case("a lease of somebody becomes known", {"tp": [*leased, held], "hr": [ana()]}, {"tp": [proof]})
    yield Case("a lease says more", {"tp": [*leased, issued, proof]}, {"tp": [Credential(id="c", kind="lease")]})


def of_tickets() -> Iterator[Case]:
    """Yield how a ticket may become the reason of something."""
    ticket, keys = Ticket(id="CHG-1"), {"ticket_keys": ("CHG-1",)}
    mentioned = grant(purpose="see CHG-1")
    whole = {"ticket_keys": ("itsm/ticket/CHG-1",)}
    for what, told in (
        ("a session", session(**keys)),
        ("a grant", [grant(**keys)]),
        ("the purpose of a grant", [mentioned]),
        ("a session by item id", session(**whole)),
        ("a grant by item id", [grant(**whole)]),
        ("the grant of a session", [*session(grant_ids=("g",)), grant(**keys)]),
        ("the session of a grant", [*session(grant_ids=("g",), **keys), grant()]),
    ):
        yield Case(f"a ticket of {what} comes", {"tp": told}, {"itsm": [ticket]})
        yield Case(f"{what} names a ticket", {"itsm": [ticket]}, {"tp": told})
        yield Case(
            f"a ticket of {what} says more",
            {"tp": told, "itsm": [ticket]},
            {"itsm": [Ticket(id="CHG-1", status="done")]},
        )
        yield Case(f"a ticket of {what} is not the only one", {"tp": told, "itsm": [ticket]}, {"pam": [ticket]})
    yield Case(
        "a session with a reason names a grant",
        {"tp": [*session(**keys), grant()], "itsm": [ticket]},
        {"tp": [Session(id="s", grant_ids=("g",))]},
    )


def of_sessions() -> Iterator[Case]:
    """Yield what may become known of a session, of what belongs to it, and of when it was."""
    named = session(grant_ids=("g",))
    failed = {"id": "s", "started_at": DAY, "status": "failed_attempt", "grant_ids": ("g",)}
    yield Case("a session says more", {"tp": session()}, {"tp": [Session(id="s", client_address="there")]})
    yield Case("a session was after the period", {"tp": [*named, grant()]}, {"tp": [Session(id="s", started_at=AFTER)]})
    yield Case("a user fails", {"tp": [grant()]}, {"tp": [Session(**failed)]})
    yield Case("a user who failed says more", {"tp": [grant(), Session(**failed)]}, {"tp": [Session(id="s", mfa=True)]})
    yield Case(
        "a user had not failed", {"tp": [grant(), Session(**failed)]}, {"tp": [Session(id="s", status="closed")]}
    )
    yield Case(
        "a user who failed names another grant",
        {"tp": [grant(), Session(**failed)]},
        {"tp": [Session(id="s", grant_ids=("h",))]},
    )
    yield Case(
        "a user comes after the period",
        {"tp": [grant()]},
        {"tp": [Session(id="s", started_at=AFTER, grant_ids=("g",))]},
    )
    for make, moved in (
        (session, Session(id="s", started_at=3 * DAY)),
        (session, SessionEvent(id="e", at=3 * DAY)),
        (session, Recording(id="r", starts_at=3 * DAY)),
        (right, Grant(id="g", starts_at=3 * DAY)),
        (login, AccessEvent(id="l", at=3 * DAY)),
    ):
        told = [*make(), *make("2")]
        yield Case(f"{type(moved).__name__} leaves another alone on its day", {"tp": told}, {"tp": [moved]})
    yield Case("a command says more", {"tp": session()}, {"tp": [SessionEvent(id="e", text="drop it")]})
    yield Case("a recording says more", {"tp": session()}, {"tp": [Recording(id="r", size=5)]})
    yield Case("a recording was disposed of", {"tp": session()}, {"tp": [Recording(id="r", disposed_at=-1)]})
    yield Case(
        "a reviewed command gets its session",
        {"tp": [SessionEvent(id="e", session_id="s", at=DAY), Review(id="v", event_id="e")]},
        {"tp": [Session(id="s", started_at=DAY)]},
    )
    yield Case(
        "a review of a session is of a command",
        {"tp": [*session(), Review(id="v", session_id="s")]},
        {"tp": [Review(id="v", event_id="e")]},
    )
    # A source may call its session as another calls the item.
    for what, child in (("command", SessionEvent(id="x", at=2 * DAY)), ("recording", Recording(id="x"))):
        yield Case(
            f"a {what} gets a closer session",
            {"tp": session(), "pam": [replace(child, session_id="tp/session/s")]},
            {"pam": [Session(id="tp/session/s", started_at=3 * DAY)]},
        )


def of_logins() -> Iterator[Case]:
    """Yield how a login that a target saw may be explained by another session than before."""
    door = {"target": "db", "run_as": "root"}
    login = AccessEvent(id="l", at=DAY, target="db", account="root")
    told = {"tp": session(**door, status="open")}
    yield Case("a login comes", told, {"db": [login]})
    yield Case("a login says more", {"db": [login]}, {"db": [AccessEvent(id="l", client_address="there")]})
    yield Case("a session at a login comes", {"db": [login]}, {"tp": session(**door)})
    yield Case("a session at a login says more", {**told, "db": [login]}, {"tp": [Session(id="s", mfa=True)]})
    late = replace(login, at=3 * DAY)
    yield Case("a session at a login ended", {**told, "db": [late]}, {"tp": [Session(id="s", ended_at=2 * DAY)]})
    names = AccessEvent(id="l", at=3 * DAY, session_id="tp/session/s")
    yield Case("a session that a login names comes", {"db": [names]}, {"tp": session()})
    yield Case(
        "a session that a login names says more", {"db": [names], "tp": session()}, {"tp": [Session(id="s", mfa=True)]}
    )
    closer = replace(late, session_id="u")
    yield Case(
        "a login was explained by its time until its session comes", {**told, "db": [closer]}, {"db": [Session(id="u")]}
    )
    own = [*session(**door, grant_ids=("g",)), login]
    yield Case("a session of the same log gets a grant", {"db": own}, {"db": [grant()]})
    own = [*session(grant_ids=("g",)), AccessEvent(id="l", at=3 * DAY, session_id="s")]
    yield Case("a session that a login of the same log names gets a grant", {"db": own}, {"db": [grant()]})
    yield Case(
        "a door of a login becomes known", {**told, "pam": [login]}, {"hr": [Target(id="main", aliases=("db",))]}
    )


ITEMS = (
    ("a session", [Session(id="s", subject="ana-login", started_at=DAY)]),
    ("a grant", [grant(subject="ana-login")]),
    ("an identity", [Identity(id="ana")]),
    ("a login", [AccessEvent(id="l", account="ana-login", at=DAY)]),
    ("a command", [SessionEvent(id="e", at=DAY)]),
    ("a recording", [Recording(id="r", starts_at=DAY)]),
)
BEFORE = ("a grant from before the period", [grant(starts_at=-10 * DAY)])


def waiver(*items: str) -> Waiver:
    """Return a waiver in order."""
    said = {"test_ids": ("T",), "reason": "r", "risk_owner": "o", "approved_by": "boss"}
    return Waiver(id="w", **said, approved_at=0, expires_at=PERIOD.as_of, items=items)


def of_waivers() -> Iterator[Case]:
    """Yield items that come when a waiver for them is there."""
    for what, told in ITEMS:
        kind = told[0].__struct_config__.tag
        in_order = waiver(f"tp/{kind}/{told[0].id}")
        yield Case(f"a waiver waits for {what}", {"hr": [in_order]}, {"tp": told})


def of_more_waivers() -> Iterator[Case]:
    """Yield waivers that come when their items are there."""
    for case in of_waivers():
        yield Case(f"{case.rule}, too late", case.after, case.before)


def of_time() -> Iterator[Case]:
    """Yield what looks otherwise from ``LATE`` than from ``EARLY``."""
    stays = Session(id="s", started_at=DAY, status="open", target="db", run_as="root")
    login = AccessEvent(id="l", at=3 * DAY, target="db", account="root")
    yield Case("a session is still open", {"tp": [stays], "pam": [login]}, {})
    used = Session(id="s", started_at=3 * DAY, grant_ids=("g",))
    yield Case("a right was used until now", {"tp": [grant(), used]}, {})


def of_items() -> Iterator[Case]:
    """Yield items of which nothing is said again."""
    for what, told in (*ITEMS, BEFORE):
        yield Case(f"there is {what}", {"tp": told}, {})


EARLY, LATE = 2 * DAY, 50 * DAY
SOME = dict.fromkeys(["session", "grant"], 1)
SHORTER = Window(start=0, end=4900 * DAY)
GROUPS: dict[str, Group] = {
    "records": Group(
        [
            case
            for cases in (
                of_references,
                of_people,
                of_systems,
                of_grants,
                of_credentials,
                of_tickets,
                of_sessions,
                of_logins,
                of_waivers,
            )
            for case in cases()
        ]
    ),
    "waivers": Group([*of_more_waivers()]),
    "later": Group([*of_time()], as_of=(EARLY, LATE)),
    "earlier": Group([*of_time()], as_of=(LATE, EARLY)),
    "evidence": Group([*of_items()], boxes=({"produced": SOME}, {})),
    "coverage": Group([*of_items()], boxes=({"covered": SHORTER}, {})),
}


@pytest.fixture(scope="module")
def outcomes(new_world: Callable, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Outcome]:
    """Return what gives the outcome of a group of cases, each frozen once."""
    return cache(lambda name: go_on(new_world(), GROUPS[name], tmp_path_factory.mktemp(name)))


@pytest.mark.parametrize(("group", "rule"), [(name, case.rule) for name in GROUPS for case in GROUPS[name].cases])
def test_going_on_tells_what_all_from_the_beginning_tells(
    group: str, rule: str, outcomes: Callable[[str], Outcome]
) -> None:
    assert not outcomes(group).differences[rule]


@pytest.mark.parametrize("group", GROUPS)
def test_going_on_gives_the_same_bytes(group: str, outcomes: Callable[[str], Outcome]) -> None:
    assert outcomes(group).again == outcomes(group).full
    assert not outcomes(group).found


@pytest.mark.parametrize("group", GROUPS)
def test_no_two_cases_are_called_alike(group: str) -> None:
    rules = [case.rule for case in GROUPS[group].cases]
    assert len(rules) == len(set(rules))
