# SPDX-License-Identifier: Apache-2.0

"""Witnesses: parties who have seen that the ledger only grew, and say so below a checkpoint.

In:  a signed checkpoint with further lines, and the keys of witnesses one trusts.
Out: which of them cosigned it, and when by their clocks. A wrong line of a trusted witness is an error, never ignored.

A cosignature is Ed25519 over ``cosignature/v1``, the witness's time and the checkpoint's text.
Source: https://c2sp.org/tlog-cosignature, version 1, type 0x04.
"""

import base64
import struct
from collections.abc import Callable, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.errors import InvalidInput, VerificationFailed
from app.ledger.note import DASH, MAX_NOTE_BYTES, NoteKey, VerifierKey, split_note

_LENGTH = 4 + 8 + 64
_LATEST = 1 << 63


class WitnessKey(NoteKey, frozen=True):
    """The key of a witness."""

    TYPE = b"\x04"
    CALLED = "the key of a witness"


class Cosignature(msgspec.Struct, frozen=True):
    """Who cosigned, and when by the witness's clock, POSIX seconds."""

    witness: str
    at: int


def cosign(note: bytes, key: WitnessKey, at: int, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a note with one more line: what a witness does after it has checked consistency.

    Raises:
        InvalidInput: this is not a signed note.
    """
    text, _ = split_note(note)
    payload = key.key_id + struct.pack(">Q", at) + sign(_message(text, at))
    return note + f"{DASH}{key.name} {base64.b64encode(payload).decode()}\n".encode()


def cosignatures(note: bytes, witnesses: Sequence[WitnessKey]) -> tuple[Cosignature, ...]:
    """Return the cosignatures of known witnesses below a checkpoint, in the order of ``witnesses``.

    Raises:
        InvalidInput: this is not a signed note.
        VerificationFailed: a line of one of them is wrong.
    """
    text, lines = split_note(note)
    found: dict[WitnessKey, Cosignature] = {}
    for name, payload in lines:
        for key in witnesses:
            if (key.name, key.key_id) == (name, payload[:4]):
                found[key] = _opened(key, payload, text)
    return tuple(found[key] for key in dict.fromkeys(witnesses) if key in found)


def merge(note: bytes, cosigned: bytes) -> bytes:
    """Return a note with the lines that another copy of it has more.

    Raises:
        InvalidInput: one is not a signed note, they are about different things, or there would be too many lines.
    """
    if split_note(note)[0] != split_note(cosigned)[0]:
        raise InvalidInput("the cosigned checkpoint is about another state of the ledger")
    mine = note.decode().split("\n\n")[-1].splitlines(keepends=True)
    theirs = cosigned.decode().split("\n\n")[-1].splitlines(keepends=True)
    merged = note + "".join(line for line in dict.fromkeys(theirs) if line not in mine).encode()
    if len(merged) > MAX_NOTE_BYTES:
        raise InvalidInput("the checkpoint has more lines than a note may have")
    split_note(merged)
    return merged


def known_lines(note: bytes, log: VerifierKey, witnesses: Sequence[WitnessKey]) -> bytes:
    """Return a note with the lines of its log and of these witnesses only.

    Raises:
        InvalidInput: this is not a signed note.
    """
    text, lines = split_note(note)
    known = {(log.name, log.key_id), *((key.name, key.key_id) for key in witnesses)}
    kept = [(name, payload) for name, payload in dict.fromkeys(lines) if (name, payload[:4]) in known]
    signed = "".join(f"{DASH}{name} {base64.b64encode(payload).decode()}\n" for name, payload in kept)
    return f"{text}\n{signed}".encode()


def _opened(key: WitnessKey, payload: bytes, text: str) -> Cosignature:
    (at,) = struct.unpack(">Q", payload[4:12]) if len(payload) == _LENGTH else (_LATEST,)
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(payload[12:], _message(text, at))
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed(f"the cosignature of '{key.name}' over the checkpoint is wrong") from error
    if not 0 < at < _LATEST:
        raise VerificationFailed(f"the cosignature of '{key.name}' states no time")
    return Cosignature(key.name, at)


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
