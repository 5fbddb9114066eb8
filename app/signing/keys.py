# SPDX-License-Identifier: Apache-2.0

"""The identity that signs packs: an ECDSA P-256 key and the certificate that names its holder.

In:  whatever holds the key (a file, a device, a service), or a folder in which to make one; the Clock.
Out: a ``SigningIdentity``.
A private key never leaves what holds it; it is in no message and in no repr.

P-256 because every reader's tool knows it: PDF readers and ``openssl cms`` refuse Ed25519 here.
"""

import contextlib
import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from app.clock import Clock
from app.errors import CheckFailed, InvalidInput, UsageError
from app.signing.certificates import (
    der_of,
    fingerprint_of,
    is_p256,
    low_s,
    moment_of,
    read_certificate,
    read_certificates,
    valid_at,
    verify_ecdsa,
)
from app.signing.chain import SIGNING, issuers_among, use_problems

DEVELOPMENT_NAME = "Proofroom development identity"
VALIDITY = dt.timedelta(days=730)
"""Two years: an audit period of a year, and the year in which it is examined."""
_BACKDATED = dt.timedelta(minutes=5)
"""A new certificate is valid a little earlier than now, because clocks differ."""
_MAX_FILE = 65_536
_KEY, _CERTIFICATE = "signing.key", "signing.crt"
LISTED = "certificates"
"""The folder of every certificate that ever signed here."""


class KeyHandle(Protocol):
    """What holds a P-256 private key and signs with it: a file, a PKCS#11 device, a key management service.

    This is the whole interface that a new kind of key has to fill; docs/keys.md shows how.
    """

    def sign_digest(self, sha256: bytes) -> bytes:
        """Return the ECDSA signature, DER, over 32 bytes that are a SHA-256 already.

        Raises:
            SourceUnavailable: the device or service cannot be reached now.
            SourceRefused: it refuses.
        """
        ...


class LocalKey:
    """A key in this process; its signatures are deterministic (RFC 6979)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    def sign_digest(self, sha256: bytes) -> bytes:
        """Return the ECDSA signature, DER, over a SHA-256."""
        return self._key.sign(sha256, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))


class SigningIdentity:
    """A P-256 key with its certificate.

    Args:
        key: the private key, or what holds it.
        certificate: the X.509 certificate whose public key is this key's.
        chain: certificates of the issuers, as far as they are known; a root is left out.

    Attributes:
        is_development: True for an identity that Proofroom made for itself and that nobody vouches for.
    """

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey | KeyHandle,
        certificate: x509.Certificate,
        chain: Sequence[x509.Certificate] = (),
    ) -> None:
        self._key: KeyHandle = LocalKey(key) if isinstance(key, ec.EllipticCurvePrivateKey) else key
        self.certificate = certificate
        self.chain = issuers_among(certificate, chain)
        self.is_development = is_development(certificate)

    @property
    def certificate_der(self) -> bytes:
        """Return the certificate, DER."""
        return der_of(self.certificate)

    @property
    def certificate_sha256(self) -> str:
        """Return the certificate's fingerprint: hex SHA-256 of its DER form."""
        return fingerprint_of(self.certificate)

    @property
    def subject(self) -> str:
        """Return the certificate's subject (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA signature with SHA-256 over ``data``, DER, of the two that fit the one with the lower s.

        Raises:
            CheckFailed: what came back is not a signature by the certificate's key.
        """
        # Devices choose either of the two values that fit; only the one with the lower s verifies here.
        signature = low_s(self._key.sign_digest(hashlib.sha256(data).digest())) or b""
        # Devices and services have been seen to hash again, or to sign with another key than was meant.
        if not verify_ecdsa(self.certificate, signature, data):
            raise CheckFailed(
                "the signing key gave a signature that does not fit its certificate",
                where=self.subject,
                hint="Is it the right key, and does it sign digests without hashing again",
            )
        return signature

    def check_validity(self, instant: int) -> None:
        """Refuse to sign outside the certificate's validity.

        Raises:
            UsageError: the certificate is not valid at ``instant`` (epoch milliseconds).
        """
        if not valid_at(self.certificate, instant):
            raise UsageError(
                f"the signing certificate is valid from {self.certificate.not_valid_before_utc:%Y-%m-%d}"
                f" to {self.certificate.not_valid_after_utc:%Y-%m-%d} only",
                where=self.subject,
                hint="Set up a certificate that is valid now; a development one is made anew when its file is removed",
            )


