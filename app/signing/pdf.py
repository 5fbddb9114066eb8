# SPDX-License-Identifier: Apache-2.0

"""Sign PDF reports: PAdES B-B to B-LTA, a certification signature that allows no later change.

In:  an unsigned PDF; the signing identity; the signing time; a time-stamp authority, if there is one.
Out: the signed PDF, of which the unsigned one is an exact prefix. ``app.signing.pdf_check`` reads it.

The signature is CAdES inside PDF (ETSI EN 319 142-1; ISO 32000-2 section 12.8): level B-B alone; with an authority, a
token over the signature (B-T), certificates and revocation lists in the same revision (B-LT), and a token over the
whole document in one more (B-LTA). pyHanko writes the updates; the CMS itself is the one shape of ``app.signing.cms``.
"""

import asyncio
import datetime as dt
import io
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
from asn1crypto import cms as asn1_cms
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from app.errors import InvalidInput
from app.signing.certificates import der_of
from app.signing.cms import Stamp, longest, sign_detached
from app.signing.keys import SigningIdentity
from app.signing.timestamps import TimeToken

FIELD = "EvidencePackSignature"
REASON = "Certifies this report as assembled by Proofroom"
TIME_FIELD = "EvidencePackTime"
_PLACEHOLDER = 72
"""The longest DER form of an ECDSA P-256 signature."""
_TOKENS_DIFFER = 64
"""Bytes by which two tokens of one authority may differ: serial number, fraction of a second, signature."""

_T = TypeVar("_T")


class PdfTime(msgspec.Struct, frozen=True, kw_only=True):
    """An authority that confirms the time of a PDF's signature.

    Attributes:
        stamp: returns a token, DER, over a hex SHA-256.
        sample: an earlier token of the same authority; the next ones come with the same certificates.
    """

    stamp: Stamp
    sample: TimeToken


def sign_pdf(
    pdf: bytes,
    identity: SigningIdentity,
    signed_at: int,
    time: PdfTime | None = None,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> bytes:
    """Certify a PDF; DocMDP allows no change afterwards (ISO 32000-2 section 12.8.2.2).

    Args:
        pdf: the unsigned document.
        identity: who signs.
        signed_at: the claimed time, epoch milliseconds; whole seconds count.
        time: asked twice: for the signature, and for the whole document in a revision of its own.
        crls: put in with the certificates when there is a confirmed time.

    Raises:
        InvalidInput: the PDF cannot be signed.
    """
    signed = in_own_loop(_sign(pdf, identity, signed_at, time, crls))
    if time is not None:
        signed = in_own_loop(_archive(signed, time))
    if not signed.startswith(pdf):
        raise InvalidInput("signing changed the PDF instead of adding to it")
    return signed


async def _sign(
    pdf: bytes,
    identity: SigningIdentity,
    signed_at: int,
    time: PdfTime | None,
    crls: Sequence[x509.CertificateRevocationList],
) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    if time is not None:
        _add_material(writer, identity, time, crls)
    meta = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=REASON,
    )
    holder = asn1_x509.Certificate.load(identity.certificate_der)
    signer = PdfSigner(meta, ExternalSigner(holder, cert_registry=None, signature_value=_PLACEHOLDER))
    session = signer.init_signing_session(writer)
    session.system_time = dt.datetime.fromtimestamp(signed_at // 1000, tz=dt.UTC)  # Not the machine's clock.
    document = session.prepare_tbs_document(None, bytes_reserved=_reserved(identity, time))
    output = io.BytesIO()
    prepared, _ = document.digest_tbs_document(output=output)
    stamp = time.stamp if time else None
    prepared.fill_with_cms(output, sign_detached(prepared.document_digest.hex(), identity, None, stamp))
    return output.getvalue()


def _add_material(
    writer: IncrementalPdfFileWriter,
    identity: SigningIdentity,
    time: PdfTime,
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    """Add the document security store in the revision that is signed: a later one would have to be judged as a change.

    EN 319 142-1, section 5.4.2. It cannot hold the digest of a signature that does not exist yet (VRI), and need not.
    """
    certificates = (identity.certificate, *identity.chain, time.sample.authority, *time.sample.chain)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        certs=[asn1_x509.Certificate.load(der_of(one)) for one in certificates],
        crls=[asn1_crl.CertificateList.load(one.public_bytes(serialization.Encoding.DER)) for one in crls],
    )


class _OneAuthority(TimeStamper):
    """Let pyHanko ask our authority, with our checks, for the token over the document."""

    def __init__(self, time: PdfTime) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._time = time

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> asn1_cms.ContentInfo:
        """Return a token over a SHA-256."""
        if md_algorithm != "sha256":
            raise InvalidInput("the document is digested by SHA-256 only")
        return asn1_cms.ContentInfo.load(self._time.stamp(message_digest.hex()))


async def _archive(signed: bytes, time: PdfTime) -> bytes:
    """Add a document time stamp over everything before it (EN 319 142-1, level B-LTA), in a revision of its own."""
    output = io.BytesIO()
    await PdfTimeStamper(_OneAuthority(time), field_name=TIME_FIELD).async_timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(signed)),
        "sha256",
        bytes_reserved=2 * (len(time.sample.token) + _TOKENS_DIFFER),
        output=output,
    )
    return output.getvalue()


def _reserved(identity: SigningIdentity, time: PdfTime | None) -> int:
    """Return the hex digits to reserve, enough for the longest signature value and token."""
    token = time.sample.token if time else None
    return 2 * (longest(identity, token) + _TOKENS_DIFFER)


def in_own_loop(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in a loop of its own, in its own thread: the caller may be inside a running loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
