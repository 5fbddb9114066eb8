# SPDX-License-Identifier: Apache-2.0

"""Time-stamp tokens (RFC 3161, RFC 5816): ask for one, read one, and say what it proves.

In:  a SHA-256 to be confirmed; a response from an authority, or from a pack.
Out: a request; a response in our one spelling; and back, when which authority saw which digest.
No network here: ``app.packs.authorities`` fetches.

A token is taken apart into what its signature covers and the line of certificates, and put together again in one way;
whatever else an authority sent along is left out. So the parser compares bytes, as those of our own signatures do.
Authorities choose their algorithms: RSA of 2048 bits and more (PKCS #1 v1.5) and ECDSA, with SHA-256, -384 or -512.
"""

import hashlib
import re
from typing import ClassVar

import msgspec
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from app.errors import InvalidInput
from app.signing.certificates import der_of, read_certificate, valid_at
from app.signing.chain import TIME_STAMPING, issuers_among, order_chain, use_problems

MAX_RESPONSE = 65_536
MAX_NONCE = 1 << 64
_MIN_RSA = 2048
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_ACCURACY_SECONDS = 3600
"""An authority that may be an hour off confirms nothing that we ask."""
_BROKEN = (ValueError, TypeError, KeyError, OverflowError, IndexError, AttributeError)


class TimeResponse(core.Sequence):  # type: ignore[misc]  # The library has no types.
    """TimeStampResp (RFC 3161 section 2.4.2), of which the library forgets that a refusal has no token."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class TimeToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a time-stamp token says.

    Attributes:
        authority: the certificate that signed it. chain: its issuers, as far as the token holds them.
        sha256: hex digest that was confirmed.
        at: the authority's time, epoch milliseconds, cut. latest: the same with the stated accuracy added.
        policy: the authority's policy, dotted. nonce: as in the request, if there was one.
        response: the granting response in our spelling. token: the token alone, DER.
    """

    authority: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    sha256: str
    at: int
    latest: int
    policy: str
    serial: int
    nonce: int | None
    response: bytes
    token: bytes


class _Parts(msgspec.Struct, frozen=True):
    """Everything of a token that is not fixed."""

    info: bytes
    attributes: bytes
    digest: str
    algorithm: bytes
    signature: bytes
    signer: bytes
    chain: tuple[bytes, ...]


def make_request(sha256: str, nonce: int) -> bytes:
    """Return a request, DER, for a token over a digest, with the authority's certificates (RFC 3161 section 2.4.1)."""
    request = tsp.TimeStampReq(
        {"version": 1, "message_imprint": _imprint(sha256), "nonce": core.Integer(nonce), "cert_req": True}
    )
    data: bytes = request.dump()
    return data


def take_response(data: bytes, sha256: str, nonce: int) -> TimeToken:
    """Read what an authority answered to ``make_request`` and check that it is the answer to it.

    Raises:
        InvalidInput: it refuses, is malformed, is about something else, or its signature does not hold.
    """
    token = read_response(_respell(data))
    if token.sha256 != sha256:
        raise InvalidInput("the time-stamp token is about another digest than was asked for")
    if token.nonce != nonce:
        raise InvalidInput("the time-stamp token does not have the nonce that was sent; it may be an old one")
    return token


def read_response(data: bytes) -> TimeToken:
    """Parse a granting response in our one spelling, and check everything in it that needs no trust anchor.

    Raises:
        InvalidInput: it is anything else, or the signature, the signing certificate or its use is not right.
    """
    try:
        parts = _take_out(_token_of(data))
        rebuilt = _response(parts)
        token = _judge(parts)
    except _BROKEN as error:
        raise InvalidInput(f"not a time-stamp response that can be read ({error})"[:300]) from error
    if rebuilt != data:
        raise InvalidInput("the time-stamp response holds something else than the one shape that is allowed")
    return token


def read_token(token: bytes) -> TimeToken:
    """Parse a token alone, as it stands in a PDF; the same rules.

    Raises:
        InvalidInput: as for ``read_response``.
    """
    if len(token) > MAX_RESPONSE:
        raise InvalidInput("the time-stamp token is too large")
    try:
        return read_response(_wrap(cms.ContentInfo.load(token, strict=True)))
    except _BROKEN as error:
        raise InvalidInput(f"not a time-stamp token ({error})"[:300]) from error


