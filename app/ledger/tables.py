# SPDX-License-Identifier: Apache-2.0

"""Tables of the ledger. Triggers refuse UPDATE and DELETE on all of them (see the first migration)."""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


def _position(name: str) -> Column[int]:
    # On SQLite only a column of type INTEGER can be the row's own number; it has 64 bits there.
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)


class LedgerEntryRow(SQLModel, table=True):
    """One leaf of the log: its columns, from which the leaf's bytes are made, and its hash.

    ``fingerprint`` stands for (source, kind, key, raw digest) in the only index: over the texts themselves it would be
    five times as large, and random keys would make it half the cost of an import.
    """

    __tablename__: ClassVar[str] = "ledger_entry"
    __table_args__ = (UniqueConstraint("fingerprint", name="uq_ledger_entry_fingerprint"),)

    index: int = Field(sa_column=_position("index"))
    source: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    occurred_at: int | None = Field(sa_type=BigInteger)
    occurred_at_text: str | None = Field(sa_type=Text)
    collected_at: int = Field(sa_type=BigInteger)
    run_id: str = Field(sa_type=Text)
    raw_sha256: bytes = Field(sa_type=LargeBinary)
    raw_length: int
    leaf_hash: bytes = Field(sa_type=LargeBinary)
    fingerprint: bytes = Field(sa_type=LargeBinary)


class LedgerRawRow(SQLModel, table=True):
    """The bytes of one entry, apart from its columns so that proofs and listings do not read them."""

    __tablename__: ClassVar[str] = "ledger_raw"

    index: int = Field(sa_column=_position("index"))
    raw: bytes = Field(sa_type=LargeBinary)


class LedgerNodeRow(SQLModel, table=True):
    """The hash of one complete subtree of two leaves or more; ``ranges.node_position`` gives its place."""

    __tablename__: ClassVar[str] = "ledger_node"

    position: int = Field(sa_column=_position("position"))
    hash: bytes = Field(sa_type=LargeBinary)


class LedgerCheckpointRow(SQLModel, table=True):
    """A signed checkpoint, one per size it was asked for."""

    __tablename__: ClassVar[str] = "ledger_checkpoint"

    size: int = Field(sa_column=_position("size"))
    root_hash: bytes = Field(sa_type=LargeBinary)
    note: str = Field(sa_type=Text)
