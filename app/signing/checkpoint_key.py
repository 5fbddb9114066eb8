# SPDX-License-Identifier: Apache-2.0

"""The Ed25519 key that signs ledger checkpoints; C2SP signed notes require this algorithm.

In:  a folder for keys.
Out: a ``CheckpointKey``.
The private key never leaves its file and this object; it is in no message and in no repr.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.errors import InvalidInput

KEY_FILE = "checkpoint.key"
_MAX_FILE = 65_536


class CheckpointKey:
    """An Ed25519 key pair. Signatures are deterministic (RFC 8032), so equal ledgers have equal checkpoints."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_bytes = key.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, seed: bytes) -> "CheckpointKey":
        """Return the key of a 32-byte seed, for tests and for the demo."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def ledger_id(self) -> str:
        """Return the name of the ledger this key speaks for: 16 hex digits of the SHA-256 of the public key."""
        return hashlib.sha256(self.public_bytes).hexdigest()[:16]

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over ``data``."""
        return self._key.sign(data)


def load_or_create_checkpoint_key(directory: Path) -> CheckpointKey:
    """Return the key in ``<directory>/checkpoint.key`` (PKCS#8 PEM, mode 0600), made on first use.

    Safe when two processes start at once: whoever links the file first wins, and both read what is there.

    Raises:
        InvalidInput: the file is there and is not an Ed25519 key.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / KEY_FILE
    if not path.exists():
        _create(path, _pem(Ed25519PrivateKey.generate()))
    return load_checkpoint_key(path)


def load_checkpoint_key(path: Path) -> CheckpointKey:
    """Load an Ed25519 private key (PKCS#8, unencrypted, PEM).

    Raises:
        InvalidInput: the file cannot be read or is not such a key.
    """
    try:
        with path.open("rb") as file:
            key = serialization.load_pem_private_key(file.read(_MAX_FILE), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(
            "the checkpoint key cannot be read", where=str(path), hint="It is an unencrypted PKCS#8 PEM file"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput("the checkpoint key is not an Ed25519 key", where=str(path))
    return CheckpointKey(key)


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _create(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace a key that another process has just made.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