def _respell(data: bytes) -> bytes:
    try:
        return _response(_take_out(_token_of(data), keep_line_only=True))
    except _BROKEN as error:
        raise InvalidInput(f"not a time-stamp response that can be read ({error})"[:300]) from error


def _token_of(data: bytes) -> cms.ContentInfo:
    if len(data) > MAX_RESPONSE:
        raise InvalidInput("the time-stamp response is too large")
    response = TimeResponse.load(data, strict=True)
    status = response["status"]["status"].native
    if status != "granted":
        words = response["status"]["status_string"].native or ()
        said = "".join(char if char.isprintable() else " " for char in " ".join(words))[:120]
        raise InvalidInput(f"the authority answers '{status}'" + (f": {said}" if said else ""))
    return response["time_stamp_token"]


def _take_out(content: cms.ContentInfo, *, keep_line_only: bool = False) -> _Parts:
    signed = content["content"]
    (signer,) = signed["signer_infos"]
    held = [read_certificate(choice.chosen.dump(), where="the token") for choice in signed["certificates"]]
    attributes = signer["signed_attrs"]
    named = _one(attributes, "signing_certificate_v2")["certs"][0]
    (own,) = [one for one in held if _hash(_named_hash(named), der_of(one)) == named["cert_hash"].native]
    others = [one for one in held if one != own]
    chain = issuers_among(own, others) if keep_line_only else order_chain(own, others)
    info = signed["encap_content_info"]
    if info["content_type"].native != "tst_info":
        raise InvalidInput("the token holds something else than a time")
    return _Parts(
        info=bytes(info["content"]),
        attributes=attributes.untag().dump(),
        digest=signer["digest_algorithm"]["algorithm"].native,
        algorithm=signer["signature_algorithm"].dump(),
        signature=signer["signature"].native,
        signer=der_of(own),
        chain=tuple(der_of(one) for one in chain),
    )


def _response(parts: _Parts) -> bytes:
    holder = asn1_x509.Certificate.load(parts.signer, strict=True)
    digest = algos.DigestAlgorithm({"algorithm": parts.digest})
    name = cms.IssuerAndSerialNumber({"issuer": holder.issuer, "serial_number": holder.serial_number})
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": name}),
            "digest_algorithm": digest,
            "signed_attrs": cms.CMSAttributes.load(parts.attributes, strict=True),
            "signature_algorithm": algos.SignedDigestAlgorithm.load(parts.algorithm, strict=True),
            "signature": parts.signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": (digest,),
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(parts.info)},
            "certificates": [asn1_x509.Certificate.load(der, strict=True) for der in (parts.signer, *parts.chain)],
            "signer_infos": (signer,),
        }
    )
    return _wrap(cms.ContentInfo({"content_type": "signed_data", "content": signed}))


