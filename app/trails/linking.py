# SPDX-License-Identifier: Apache-2.0

"""Link folded records into the populations of a period.

In:  folded records, completeness boxes of their collections, a period, the instant of the judgment.
Out: for every population its rows, sorted by item id; equal for equal inputs in whatever order they come.
No I/O. Unknown stays unknown: see ``app.trails.views`` for the few places where a row needs a yes or no.
"""

from collections.abc import Iterable

from app.collection.model import CollectionRun
from app.records.folding import FoldedRecord
from app.records.model import AccessEvent, AccessRecord, Grant, RecorderEvent, Session
from app.trails.evidence import Declared, Evidence, SourceCoverage, coverages, source_view
from app.trails.explaining import SessionExplainer
from app.trails.flags import Flagger, Flags, NoFlags
from app.trails.governance import credential_rows, legal_hold_rows, review_rows
from app.trails.index import TrailIndex
from app.trails.inventory import (
    access_event_row,
    account_row,
    identity_row,
    in_period,
    recorder_event_row,
    waiver_row,
    workflow_row,
)
from app.trails.model import PeriodLike
from app.trails.populations import PeriodView, Row, SourceRow
from app.trails.rows import Frame, grant_row, in_force, session_row
from app.trails.session_evidence import SessionEvidence
from app.trails.sessions import LinkedSession, link_session, session_instant
from app.trails.views import Use


def build_populations(
    folded: Iterable[FoldedRecord[AccessRecord]],
    runs: Iterable[CollectionRun],
    period: PeriodLike,
    as_of: int,
    declared: Declared | None = None,
    flagger: Flagger | None = None,
) -> dict[str, list[Row]]:
    """Link everything and return the rows of every population.

    Args:
        folded: all folded records, also those outside the period: they explain what lies inside.
        runs: all collection runs.
        period: the audit period, UTC.
        as_of: instant the judgment is made for, epoch milliseconds.
        declared: connector name to the record types it declares; without it only what was produced counts.
        flagger: knows the risk rules for the texts of commands; without it nothing is flagged.

    Returns:
        Population name to rows, sorted by ``item_id``; every population is present.
    """
    sources = coverages(runs, declared or {})
    return populations(make_frame(TrailIndex(folded), sources, period, as_of, flagger), sources)


def make_frame(
    index: TrailIndex, sources: list[SourceCoverage], period: PeriodLike, as_of: int, flagger: Flagger | None = None
) -> Frame:
    """Return what all rows of one period share."""
    view = PeriodView(start=period.start, end=period.end, as_of=as_of)
    return Frame(
        index=index,
        period=view,
        evidence=Evidence(sources, period.end),
        first_uses=_first_uses(index, view),
        last_uses=index.last_uses(as_of),
        flags=Flags(flagger or NoFlags()),
    )


def populations(frame: Frame, sources: list[SourceCoverage]) -> dict[str, list[Row]]:
    """Return the rows of every population, from an index that is already built."""
    index = frame.index
    linked = sessions_in_period(frame)
    evidence = SessionEvidence(frame, linked)
    rows: dict[str, list[Row]] = {
        "session": [session_row(frame, each) for each in linked],
        "grant": _grant_rows(frame, linked),
        "identity": _identity_rows(frame, linked),
        "account": [account_row(frame, each) for each in index.account_records],
        "access_event": _access_event_rows(frame),
        "recorder_event": [
            recorder_event_row(frame, each, at)
            for each in index.recorder_events
            if _inside(frame, at := _event_instant(each))
        ],
        "session_event": [*evidence.event_rows()],
        "recording": [*evidence.recording_rows()],
        "credential": [*credential_rows(frame)],
        "review": [*review_rows(frame)],
        "legal_hold": [*legal_hold_rows(frame)],
        "workflow": [workflow_row(frame, each) for each in index.workflows],
        "waiver": [waiver_row(frame, each) for each in index.waiver_records if in_period(each, frame)],
        "source": [_source_row(frame, each) for each in sources],
    }
    for each in rows.values():
        each.sort(key=_item_id)
    return rows


