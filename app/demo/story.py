# SPDX-License-Identifier: Apache-2.0

"""The ordinary days: accesses that are asked for, approved, used and given back as they should be.

In:  the organisation and the kinds of work. Out: a ``Story`` without a single deviation.
All draws come from one seeded generator, in one order, so the same version of Proofroom always tells the same story.
"""

import random
from collections.abc import Iterator

from app.demo.model import Access, Decision, Person, Story, Told, Use
from app.demo.organisation import WORKFLOWS, system, team
from app.demo.times import DAY, HOUR, MINUTE, PERIOD_END, PERIOD_START, SECOND, moment
from app.demo.work import WORK, Work
from app.records.model import Ticket

_SEED = 20260701
_SATURDAY = 5
_LAST_FINISH = 20 * HOUR + 30 * MINUTE
_FIRST_TICKET = 1001
_APPROVERS = {workflow.id: workflow.approvers or () for workflow in WORKFLOWS}


def ordinary_days() -> Story:
    """Return the accesses and tickets of the ninety days, deviations excluded."""
    draw = random.Random(_SEED)
    busy: dict[str, int] = {}
    accesses: list[Access] = []
    for day in range(PERIOD_START, PERIOD_END, DAY):
        for requested in _request_times(draw, day):
            work = draw.choices(WORK, weights=[each.weight for each in WORK])[0]
            free = [each for each in team(work.team) if busy.get(each.key, 0) < requested]
            if free:
                who = draw.choice(free)
                access = _access(draw, work, who, requested, len(accesses))
                busy[who.key] = access.expires + 30 * MINUTE
                accesses.append(access)
    return Story(accesses=tuple(accesses), told=tuple(_tickets(draw, accesses)))


def _request_times(draw: random.Random, day: int) -> list[int]:
    """Draw when people ask on this day: many before noon and after lunch, few at weekends."""
    if moment(day).weekday() >= _SATURDAY:
        count = draw.choice((0, 0, 1, 1))
        return sorted(day + draw.randrange(9 * HOUR, 15 * HOUR, SECOND) for _ in range(count))
    peaks = (9.5, 10.5, 13.5, 14.5)
    hours = (draw.triangular(7.0, 16.0, draw.choice(peaks)) for _ in range(draw.randint(6, 10)))
    return sorted(day + int(hour * 3600) * SECOND for hour in hours)


def _access(draw: random.Random, work: Work, who: Person, requested: int, number: int) -> Access:
    day = requested // DAY * DAY
    decided = requested + draw.randrange(2 * MINUTE, 24 * MINUTE, SECOND)
    starts = decided + draw.randrange(5 * SECOND, 40 * SECOND, SECOND) if work.door == "sudo" else decided
    expires = min(starts + draw.choice(work.hours) * HOUR, day + _LAST_FINISH)
    onetime = work.door == "hoop" and draw.random() < 0.25  # noqa: PLR2004 - a quarter of hoop's work is one script.
    key = f"normal-{number:04}"
    uses = tuple(_uses(draw, work, who, key, (starts, expires), onetime=onetime))
    # A lease is given back when the work is done: its natural end leaves no trace in an audit log.
    ended = (uses[-1].ended or expires) + draw.randrange(MINUTE, 4 * MINUTE, SECOND) if work.door == "openbao" else None
    return Access(
        key=key,
        door=work.door,
        person=who.key,
        target=work.target,
        role=work.role,
        ticket=f"OPS-{_FIRST_TICKET + number}",
        purpose=draw.choice(work.purposes),
        requested=requested,
        decisions=(Decision(at=decided, approver=_approver(draw, work, who)),),
        starts=starts,
        expires=expires,
        ended=ended,
        removed=(ended or expires) + draw.randrange(5 * SECOND, 90 * SECOND, SECOND),
        onetime=onetime,
        uses=uses,
    )


def _approver(draw: random.Random, work: Work, who: Person) -> str:
    keys = [login.split("@")[0] for login in _APPROVERS[system(work.target).workflow]]
    return draw.choice([key for key in keys if key != who.key])


def _uses(
    draw: random.Random, work: Work, who: Person, key: str, window: tuple[int, int], *, onetime: bool
) -> Iterator[Use]:
    """Yield one to three sessions, one after the other, all of them well inside the window."""
    starts, expires = window
    at = starts + draw.randrange(20 * SECOND, 4 * MINUTE, SECOND)
    for number in range(1 if onetime else draw.choice((1, 2, 2, 3))):
        ended = at + draw.randrange(3 * MINUTE, 26 * MINUTE, SECOND)
        if ended > expires - MINUTE:
            return
        commands = draw.sample(work.commands, k=draw.randint(1, min(3, len(work.commands))))
        yield Use(
            key=f"{key}-{number + 1}",
            started=at,
            ended=ended,
            commands=tuple(commands),
            run_as=account_on(work.target, who),
        )
        at = ended + draw.randrange(2 * MINUTE, 15 * MINUTE, SECOND)


def _tickets(draw: random.Random, accesses: list[Access]) -> Iterator[Told]:
    """Yield the ticket of each access: opened before it, closed after it with an outcome."""
    for access in accesses:
        if access.ticket is not None:
            opened = access.requested - draw.randrange(10 * MINUTE, 20 * HOUR, SECOND)
            closed = min(access.expires + draw.randrange(10 * MINUTE, 30 * HOUR, SECOND), PERIOD_END - 20 * MINUTE)
            yield ticket(
                access.ticket, opened=opened, closed=closed, kind=draw.choice(("change", "incident", "request"))
            )


def ticket(key: str, *, opened: int, closed: int | None, kind: str, priority: str = "P3") -> Told:
    """Return the ticket as the Jira export tells it."""
    record = Ticket(
        id=key,
        kind="incident" if kind == "incident" else "change" if kind == "change" else "request",
        status="Done" if closed is not None else "Open",
        priority=priority,
        opened_at=opened,
        closed_at=closed,
        outcome="solved" if closed is not None else None,
        url=f"https://jira.larkfield.example/browse/{key}",
    )
    return Told(source="tickets", observed_at=closed or opened, record=record)


def account_on(target: str, who: Person) -> str:
    """Return the account on the target that a brokered session of this person uses."""
    run_as = system(target).run_as
    return who.unix if run_as == "own" else run_as
