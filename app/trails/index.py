# SPDX-License-Identifier: Apache-2.0

"""All folded records, ready to be linked: built once, then asked per item.

In:  folded records of all sources, in any order. Out: lookups by whatever one record may name of another.
Every dictionary here is filled in the order of item ids, so that nothing depends on the order of arrival.
"""

from collections.abc import Callable, Iterable

from app.records.folding import FoldedRecord, select
from app.records.model import (
    AccessEvent,
    AccessRecord,
    Account,
    Alert,
    Approval,
    Credential,
    Grant,
    Identity,
    LegalHold,
    RecorderEvent,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Waiver,
    Workflow,
)
from app.trails.grants import GrantLinker
from app.trails.identities import IdentityIndex
from app.trails.lookup import Attached, Lookup, attach
from app.trails.targets import TargetIndex
from app.trails.views import Use
from app.trails.waivers import WaiverIndex


class TrailIndex:
    """Everything that is known, by what may name it."""

    def __init__(self, folded: Iterable[FoldedRecord[AccessRecord]]) -> None:
        records = sorted(folded, key=lambda each: each.item_id)
        self.records = records
        self.identity_records = select(records, Identity)
        self.account_records = select(records, Account)
        self.access_events = Lookup(select(records, AccessEvent), "access_event")
        self.recorder_events = Lookup(select(records, RecorderEvent), "recorder_event")
        self.waiver_records = select(records, Waiver)
        self.identities = IdentityIndex(self.identity_records)
        self.targets = TargetIndex(select(records, Target))
        self.workflows = Lookup(select(records, Workflow), "workflow")
        self.sessions = Lookup(select(records, Session), "session")
        self.grants = Lookup(select(records, Grant), "grant")
        self.tickets = Lookup(select(records, Ticket), "ticket")
        self.reviews = Lookup(select(records, Review), "review")
        self.recording_records = select(records, Recording)
        self.event_records = select(records, SessionEvent)
        self.credential_records = select(records, Credential)
        self.legal_holds = select(records, LegalHold)
        self.waivers = WaiverIndex(self.waiver_records, self.identities, self.targets)
        self._attach(records)
        self.linker = GrantLinker(
            self.grants, self.grant_approvals.of, self.credential_records, self.identities, self.targets
        )
        self._accounts = self._accounts_by_door()
        self._last_uses: tuple[int, dict[str, Use]] | None = None

    def workflow(self, source: str, workflow_id: str | None) -> FoldedRecord[Workflow] | None:
        """Return the workflow a record names; None where none or several sources know the id."""
        found = self.workflows.anywhere(source, workflow_id)
        return found[0] if len(found) == 1 else None

    def account(self, source: str, target: str | None, name: str | None) -> FoldedRecord[Account] | None:
        """Return the account of this name on a target, as ``source`` spells both; None where several claim it."""
        key = self.targets.key(source, target)
        found = self._accounts.get((key, name), []) if key is not None and name is not None else []
        return found[0] if len(found) == 1 else None

    def last_uses(self, as_of: int) -> dict[str, Use]:
        """Return, by the grant's item id, the last session up to an instant that is known to have used it.

        It asks every session for its grants, whatever the period; the answer is kept for the next to ask.
        """
        if self._last_uses is None or self._last_uses[0] != as_of:
            self._last_uses = (as_of, self._find_last_uses(as_of))
        return self._last_uses[1]

    def _find_last_uses(self, as_of: int) -> dict[str, Use]:
        last: dict[str, Use] = {}
        for session in self.sessions:
            started = session.record.started_at
            if started is None or started > as_of or session.record.status == "failed_attempt":
                continue
            use = Use(started, session.ledger)
            for grant in self.linker.match(session).used:
                last[grant.item_id] = max(use, last.get(grant.item_id, use))
        return last

    def _attach(self, records: list[FoldedRecord[AccessRecord]]) -> None:
        approvals, alerts = select(records, Approval), select(records, Alert)
        reviews, events = list(self.reviews), self.event_records
        # One approver of several knows only what was put before them, not what came of it: their decision may name the
        # pending approval, which names the grant.
        named = {each.record.id: each.record.grant_id for each in approvals}
        self.grant_approvals = attach(
            approvals,
            self.grants,
            lambda each: named.get(each.grant_id or "") or each.grant_id,
            relation="approval",
            across_sources=False,
        )
        self.session_approvals = attach(
            approvals, self.sessions, lambda each: each.session_id, relation="approval", across_sources=False
        )
        self.recordings = attach(
            self.recording_records,
            self.sessions,
            lambda each: each.session_id,
            relation="recording",
            across_sources=False,
        )
        self.events = attach(
            events, self.sessions, lambda each: each.session_id, relation="event", across_sources=False
        )
        for children in self.events.children.values():
            children.sort(key=_event_order)
        self._attach_reviews(reviews)
        self._attach_to_events(events, reviews, alerts, list(self.tickets))
        self.session_tickets = attach(
            self.tickets,
            self.sessions,
            lambda each: each.session_id if each.event_id is None else None,
            relation="ticket",
            across_sources=True,
        )
        self.session_alerts = attach(alerts, self.sessions, _about("session"), relation="alert", across_sources=True)
        self.access_event_alerts: Attached[Alert] = attach(
            alerts, self.access_events, _about("access_event"), relation="alert", across_sources=True
        )
        self.recorder_event_alerts: Attached[Alert] = attach(
            alerts, self.recorder_events, _about("recorder_event"), relation="alert", across_sources=True
        )

    def _attach_to_events(
        self,
        events: list[FoldedRecord[SessionEvent]],
        reviews: list[FoldedRecord[Review]],
        alerts: list[FoldedRecord[Alert]],
        tickets: list[FoldedRecord[Ticket]],
    ) -> None:
        """Put to commands what names them. Only the few that are named are looked up by their id."""
        about = _about("session_event")
        wanted = {each.record.event_id for each in reviews} | {each.record.event_id for each in tickets}
        wanted |= {about(each.record) for each in alerts}
        names = {part for name in wanted if name for part in (name, name.partition("/session_event/")[2])}
        named = Lookup((each for each in events if each.record.id in names), "session_event")
        self.event_reviews: Attached[Review] = attach(
            reviews, named, lambda each: each.event_id, relation="review", across_sources=True
        )
        self.event_alerts: Attached[Alert] = attach(alerts, named, about, relation="alert", across_sources=True)
        self.event_tickets: Attached[Ticket] = attach(
            tickets, named, lambda each: each.event_id, relation="ticket", across_sources=True
        )
        self._add_event_reviews_to_sessions(named)

    def _add_event_reviews_to_sessions(self, events: Lookup[SessionEvent]) -> None:
        """Put the review of one command to the session of that command too, once."""
        for event in events:
            session = self.sessions.exact(event.source, event.record.session_id)
            if session is not None:
                known = self.session_reviews.children.setdefault(session.item_id, [])
                known.extend(each for each in self.event_reviews.of(event.item_id) if each not in known)

    def _attach_reviews(self, reviews: list[FoldedRecord[Review]]) -> None:
        self.session_reviews = attach(
            reviews, self.sessions, lambda each: each.session_id, relation="review", across_sources=True
        )
        self.grant_reviews = attach(
            reviews, self.grants, lambda each: each.grant_id, relation="review", across_sources=True
        )
        self.campaign_items = attach(
            reviews, self.reviews, lambda each: each.campaign_id, relation="item", across_sources=True
        )
        self.reviews_of_people: dict[str, list[FoldedRecord[Review]]] = {}
        for each in reviews:
            person = self.identities.named(each.source, each.record.subject).identity
            if person is not None:
                self.reviews_of_people.setdefault(self.identities.person_key(person), []).append(each)

    def _accounts_by_door(self) -> dict[tuple[str | None, str | None], list[FoldedRecord[Account]]]:
        accounts: dict[tuple[str | None, str | None], list[FoldedRecord[Account]]] = {}
        for each in self.account_records:
            door = (self.targets.key(each.source, each.record.target), each.record.name or each.record.id)
            accounts.setdefault(door, []).append(each)
        return accounts


def _about(kind: str) -> Callable[[Alert], str | None]:
    return lambda alert: alert.about_id if alert.about_type == kind else None


def _event_order(event: FoldedRecord[SessionEvent]) -> tuple[bool, int, int, str]:
    seq, at = event.record.seq, event.record.at
    return (seq is None, seq or 0, at or 0, event.item_id)
