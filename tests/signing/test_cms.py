# SPDX-License-Identifier: Apache-2.0

"""The detached CMS signature: openssl agrees, and every byte of it is pinned."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from app.errors import InvalidInput
from app.signing.cms import read_detached, sign_detached, verify_detached
from app.signing.keys import SigningIdentity

CONTENT = b'{"what":"is signed"}'
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SIGNED_AT = 1_790_000_001_000


def test_it_says_who_what_and_when(identity: SigningIdentity) -> None:
    signature = read_detached(sign_detached(DIGEST, identity, SIGNED_AT))
    assert verify_detached(signature)
    assert signature.certificate == identity.certificate
    assert signature.content_sha256 == DIGEST
    assert signature.signed_at == SIGNED_AT


def test_without_a_time_it_states_none(identity: SigningIdentity) -> None:
    assert read_detached(sign_detached(DIGEST, identity, None)).signed_at is None


def test_years_from_2050_on_are_written_in_full(identity: SigningIdentity) -> None:
    late = 2_600_000_000_000
    assert read_detached(sign_detached(DIGEST, identity, late)).signed_at == late


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_no_changed_byte_goes_unseen(identity: SigningIdentity, mask: int) -> None:
    data = sign_detached(DIGEST, identity, SIGNED_AT)
    unseen = []
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
        if _holds(changed, identity):
            unseen.append(position)
    assert unseen == []


@pytest.mark.parametrize("change", [b"", b"\x00", b"0\x80", b"x" * 70_000])
def test_what_is_no_signature_is_refused(identity: SigningIdentity, change: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_detached(change)
    with pytest.raises(InvalidInput):
        read_detached(sign_detached(DIGEST, identity, SIGNED_AT) + (change or b"\x00"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("profile", [[], ["-cades"]])
def test_openssl_agrees(identity: SigningIdentity, tmp_path: Path, profile: list[str]) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "signature").write_bytes(sign_detached(DIGEST, identity, SIGNED_AT))
    (tmp_path / "signer.pem").write_bytes(identity.certificate.public_bytes(serialization.Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "content"]
    command += ["-CAfile", "signer.pem", "-purpose", "any", "-out", "out", *profile]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "content").write_bytes(CONTENT + b" ")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def _holds(data: bytes, identity: SigningIdentity) -> bool:
    try:
        signature = read_detached(data)
    except InvalidInput:
        return False
    said = (signature.certificate, signature.content_sha256, signature.signed_at)
    return verify_detached(signature) and said == (identity.certificate, DIGEST, SIGNED_AT)
