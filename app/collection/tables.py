# SPDX-License-Identifier: Apache-2.0

"""Tables of collection. Both are derived: ``CollectionService.rebuild`` makes them anew from the ledger."""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Integer, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


def _ledger_index() -> Column[int]:
    return Column("ledger_index", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)


class CollectionRunRow(SQLModel, table=True):
    """One run's completeness box; ``body`` is the raw of its ledger entry."""

    __tablename__: ClassVar[str] = "collection_run"
    __table_args__ = (UniqueConstraint("id", name="uq_collection_run_id"),)

    ledger_index: int = Field(sa_column=_ledger_index())
    id: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    connector: str = Field(sa_type=Text)
    started_at: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)


class ObservationRow(SQLModel, table=True):
    """What one ledger entry says about one access record; ``ordinal`` counts the records one entry speaks of.

    There is no index by record: random ids would make it a third of the cost of an import, and whoever holds a folded
    record knows its ledger indices.
    """

    __tablename__: ClassVar[str] = "observation"
    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}

    ledger_index: int = Field(sa_column=_ledger_index())
    ordinal: int = Field(sa_column=Column("ordinal", Integer, primary_key=True, autoincrement=False))
    source: str = Field(sa_type=Text)
    record_type: str = Field(sa_type=Text)
    record_id: str = Field(sa_type=Text)
    observed_at: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
