# SPDX-License-Identifier: Apache-2.0

"""Tables of looks and changes. Rows are only ever added; triggers refuse UPDATE and DELETE."""

from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class WatchLookRow(SQLModel, table=True):
    """A look that found something new; ``snapshot`` is JSON: how everything stood, for the next one to compare with."""

    __tablename__: ClassVar[str] = "watch_look"

    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_type=BigInteger)
    framework: str = Field(index=True)
    period_start: int = Field(sa_type=BigInteger)
    period_end: int = Field(sa_type=BigInteger)
    as_of: int = Field(sa_type=BigInteger)
    ledger_size: int = Field(sa_type=BigInteger)
    controls_sha256: str
    controls_changed: bool
    snapshot: str = Field(sa_type=Text)


class WatchChangeRow(SQLModel, table=True):
    """One move of a look."""

    __tablename__: ClassVar[str] = "watch_change"

    id: int | None = Field(default=None, primary_key=True)
    look_id: int = Field(foreign_key="watch_look.id", index=True)
    kind: str
    subject: str
    old: str | None
    new: str | None
    before: str | None = Field(sa_type=Text)
    after: str | None = Field(sa_type=Text)
