# SPDX-License-Identifier: Apache-2.0

"""Sign a statement: in-toto Statement v1 in a DSSE envelope, carried in a Sigstore bundle v0.3.

In:  the files of a pack with their digests; the signing identity.
Out: ``manifest.json`` (the statement, canonical JSON) and ``manifest.sigstore.json`` (the bundle).
There is exactly one right spelling of each, so the parsers compare bytes and a changed byte is always seen.

Sources: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md,
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
https://github.com/sigstore/protobuf-specs (sigstore_bundle.proto, version 0.3).
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec
from cryptography import x509

from app.errors import InvalidInput
from app.signing.canonical import canonical_json
from app.signing.certificates import verify_ecdsa
from app.signing.keys import SigningIdentity, load_certificate

StampAll = Callable[[str], Sequence[bytes]]
"""Returns time-stamp responses, DER, over a hex SHA-256."""
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_PREDICATE = 1 << 20
"""A mebibyte: ours has about a kilobyte, and untyped JSON takes fifty times its length in memory."""


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file that a statement speaks about: its name and ``{"sha256": hex}``."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An in-toto Statement v1; ``predicate`` is what it says about its subjects."""

    type: str = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: msgspec.Raw


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What a Sigstore bundle holds: who signed, what, the signature (DER), and time-stamp responses over that."""

    certificate: x509.Certificate
    payload: bytes
    signature: bytes
    responses: tuple[bytes, ...] = ()


class _RawBytes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    raw_bytes: str


class _Timestamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    signed_timestamp: str


class _Timestamps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stamps: tuple[_Timestamp, ...] = msgspec.field(name="rfc3161Timestamps")


class _Material(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    certificate: _RawBytes
    timestamp_verification_data: _Timestamps | None = None


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


class _BundleJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    media_type: str
    verification_material: _Material
    dsse_envelope: _Envelope


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding: what is signed (DSSE protocol, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def make_statement(digests: Mapping[str, str], predicate_type: str, predicate: Mapping[str, object]) -> bytes:
    """Return a statement over files (name to hex SHA-256) as canonical JSON; subjects are in order of name."""
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )


def read_statement(data: bytes) -> Statement:
    """Parse a statement and require its one canonical spelling.

    Raises:
        InvalidInput: it is not an in-toto Statement v1, names a file twice, or is not canonical JSON.
    """
    try:
        statement = msgspec.json.decode(data, type=Statement)
        is_short = len(bytes(statement.predicate)) <= MAX_PREDICATE
        canonical = canonical_json(msgspec.json.decode(data)) if is_short else b""
    except (msgspec.DecodeError, TypeError, ValueError, InvalidInput) as error:
        raise InvalidInput(f"not an in-toto statement ({error})") from error
    names = [subject.name for subject in statement.subject]
    if not is_short:
        raise InvalidInput("the statement's predicate is too long to be one of ours")
    if statement.type != STATEMENT_TYPE:
        raise InvalidInput("not an in-toto Statement v1")
    if names != sorted(set(names)):
        raise InvalidInput("the statement's subjects are not in order, or one is named twice")
    if any(set(subject.digest) != {"sha256"} for subject in statement.subject):
        raise InvalidInput("a subject has another digest than SHA-256")
    if canonical != data:
        raise InvalidInput("the statement is not in canonical form")
    return statement


def sign_bundle(payload: bytes, identity: SigningIdentity, stamp: StampAll | None = None) -> bytes:
    """Sign a statement and return the Sigstore bundle.

    Args:
        payload: the statement.
        identity: who signs.
        stamp: returns time-stamp responses over a hex SHA-256; asked once, for the signature.
    """
    signature = identity.sign(pae(PAYLOAD_TYPE, payload))
    responses = stamp(hashlib.sha256(signature).hexdigest()) if stamp else ()
    return _bundle(payload, identity.certificate_der, signature, responses)


def read_bundle(data: bytes) -> Bundle:
    """Parse a Sigstore bundle and require its one spelling; the signature is not checked here.

    Raises:
        InvalidInput: it is not such a bundle, byte for byte.
    """
    try:
        parsed = msgspec.json.decode(data, type=_BundleJson)
        (signature,) = parsed.dsse_envelope.signatures
        payload = base64.b64decode(parsed.dsse_envelope.payload, validate=True)
        der = base64.b64decode(parsed.verification_material.certificate.raw_bytes, validate=True)
        sig = base64.b64decode(signature.sig, validate=True)
        stamps = parsed.verification_material.timestamp_verification_data
        responses = [base64.b64decode(one.signed_timestamp, validate=True) for one in stamps.stamps] if stamps else []
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise InvalidInput(f"not a Sigstore bundle v0.3 with one DSSE signature ({error})") from error
    certificate = load_certificate(der, where="the bundle's certificate")
    if _bundle(payload, der, sig, responses) != data:
        raise InvalidInput("the bundle has another media type, payload type or spelling than the one we write")
    return Bundle(certificate=certificate, payload=payload, signature=sig, responses=tuple(responses))


def verify_bundle(bundle: Bundle) -> bool:
    """Tell whether the bundle's signature is its certificate's over its payload."""
    return verify_ecdsa(bundle.certificate, bundle.signature, pae(PAYLOAD_TYPE, bundle.payload))


def _bundle(payload: bytes, certificate: bytes, signature: bytes, responses: Sequence[bytes]) -> bytes:
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    material: dict[str, object] = {"certificate": {"rawBytes": base64.b64encode(certificate).decode()}}
    if responses:
        stamps = [{"signedTimestamp": base64.b64encode(response).decode()} for response in responses]
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    return canonical_json({"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope})
