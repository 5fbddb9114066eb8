# SPDX-License-Identifier: Apache-2.0

"""Detached CMS signatures (RFC 5652) of one fixed shape, for files and for PDF.

In:  the SHA-256 of some content; the signing identity; an instant.
Out: a SignedData that ``openssl cms -verify`` and PDF readers accept; and back, what such a SignedData says.

Everything but the certificates, the signing time, the signature and a time-stamp token over it is fixed. So the parser
does not interpret a hostile structure: it takes these out, builds the one SignedData that can hold them, and compares
bytes.

The signed attributes are those of CAdES-BES and PAdES B-B (ETSI EN 319 122-1, EN 319 142-1): content type, message
digest, signing certificate v2 and, for files but not for PDF (EN 319 142-1 section 6.3), the signing time.
"""

import datetime as dt
import hashlib
from collections.abc import Callable

import msgspec
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app.errors import InvalidInput
from app.signing.certificates import der_of, read_certificate, verify_ecdsa
from app.signing.chain import order_chain
from app.signing.keys import SigningIdentity, load_certificate

Stamp = Callable[[str], bytes]
"""Returns a time-stamp token, DER, over a hex SHA-256."""
_MAX_SIZE = 131_072
_SIGNATURE_BYTES = 72
"""The longest DER form of an ECDSA P-256 signature."""
_FIRST_GENERALIZED = 2050


class DetachedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What a detached signature says.

    Attributes:
        content_sha256: hex digest of the content it is over, as stated in its signed attributes.
        chain: issuers of the certificate, each certified by the next, as far as the signer gave them.
        signed_at: epoch milliseconds claimed by the signer, whole seconds; None for PDF.
        token: a time-stamp token over the signature, if there is one (EN 319 122-1 section 5.3).
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    content_sha256: str
    signed_at: int | None
    signature: bytes
    token: bytes | None


class _Parts(msgspec.Struct, frozen=True):
    certificate: bytes
    chain: tuple[bytes, ...]
    content_sha256: str
    signed_at: int | None
    signature: bytes
    token: bytes | None


def sign_detached(
    content_sha256: str, identity: SigningIdentity, signed_at: int | None, stamp: Stamp | None = None
) -> bytes:
    """Return a detached SignedData, DER, over content of the given hex SHA-256.

    Args:
        content_sha256: what is signed, hex.
        identity: who signs.
        signed_at: a claimed time to state, or None.
        stamp: returns a time-stamp token over a hex SHA-256; asked once, for the signature.
    """
    attributes = _attributes(content_sha256, identity.certificate_der, signed_at)
    signature = identity.sign(attributes.dump())
    token = stamp(hashlib.sha256(signature).hexdigest()) if stamp else None
    return _built(identity, content_sha256, signed_at, signature, token)


def longest(identity: SigningIdentity, token: bytes | None) -> int:
    """Return how many bytes ``sign_detached`` needs at most, without signing anything."""
    return len(_built(identity, "00" * 32, None, bytes(_SIGNATURE_BYTES), token))


def _built(
    identity: SigningIdentity, content_sha256: str, signed_at: int | None, signature: bytes, token: bytes | None
) -> bytes:
    chain = tuple(der_of(issuer) for issuer in identity.chain)
    return _signed_data(_Parts(identity.certificate_der, chain, content_sha256, signed_at, signature, token))


def read_detached(data: bytes) -> DetachedSignature:
    """Parse a detached SignedData and require exactly the shape that ``sign_detached`` writes.

    Raises:
        InvalidInput: it is anything else, or one byte differs; the signature value itself is not checked here.
    """
    if len(data) > _MAX_SIZE:
        raise InvalidInput("the CMS signature is too large to be one of ours")
    try:
        parts = _take_out(data)
        rebuilt = _signed_data(parts)
    except (ValueError, TypeError, KeyError, OverflowError, IndexError, AttributeError) as error:
        raise InvalidInput(f"not a detached CMS signature of the expected shape ({error})") from error
    if rebuilt != data:
        raise InvalidInput("the CMS signature holds something else than the one shape that is allowed")
    certificate = load_certificate(parts.certificate, where="the CMS certificate")
    chain = order_chain(certificate, [read_certificate(der, where="the CMS") for der in parts.chain])
    return DetachedSignature(
        certificate=certificate,
        chain=chain,
        content_sha256=parts.content_sha256,
        signed_at=parts.signed_at,
        signature=parts.signature,
        token=parts.token,
    )


def verify_detached(signature: DetachedSignature) -> bool:
    """Tell whether the signature value is its certificate's over its signed attributes (RFC 5652 section 5.6)."""
    der = signature.certificate.public_bytes(serialization.Encoding.DER)
    attributes = _attributes(signature.content_sha256, der, signature.signed_at)
    return verify_ecdsa(signature.certificate, signature.signature, attributes.dump())


def _take_out(data: bytes) -> _Parts:
    info = cms.ContentInfo.load(data, strict=True)
    (signer,) = info["content"]["signer_infos"]
    attributes = {attribute["type"].native: attribute["values"][0] for attribute in signer["signed_attrs"]}
    held = [certificate.chosen.dump() for certificate in info["content"]["certificates"]]
    named = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    (own,) = [der for der in held if hashlib.sha256(der).digest() == named]
    moment = attributes["signing_time"].native if "signing_time" in attributes else None
    return _Parts(
        certificate=own,
        chain=tuple(der for der in held if der != own),
        content_sha256=attributes["message_digest"].native.hex(),
        signed_at=None if moment is None else int(moment.timestamp()) * 1000,
        signature=signer["signature"].native,
        token=_token_of(signer),
    )


def _token_of(signer: cms.SignerInfo) -> bytes | None:
    if not len(signer["unsigned_attrs"]):
        return None
    (attribute,) = signer["unsigned_attrs"]
    (value,) = attribute["values"]
    token: bytes = value.dump()
    return token


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


def _signed_data(parts: _Parts) -> bytes:
    holder = asn1_x509.Certificate.load(parts.certificate, strict=True)
    issuers = [asn1_x509.Certificate.load(der, strict=True) for der in parts.chain]
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
            "signed_attrs": _attributes(parts.content_sha256, parts.certificate, parts.signed_at),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": parts.signature,
        }
    )
    if parts.token is not None:
        token = cms.ContentInfo.load(parts.token, strict=True)
        attribute = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": (token,)})
        signer["unsigned_attrs"] = cms.CMSAttributes((attribute,))
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": (sha256,),
            "encap_content_info": {"content_type": "data"},
            "certificates": (holder, *issuers),
            "signer_infos": (signer,),
        }
    )
    data: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return data
