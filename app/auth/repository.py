# SPDX-License-Identifier: Apache-2.0

"""All SQL about tokens and activity."""

from sqlmodel import Session, col, select

from app.auth.tables import ActivityRow, TokenRow


def add_token(session: Session, row: TokenRow) -> None:
    """Store a new token's row."""
    session.add(row)


def find_token(session: Session, token_id: str) -> TokenRow | None:
    """Return the row of a token id."""
    return session.get(TokenRow, token_id)


def list_tokens(session: Session) -> list[TokenRow]:
    """Return all tokens, oldest first."""
    return list(session.exec(select(TokenRow).order_by(col(TokenRow.created_at), col(TokenRow.id))))


def add_activity(session: Session, row: ActivityRow) -> None:
    """Append to the activity log."""
    session.add(row)
