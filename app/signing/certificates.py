# SPDX-License-Identifier: Apache-2.0

"""Read certificates and ask them simple things: when valid, whose, which fingerprint, does this signature fit.

In:  bytes from anybody.
Out: certificates whose every part we use can be read; or a refusal.
"""

import datetime as dt
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from app.errors import InvalidInput

MAX_LENGTH = 16_384
"""Bytes of the longest certificate taken; usual ones have one or two thousand."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the base point of P-256 (SP 800-186, section 3.2.1.3)."""


def read_certificate(data: bytes, *, where: str) -> x509.Certificate:
    """Parse one certificate, PEM or DER, with a key of any kind.

    Raises:
        InvalidInput: it is not a certificate, or a part of it cannot be read.
    """
    parse = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    try:
        certificate = parse(data)
        # These are parsed when first asked for; what cannot be parsed is refused here and not later.
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.not_valid_after_utc
        _ = certificate.public_key(), certificate.subject.rfc4514_string()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise InvalidInput("this is not an X.509 certificate", where=where, hint="Give PEM or DER") from error
    return certificate


def read_certificates(data: bytes, *, where: str) -> tuple[x509.Certificate, ...]:
    """Parse one DER certificate, or all of a PEM file.

    Raises:
        InvalidInput: there is none, or one of them is none.
    """
    if b"-----BEGIN" not in data:
        return (read_certificate(data, where=where),)
    mark = b"-----BEGIN CERTIFICATE-----"
    parts = tuple(read_certificate(mark + part, where=where) for part in data.split(mark)[1:])
    if not parts:
        raise InvalidInput("there is no certificate in this file", where=where, hint="Give PEM or DER")
    return parts


def der_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's DER form."""
    return certificate.public_bytes(serialization.Encoding.DER)


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the hex SHA-256 of a certificate's DER form."""
    return hashlib.sha256(der_of(certificate)).hexdigest()


def valid_at(certificate: x509.Certificate, instant: int) -> bool:
    """Tell whether a certificate is within its validity at an instant (RFC 5280 section 4.1.2.5)."""
    moment = moment_of(instant)
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def ends_at(certificate: x509.Certificate) -> int:
    """Return the last instant of a certificate's validity, epoch milliseconds."""
    return int(certificate.not_valid_after_utc.timestamp()) * 1000


def moment_of(instant: int) -> dt.datetime:
    """Return epoch milliseconds as an aware time."""
    return dt.datetime.fromtimestamp(instant / 1000, tz=dt.UTC)


def is_p256(key: object) -> bool:
    """Tell whether a public or private key is an ECDSA P-256 key."""
    kinds = (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)
    return isinstance(key, kinds) and isinstance(key.curve, ec.SECP256R1)


def verify_ecdsa(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    """Tell whether ``signature`` (DER) over ``data`` was made with the certificate's P-256 key and SHA-256.

    Of the two values that fit, (r, s) and (r, n - s), only the one with the lower s counts: anybody can turn one into
    the other, and would have a second pack with another digest that the signer never made.
    """
    public = certificate.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or low_s(signature) != signature:
        return False
    try:
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def low_s(signature: bytes) -> bytes | None:
    """Return the one of a P-256 signature's two values that has the lower s; None if it is not a signature, DER."""
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return None
    return encode_dss_signature(r, min(s, _ORDER - s)) if 0 < r < _ORDER and 0 < s < _ORDER else None
