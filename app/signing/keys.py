# SPDX-License-Identifier: Apache-2.0

"""The identity that signs packs: an ECDSA P-256 key and the certificate that names its holder.

In:  a folder for keys, or the paths of an operator's own key and certificate; the Clock.
Out: a ``SigningIdentity``.
The private key never leaves its file and this object; it is in no message and in no repr.

P-256 because every reader's tool knows it: PDF readers and ``openssl cms`` refuse Ed25519 here.
"""

import contextlib
import datetime as dt
import hashlib
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.clock import Clock
from app.errors import InvalidInput, UsageError

DEVELOPMENT_NAME = "Proofroom development identity"
VALIDITY = dt.timedelta(days=730)
"""Two years: an audit period of a year, and the year in which it is examined."""
_BACKDATED = dt.timedelta(minutes=5)
"""A new certificate is valid a little earlier than now, because clocks differ."""
_MAX_FILE = 65_536


class SigningIdentity:
    """A P-256 key with its certificate.

    Attributes:
        certificate: the X.509 certificate whose public key is this key's.
        is_development: True for an identity that Proofroom made for itself and that nobody vouches for.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate
        self.is_development = is_development(certificate)

    @property
    def certificate_der(self) -> bytes:
        """Return the certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_sha256(self) -> str:
        """Return the certificate's fingerprint: hex SHA-256 of its DER form."""
        return hashlib.sha256(self.certificate_der).hexdigest()

    @property
    def subject(self) -> str:
        """Return the certificate's subject (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    def sign(self, data: bytes) -> bytes:
        """Return an ECDSA signature with SHA-256 over ``data``, DER; deterministic (RFC 6979)."""
        return self._key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

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

    Args:
        directory: the folder of keys.
        clock: dates a new development certificate.
        own: paths of the operator's key and certificate; without them, the development identity.
    """

    def __init__(self, directory: Path, clock: Clock, own: tuple[Path, Path] | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._own = own

    def identity(self) -> SigningIdentity:
        """Load the identity.

        Raises:
            InvalidInput: a key or certificate file cannot be used.
        """
        return load_identity(*self._own) if self._own else load_or_create_identity(self._directory, self._clock)


def is_development(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is one that Proofroom made for itself: self-issued, under its own name."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return certificate.subject == certificate.issuer and [name.value for name in names] == [DEVELOPMENT_NAME]


def valid_at(certificate: x509.Certificate, instant: int) -> bool:
    """Tell whether a certificate is within its validity at an instant (RFC 5280 section 4.1.2.5)."""
    moment = _moment(instant)
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def load_or_create_identity(directory: Path, clock: Clock) -> SigningIdentity:
    """Return the development identity in ``<directory>/signing.key`` and ``signing.crt``, made on first use.

    Safe when two processes start at once: whoever links a file first wins, and both read what is there.

    Raises:
        InvalidInput: a file is there and cannot be used.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_path, certificate_path = directory / "signing.key", directory / "signing.crt"
    if not key_path.exists():
        _create(key_path, _key_pem(ec.generate_private_key(ec.SECP256R1())))
    if not certificate_path.exists():
        certificate = _self_signed(_load_key(key_path), clock.now())
        _create(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return load_identity(key_path, certificate_path)


def load_identity(key_path: Path, certificate_path: Path) -> SigningIdentity:
    """Load an operator's own key (PKCS#8, unencrypted) and certificate, each PEM or DER.

    Raises:
        InvalidInput: a file cannot be read, is not P-256, or the two do not belong together.
    """
    key = _load_key(key_path)
    certificate = load_certificate(_read(certificate_path), where=str(certificate_path))
    if certificate.public_key() != key.public_key():
        raise InvalidInput(
            "the certificate's public key is not that of the signing key",
            where=str(certificate_path),
            hint=f"It must belong to {key_path.name}",
        )
    return SigningIdentity(key, certificate)


def load_certificate(data: bytes, *, where: str) -> x509.Certificate:
    """Parse one certificate, PEM or DER, and require a P-256 key.

    Raises:
        InvalidInput: it is not a certificate, or its key is of another kind.
    """
    parse = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    try:
        certificate = parse(data)
        public = certificate.public_key()
        # These are parsed when first asked for; what cannot be parsed is refused here and not later.
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise InvalidInput("this is not an X.509 certificate", where=where, hint="Give PEM or DER") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise InvalidInput("the certificate's key is not ECDSA P-256", where=where)
    return certificate


def verify_ecdsa(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    """Tell whether ``signature`` (DER) over ``data`` was made with the certificate's P-256 key and SHA-256."""
    public = certificate.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _moment(instant: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant / 1000, tz=dt.UTC)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    data = _read(path)
    parse = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        key = parse(data, password=None)
    except (ValueError, TypeError) as error:
        hint = "Give PKCS#8 without a passphrase, PEM or DER"
        raise InvalidInput("this private key cannot be read", where=str(path), hint=hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidInput("the signing key is not ECDSA P-256", where=str(path))
    return key


def _self_signed(key: ec.EllipticCurvePrivateKey, now: int) -> x509.Certificate:
    """Make the development certificate: RFC 5280, an end entity's, for signatures only."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT_NAME)])
    moment = _moment(now).replace(microsecond=0)
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


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE)
    except OSError as error:
        raise InvalidInput(f"cannot read the file ({error.strerror})", where=str(path)) from error


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
