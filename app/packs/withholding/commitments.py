# SPDX-License-Identifier: Apache-2.0

"""A commitment to one withheld value: it binds whoever made it, and tells nothing to whoever does not have its salt.

    salt       = HMAC-SHA256(key, canonical JSON [population, item id, place, value])
    key        = HKDF-SHA256(the operator's secret, info = label and what the pack is about)
    commitment = SHA-256(canonical JSON [label, salt, population, item id, place, value])

as in SD-JWT (RFC 9901, section 4.2), with the place bound in, so that a value opened for one item fits no other. The
salt has 256 bits and comes from a pseudo-random function, so that the same pack has the same bytes again; the value is
among its inputs, so that no two values ever share a salt. An absent value is committed to like any other. Pure.
"""

import base64
import hashlib
import hmac
import re

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.signing.canonical import canonical_json

LABEL = "proofroom.withheld.v1"
BEGINNING = "withheld:"
MARK = re.compile(rf"{BEGINNING}[A-Za-z0-9_-]{{43}}", re.ASCII)
"""What a cell holds in the place of a withheld value."""
SECRET_BYTES = 32


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a value stands: a population, an item's id, and a path in it, such as ``events[3].text_sha256``."""

    population: str
    item_id: str
    path: str


def pack_key(secret: bytes, about: tuple[str | int, ...]) -> bytes:
    """Return the key that the salts of one pack come from.

    Args:
        secret: the operator's, 32 bytes.
        about: framework, period, ledger: whatever tells one pack from another.
    """
    info = canonical_json([LABEL, *about])
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(secret)


def salt_of(key: bytes, place: Place, value: str | None) -> str:
    """Return the salt for a value at a place: 32 bytes in base64url."""
    message = canonical_json([place.population, place.item_id, place.path, value])
    return _text(hmac.digest(key, message, "sha256"))


def mark(salt: str, place: Place, value: str | None) -> str:
    """Return what stands in the cell: ``withheld:`` and the commitment in base64url."""
    opened = canonical_json([LABEL, salt, place.population, place.item_id, place.path, value])
    return f"{BEGINNING}{_text(hashlib.sha256(opened).digest())}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
