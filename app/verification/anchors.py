# SPDX-License-Identifier: Apache-2.0

"""Read what the reader gave: trust anchors and revocation lists. What cannot be read fails; it is never left out."""

import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from app.errors import InvalidInput
from app.signing.certificates import read_certificate, read_certificates
from app.signing.chain import Anchor, Fingerprint
from app.signing.revocation import MAX_LISTS, read_crl
from app.verification.outcome import Failed

_FINGERPRINT = b"sha256:"
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def read_anchors(data: bytes) -> list[Anchor]:
    """Return the certificates, the public key as DER SubjectPublicKeyInfo, or the fingerprint that an anchor holds.

    Raises:
        Failed: it holds none of them.
    """
    if data.startswith(_FINGERPRINT):
        return [read_fingerprint(data.removeprefix(_FINGERPRINT).decode("ascii", "replace"))]
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            return list(read_certificates(data, where="the trust anchor"))
        if b"-----BEGIN" in data:
            return [_spki(serialization.load_pem_public_key(data))]
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidInput) as error:
        raise Failed(["the trust anchor is not a certificate or public key (PEM or DER)"]) from error
    try:
        return [read_certificate(data, where="the trust anchor")]
    except InvalidInput:
        pass
    try:
        return [_spki(serialization.load_der_public_key(data))]
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Failed(["the trust anchor is not a certificate or public key (PEM or DER)"]) from error


def fingerprint_anchor(text: str) -> bytes:
    """Return what stands for a trust anchor's file when only a fingerprint is given.

    Raises:
        Failed: it is none.
    """
    return _FINGERPRINT + read_fingerprint(text).sha256.encode()


def read_fingerprint(text: str) -> Fingerprint:
    """Read a SHA-256 as people write it: hex, with colons or spaces or without, perhaps behind ``...Fingerprint=``.

    Raises:
        Failed: it is none.
    """
    digits = text.rpartition("=")[2].replace(":", "").replace(" ", "").strip().lower()
    if not _HEX.fullmatch(digits):
        raise Failed(["the fingerprint is not a SHA-256: 64 hex digits"])
    return Fingerprint(digits)


def read_all_anchors(files: Iterable[bytes]) -> list[Anchor]:
    """Return the anchors of several files.

    Raises:
        Failed: one of them holds none.
    """
    return [anchor for data in files for anchor in read_anchors(data)]


def read_lists(files: Iterable[bytes]) -> list[x509.CertificateRevocationList]:
    """Return the revocation lists that the reader gave.

    Raises:
        Failed: one of the files is none, or there are too many.
    """
    given = tuple(files)
    if len(given) > MAX_LISTS:
        raise Failed([f"more than {MAX_LISTS} revocation lists were given"])
    try:
        return [read_crl(data, where="--crl") for data in given]
    except InvalidInput as error:
        raise Failed([str(error)]) from error


def _spki(key: object) -> bytes:
    der: bytes = key.public_bytes(  # type: ignore[attr-defined]  # All public keys of cryptography have it.
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der
