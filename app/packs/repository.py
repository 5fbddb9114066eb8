# SPDX-License-Identifier: Apache-2.0

"""All SQL about the register of packs."""

from pathlib import Path

import msgspec
from sqlmodel import Session, col, select

from app.evaluation.model import Period
from app.packs.tables import PackRow


class PackInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One registered pack.

    Attributes:
        id: the first 16 digits of the archive's SHA-256.
        tree_size: entries of the ledger it rests on. checkpoint: the signed note that says so.
        sha256, size: of the archive. path: where it was written to.
    """

    id: str
    framework: str
    period: Period
    built_at: int
    tree_size: int
    checkpoint: str
    content_manifest_sha256: str
    sha256: str
    size: int
    path: Path

    @property
    def file_name(self) -> str:
        """Return the archive's name without folders."""
        return self.path.name


def save(session: Session, pack: PackInfo) -> None:
    """Register a pack; the same pack again only says where it is now."""
    session.merge(
        PackRow(
            id=pack.id,
            framework=pack.framework,
            period_start=pack.period.start,
            period_end=pack.period.end,
            built_at=pack.built_at,
            tree_size=pack.tree_size,
            checkpoint=pack.checkpoint,
            content_manifest_sha256=pack.content_manifest_sha256,
            sha256=pack.sha256,
            size=pack.size,
            path=str(pack.path),
        )
    )


def newest_first(session: Session) -> list[PackInfo]:
    """Return all packs, newest first."""
    rows = session.exec(select(PackRow).order_by(col(PackRow.built_at).desc(), col(PackRow.id)))
    return [_info(row) for row in rows]


def find(session: Session, pack_id: str) -> PackInfo | None:
    """Return one pack."""
    row = session.get(PackRow, pack_id)
    return _info(row) if row else None


def previous(session: Session, framework: str, tree_size: int) -> PackInfo | None:
    """Return the newest pack of a framework that rests on a strictly smaller ledger."""
    earlier = (
        select(PackRow)
        .where(PackRow.framework == framework, col(PackRow.tree_size) < tree_size)
        .order_by(col(PackRow.tree_size).desc(), col(PackRow.built_at).desc(), col(PackRow.id))
        .limit(1)
    )
    row = session.exec(earlier).first()
    return _info(row) if row else None


def _info(row: PackRow) -> PackInfo:
    return PackInfo(
        id=row.id,
        framework=row.framework,
        period=Period(start=row.period_start, end=row.period_end),
        built_at=row.built_at,
        tree_size=row.tree_size,
        checkpoint=row.checkpoint,
        content_manifest_sha256=row.content_manifest_sha256,
        sha256=row.sha256,
        size=row.size,
        path=Path(row.path),
    )
