# SPDX-License-Identifier: Apache-2.0

"""The register of packs: what was handed over, from which state of the ledger."""

from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class PackRow(SQLModel, table=True):
    """One pack that was built; ``checkpoint`` is the ledger's signed note it rests on."""

    __tablename__: ClassVar[str] = "pack"

    id: str = Field(primary_key=True)
    framework: str = Field(index=True)
    period_start: int = Field(sa_type=BigInteger)
    period_end: int = Field(sa_type=BigInteger)
    built_at: int = Field(sa_type=BigInteger)
    tree_size: int = Field(sa_type=BigInteger)
    checkpoint: str = Field(sa_type=Text)
    content_manifest_sha256: str
    sha256: str
    size: int = Field(sa_type=BigInteger)
    path: str = Field(sa_type=Text)
