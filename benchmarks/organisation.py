# SPDX-License-Identifier: Apache-2.0

"""A made-up organisation of any size, as access records, with deviations planted in known numbers.

In:  a number of privileged sessions and a seed. Out: the same lines of normalized NDJSON for the same two, every time.
Everything is in order but what is planted. Who works how much, and where, follows Zipf's law, as in life: a few people
and a few systems have most of the sessions. A day has hours, though: the law is flattened at its head (Mandelbrot), so
that the busiest person has at most some 38 times as many rights as others have on average, however many there are.
"""

import datetime as dt
import random
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import msgspec

from app.records.model import (
    AccessEvent,
    AccessRecord,
    Account,
    Approval,
    Grant,
    Identity,
    Recording,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Workflow,
)

FIRST_DAY, LAST_DAY = dt.date(2026, 4, 1), dt.date(2026, 6, 30)
START = int(dt.datetime(2026, 4, 1, tzinfo=dt.UTC).timestamp()) * 1000
DAYS = (LAST_DAY - FIRST_DAY).days + 1
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
SLOT = 16 * HOUR
SESSIONS_A_GRANT = 4
"""Sessions that use one right; with the unused ones, there are about 0.3 rights a session."""

PLANTED_IN_SESSIONS: dict[str, tuple[str, ...]] = {
    "no_grant": ("SES-01", "SES-04"),
    "no_mfa": ("IDN-04",),
    "not_recorded": ("REC-01",),
    "idle": ("SES-03",),
}
"""What is wrong with a session, and the tests that must say so. Of every thousand sessions, one has each."""

PLANTED_IN_GRANTS: dict[str, tuple[str, ...]] = {
    "no_approval": ("APR-01", "APR-06"),
    "self_approved": ("APR-02", "APR-03"),
    "stranger_approved": ("APR-03",),
    "too_long": ("GRT-01",),
    "removed_late": ("GRT-03",),
    "too_broad": ("GRT-04",),
    "no_reason": ("APR-05",),
}
"""What is wrong with a right. Of every thousand rights that nobody used, one has each."""

_A_THOUSAND = 1_000


