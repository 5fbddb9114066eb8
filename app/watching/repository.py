# SPDX-License-Identifier: Apache-2.0

"""All SQL about looks and changes. Nothing here updates or deletes."""

import msgspec
from sqlmodel import Session, col, select

from app.evaluation.model import Period
from app.watching.model import Change, Counts, Look, Snapshot, SubjectKind
from app.watching.tables import WatchChangeRow, WatchLookRow

_decode_snapshot = msgspec.json.Decoder(Snapshot).decode
_decode_counts = msgspec.json.Decoder(Counts).decode


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The newest look that was written down of a framework and period."""

    ledger_size: int
    controls_sha256: str
    snapshot: Snapshot


def newest(session: Session, framework: str, period: Period) -> Kept | None:
    """Return the newest look at a framework and period."""
    row = _newest(session, framework, period)
    if row is None:
        return None
    return Kept(
        ledger_size=row.ledger_size, controls_sha256=row.controls_sha256, snapshot=_decode_snapshot(row.snapshot)
    )


def has_looked(session: Session, framework: str, period: Period) -> bool:
    """Tell whether a framework and period was ever looked at."""
    return _newest(session, framework, period) is not None


def add(session: Session, look: Look, controls_sha256: str, snapshot: Snapshot) -> None:
    """Append a look with its moves."""
    row = WatchLookRow(
        at=look.at,
        framework=look.framework,
        period_start=look.period.start,
        period_end=look.period.end,
        as_of=look.as_of,
        ledger_size=look.ledger_size,
        controls_sha256=controls_sha256,
        controls_changed=look.controls_changed,
        snapshot=msgspec.json.encode(snapshot).decode(),
    )
    session.add(row)
    session.flush()
    look_id = row.id or 0
    for move in reversed(look.moves):  # Newest first then begins with the controls.
        session.add(
            WatchChangeRow(
                look_id=look_id,
                kind=move.kind,
                subject=move.subject,
                old=move.old,
                new=move.new,
                before=_encode(move.before),
                after=_encode(move.after),
            )
        )
        session.flush()  # One at a time, so that ids follow the order.


def changes(session: Session, framework: str | None, before: int | None, limit: int) -> list[Change]:
    """Return up to ``limit`` changes, newest first, older than the one with the id ``before``."""
    wanted = select(WatchChangeRow, WatchLookRow).join(WatchLookRow).order_by(col(WatchChangeRow.id).desc())
    if framework is not None:
        wanted = wanted.where(WatchLookRow.framework == framework)
    if before is not None:
        wanted = wanted.where(col(WatchChangeRow.id) < before)
    return [_change(row, look) for row, look in session.exec(wanted.limit(limit))]


def _newest(session: Session, framework: str, period: Period) -> WatchLookRow | None:
    wanted = (
        select(WatchLookRow)
        .where(
            WatchLookRow.framework == framework,
            WatchLookRow.period_start == period.start,
            WatchLookRow.period_end == period.end,
        )
        .order_by(col(WatchLookRow.id).desc())
        .limit(1)
    )
    return session.exec(wanted).first()


def _change(row: WatchChangeRow, look: WatchLookRow) -> Change:
    return Change(
        id=row.id or 0,
        at=look.at,
        framework=look.framework,
        period=Period(start=look.period_start, end=look.period_end),
        as_of=look.as_of,
        ledger_size=look.ledger_size,
        controls_changed=look.controls_changed,
        kind=SubjectKind(row.kind),
        subject=row.subject,
        old=row.old,
        new=row.new,
        before=_decode_counts(row.before) if row.before else None,
        after=_decode_counts(row.after) if row.after else None,
    )


def _encode(counts: Counts | None) -> str | None:
    return None if counts is None else msgspec.json.encode(counts).decode()
