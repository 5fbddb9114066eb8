# SPDX-License-Identifier: Apache-2.0

"""Lead a certificate to a trust anchor: the parts of RFC 5280 section 6.1 that apply to signers and time stampers.

In:  an end entity's certificate, further certificates, the anchors of whoever verifies, an instant, a purpose.
Out: the path from the certificate to its anchor; or why there is none.
What is not understood is refused: an unknown critical extension or a name constraint makes a path unusable.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from app.errors import InvalidInput
from app.signing.certificates import fingerprint_of, valid_at

_T = TypeVar("_T", bound=x509.ExtensionType)
MAX_CERTIFICATES = 16
MAX_DEPTH = 6
MAX_ANCHORS = 400


class Fingerprint(msgspec.Struct, frozen=True):
    """The hex SHA-256 of a certificate (DER), or of its public key (DER SubjectPublicKeyInfo)."""

    sha256: str


Anchor = x509.Certificate | bytes | Fingerprint
"""A certificate, a public key as DER SubjectPublicKeyInfo, or the fingerprint of either."""

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
SIGNING = frozenset(
    {
        Eku.EMAIL_PROTECTION,
        Eku.CODE_SIGNING,
        Eku.ANY_EXTENDED_KEY_USAGE,
        ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # Document signing, RFC 9336.
        ObjectIdentifier("1.2.840.113583.1.1.5"),  # Adobe's, for PDF.
        ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # Microsoft's document signing.
    }
)
"""Any of these lets a certificate sign a pack, if it limits its use at all."""
TIME_STAMPING = frozenset({Eku.TIME_STAMPING})


class Search(msgspec.Struct, frozen=True):
    """Where a path may lead: further certificates, anchors, the instant and the purposes that matter."""

    others: Sequence[x509.Certificate]
    anchors: Sequence[Anchor]
    moment: int
    purposes: frozenset[ObjectIdentifier]


def find_path(certificate: x509.Certificate, search: Search) -> tuple[x509.Certificate, ...]:
    """Return the path from a certificate to one of the anchors, the anchor's certificate last if it has one.

    The certificate itself, or its key, may be the anchor: then the path is this certificate alone. Whether an end
    entity may do what it did is asked by ``use_problems``.

    Raises:
        InvalidInput: no path leads to an anchor at that instant.
    """
    if len(search.others) > MAX_CERTIFICATES or len(search.anchors) > MAX_ANCHORS:
        raise InvalidInput("there are more certificates than anybody needs")
    if any(_is_anchor(certificate, anchor) for anchor in search.anchors):
        return (certificate,)
    for path in _paths((certificate,), search):
        return path
    raise InvalidInput(f"no valid chain leads from '{name_of(certificate)}' to a trust anchor you gave")


def use_problems(certificate: x509.Certificate, purposes: frozenset[ObjectIdentifier]) -> list[str]:
    """Say why an end entity's certificate may not sign for these purposes (RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12)."""
    usage = _extension(certificate, x509.KeyUsage)
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    constraints = _extension(certificate, x509.BasicConstraints)
    checks = (
        # Without these extensions, use is not restricted.
        (usage is None or usage.digital_signature or usage.content_commitment, "is not for signatures"),
        (extended is None or not purposes.isdisjoint(extended), "is for another use, by its extended key usage"),
        (constraints is None or not constraints.ca, "is an authority's, which must not sign anything else"),
        (not _unknown(certificate), "has a critical extension that is not understood"),
    )
    return [f"the certificate {problem}" for holds, problem in checks if not holds]


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether the names fit and the issuer's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def spki_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's public key as DER SubjectPublicKeyInfo."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def name_of(certificate: x509.Certificate) -> str:
    """Return a certificate's subject (RFC 4514), shortened."""
    return certificate.subject.rfc4514_string()[:200]


def order_chain(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the issuers of ``leaf`` among ``others``, each certified by the next.

    Raises:
        InvalidInput: one is not in that line, or is there twice; or the last says falsely to have signed itself.
    """
    if len(others) > MAX_CERTIFICATES:
        raise InvalidInput("there are more certificates than anybody needs")
    chain: list[x509.Certificate] = []
    rest, last = list(others), leaf
    while rest:
        issuer = next((other for other in rest if other != last and issued_by(last, other)), None)
        if issuer is None:
            raise InvalidInput("a certificate is in no line with the signer's")
        rest.remove(issuer)
        chain.append(issuer)
        last = issuer
    if chain and last.subject == last.issuer and not issued_by(last, last):
        raise InvalidInput("the last certificate says falsely that it signed itself")
    return tuple(chain)


def issuers_among(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return those of ``others`` in line above ``leaf``, as far as it goes, without a root: that is the reader's."""
    chain: list[x509.Certificate] = []
    last = leaf
    while len(chain) < MAX_DEPTH:
        issuer = next((other for other in others if other not in chain and issued_by(last, other)), None)
        if issuer is None or issued_by(issuer, issuer):
            break
        chain.append(issuer)
        last = issuer
    return tuple(chain)


def _paths(path: tuple[x509.Certificate, ...], search: Search) -> Iterator[tuple[x509.Certificate, ...]]:
    if len(path) > MAX_DEPTH:
        return
    last = path[-1]
    for anchor in search.anchors:
        if isinstance(anchor, x509.Certificate) and _may_issue(anchor, path, search) and issued_by(last, anchor):
            yield (*path, anchor)
    for other in search.others:
        if other in path or not _may_issue(other, path, search) or not issued_by(last, other):
            continue
        if any(not isinstance(anchor, x509.Certificate) and _is_anchor(other, anchor) for anchor in search.anchors):
            yield (*path, other)
        yield from _paths((*path, other), search)


def _may_issue(authority: x509.Certificate, path: tuple[x509.Certificate, ...], search: Search) -> bool:
    """RFC 5280 4.2.1.3, 4.2.1.9, 6.1.4: an authority says so, may sign certificates, and allows a path this long."""
    constraints = _extension(authority, x509.BasicConstraints)
    usage = _extension(authority, x509.KeyUsage)
    extended = _extension(authority, x509.ExtendedKeyUsage)
    if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
        return False
    between = sum(certificate.subject != certificate.issuer for certificate in path[1:])
    if constraints.path_length is not None and between > constraints.path_length:
        return False
    if extended is not None and Eku.ANY_EXTENDED_KEY_USAGE not in extended and search.purposes.isdisjoint(extended):
        return False
    return not _unknown(authority) and valid_at(authority, search.moment)


def _unknown(certificate: x509.Certificate) -> bool:
    return any(found.critical and found.oid not in _UNDERSTOOD for found in certificate.extensions)


def _extension(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _is_anchor(certificate: x509.Certificate, anchor: Anchor) -> bool:
    match anchor:
        case Fingerprint(sha256):
            spki = hashlib.sha256(spki_of(certificate)).hexdigest()
            return sha256 in {fingerprint_of(certificate), spki}
        case bytes():
            return anchor == spki_of(certificate)
        case x509.Certificate():
            return anchor == certificate
