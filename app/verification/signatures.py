# SPDX-License-Identifier: Apache-2.0

"""Steps about who signed what: the statement's two signatures, the signer, and the PDF."""

import hashlib
import io

import pikepdf
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from app.errors import RecordRejected
from app.packs import layout
from app.records.times import format_instant, parse_instant
from app.signing.cms import read_detached, verify_detached
from app.signing.dsse import read_bundle, verify_bundle
from app.signing.keys import is_development, valid_at
from app.signing.pdf_check import verify_pdf
from app.verification.case import Case, need
from app.verification.outcome import Failed, NotDone, fail_if_any, require
from app.verification.pdf_text import text_of


def bundle(case: Case) -> str:
    """Check the DSSE signature in the Sigstore bundle, over the very bytes of ``manifest.json``."""
    read = read_bundle(case.raw(layout.BUNDLE))
    require(read.payload == case.raw(layout.MANIFEST), "the bundle signs another statement than manifest.json")
    require(verify_bundle(read), "the signature is not the certificate's over the statement")
    case.certificate = read.certificate
    return f"by {read.certificate.subject.rfc4514_string()}"


def cms(case: Case) -> str:
    """Check the detached CMS signature over ``manifest.json``, by the same certificate, at the recorded time."""
    signature = read_detached(case.raw(layout.CMS))
    digest = hashlib.sha256(case.raw(layout.MANIFEST)).hexdigest()
    signed_at = "" if signature.signed_at is None else format_instant(signature.signed_at)
    checks = (
        (signature.content_sha256 == digest, "the CMS signs another statement than manifest.json"),
        (verify_detached(signature), "the signature is not the certificate's"),
        (signature.certificate == need(case.certificate, 3), "the CMS is by another certificate than the bundle"),
        (signed_at == need(case.predicate, 2).signed_at, "the CMS states another signing time than the statement"),
    )
    fail_if_any([problem for holds, problem in checks if not holds])
    return f"at {signed_at}"


def signer(case: Case) -> str:
    """Compare the signer with the trust anchor, and the certificate's validity with the signing time."""
    case.is_strangers = case.trust is not None  # Until everything below has held.
    certificate, predicate = need(case.certificate, 3), need(case.predicate, 2)
    fingerprint = fingerprint_of(certificate)
    checks = (
        (predicate.signer.certificate_sha256 == fingerprint, "the statement names another certificate"),
        (predicate.signer.subject == certificate.subject.rfc4514_string(), "the statement names another subject"),
        (
            predicate.signer.is_development == is_development(certificate),
            "the statement is wrong about whether this is a development identity",
        ),
        (valid_at(certificate, _instant(predicate.signed_at)), "the certificate was not valid when it signed"),
        (_may_sign(certificate), "the certificate is not for signatures"),
    )
    fail_if_any([problem for holds, problem in checks if not holds])
    if case.trust is None:
        raise NotDone(
            "no trust anchor was given (--trust); compare the certificate's SHA-256 fingerprint "
            f"{fingerprint} with the one the signer published"
        )
    moment = _instant(predicate.signed_at)
    require(
        any(_vouches(anchor, certificate, moment) for anchor in read_anchors(case.trust)),
        f"the pack was signed by another than the trust anchor names: certificate {fingerprint}",
    )
    case.is_strangers = False
    return f"certificate {fingerprint}"


def pdf(case: Case) -> str:
    """Check the PDF's signature, what it signs, and that it is about these files."""
    data = case.read(layout.REPORT_PDF)
    predicate, certificate = need(case.predicate, 2), need(case.certificate, 3)
    signature = verify_pdf(data, certificate)
    unsigned = predicate.unsigned_pdf
    content = case.read(layout.CONTENT_MANIFEST)
    printed = hashlib.sha256(content).hexdigest()
    text, attachments = _look_inside(data)
    prefix = hashlib.sha256(data[: unsigned.length]).hexdigest()
    signed_at = "" if signature.signed_at is None else format_instant(signature.signed_at)
    checks = (
        (signature.certificate == certificate, "the PDF is signed by another certificate than the statement"),
        (signed_at == predicate.signed_at, "the PDF states another signing time than the statement"),
        (0 < unsigned.length < len(data), "the recorded length of the unsigned PDF is not within the PDF"),
        (prefix == unsigned.sha256, "the PDF does not begin with the recorded unsigned PDF"),
        (printed in "".join(text.split()), "the PDF does not print the digest of the content manifest"),
        (content in attachments, "the content manifest is not attached to the PDF"),
    )
    fail_if_any([*signature.problems, *(problem for holds, problem in checks if not holds)])
    return f"signed as a whole; unsigned part sha256 {unsigned.sha256}"


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the hex SHA-256 of a certificate's DER form."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def read_anchors(data: bytes) -> list[x509.Certificate | bytes]:
    """Return the certificates, or the public key as DER SubjectPublicKeyInfo, that a trust anchor file holds.

    Raises:
        Failed: it holds neither.
    """
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            return list(x509.load_pem_x509_certificates(data))
        if b"-----BEGIN" in data:
            return [_spki(serialization.load_pem_public_key(data))]
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Failed(["the trust anchor is not a certificate or public key (PEM or DER)"]) from error
    for parse in (x509.load_der_x509_certificate, lambda der: _spki(serialization.load_der_public_key(der))):
        try:
            return [parse(data)]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    raise Failed(["the trust anchor is not a certificate or public key (PEM or DER)"])


def _vouches(anchor: x509.Certificate | bytes, certificate: x509.Certificate, moment: int) -> bool:
    """Tell whether an anchor is the signer, has the signer's key, or is an authority that issued the signer."""
    if isinstance(anchor, bytes):
        return anchor == _spki(certificate.public_key())
    return anchor == certificate or (_is_authority(anchor, moment) and _issued(anchor, certificate))


def _is_authority(anchor: x509.Certificate, moment: int) -> bool:
    """RFC 5280 sections 4.2.1.3 and 4.2.1.9: an authority says so, and may sign certificates."""
    try:
        constraints = anchor.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = anchor.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign and valid_at(anchor, moment)


def _issued(anchor: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(anchor)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True  # RFC 5280 section 4.2.1.3: without the extension, use is not restricted.
    return usage.digital_signature or usage.content_commitment


def _spki(key: object) -> bytes:
    der: bytes = key.public_bytes(  # type: ignore[attr-defined]  # All public keys of cryptography have it.
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except RecordRejected as error:
        raise Failed(["the statement's times cannot be read"]) from error


def _look_inside(data: bytes) -> tuple[str, list[bytes]]:
    with pikepdf.open(io.BytesIO(data)) as document:
        attached = [document.attachments[name].get_file().read_bytes() for name in document.attachments]
        return text_of(document), attached