def _wrap(token: cms.ContentInfo) -> bytes:
    data: bytes = TimeResponse({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
    return data


def _judge(parts: _Parts) -> TimeToken:
    info = tsp.TSTInfo.load(parts.info, strict=True)
    authority = read_certificate(parts.signer, where="the token")
    sha256 = _digest_of(info)
    moment = info["gen_time"].native
    at = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    problems = [*_attribute_problems(parts), *_info_problems(info), *_authority_problems(authority, at)]
    if not problems and not _signature_holds(parts, authority):
        problems = ["the time-stamp token's signature does not hold"]
    if problems:
        raise InvalidInput(problems[0])
    response = _response(parts)
    return TimeToken(
        authority=authority,
        chain=tuple(read_certificate(der, where="the token") for der in parts.chain),
        sha256=sha256,
        at=at,
        latest=at + _accuracy(info),
        policy=info["policy"].dotted,
        serial=info["serial_number"].native,
        nonce=info["nonce"].native,
        response=response,
        token=_token_of(response).dump(),
    )


def _attribute_problems(parts: _Parts) -> list[str]:
    """RFC 5652 section 11 and RFC 5035: what was signed is this content, by this certificate."""
    attributes = cms.CMSAttributes.load(parts.attributes, strict=True)
    if len(_one(attributes, "signing_certificate_v2")["certs"]) > MAX_NONCE.bit_length():
        return ["the time-stamp token names too many certificates"]
    checks = (
        (
            _one(attributes, "content_type").native == "tst_info",
            "the token's signature is over another kind of content",
        ),
        (
            _one(attributes, "message_digest").native == _hash(parts.digest, parts.info),
            "the time-stamp token's signature is over another time",
        ),
    )
    return [problem for holds, problem in checks if not holds]


def _info_problems(info: tsp.TSTInfo) -> list[str]:
    nonce = info["nonce"].native
    extensions = info["extensions"].native or ()
    checks = (
        (info["version"].native == "v1", "the time-stamp token is of another version"),
        (nonce is None or 0 <= nonce < MAX_NONCE, "the time-stamp token's nonce is not one of ours"),
        (not any(one["critical"] for one in extensions), "the token has a critical extension that is not understood"),
        (_accuracy(info) <= _MAX_ACCURACY_SECONDS * 1000, "the authority does not know its time well enough"),
    )
    return [problem for holds, problem in checks if not holds]


def _authority_problems(authority: x509.Certificate, at: int) -> list[str]:
    """RFC 3161 section 2.3: the key is for time stamping and nothing else, and the extension that says so critical."""
    try:
        usage = authority.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return ["the authority's certificate is not one for time stamping"]
    if not usage.critical or set(usage.value) != TIME_STAMPING:
        return ["the authority's certificate is not for time stamping alone, or does not say so critically"]
    if not valid_at(authority, at):
        return ["the authority's certificate was not valid at the time it states"]
    return [
        problem.replace("the certificate", "the authority's certificate")
        for problem in use_problems(authority, TIME_STAMPING)
    ]


def _signature_holds(parts: _Parts, authority: x509.Certificate) -> bool:
    algorithm = algos.SignedDigestAlgorithm.load(parts.algorithm, strict=True)
    key, kind = authority.public_key(), algorithm.signature_algo
    # RSA may leave the digest to the other field; where both name one, they must name the same.
    names_digest = kind != "rsassa_pkcs1v15" or algorithm["algorithm"].native != "rsassa_pkcs1v15"
    if names_digest and algorithm.hash_algo != parts.digest:
        return False
    chosen = _HASHES[parts.digest]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15" and key.key_size >= _MIN_RSA:
            key.verify(parts.signature, parts.attributes, padding.PKCS1v15(), chosen)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
            key.verify(parts.signature, parts.attributes, ec.ECDSA(chosen))
            return True
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return False


def _one(attributes: cms.CMSAttributes, kind: str) -> core.Asn1Value:
    (attribute,) = [found for found in attributes if found["type"].native == kind]
    (value,) = attribute["values"]
    return value


def _named_hash(named: tsp.ESSCertIDv2) -> str:
    name: str = named["hash_algorithm"]["algorithm"].native
    return name


def _hash(name: str, data: bytes) -> bytes:
    if name not in _HASHES:
        raise InvalidInput(f"the time-stamp token uses {name}, which is not taken")
    return hashlib.new(name, data).digest()


def _imprint(sha256: str) -> tsp.MessageImprint:
    if not _HEX.fullmatch(sha256):
        raise InvalidInput("this is no SHA-256")
    algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
    return tsp.MessageImprint({"hash_algorithm": algorithm, "hashed_message": bytes.fromhex(sha256)})


def _digest_of(info: tsp.TSTInfo) -> str:
    imprint = info["message_imprint"]
    digest: str = imprint["hashed_message"].native.hex()
    if imprint["hash_algorithm"]["algorithm"].native != "sha256" or not _HEX.fullmatch(digest):
        raise InvalidInput("the time-stamp token is about no SHA-256")
    return digest


def _accuracy(info: tsp.TSTInfo) -> int:
    """Return the stated accuracy in milliseconds, rounded up; 0 when none is stated (RFC 3161 section 2.4.2)."""
    accuracy = info["accuracy"].native
    if accuracy is None:
        return 0
    seconds, millis, micros = (accuracy[name] or 0 for name in ("seconds", "millis", "micros"))
    if min(seconds, millis, micros) < 0:
        raise InvalidInput("the time-stamp token states a negative accuracy")
    return int(seconds * 1000 + millis + (1 if micros else 0))
