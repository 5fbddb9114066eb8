# SPDX-License-Identifier: Apache-2.0

"""The registers of Larkfield Health: access reviews, patterns looked at, secrets, recordings read back, holds, agents.

In:  the ordinary accesses. Out: what their owners' registers tell, all of it in order. The deviations among them are
planted elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from app.demo.consequences import session_items
from app.demo.directory import tell
from app.demo.model import Access, Story, Told, Use
from app.demo.organisation import person
from app.demo.oversight import ANALYST
from app.demo.times import DAY, HOUR, MINUTE, instant, stable_hex
from app.demo.told_sessions import told_session
from app.records.model import Credential, LegalHold, Recording, Review, SessionEvent

_REVIEWER = "tobias.lindqvist@larkfield.example"
_DRILLS = ("2026-07-31 08:00", "2026-08-31 08:00", "2026-09-28 08:00")
_READ_BACK = 8


def registers(accesses: Iterable[Access]) -> Story:
    """Return what the registers tell that is in order."""
    told = (*_campaign(), *_patterns(), *_secrets(), *_drills(accesses), _hold())
    return Story(told=told) + _agent_at_work()


def campaign(
    key: str, due: str, completed: str, decisions: Sequence[tuple[str, str]], *, carried_out: bool = True
) -> Iterator[Told]:
    """Yield a campaign of access review and its decisions: whom it is about, and keep or remove."""
    done = instant(completed)
    record = Review(
        id=key, kind="access", reviewer=_REVIEWER, due_at=instant(due), completed_at=done,
        population_count=len(decisions), snapshot_count=len(decisions),
    )  # fmt: skip
    yield tell("reviews", record, done)
    for number, (who, outcome) in enumerate(decisions, start=1):
        acted = outcome == "remove" and carried_out
        item = Review(
            id=f"{key}-{number}",
            kind="access_item",
            campaign_id=key,
            subject=person(who).email,
            reviewer=_REVIEWER,
            outcome=outcome,
            completed_at=done - DAY,
            executed_at=done + 2 * HOUR if acted else None,
            verified_removed=True if acted else None,
        )
        yield tell("reviews", item, done + 3 * HOUR)


def pattern(who: str, completed: str, outcome: str) -> Told:
    """Return the conclusion on a right that somebody asked for again and again."""
    done = instant(completed)
    record = Review(
        id=f"PATTERN-{who}", kind="pattern", subject=person(who).email, reviewer=ANALYST, completed_at=done,
        outcome=outcome,
    )  # fmt: skip
    return tell("reviews", record, done)


def read_back(key: str, item: str, use: Use, at: int) -> Recording:
    """Return what the archive says of a recording that it fetched, hashed and compared."""
    ended = use.ended or use.started
    digest = stable_hex("recording", item)
    return Recording(
        id=key,
        session_id=item,
        state="verified",
        kind="pty",
        starts_at=use.started,
        ends_at=ended,
        sha256=digest,
        verified_sha256=digest,
        verified_at=at,
        registered_at=ended + MINUTE,
        immutable=True,
        retrievable=True,
        retrieved_at=at,
        retention_class="recording",
        on_hold=False,
    )


def hold(key: str, *, present: int) -> LegalHold:
    """Return a legal hold over twelve recordings, of which so many were there when last counted."""
    return LegalHold(
        id=key,
        matter_ref=f"matter {key}",
        custodian="tobias.lindqvist@larkfield.example",
        placed_by="helena.varga@larkfield.example",
        placed_at=instant("2026-07-08 09:00"),
        matched_count=12,
        present_count=present,
        changed_count=0,
    )


def _campaign() -> Iterator[Told]:
    kept = ("dunja.brandt", "silvio.marchetti", "yuki.tanabe", "emeka.nwosu", "jonas.weller", "priya.raman")
    decisions = [*((who, "keep") for who in kept), ("callum.reid", "remove")]
    yield from campaign("REVIEW-2026-Q2", "2026-07-15", "2026-07-10 15:00", decisions)


def _patterns() -> Iterator[Told]:
    yield pattern("magnus.eide", "2026-09-03 10:00", "automate")
    yield pattern("noor.haddad", "2026-09-03 10:30", "change_role")
    yield pattern("tomas.riva", "2026-09-03 11:00", "accepted")


def _secrets() -> Iterator[Told]:
    record = Credential(
        id="svc-backup/database-key", subject=person("svc-backup").email, kind="api-key", privileged=True,
        issued_at=instant("2025-05-02 09:00"), rotated_at=instant("2026-08-03 09:00"),
        last_used_at=instant("2026-09-28 02:10"),
    )  # fmt: skip
    yield tell("inventory", record, instant("2026-09-28 23:30"))


def _drills(accesses: Iterable[Access]) -> Iterator[Told]:
    """Yield the monthly drill: the archive reads back the latest recordings of servers and compares their digests."""
    recorded = [
        (use, item)
        for access in accesses
        if access.door == "teleport_ssh"
        for use, item in zip(access.uses, session_items(access), strict=True)
        if use.recording == "on" and use.ended is not None
    ]
    for month, day in enumerate(_DRILLS, start=7):
        at = instant(day)
        latest = sorted(((use.started, item, use) for use, item in recorded if use.started < at - DAY), reverse=True)
        for number, (_, item, use) in enumerate(latest[:_READ_BACK], start=1):
            yield tell("archive", read_back(f"drill-2026-{month:02}-{number}", item, use, at), at)


def _hold() -> Told:
    return tell("archive", hold("H-2026-01", present=12), instant("2026-09-28 09:00"))


def _agent_at_work() -> Story:
    """The invoice agent answers a question of billing: delegated, under a policy, each call told by its gateway."""
    story = Story()
    for number, at in ((9141, "2026-08-11 08:10"), (9142, "2026-09-15 08:20")):
        story += agent_session(f"agent-{number}", at, number=number)[1]
    return story


def agent_session(
    key: str, at: str, *, number: int, target: str = "billing-db", allowed: bool = True
) -> tuple[str, Story]:
    """Return the item id of a session of the invoice agent, and what tells of it; ``allowed`` by its policy or not."""
    item, access, story = told_session(
        key, "agent-invoices", target, at, approver="osei.boateng", number=number, source="gateway",
        interactive=False, subject_kind="agent", delegator="osei.boateng@larkfield.example",
        policy_id="invoice-questions-read-only", protocol="mcp",
    )  # fmt: skip
    told = [
        msgspec.structs.replace(each, record=_call(each.record)) if isinstance(each.record, SessionEvent) else each
        for each in story.told
    ]
    return item, Story(told=(*told, _query(f"gateway-{number}", access, allowed=allowed)))


def _call(event: SessionEvent) -> SessionEvent:
    return msgspec.structs.replace(
        event, kind="api", text="plan the answer", tool="planner", credential_ref="task-token", outcome="ok",
        privileged=False,
    )  # fmt: skip


def _query(session: str, access: Access, *, allowed: bool) -> Told:
    at = access.starts + 16 * MINUTE
    text = "select count(*) from invoice where state = 'open'" if allowed else "select number from payroll where id = 7"
    record = SessionEvent(
        id=f"{session}-2", session_id=session, seq=2, at=at, kind="query", text=text, outcome="ok",
        parent_id=f"{session}-1", tool="sql", credential_ref="task-token", privileged=True, within_policy=allowed,
        masked=True, downstream=access.target,
    )  # fmt: skip
    return tell("gateway", record, at)
