# SPDX-License-Identifier: Apache-2.0

"""Sign and check PDF reports: PAdES B-B, a certification signature that allows no later change.

In:  an unsigned PDF; the signing identity; the signing time.
Out: the signed PDF, of which the unsigned one is an exact prefix; and back, a list of what is wrong with one.

The signature is CAdES inside PDF (ETSI EN 319 142-1, level B-B; ISO 32000-2 section 12.8). pyHanko writes the
incremental update and judges the document; the CMS itself is the one shape of ``app.signing.cms``.
"""

import asyncio
import datetime as dt
import hashlib
import io
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from asn1crypto import x509 as asn1_x509
from asn1crypto.parser import peek
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner
from pyhanko.sign.validation import SignatureCoverageLevel, async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext

from app.errors import InvalidInput
from app.signing.cms import DetachedSignature, read_detached, sign_detached, verify_detached
from app.signing.keys import SigningIdentity

FIELD = "EvidencePackSignature"
REASON = "Certifies this report as assembled by Proofroom"
_SIGNATURE_BYTES = 72
"""The longest DER form of an ECDSA P-256 signature."""

_T = TypeVar("_T")


class PdfSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a PDF's signature.

    Attributes:
        certificate: who signed; None when there is no single readable signature.
        signed_at: the claimed signing time of the signature dictionary, epoch milliseconds.
        problems: what is wrong, in sentences; empty when the signature holds over the whole document.
    """

    certificate: x509.Certificate | None = None
    signed_at: int | None = None
    problems: tuple[str, ...] = ()


def sign_pdf(pdf: bytes, identity: SigningIdentity, signed_at: int) -> bytes:
    """Certify a PDF; DocMDP allows no change afterwards (ISO 32000-2 section 12.8.2.2).

    Raises:
        InvalidInput: the PDF cannot be signed.
    """
    signed = _in_own_loop(_sign(pdf, identity, signed_at))
    if not signed.startswith(pdf):
        raise InvalidInput("signing changed the PDF instead of adding to it")
    return signed


def verify_pdf(pdf: bytes, certificate: x509.Certificate) -> PdfSignature:
    """Check that exactly one certification signature by ``certificate`` covers the whole document.

    Works with or without a running event loop. Whoever trusts ``certificate`` is asked elsewhere; here it is the root.
    """
    try:
        return _in_own_loop(_verify(pdf, certificate))
    except Exception as error:  # noqa: BLE001 - A hostile PDF can make the parser raise anything; each is a failure.
        return PdfSignature(problems=(f"the PDF's signature cannot be read ({type(error).__name__}: {error})"[:300],))


async def _sign(pdf: bytes, identity: SigningIdentity, signed_at: int) -> bytes:
    moment = dt.datetime.fromtimestamp(signed_at // 1000, tz=dt.UTC)
    meta = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=REASON,
    )
    holder = asn1_x509.Certificate.load(identity.certificate_der)
    signer = PdfSigner(meta, ExternalSigner(holder, cert_registry=None, signature_value=_SIGNATURE_BYTES))
    session = signer.init_signing_session(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    session.system_time = moment  # The session would otherwise ask the machine's clock.
    document = session.prepare_tbs_document(None, bytes_reserved=_reserved(identity))
    output = io.BytesIO()
    prepared, _ = document.digest_tbs_document(output=output)
    cms = sign_detached(prepared.document_digest.hex(), identity, None)
    prepared.fill_with_cms(output, cms)
    return output.getvalue()


def _reserved(identity: SigningIdentity) -> int:
    """Return the hex digits to reserve, enough for the longest signature value of this key."""
    return 2 * (len(sign_detached("00" * 32, identity, None)) + _SIGNATURE_BYTES)


async def _verify(pdf: bytes, certificate: x509.Certificate) -> PdfSignature:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = list(reader.embedded_signatures)
    if len(found) != 1:
        return PdfSignature(problems=(f"the PDF holds {len(found)} signatures instead of one",))
    (embedded,) = found
    try:
        signature, problems = _read_contents(pdf, embedded)
    except InvalidInput as error:
        return PdfSignature(problems=(error.what,))
    problems += await _judge(embedded, certificate)
    moment = embedded.self_reported_timestamp
    signed_at = None if moment is None else int(moment.timestamp()) * 1000
    return PdfSignature(certificate=signature.certificate, signed_at=signed_at, problems=tuple(problems))


def _read_contents(pdf: bytes, embedded: EmbeddedPdfSignature) -> tuple[DetachedSignature, list[str]]:
    """Check the signature as bytes: what is not signed is exactly the signature, in its one spelling."""
    ranges = [int(value) for value in embedded.byte_range]
    if len(ranges) != 4 or ranges[0] != 0 or ranges[2] + ranges[3] != len(pdf) or ranges[1] > ranges[2]:  # noqa: PLR2004
        raise InvalidInput("the signature's byte range does not span the whole document")
    gap = pdf[ranges[1] : ranges[2]]
    der = embedded.pkcs7_content[: peek(embedded.pkcs7_content)]
    signature = read_detached(der)
    digits = der.hex().upper().encode()
    problems = []
    if gap != b"<" + digits.ljust(len(gap) - 2, b"0") + b">":
        problems.append("there is something else than the signature where the signature stands")
    if signature.signed_at is not None:
        problems.append("the CMS states a signing time, which PAdES keeps in the signature dictionary")
    digest = hashlib.sha256(pdf[: ranges[1]] + pdf[ranges[2] :]).hexdigest()
    if digest != signature.content_sha256 or not verify_detached(signature):
        problems.append("the signature does not fit the document")
    return signature, problems


async def _judge(embedded: EmbeddedPdfSignature, certificate: x509.Certificate) -> list[str]:
    """Ask pyHanko for its own judgment, with the given certificate as the only root of trust."""
    root = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    context = ValidationContext(trust_roots=[root], allow_fetching=False, moment=certificate.not_valid_before_utc)
    status = await async_validate_pdf_signature(embedded, signer_validation_context=context)
    mdp = embedded.docmdp_level
    checks = (
        (status.intact and status.valid, "the signature does not fit the document (pyHanko)"),
        (status.trusted, "the signature is not by the certificate that signed the manifest"),
        (status.coverage == SignatureCoverageLevel.ENTIRE_FILE, "the signature does not cover the whole document"),
        (status.docmdp_ok, "the document was changed in a way its certification forbids"),
        (mdp == MDPPerm.NO_CHANGES, "the signature does not certify the document against every change"),
    )
    return [problem for holds, problem in checks if not holds]


def _in_own_loop(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in a loop of its own, in its own thread: the caller may be inside a running loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
