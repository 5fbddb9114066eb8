# SPDX-License-Identifier: Apache-2.0

"""Signed notes and ledger checkpoints, in the forms that transparency logs and their witnesses use.

In:  a tree's size and root, and a way to sign; or a note somebody hands us, and the keys we trust.
Out: note bytes; or the checkpoint they state, once a trusted key has been seen to sign it.
Opening a note raises unless a trusted signature holds; there is no way to read an unverified checkpoint by mistake.

Sources: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.errors import InvalidInput, VerificationFailed
from app.ledger.merkle import HASH_SIZE, MAX_SIZE

ORIGIN_PREFIX = "proofroom/"
MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 64

DASH = "\N{EM DASH} "
_SIZE = re.compile("0|[1-9][0-9]{0,18}")


class NoteKey(msgspec.Struct, frozen=True):
    """A name and the Ed25519 public key it signs with; its text form is ``name+hex key id+base64 key``."""

    TYPE: ClassVar[bytes]
    """What kind of signature it makes (signed-note, section Signature types)."""
    CALLED: ClassVar[str]
    """What people are told it is."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that hint at this key in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.TYPE + self.public_key).digest()[:4]

    def __str__(self) -> str:
        key = base64.b64encode(self.TYPE + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            InvalidInput: it is not one, or is of another type of key.
        """
        name, _, rest = text.strip().partition("+")
        hint, _, encoded = rest.partition("+")
        payload = _read_base64(encoded)
        if payload is None or len(payload) != 1 + HASH_SIZE or payload[:1] != cls.TYPE or not _is_name(name):
            raise InvalidInput(f"this is not {cls.CALLED}", hint=f"It reads name+id+key, of type {cls.TYPE[0]}")
        key = cls(name, payload[1:])
        if hint != key.key_id.hex():
            raise InvalidInput(f"{cls.CALLED} contradicts its own key id")
        return key


class VerifierKey(NoteKey, frozen=True):
    """The key of who signs notes, such as a log."""

    TYPE = b"\x01"
    CALLED = "the verifier key of an Ed25519 note"


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes


def sign_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the signed note over ``text``, which must end in a newline.

    Raises:
        InvalidInput: the text cannot be that of a note.
    """
    if not _is_text(text):
        raise InvalidInput("the text of a note ends in a newline and has no control characters")
    signature = base64.b64encode(key.key_id + sign(text.encode())).decode()
    return f"{text}\n{DASH}{key.name} {signature}\n".encode()


def open_note(note: bytes, keys: Sequence[VerifierKey]) -> str:
    """Return the text of a note that at least one of ``keys`` has signed; lines of unknown keys are ignored.

    Raises:
        InvalidInput: this is not a signed note.
        VerificationFailed: a signature by one of the keys is wrong, or none is there.
    """
    text, lines = split_note(note)
    held = False
    for name, payload in lines:
        for key in keys:
            if (key.name, key.key_id) == (name, payload[:4]):
                _verify(key, payload[4:], text)
                held = True
    if not held:
        raise VerificationFailed("the note bears no signature of a trusted key")
    return text


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the signed checkpoint; equal arguments give equal bytes."""
    return sign_note(checkpoint_text(checkpoint), key, sign)


def open_checkpoint(note: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Return the checkpoint that a note states, once one of ``keys`` has been seen to sign it.

    The signer's name must be the checkpoint's origin, as tlog-checkpoint asks of a log.

    Raises:
        InvalidInput: this is not a signed checkpoint.
        VerificationFailed: no key of its origin has signed it.
    """
    checkpoint = parse_checkpoint(split_note(note)[0])
    open_note(note, [key for key in keys if key.name == checkpoint.origin])
    return checkpoint


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the text of a checkpoint: origin, size, root, one a line."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text; lines after the third are extensions, which we have none of and ignore.

    Raises:
        InvalidInput: it is not one.
    """
    origin, _, rest = text.partition("\n")
    size, _, rest = rest.partition("\n")
    root = _read_base64(rest.partition("\n")[0])
    if not origin or not _SIZE.fullmatch(size) or int(size) > MAX_SIZE or root is None or len(root) != HASH_SIZE:
        raise InvalidInput("this is not a checkpoint", hint="It has three lines: origin, size, root in base64")
    return Checkpoint(origin, int(size), root)


def _verify(key: VerifierKey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed(f"the signature of '{key.name}' over the note is wrong") from error


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text, and name and payload (key id and signature) of each signature line, none of it verified.

    Raises:
        InvalidInput: this is not a signed note.
    """
    text, lines = _split(note)
    return text, [_signature(line) for line in lines]


def _split(note: bytes) -> tuple[str, list[str]]:
    try:
        whole = note[: MAX_NOTE_BYTES + 1].decode()
    except UnicodeDecodeError:
        whole = ""
    text, blank, rest = whole.rpartition("\n\n")
    text += "\n"
    lines = rest.split("\n")
    fits = len(note) <= MAX_NOTE_BYTES and len(lines) <= MAX_SIGNATURES + 1
    if not blank or not fits or lines.pop() or not lines or not _is_text(text):
        raise InvalidInput("this is not a signed note", hint="It is a text, an empty line, and lines of signatures")
    return text, lines


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    payload = _read_base64(encoded)
    if not line.startswith(DASH) or not _is_name(name) or payload is None or len(payload) <= 4:  # noqa: PLR2004
        raise InvalidInput("the note has a line that is not a signature", where=line[:40])
    return name, payload


def _read_base64(encoded: str) -> bytes | None:
    """Return what base64 says, in its one right spelling; None otherwise."""
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    # The unused bits of the last digit could be changed unseen, so only the one right spelling counts.
    return decoded if base64.b64encode(decoded).decode() == encoded else None


def _is_name(name: str) -> bool:
    """Tell whether a text can be the name of a key (signed-note, section Format)."""
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _is_text(text: str) -> bool:
    return text.endswith("\n") and not any(character < " " and character != "\n" for character in text)
