# SPDX-License-Identifier: Apache-2.0

"""The table of jobs."""

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel


class JobRow(SQLModel, table=True):
    """One job; ``arguments`` and ``result`` are JSON texts, ``key`` makes asking twice the same job."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: str = Field(primary_key=True)
    kind: str
    key: str
    arguments: str
    state: str = Field(index=True)
    step: str = ""
    done: int = 0
    total: int = 0
    attempt: int = 0
    result: str | None = None
    problem: str | None = None
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
