# SPDX-License-Identifier: Apache-2.0

"""Issue, check and revoke tokens; write down what their holders do."""

from collections.abc import Iterable

import msgspec

from app.auth import repository
from app.auth.tables import ActivityRow, TokenRow
from app.auth.tokens import Caller, Scope, matches, new_token, token_id_of
from app.clock import Clock
from app.db import Database
from app.errors import Forbidden, NotFound, UsageError

DAY = 86_400_000
MAX_DAYS = 366


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a token."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None


class AuthService:
    """Tokens and the activity log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def issue(self, name: str, scopes: Iterable[Scope], days: int) -> tuple[str, TokenInfo]:
        """Make a token and return it with its description; it cannot be shown again.

        Raises:
            UsageError: the name is empty, no scope is given, or the lifetime is not 1 to 366 days.
        """
        wanted = sorted(set(scopes))
        if not name.strip() or not wanted:
            raise UsageError("a token needs a name and at least one scope")
        if not 1 <= days <= MAX_DAYS:
            raise UsageError(f"a token lives 1 to {MAX_DAYS} days, not {days}", where="--days")
        token, token_id, stored = new_token()
        now = self._clock.now()
        row = TokenRow(
            id=token_id,
            name=name.strip(),
            scopes=" ".join(wanted),
            digest=stored,
            created_at=now,
            expires_at=now + days * DAY,
        )
        info = _info(row)
        with self._database.session() as session:
            repository.add_token(session, row)
            session.commit()
        self.record(info.name, "token.issue", token_id)
        return token, info

    def authenticate(self, token: str) -> Caller:
        """Return who holds the token.

        Raises:
            Forbidden: unknown, expired or revoked; the message does not tell which.
        """
        refusal = Forbidden("the token is not valid", hint="Issue a new one with 'proofroom token create'")
        token_id = token_id_of(token)
        if token_id is None:
            raise refusal
        with self._database.session() as session:
            row = repository.find_token(session, token_id)
            if row is None or not matches(token, row.digest):
                raise refusal
            if row.revoked_at is not None or row.expires_at <= self._clock.now():
                raise refusal
            return Caller(token_id=row.id, name=row.name, scopes=frozenset(Scope(s) for s in row.scopes.split()))

    def tokens(self) -> list[TokenInfo]:
        """Return all tokens, without their secrets."""
        with self._database.session() as session:
            return [_info(row) for row in repository.list_tokens(session)]

    def revoke(self, token_id: str) -> None:
        """End a token's life now; revoking twice changes nothing.

        Raises:
            NotFound: there is no such token.
        """
        with self._database.session() as session:
            row = repository.find_token(session, token_id)
            if row is None:
                raise NotFound(f"there is no token '{token_id}'", hint="See 'proofroom token list'")
            name = row.name
            if row.revoked_at is None:
                row.revoked_at = self._clock.now()
                session.commit()
        self.record(name, "token.revoke", token_id)

    def record(self, actor: str, action: str, subject: str) -> None:
        """Append one line to the activity log, such as ``pack.download``."""
        with self._database.session() as session:
            repository.add_activity(
                session, ActivityRow(at=self._clock.now(), actor=actor, action=action, subject=subject)
            )
            session.commit()


def _info(row: TokenRow) -> TokenInfo:
    return TokenInfo(
        id=row.id,
        name=row.name,
        scopes=tuple(Scope(scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
