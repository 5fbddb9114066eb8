# SPDX-License-Identifier: Apache-2.0

"""The checkpoint key: made once, private, and nothing else is taken for it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.errors import InvalidInput
from app.signing.checkpoint_key import KEY_FILE, CheckpointKey, load_checkpoint_key, load_or_create_checkpoint_key


def test_a_key_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    key = load_or_create_checkpoint_key(tmp_path / "keys")
    again = load_or_create_checkpoint_key(tmp_path / "keys")
    assert key.public_bytes == again.public_bytes
    assert key.ledger_id == again.ledger_id
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [KEY_FILE]


def test_all_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_or_create_checkpoint_key(tmp_path), range(16)))
    assert len({key.public_bytes for key in keys}) == 1


def test_a_signature_is_deterministic_and_verifies() -> None:
    key = CheckpointKey.from_seed(bytes(32))
    assert key.sign(b"data") == key.sign(b"data")
    Ed25519PublicKey.from_public_bytes(key.public_bytes).verify(key.sign(b"data"), b"data")


def test_the_secret_is_in_no_repr() -> None:
    seed = bytes(range(32))
    key = CheckpointKey.from_seed(seed)
    assert seed.hex() not in repr(key)
    assert repr(seed) not in repr(vars(key))


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=KEY_FILE):
        load_or_create_checkpoint_key(tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(InvalidInput, match="not an Ed25519"):
        load_checkpoint_key(path)