class SigningKeys:
    """Where the signing identity is: an operator's own, or the development identity, made on first use.

    Every certificate that signed here stays listed, whatever comes after it.

    Args:
        directory: the folder of keys.
        clock: dates a new development certificate.
        own: loads the operator's identity; without it, the development identity.
    """

    def __init__(self, directory: Path, clock: Clock, own: Callable[[], SigningIdentity] | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._own = own

    def identity(self) -> SigningIdentity:
        """Load the identity, and note its certificate among those that ever signed.

        Raises:
            InvalidInput: a key or certificate file cannot be used.
        """
        identity = self._own() if self._own else load_or_create_identity(self._directory, self._clock)
        self._note(identity.certificate)
        return identity

    def certificates(self) -> list[x509.Certificate]:
        """Return every certificate that was ever used here, newest first."""
        found = [_read_listed(path) for path in sorted((self._directory / LISTED).glob("*.crt"))]
        return sorted(found, key=lambda one: (one.not_valid_before_utc, one.serial_number), reverse=True)

    def rotate(self) -> SigningIdentity:
        """Make a new development identity; the old certificate stays listed, the old private key is destroyed.

        Raises:
            UsageError: the identity is the operator's own, which only the operator can replace.
        """
        if self._own:
            raise UsageError(
                "the signing key is your own, so it is not ours to replace",
                hint="Point the settings to the new key and certificate; the old certificate stays listed",
            )
        if (self._directory / _KEY).exists():
            self.identity()
            # The key goes first: a certificate without a key would be taken for that of the key made next.
            (self._directory / _CERTIFICATE).unlink(missing_ok=True)
            (self._directory / _KEY).unlink()
        return self.identity()

    def _note(self, certificate: x509.Certificate) -> None:
        folder = self._directory / LISTED
        path = folder / f"{fingerprint_of(certificate)}.crt"
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path, certificate.public_bytes(serialization.Encoding.PEM))


def is_development(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is one that Proofroom made for itself: self-issued, under its own name."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return certificate.subject == certificate.issuer and [name.value for name in names] == [DEVELOPMENT_NAME]


def load_or_create_identity(directory: Path, clock: Clock) -> SigningIdentity:
    """Return the development identity in ``<directory>/signing.key`` and ``signing.crt``, made on first use.

    Safe when two processes start at once: whoever links a file first wins, and both read what is there.

    Raises:
        InvalidInput: a file is there and cannot be used.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_path, certificate_path = directory / _KEY, directory / _CERTIFICATE
    if not key_path.exists():
        _create(key_path, _key_pem(ec.generate_private_key(ec.SECP256R1())))
    if not certificate_path.exists():
        certificate = _self_signed(load_key(key_path, None), clock.now())
        _create(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return load_identity(key_path, certificate_path)


def load_identity(key_path: Path, certificate_path: Path, passphrase: bytes | None = None) -> SigningIdentity:
    """Load an operator's own key (PKCS#8) and certificate, each PEM or DER; issuers may follow the certificate.

    Raises:
        InvalidInput: a file cannot be read, is not P-256, or the two do not belong together.
    """
    key = load_key(key_path, passphrase)
    certificate, chain = load_chain(certificate_path)
    if certificate.public_key() != key.public_key():
        raise InvalidInput(
            "the certificate's public key is not that of the signing key",
            where=str(certificate_path),
            hint=f"It must belong to {key_path.name}",
        )
    return SigningIdentity(key, certificate, chain)


def load_chain(path: Path) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Load a signer's certificate, and those of issuers that follow it in a PEM file.

    Raises:
        InvalidInput: the file cannot be read, or the first is not a P-256 certificate that may sign.
    """
    data = read_file(path)
    first, *others = read_certificates(data, where=str(path))
    return check_signer(first, where=str(path)), tuple(others)


def load_certificate(data: bytes, *, where: str) -> x509.Certificate:
    """Parse one certificate, PEM or DER, and require a P-256 key.

    Raises:
        InvalidInput: it is not a certificate, or its key is of another kind.
    """
    certificate = read_certificate(data, where=where)
    if not is_p256(certificate.public_key()):
        raise InvalidInput("the certificate's key is not ECDSA P-256", where=where)
    return certificate


def check_signer(certificate: x509.Certificate, *, where: str) -> x509.Certificate:
    """Return a certificate that may sign packs.

    Raises:
        InvalidInput: its key is of another kind, or it is for something else.
    """
    if not is_p256(certificate.public_key()):
        raise InvalidInput("the certificate's key is not ECDSA P-256", where=where)
    for problem in use_problems(certificate, SIGNING):
        raise InvalidInput(problem, where=where, hint="Ask for one for signing documents")
    return certificate


def load_key(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """Load a P-256 private key, PKCS#8, PEM or DER, encrypted or not.

    Raises:
        InvalidInput: the file cannot be read, the passphrase is missing or wrong, or it is another kind of key.
    """
    data = read_file(path)
    parse = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        key = parse(data, password=passphrase)
    except (ValueError, TypeError) as error:
        hint = "Give PKCS#8, PEM or DER; and its passphrase if, and only if, it is encrypted"
        # The library's own message is left out: nothing of a key or passphrase may reach a log.
        raise InvalidInput("this private key cannot be read", where=str(path), hint=hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not is_p256(key):
        raise InvalidInput("the signing key is not ECDSA P-256", where=str(path))
    return key


def read_file(path: Path) -> bytes:
    """Return the bytes of a key or certificate file.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise InvalidInput(f"cannot read the file ({error.strerror})", where=str(path)) from error


def _read_listed(path: Path) -> x509.Certificate:
    return load_certificate(read_file(path), where=str(path))


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(key: ec.EllipticCurvePrivateKey, now: int) -> x509.Certificate:
    """Make the development certificate: RFC 5280, an end entity's, for signatures only."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT_NAME)])
    moment = moment_of(now).replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _BACKDATED)
        .not_valid_after(moment + VALIDITY)
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _create(path: Path, data: bytes) -> None:
    """Put a file in place whole, readable by its owner only, unless another process was faster."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
