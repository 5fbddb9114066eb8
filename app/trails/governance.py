# SPDX-License-Identifier: Apache-2.0

"""Rows of the populations ``credential``, ``review`` and ``legal_hold``.

In:  single records and the frame. Out: one row per item that concerns the period.
A campaign is a review of the whole: it names no session, grant, event, person or other campaign.
"""

from bisect import bisect_left
from collections.abc import Iterable

from app.records.folding import FoldedRecord
from app.records.model import Credential, Grant, LegalHold, Review
from app.trails.populations import CredentialRow, LegalHoldRow, ReviewItemView, ReviewRow
from app.trails.rows import Frame
from app.trails.views import Views
from app.trails.waivers import Scope

_ITEM = "access_item"


def credential_rows(frame: Frame) -> list[CredentialRow]:
    """Return the rows of the credentials that had not expired before the period."""
    return [
        _credential_row(frame, each)
        for each in frame.index.credential_records
        if each.record.expires_at is None or each.record.expires_at >= frame.period.start
    ]


def legal_hold_rows(frame: Frame) -> list[LegalHoldRow]:
    """Return the rows of the holds in force in the period; one without dates may always have been."""
    return [_legal_hold_row(frame, each) for each in frame.index.legal_holds if _held(each.record, frame)]


def review_rows(frame: Frame) -> list[ReviewRow]:
    """Return the rows of the reviews due or completed in the period, other than the single decisions of campaigns."""
    campaigns = _Campaigns(frame.index.reviews)
    return [
        _review_row(frame, each, at, campaigns)
        for each in frame.index.reviews
        if each.record.kind != _ITEM and (at := _review_instant(each, frame)) is not None
    ]


class _Campaigns:
    """When campaigns were completed, by source and kind."""

    def __init__(self, reviews: Iterable[FoldedRecord[Review]]) -> None:
        self._completed: dict[tuple[str, str | None], list[tuple[int, str, tuple[int, ...]]]] = {}
        for each in reviews:
            done = each.record.completed_at
            if done is not None and _is_campaign(each.record):
                self._completed.setdefault(_series(each), []).append((done, each.item_id, each.ledger))
        for entries in self._completed.values():
            entries.sort()

    def before(self, review: FoldedRecord[Review]) -> tuple[int, tuple[int, ...]] | None:
        """Return when the last one before this was completed, and the ledger entries that say so."""
        said = review.record
        bound = said.completed_at if said.completed_at is not None else said.due_at
        entries = self._completed.get(_series(review), [])
        if bound is None or not _is_campaign(said):
            return None
        place = bisect_left(entries, (bound,))
        return (entries[place - 1][0], entries[place - 1][2]) if place else None


def _credential_row(frame: Frame, credential: FoldedRecord[Credential]) -> CredentialRow:
    said, source = credential.record, credential.source
    views = frame.views(frame.state_at)
    holder = views.login(source, said.subject).identity
    subjects = frame.index.waivers.subjects(source, said.subject)
    return CredentialRow(
        credential=views.credential(credential),
        identity=None if holder is None else views.identity(holder),
        **frame.shared(
            item_id=credential.item_id,
            source=source,
            at=frame.state_at,
            views=views,
            scope=Scope(item_id=credential.item_id, subjects=subjects),
        ),
    )


def _legal_hold_row(frame: Frame, hold: FoldedRecord[LegalHold]) -> LegalHoldRow:
    views = frame.views(frame.state_at)
    return LegalHoldRow(
        legal_hold=views.legal_hold(hold),
        **frame.shared(item_id=hold.item_id, source=hold.source, at=frame.state_at, views=views),
    )


def _held(hold: LegalHold, frame: Frame) -> bool:
    placed_in_time = hold.placed_at is None or hold.placed_at < frame.period.end
    return placed_in_time and (hold.lifted_at is None or hold.lifted_at >= frame.period.start)


def _review_row(frame: Frame, review: FoldedRecord[Review], at: int, campaigns: _Campaigns) -> ReviewRow:
    views = frame.views(at)
    previous = campaigns.before(review)
    if previous is not None:
        views.used.update(previous[1])
    subjects = frame.index.waivers.subjects(review.source, review.record.subject)
    return ReviewRow(
        review=views.review(review),
        items=[_item(frame, views, each) for each in frame.index.campaign_items.of(review.item_id)],
        previous_completed_at=None if previous is None else previous[0],
        **frame.shared(
            item_id=review.item_id,
            source=review.source,
            at=at,
            views=views,
            scope=Scope(item_id=review.item_id, subjects=subjects),
        ),
    )


def _item(frame: Frame, views: Views, item: FoldedRecord[Review]) -> ReviewItemView:
    named: list[FoldedRecord[Grant]] = frame.index.grants.anywhere(item.source, item.record.grant_id)
    return views.review_item(item, named[0] if len(named) == 1 else None)


def _review_instant(review: FoldedRecord[Review], frame: Frame) -> int | None:
    """Return when a review was due or, due at another time, completed, if that lies in the period; no later than known.

    One without any date counts when it was first heard of.
    """
    said = review.record
    dates = [date for date in (said.due_at, said.completed_at) if date is not None] or [review.first_observed_at]
    inside = (date for date in dates if frame.period.start <= date < frame.period.end)
    first = next(inside, None)
    return None if first is None else min(first, frame.state_at)


def _is_campaign(review: Review) -> bool:
    about = (review.session_id, review.grant_id, review.event_id, review.subject, review.campaign_id)
    return review.kind != _ITEM and not any(about)


def _series(review: FoldedRecord[Review]) -> tuple[str, str | None]:
    return (review.source, review.record.kind)
