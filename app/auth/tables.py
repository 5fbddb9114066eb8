# SPDX-License-Identifier: Apache-2.0

"""Tables of tokens and of the activity log."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class TokenRow(SQLModel, table=True):
    """One bearer token; ``scopes`` is space separated."""

    __tablename__ = "api_token"

    id: str = Field(primary_key=True)
    name: str
    scopes: str
    digest: str
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class ActivityRow(SQLModel, table=True):
    """One thing that one of our users did."""

    __tablename__ = "activity"

    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_type=BigInteger, index=True)
    actor: str
    action: str
    subject: str
