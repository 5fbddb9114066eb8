# SPDX-License-Identifier: Apache-2.0

"""Bearer tokens: made once, shown once, stored only as a digest (RFC 6750 bearer use).

A token is ``prm_<id>_<secret>``. The id finds the row; the secret carries 256 bits from the system's generator, so a
plain SHA-256 is enough to store it: there is nothing to guess slowly.
"""

import hashlib
import hmac
import secrets
from enum import StrEnum

import msgspec

PREFIX = "prm"


class Scope(StrEnum):
    """What a token allows; a caller needs the scope that the endpoint names."""

    READ = "read"
    PACKS_WRITE = "packs:write"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A token's holder, once the token was found in order."""

    token_id: str
    name: str
    scopes: frozenset[Scope]


def new_token() -> tuple[str, str, str]:
    """Return (token to show once, its id, digest to store)."""
    token_id = secrets.token_hex(6)
    token = f"{PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
    return token, token_id, digest(token)


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_id_of(token: str) -> str | None:
    """Return the id inside a token, or None if it does not look like one of ours."""
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or not parts[1].isalnum():  # noqa: PLR2004 -- the three parts of a token
        return None
    return parts[1]


def matches(token: str, stored_digest: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(token), stored_digest)