def sessions_in_period(frame: Frame) -> list[LinkedSession]:
    """Link the sessions of the period, by item id."""
    return [link_session(frame.index, each) for each in sessions_of_period(frame.index, frame.period)]


def sessions_of_period(index: TrailIndex, period: PeriodView) -> list[FoldedRecord[Session]]:
    """Return the sessions that started in the period, by item id; one without a start counts when first heard of."""
    return [each for each in index.sessions if period.start <= session_instant(each) < period.end]


def users_of_grants(linked: Iterable[LinkedSession]) -> dict[str, list[LinkedSession]]:
    """Return, by the grant's item id, the sessions known to have used it."""
    users: dict[str, list[LinkedSession]] = {}
    for each in linked:
        for grant in each.match.used:
            users.setdefault(grant.item_id, []).append(each)
    return users


def _grant_rows(frame: Frame, linked: list[LinkedSession]) -> list[Row]:
    users = users_of_grants(linked)
    return [
        grant_row(frame, each, users.get(each.item_id, []))
        for each in frame.index.grants
        if in_force(each, frame.period)
    ]


def _identity_rows(frame: Frame, linked: list[LinkedSession]) -> list[Row]:
    index = frame.index
    reviews = index.reviews_of_people
    grants: dict[str, list[FoldedRecord[Grant]]] = {}
    sessions: dict[str, list[FoldedRecord[Session]]] = {}
    for grant in index.grants:
        who = index.identities.who(grant.source, grant.record.subject)
        if who is not None and in_force(grant, frame.period):
            grants.setdefault(who, []).append(grant)
    for each in linked:
        if each.person is not None:
            sessions.setdefault(index.identities.person_key(each.person), []).append(each.session)
    return [
        identity_row(
            frame,
            each,
            grants=grants.get(person, []),
            sessions=sessions.get(person, []),
            reviews=reviews.get(person, []),
        )
        for each in index.identity_records
        if (person := index.identities.person_key(each))
    ]


def _access_event_rows(frame: Frame) -> list[Row]:
    explainer = SessionExplainer(frame)
    return [
        access_event_row(frame, each, at, explainer.sessions_of(each))
        for each in frame.index.access_events
        if _inside(frame, at := _event_instant(each))
    ]


def _source_row(frame: Frame, source: SourceCoverage) -> SourceRow:
    shared = frame.shared(
        item_id=f"{source.source}/source/{source.source}",
        source=source.source,
        at=frame.state_at,
        views=frame.views(frame.state_at),
    )
    return SourceRow(collected=source_view(source, frame.period), **shared)


def _first_uses(index: TrailIndex, period: PeriodView) -> dict[str, Use]:
    """Return the first use of every account in the period, brokered or seen by its target only."""
    uses = [
        (each.source, each.record.target, each.record.run_as, session_instant(each), each.ledger)
        for each in sessions_of_period(index, period)
        if each.record.status != "failed_attempt"
    ]
    uses += [
        (each.source, each.record.target, each.record.account, at, each.ledger)
        for each in index.access_events
        if period.start <= (at := _event_instant(each)) < period.end
    ]
    first: dict[str, Use] = {}
    for source, target, name, at, ledger in uses:
        account = index.account(source, target, name)
        if account is not None:
            use = Use(at, ledger)
            first[account.item_id] = min(use, first.get(account.item_id, use))
    return first


def _event_instant(event: FoldedRecord[AccessEvent] | FoldedRecord[RecorderEvent]) -> int:
    return event.first_observed_at if event.record.at is None else event.record.at


def _inside(frame: Frame, at: int) -> bool:
    return frame.period.start <= at < frame.period.end


def _item_id(row: Row) -> str:
    return row.item_id