class Organisation:
    """Writes the records of an organisation.

    Attributes:
        planted: test id to the number of items that it must find, complete once ``records`` has been read to its end.
    """

    def __init__(self, sessions: int, seed: int = 1) -> None:
        self.planted: Counter[str] = Counter()
        self._sessions = sessions
        self._random = random.Random(seed)  # noqa: S311  It is seeded on purpose.
        self._people = max(20, sessions // 50)
        self._targets = max(10, sessions // 500)
        self._taken: set[tuple[int, int, int]] = set()
        self._busy = _zipf(self._people, flat=max(10, self._people // 200)), _zipf(self._targets, flat=10)

    def lines(self) -> Iterator[bytes]:
        """Yield the records as lines of JSON."""
        encode = msgspec.json.Encoder().encode
        for record in self.records():
            yield encode(record) + b"\n"

    def records(self) -> Iterator[AccessRecord]:
        """Yield the inventories, then every right with its approval, its ticket and the sessions that used it."""
        yield from self._inventories()
        made = rights = 0
        while made < self._sessions:
            users = min(SESSIONS_A_GRANT, self._sessions - made)
            yield from self._used_right(rights, made, users)
            made, rights = made + users, rights + 1
        for spare in range(self._sessions // 20):
            yield from self._unused_right(rights + spare, spare)

    def _inventories(self) -> Iterator[AccessRecord]:
        for number in range(self._targets // 10 + 1):
            approvers = (_person(0), _person(1), _person(2))
            yield Workflow(
                id=f"wf{number}",
                name=f"Workflow {number}",
                active=True,
                business_owner=_person(3),
                technical_operator=_person(4),
                owner_confirmed_at=START,
                approvers=approvers,
                recording_required=True,
                accepted_recording_kinds=("pty",),
                retention_documented=True,
            )
        for number in range(self._targets):
            yield Target(
                id=f"db{number}",
                name=f"db{number}",
                env="prod",
                brokered=True,
                data_classes=("none_confirmed",),
                workflow_id=f"wf{number // 10}",
            )
        for number in range(self._people):
            yield Identity(
                id=_person(number),
                kind="human",
                display=f"Person {number}",
                email=f"{_person(number)}@bench.example",
                person_id=_person(number),
                status="active",
            )
        for number in range(self._targets):
            yield Account(
                id=f"db{number}/app",
                name="app",
                target=f"db{number}",
                subject=_person(5),
                shared=False,
                privileged=True,
                enabled=True,
                created_at=START - DAY,
            )

    def _used_right(self, number: int, first: int, users: int) -> Iterator[AccessRecord]:
        person, target, start = self._free_slot(self._draw(0), self._draw(1))
        yield from self._right(number, person, target, start)
        for place in range(users):
            at = start + MINUTE + place * 50 * MINUTE
            yield from self._session(first + place, number, person, target, at)

    def _right(
        self, number: int, person: int, target: int, start: int, wrong: str | None = None
    ) -> Iterator[AccessRecord]:
        """Yield a ticket, a right of four hours and its approval."""
        end = start + (12 * HOUR if wrong == "too_long" else 4 * HOUR)
        approver = {"self_approved": person, "stranger_approved": 6}.get(wrong or "", 0 if person else 1)
        has_ticket = wrong != "no_reason"
        if has_ticket:
            yield Ticket(
                id=f"CHG-{number}",
                kind="change",
                status="closed",
                opened_at=start - HOUR,
                closed_at=end + HOUR,
                outcome="solved",
            )
        yield Grant(
            id=f"g{number}",
            subject=_person(person),
            requester=_person(person),
            role="operator",
            targets=(f"db{target}",),
            basis="jit",
            privileged=True,
            requested_at=start - 10 * MINUTE,
            starts_at=start,
            expires_at=end,
            ended_at=end,
            end_reason="expired",
            removed_at=end + (HOUR if wrong == "removed_late" else MINUTE),
            purpose="planned maintenance" if has_ticket else "",
            ticket_keys=(f"CHG-{number}",) if has_ticket else (),
            state="ended",
            scope_level="global" if wrong == "too_broad" else "resource",
            wildcard=False,
            scope_digest=f"scope-{number}",
            required_approvals=1,
        )
        if wrong != "no_approval":
            yield Approval(
                id=f"a{number}",
                grant_id=f"g{number}",
                decision="approved",
                requested_at=start - 10 * MINUTE,
                decided_at=start - 5 * MINUTE,
                approver=_person(approver),
                mode="human",
                scope_digest=f"scope-{number}",
                approved_until=end,
            )

    def _session(self, number: int, grant: int, person: int, target: int, at: int) -> Iterator[AccessRecord]:
        wrong = self._plan(number, PLANTED_IN_SESSIONS)
        at -= 3 * HOUR if wrong == "no_grant" else 0
        end = at + 20 * MINUTE + number % 7 * MINUTE
        name = f"s{number}"
        # A session says which right it used in three of five cases; in the others the window must tell.
        named = None if number % 5 < 2 else (f"g{grant}",)  # noqa: PLR2004
        yield Session(
            id=name,
            subject=_person(person),
            run_as="app",
            target=f"db{target}",
            role="operator",
            protocol="postgresql",
            interactive=True,
            privileged=True,
            client_address="192.0.2.1",
            started_at=at,
            ended_at=end,
            status="closed",
            mfa=wrong != "no_mfa",
            mfa_at=None if wrong == "no_mfa" else at - 4 * HOUR,
            mfa_method=None if wrong == "no_mfa" else "webauthn",
            grant_ids=("none",) if wrong == "no_grant" else named,
            max_idle_ms=30 * MINUTE if wrong == "idle" else 5 * MINUTE,
            recording_policy="off" if wrong == "not_recorded" else "on",
        )
        for place in range(2):
            yield SessionEvent(
                id=f"{name}-{place}",
                session_id=name,
                seq=place,
                at=at + (place + 1) * MINUTE,
                kind="query",
                text=f"SELECT id, state FROM jobs WHERE id = {number + place}",  # noqa: S608  It is what somebody typed.
                outcome="ok",
            )
        if wrong == "not_recorded":
            yield Recording(id=f"r-{name}", session_id=name, state="off")
        else:
            yield Recording(
                id=f"r-{name}",
                session_id=name,
                state="stored_claimed",
                kind="pty",
                starts_at=at,
                ends_at=end,
            )
        if number % 10 == 0 and wrong is None:
            yield AccessEvent(
                id=f"l-{name}", at=at + SECOND, target=f"db{target}", account="app", privileged=True, session_id=name
            )

    def _unused_right(self, number: int, spare: int) -> Iterator[AccessRecord]:
        person, target, start = self._free_slot(7 + spare % (self._people - 7), self._draw(1))
        yield from self._right(number, person, target, start, self._plan(spare, PLANTED_IN_GRANTS))

    def _free_slot(self, person: int, target: int) -> tuple[int, int, int]:
        """Return the two with a start at which the person has no other right there: windows must tell rights apart."""
        while True:
            slot = self._random.randrange(1, DAYS * DAY // SLOT - 1)
            if (person, target, slot) not in self._taken:
                self._taken.add((person, target, slot))
                return person, target, START + slot * SLOT + self._random.randrange(HOUR)

    def _plan(self, number: int, kinds: dict[str, tuple[str, ...]]) -> str | None:
        place = number % _A_THOUSAND
        if place >= len(kinds):
            return None
        wrong = list(kinds)[place]
        self.planted.update(kinds[wrong])
        return wrong

    def _draw(self, which: int) -> int:
        weights = self._busy[which]
        return bisect(weights, self._random.random() * weights[-1])


def _person(number: int) -> str:
    return f"p{number}"


def _zipf(size: int, flat: int) -> list[float]:
    return list(accumulate(1 / (rank + flat) for rank in range(size)))
