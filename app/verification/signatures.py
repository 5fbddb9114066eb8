# SPDX-License-Identifier: Apache-2.0

"""Steps about who signed what: the statement's two signatures, the signer, and the PDF."""

import hashlib
import io

import pikepdf
from cryptography import x509

from app.errors import InvalidInput, RecordRejected
from app.packs import layout
from app.records.times import format_instant, parse_instant
from app.signing.certificates import ends_at, fingerprint_of, valid_at
from app.signing.chain import SIGNING, Search, find_path, name_of, use_problems
from app.signing.cms import read_detached, verify_detached
from app.signing.dsse import read_bundle, verify_bundle
from app.signing.keys import is_development
from app.signing.pdf_check import verify_pdf
from app.signing.revocation import ask_lists
from app.verification.anchors import read_all_anchors, read_lists
from app.verification.case import Case, need
from app.verification.outcome import Failed, NotDone, fail_if_any, require
from app.verification.pdf_text import text_of
from app.verification.timing import pades_level, proven_time


def bundle(case: Case) -> str:
    """Check the DSSE signature in the Sigstore bundle, over the very bytes of ``manifest.json``."""
    read = read_bundle(case.raw(layout.BUNDLE))
    require(read.payload == case.raw(layout.MANIFEST), "the bundle signs another statement than manifest.json")
    require(verify_bundle(read), "the signature is not the certificate's over the statement")
    case.certificate, case.bundle = read.certificate, read
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
        (signature.token is None, "the CMS carries a time stamp, which is in the bundle"),
        (
            tuple(map(fingerprint_of, signature.chain)) == need(case.predicate, 2).signer.chain_sha256,
            "the CMS brings other issuers along than the statement names",
        ),
    )
    fail_if_any([problem for holds, problem in checks if not holds])
    case.chain = signature.chain
    return f"at {signed_at}"


def signer(case: Case) -> str:
    """Compare the signer with the trust anchor, and the certificate's validity with the time of signing."""
    case.is_strangers = case.trust is not None  # Until everything below has held.
    certificate, predicate = need(case.certificate, 3), need(case.predicate, 2)
    fingerprint = fingerprint_of(certificate)
    claimed, proven = _instant(predicate.signed_at), proven_time(case)
    checks = (
        (predicate.signer.certificate_sha256 == fingerprint, "the statement names another certificate"),
        (predicate.signer.subject == certificate.subject.rfc4514_string(), "the statement names another subject"),
        (
            predicate.signer.is_development == is_development(certificate),
            "the statement is wrong about whether this is a development identity",
        ),
        (valid_at(certificate, claimed), "the certificate was not valid when it signed"),
        (
            proven is None or valid_at(certificate, proven),
            "the certificate was not valid when an authority confirmed the signature",
        ),
    )
    fail_if_any([*(problem for holds, problem in checks if not holds), *use_problems(certificate, SIGNING)])
    if case.trust is None:
        raise NotDone(
            "no trust anchor was given (--trust); compare the certificate's SHA-256 fingerprint "
            f"{fingerprint} with the one the signer published"
        )
    revocation = _trusted_signer(case, certificate, claimed, proven)
    case.is_strangers = False
    when = f"at {format_instant(claimed)}, as it says" if proven is None else f"by {format_instant(proven)}, confirmed"
    return f"certificate {fingerprint}, signed {when}; {revocation}"


def _trusted_signer(case: Case, certificate: x509.Certificate, claimed: int, proven: int | None) -> str:
    """Lead the signer to an anchor, ask the revocation lists, and say what they said."""
    anchors = read_all_anchors(case.trust or ())
    moment = claimed if proven is None else proven
    try:
        path = find_path(certificate, Search(case.chain, anchors, moment, SIGNING))
    except InvalidInput as error:
        raise Failed(
            [f"the pack was signed by another than the trust anchor names: {fingerprint_of(certificate)}", error.what]
        ) from error
    issuers = [*path[1:], *case.chain, *(anchor for anchor in anchors if isinstance(anchor, x509.Certificate))]
    found = ask_lists(path[:-1] or path, issuers, read_lists(case.reader.crls), proven)
    fail_if_any(list(found.revoked))
    _ask_expiry(case, path, proven)
    if not case.reader.crls:
        return "revocation was not checked (--crl)"
    if found.silent:
        case.cautions.append(f"No revocation list that you gave speaks about {', '.join(found.silent)}.")
    return "; ".join(found.notes) or ("revocation was checked in part" if found.silent else "not revoked")


def _ask_expiry(case: Case, path: tuple[x509.Certificate, ...], proven: int | None) -> None:
    """Say what has expired since; after that, a signer whose time nobody confirmed cannot be told from a thief.

    Whoever gave the signer's own certificate or key has said whom to believe, so then it is said and no more.

    Raises:
        NotDone: a certificate below the anchor has expired, and nobody trusted confirmed that it signed before.
    """
    first = min(path[:-1] or path, key=ends_at)
    if case.now <= ends_at(first):
        return
    whose = "The signer's certificate" if first == path[0] else f"The certificate of '{name_of(first)}'"
    said = f"{whose} expired on {format_instant(ends_at(first))[:10]}"
    if proven is not None:
        case.cautions.append(f"{said}. It had signed before, as an authority that you trust confirmed.")
    elif len(path) == 1:
        case.cautions.append(
            f"{said}. That it signed before rests on its own word: no authority that you trust confirmed the time."
        )
    else:
        case.is_strangers = False  # It is the signer's key; what cannot be known is who held it.
        raise NotDone(
            f"{said[0].lower()}{said[1:]}, and no authority that you trust (--trust-time) confirmed that it signed"
            " before; whoever has had the key since can have made this pack"
        )


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
        (
            tuple(map(fingerprint_of, signature.chain)) == predicate.signer.chain_sha256,
            "the PDF brings other issuers along than the statement names",
        ),
        (signed_at == predicate.signed_at, "the PDF states another signing time than the statement"),
        (0 < unsigned.length < len(data), "the recorded length of the unsigned PDF is not within the PDF"),
        (prefix == unsigned.sha256, "the PDF does not begin with the recorded unsigned PDF"),
        (printed in "".join(text.split()), "the PDF does not print the digest of the content manifest"),
        (content in attachments, "the content manifest is not attached to the PDF"),
        (case.read(layout.REPORT_JSON) in attachments, "report.json is not attached to the PDF"),
    )
    fail_if_any([*signature.problems, *(problem for holds, problem in checks if not holds)])
    case.pdf = signature
    return f"signed as a whole, {pades_level(signature)}; unsigned part sha256 {unsigned.sha256}"


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except RecordRejected as error:
        raise Failed(["the statement's times cannot be read"]) from error


def _look_inside(data: bytes) -> tuple[str, list[bytes]]:
    with pikepdf.open(io.BytesIO(data)) as document:
        attached = [document.attachments[name].get_file().read_bytes() for name in document.attachments]
        return text_of(document), attached
