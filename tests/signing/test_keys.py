# SPDX-License-Identifier: Apache-2.0

"""The signing identity: made once, private, for signatures only, and refused when it is not what it should be."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.clock import FixedClock
from app.errors import InvalidInput, UsageError
from app.signing.keys import SigningKeys, load_identity, load_or_create_identity, verify_ecdsa

NOW = 1_790_000_000_000
DAY = 86_400_000


def test_identity_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = load_or_create_identity(tmp_path / "keys", FixedClock(NOW))
    second = load_or_create_identity(tmp_path / "keys", FixedClock(NOW + DAY))
    assert first.certificate_sha256 == second.certificate_sha256
    assert first.is_development
    for name in ("signing.key", "signing.crt"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    assert (tmp_path / "keys" / "signing.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["signing.crt", "signing.key"]


def test_development_certificate_says_what_it_is(tmp_path: Path) -> None:
    certificate = load_or_create_identity(tmp_path, FixedClock(NOW)).certificate
    assert certificate.subject.rfc4514_string() == "CN=Proofroom development identity"
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert 729 <= (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 731


def test_a_removed_certificate_is_made_anew_for_the_same_key(tmp_path: Path) -> None:
    first = load_or_create_identity(tmp_path, FixedClock(NOW))
    (tmp_path / "signing.crt").unlink()
    second = load_or_create_identity(tmp_path, FixedClock(NOW))
    assert second.certificate.public_key() == first.certificate.public_key()


def test_the_certificate_bounds_when_it_may_sign(tmp_path: Path) -> None:
    identity = load_or_create_identity(tmp_path, FixedClock(NOW))
    identity.check_validity(NOW)
    for instant in (NOW - DAY, NOW + 731 * DAY):
        with pytest.raises(UsageError, match="valid from"):
            identity.check_validity(instant)


def test_signatures_are_deterministic_and_fit_only_their_data(tmp_path: Path) -> None:
    identity = load_or_create_identity(tmp_path, FixedClock(NOW))
    signature = identity.sign(b"data")
    assert signature == identity.sign(b"data")
    assert verify_ecdsa(identity.certificate, signature, b"data")
    assert not verify_ecdsa(identity.certificate, signature, b"date")


def test_an_operators_own_key_is_used(tmp_path: Path) -> None:
    own = load_or_create_identity(tmp_path / "own", FixedClock(NOW))
    paths = (tmp_path / "own" / "signing.key", tmp_path / "own" / "signing.crt")
    keys = SigningKeys(tmp_path / "keys", FixedClock(NOW), lambda: load_identity(*paths))
    assert keys.identity().subject == own.subject
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["certificates"]


@pytest.mark.parametrize("kind", ["other key", "rsa key", "no key", "p-384 key", "not a certificate", "missing"])
def test_what_cannot_be_used_is_refused(tmp_path: Path, kind: str) -> None:
    load_or_create_identity(tmp_path, FixedClock(NOW))
    key, certificate = tmp_path / "signing.key", tmp_path / "signing.crt"
    match kind:
        case "other key":
            key.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))
        case "rsa key":
            key.write_bytes(_pem(rsa.generate_private_key(65537, 2048)))
        case "p-384 key":
            key.write_bytes(_pem(ec.generate_private_key(ec.SECP384R1())))
        case "no key":
            key.write_bytes(b"-----BEGIN nonsense")
        case "not a certificate":
            certificate.write_bytes(b"nonsense")
        case _:
            certificate.unlink()
    with pytest.raises(InvalidInput) as caught:
        load_identity(key, certificate)
    assert "PRIVATE" not in str(caught.value)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
