# SPDX-License-Identifier: Apache-2.0

"""Check a signed PDF report: one certification signature over the document, and at most one time stamp over that.

In:  a PDF from anybody; the certificate that should have signed it.
Out: what is known of its signature, with a list of what is wrong.

The document up to its signature is judged as if it were all there is; what may follow is one revision with a document
time stamp and nothing else. The signature's value, token included, stands there in its one spelling.
"""

import hashlib
import io

import msgspec
from asn1crypto import x509 as asn1_x509
from asn1crypto.parser import peek
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import SignatureCoverageLevel, async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import ValidationInfoReadingError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext

from app.errors import InvalidInput
from app.signing.certificates import der_of
from app.signing.cms import DetachedSignature, read_detached, verify_detached
from app.signing.pdf import FIELD, TIME_FIELD, in_own_loop
from app.signing.revocation import read_crl
from app.signing.timestamps import TimeToken, read_token

_MOST_SIGNATURES = 2


class PdfSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a PDF's signature.

    Attributes:
        certificate: who signed; None when there is no single readable signature. chain: the issuers it brings along.
        signed_at: the claimed signing time of the signature dictionary, epoch milliseconds.
        token: confirms when the signature was there. archive: confirms the same of the whole document.
        crls: revocation lists that the document carries.
        problems: what is wrong, in sentences; empty when the signature holds over the whole document.
    """

    certificate: x509.Certificate | None = None
    chain: tuple[x509.Certificate, ...] = ()
    signed_at: int | None = None
    token: TimeToken | None = None
    archive: TimeToken | None = None
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    problems: tuple[str, ...] = ()


def verify_pdf(pdf: bytes, certificate: x509.Certificate) -> PdfSignature:
    """Check that exactly one certification signature by ``certificate`` covers the whole document.

    Works with or without a running event loop. Whoever trusts ``certificate`` is asked elsewhere; here it is the root.
    """
    try:
        return in_own_loop(_verify(pdf, certificate))
    except InvalidInput as error:
        return PdfSignature(problems=(error.what,))
    except Exception as error:  # noqa: BLE001 - A hostile PDF can make the parser raise anything; each is a failure.
        return PdfSignature(problems=(f"the PDF's signature cannot be read ({type(error).__name__}: {error})"[:300],))


async def _verify(pdf: bytes, certificate: x509.Certificate) -> PdfSignature:
    found = list(PdfFileReader(io.BytesIO(pdf)).embedded_signatures)
    if not 1 <= len(found) <= _MOST_SIGNATURES or found[0].field_name != FIELD:
        raise InvalidInput(f"the PDF holds {len(found)} signatures instead of one, or not the one that it should")
    archive: TimeToken | None = None
    problems: list[str] = []
    if len(found) == _MOST_SIGNATURES:
        archive, problems = _archive_of(pdf, found)
        pdf = pdf[: sum(int(value) for value in list(found[0].byte_range)[2:])]
    signature = await _verify_revision(pdf, certificate)
    return msgspec.structs.replace(signature, archive=archive, problems=(*problems, *signature.problems))


def _archive_of(pdf: bytes, found: list[EmbeddedPdfSignature]) -> tuple[TimeToken, list[str]]:
    """Check the document time stamp, and that nothing but it came after the signature."""
    signed, stamp = found
    if stamp.field_name != TIME_FIELD or stamp.sig_object_type != "/DocTimeStamp":
        raise InvalidInput("what follows the signature is no document time stamp")
    der, digest, problems = _read_gap(pdf, stamp)
    token = read_token(der)
    if token.sha256 != digest:
        problems.append("the document time stamp is over another document")
    signed.compute_integrity_info(diff_policy=DEFAULT_DIFF_POLICY)  # type: ignore[no-untyped-call]
    changes: object = signed.diff_result
    if not isinstance(changes, DiffResult) or changes.modification_level > ModificationLevel.LTA_UPDATES:
        problems.append("something else than a time stamp was added after the signature")
    return token, problems


async def _verify_revision(pdf: bytes, certificate: x509.Certificate) -> PdfSignature:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = list(reader.embedded_signatures)
    if len(found) != 1:
        raise InvalidInput(f"the PDF holds {len(found)} signatures instead of one")
    (embedded,) = found
    signature, problems = _read_contents(pdf, embedded)
    token = None if signature.token is None else read_token(signature.token)
    problems += await _judge(embedded, certificate, token)
    moment = embedded.self_reported_timestamp
    return PdfSignature(
        certificate=signature.certificate,
        chain=signature.chain,
        signed_at=None if moment is None else int(moment.timestamp()) * 1000,
        token=token,
        crls=_crls_of(reader),
        problems=tuple(problems),
    )


def _read_gap(pdf: bytes, embedded: EmbeddedPdfSignature) -> tuple[bytes, str, list[str]]:
    """Return what stands where a signature stands, the digest of all else, and what is wrong with either."""
    ranges = [int(value) for value in embedded.byte_range]
    if len(ranges) != 4 or ranges[0] != 0 or ranges[2] + ranges[3] != len(pdf) or ranges[1] > ranges[2]:  # noqa: PLR2004
        raise InvalidInput("the signature's byte range does not span the whole document")
    gap = pdf[ranges[1] : ranges[2]]
    der = embedded.pkcs7_content[: peek(embedded.pkcs7_content)]
    spelled = b"<" + der.hex().upper().encode().ljust(len(gap) - 2, b"0") + b">"
    problems = [] if gap == spelled else ["there is something else than the signature where the signature stands"]
    return der, hashlib.sha256(pdf[: ranges[1]] + pdf[ranges[2] :]).hexdigest(), problems


def _read_contents(pdf: bytes, embedded: EmbeddedPdfSignature) -> tuple[DetachedSignature, list[str]]:
    """Check the signature as bytes: what is not signed is exactly the signature, in its one spelling."""
    der, digest, problems = _read_gap(pdf, embedded)
    signature = read_detached(der)
    if signature.signed_at is not None:
        problems.append("the CMS states a signing time, which PAdES keeps in the signature dictionary")
    if digest != signature.content_sha256 or not verify_detached(signature):
        problems.append("the signature does not fit the document")
    return signature, problems


async def _judge(embedded: EmbeddedPdfSignature, certificate: x509.Certificate, token: TimeToken | None) -> list[str]:
    """Ask pyHanko for its own judgment, with the given certificate, and the token's, as the only roots of trust."""
    context = _trusting(certificate)
    stamps = None if token is None else _trusting(token.authority)
    status = await async_validate_pdf_signature(
        embedded, signer_validation_context=context, ts_validation_context=stamps
    )
    mdp = embedded.docmdp_level
    checks = (
        (status.intact and status.valid, "the signature does not fit the document (pyHanko)"),
        (status.trusted, "the signature is not by the certificate that signed the manifest"),
        (status.coverage == SignatureCoverageLevel.ENTIRE_FILE, "the signature does not cover the whole document"),
        (status.docmdp_ok, "the document was changed in a way its certification forbids"),
        (mdp == MDPPerm.NO_CHANGES, "the signature does not certify the document against every change"),
    )
    return [problem for holds, problem in checks if not holds]


def _trusting(certificate: x509.Certificate) -> ValidationContext:
    root = asn1_x509.Certificate.load(der_of(certificate))
    return ValidationContext(trust_roots=[root], allow_fetching=False, moment=certificate.not_valid_before_utc)


def _crls_of(reader: PdfFileReader) -> tuple[x509.CertificateRevocationList, ...]:
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except ValidationInfoReadingError:
        return ()
    return tuple(read_crl(ref.get_object().data, where="the PDF") for ref in store.crls)
