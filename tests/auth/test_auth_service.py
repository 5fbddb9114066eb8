# SPDX-License-Identifier: Apache-2.0

"""Tokens: shown once, stored as digests, ended by time or by hand; every refusal looks the same."""

import pytest
from sqlalchemy import text

from app.auth.service import DAY, AuthService
from app.auth.tokens import Scope
from app.clock import FixedClock
from app.db import Database
from app.errors import Forbidden, NotFound, UsageError

NOW = 1_790_000_000_000


def test_a_fresh_token_opens_the_door_with_its_scopes_only(database: Database) -> None:
    auth = AuthService(database, FixedClock(NOW))
    token, info = auth.issue("Dana", [Scope.READ], days=7)
    caller = auth.authenticate(token)
    assert (caller.name, caller.token_id, caller.scopes) == ("Dana", info.id, {Scope.READ})


def test_the_database_never_holds_the_token(database: Database) -> None:
    auth = AuthService(database, FixedClock(NOW))
    token, _ = auth.issue("Dana", [Scope.READ], days=7)
    secret = token.rsplit("_", 1)[-1]
    with database.read() as connection:
        for table in ("api_token", "activity"):
            rows = connection.execute(text("SELECT * FROM " + table)).all()
            assert rows
            assert secret not in str(rows)


def test_anything_but_the_token_is_refused_in_the_same_words(database: Database) -> None:
    auth = AuthService(database, FixedClock(NOW))
    token, _ = auth.issue("Dana", [Scope.READ], days=7)
    secret = token.rsplit("_", 1)[-1]
    spoilt = [
        "",
        "prm",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.replace("prm_", "xyz_"),
        f"prm_000000000000_{secret}",
        token + "\x00",
        "prm_é_" + "x" * 40,
    ]
    for attempt in spoilt:
        with pytest.raises(Forbidden, match="the token is not valid"):
            auth.authenticate(attempt)


def test_a_token_ends_by_time_and_by_hand(database: Database) -> None:
    auth = AuthService(database, FixedClock(NOW))
    token, _ = auth.issue("Dana", [Scope.READ], days=1)
    later = AuthService(database, FixedClock(NOW + DAY))
    with pytest.raises(Forbidden):
        later.authenticate(token)
    other, info = auth.issue("Eli", [Scope.READ], days=1)
    auth.revoke(info.id)
    auth.revoke(info.id)
    with pytest.raises(Forbidden):
        auth.authenticate(other)
    assert [one.revoked_at for one in auth.tokens() if one.id == info.id] == [NOW]


@pytest.mark.parametrize(
    ("name", "scopes", "days"), [(" ", [Scope.READ], 1), ("a", [], 1), ("a", [Scope.READ], 0), ("a", [Scope.READ], 367)]
)
def test_a_token_without_name_scope_or_end_is_not_made(
    database: Database, name: str, scopes: list[Scope], days: int
) -> None:
    with pytest.raises(UsageError):
        AuthService(database, FixedClock(NOW)).issue(name, scopes, days)


def test_revoking_an_unknown_token_says_so(database: Database) -> None:
    with pytest.raises(NotFound, match="no token 'nope'"):
        AuthService(database, FixedClock(NOW)).revoke("nope")
