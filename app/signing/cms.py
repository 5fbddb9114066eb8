# SPDX-License-Identifier: Apache-2.0

"""Detached CMS signatures (RFC 5652) of one fixed shape, for files and for PDF.

In:  the SHA-256 of some content; the signing identity; an instant.
Out: a SignedData that ``openssl cms -verify`` and PDF readers accept; and back, what such a SignedData says.

Everything but the certificate, the signing time and the signature is fixed. So the parser does not interpret a
hostile structure: it takes these three out, builds the one SignedData that can hold them, and compares bytes.

The signed attributes are those of CAdES-BES and PAdES B-B (ETSI EN 319 122-1, EN 319 142-1): content type, message
digest, signing certificate v2 and, for files but not for PDF (EN 319 142-1 section 6.3), the signing time.
"""

import datetime as dt
import hashlib

import msgspec
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app.errors import InvalidInput
from app.signing.keys import SigningIdentity, load_certificate, verify_ecdsa

_MAX_SIZE = 65_536
_FIRST_GENERALIZED = 2050


class DetachedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What a detached signature says.

    Attributes:
        content_sha256: hex digest of the content it is over, as stated in its signed attributes.
        signed_at: epoch milliseconds claimed by the signer, whole seconds; None for PDF.
    """

    certificate: x509.Certificate
    content_sha256: str
    signed_at: int | None
    signature: bytes


def sign_detached(content_sha256: str, identity: SigningIdentity, signed_at: int | None) -> bytes:
    """Return a detached SignedData, DER, over content of the given hex SHA-256."""
    attributes = _attributes(content_sha256, identity.certificate_der, signed_at)
    return _signed_data(attributes, identity.certificate_der, identity.sign(attributes.dump()))


def read_detached(data: bytes) -> DetachedSignature:
    """Parse a detached SignedData and require exactly the shape that ``sign_detached`` writes.

    Raises:
        InvalidInput: it is anything else, or one byte differs; the signature value itself is not checked here.
    """
    if len(data) > _MAX_SIZE:
        raise InvalidInput("the CMS signature is too large to be one of ours")
    try:
        der, digest, signed_at, signature = _take_out(data)
        rebuilt = _signed_data(_attributes(digest, der, signed_at), der, signature)
    except (ValueError, TypeError, KeyError, OverflowError, IndexError, AttributeError) as error:
        raise InvalidInput(f"not a detached CMS signature of the expected shape ({error})") from error
    if rebuilt != data:
        raise InvalidInput("the CMS signature holds something else than the one shape that is allowed")
    certificate = load_certificate(der, where="the CMS certificate")
    return DetachedSignature(certificate=certificate, content_sha256=digest, signed_at=signed_at, signature=signature)


def verify_detached(signature: DetachedSignature) -> bool:
    """Tell whether the signature value is its certificate's over its signed attributes (RFC 5652 section 5.6)."""
    der = signature.certificate.public_bytes(serialization.Encoding.DER)
    attributes = _attributes(signature.content_sha256, der, signature.signed_at)
    return verify_ecdsa(signature.certificate, signature.signature, attributes.dump())


def _take_out(data: bytes) -> tuple[bytes, str, int | None, bytes]:
    info = cms.ContentInfo.load(data, strict=True)
    (signer,) = info["content"]["signer_infos"]
    (certificate,) = info["content"]["certificates"]
    attributes = {attribute["type"].native: attribute["values"][0] for attribute in signer["signed_attrs"]}
    moment = attributes["signing_time"].native if "signing_time" in attributes else None
    signed_at = None if moment is None else int(moment.timestamp()) * 1000
    digest = attributes["message_digest"].native.hex()
    return certificate.chosen.dump(), digest, signed_at, signer["signature"].native


def _attributes(content_sha256: str, certificate: bytes, signed_at: int | None) -> cms.CMSAttributes:
    """Build the signed attributes; DER sorts the SET, so the order here does not matter."""
    binding = tsp.SigningCertificateV2(
        {"certs": [tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})]}
    )
    values: list[tuple[str, object]] = [
        ("content_type", "data"),
        ("message_digest", bytes.fromhex(content_sha256)),
        ("signing_certificate_v2", binding),
    ]
    if signed_at is not None:
        moment = dt.datetime.fromtimestamp(signed_at // 1000, tz=dt.UTC)
        # RFC 5652 section 11.3: UTCTime through 2049, GeneralizedTime from then on.
        is_utc = moment.year < _FIRST_GENERALIZED
        time = {"utc_time": core.UTCTime(moment)} if is_utc else {"generalized_time": core.GeneralizedTime(moment)}
        values.append(("signing_time", cms.Time(time)))
    return cms.CMSAttributes([cms.CMSAttribute({"type": kind, "values": (value,)}) for kind, value in values])


def _signed_data(attributes: cms.CMSAttributes, certificate: bytes, signature: bytes) -> bytes:
    holder = asn1_x509.Certificate.load(certificate, strict=True)
    sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": holder.issuer, "serial_number": holder.serial_number}
                    )
                }
            ),
            "digest_algorithm": sha256,
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": (sha256,),
            "encap_content_info": {"content_type": "data"},
            "certificates": (holder,),
            "signer_infos": (signer,),
        }
    )
    data: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return data
