# SPDX-License-Identifier: Apache-2.0

"""A sign-off: somebody other than the preparer puts a name, a role and a comment to one pack, in a file beside it.

In:  a pack, the identity of who signs off, what they say.
Out: a Sigstore bundle like the pack's own, over a statement about the digest of the pack's ``manifest.json``; and back.
The pack itself is not touched. The preparer's own key is refused: nobody reviews their own work.
"""

import base64
import binascii
import hashlib
import re
import zipfile
from pathlib import Path

import msgspec
from cryptography import x509

from app.errors import InvalidInput, RecordRejected, UsageError
from app.packs import layout
from app.records.times import format_instant, parse_instant
from app.signing.certificates import der_of, fingerprint_of, read_certificate
from app.signing.chain import order_chain, spki_of
from app.signing.dsse import StampAll, make_statement, read_bundle, read_statement, sign_bundle, verify_bundle
from app.signing.keys import SigningIdentity

PREDICATE_TYPE = "urn:proofroom:sign-off:v1"
MAX_FILE = 1 << 18
"""A quarter of a mebibyte; a sign-off has some kilobytes."""
MAX_COMMENT = 2_000
_ROLE = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_MAX_MEMBER = 1 << 26


class SignOffContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a sign-off says.

    Attributes:
        role: such as ``reviewer``. name: who; as the signer wrote it. comment: free text.
        signed_at: RFC 3339, UTC; the signer's own claim, which time-stamp authorities may confirm.
        certificate_sha256: fingerprint of the signer's certificate.
        chain: certificates of the issuers, DER in base64, each certified by the next.
    """

    role: str
    name: str
    comment: str
    signed_at: str
    certificate_sha256: str
    chain: tuple[str, ...]


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-off whose signature holds; whether anybody trusts its signer is asked elsewhere.

    Attributes:
        signature: DER. responses: time-stamp responses that should be over it.
    """

    signature: bytes
    responses: tuple[bytes, ...]
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    manifest_sha256: str
    signed_at: int
    content: SignOffContent


def make_sign_off(
    pack: Path,
    identity: SigningIdentity,
    *,
    role: str,
    name: str | None,
    comment: str,
    signed_at: int,
    stamp: StampAll | None = None,
) -> bytes:
    """Return a sign-off of a pack that was verified before; equal inputs give equal bytes with a key in a file.

    Args:
        pack: the ZIP file.
        identity: who signs off.
        role: lower-case letters, digits and hyphens.
        name: who it is; the certificate's subject by default.
        comment: free text.
        signed_at: epoch milliseconds; whole seconds count.
        stamp: returns time-stamp responses over a hex SHA-256; asked once, for the signature.

    Raises:
        UsageError: the role, name or comment cannot be used, the key is the preparer's, or the certificate not valid.
        InvalidInput: the pack has no statement and signature.
    """
    _check_words(role, name or "", comment)
    identity.check_validity(signed_at)
    manifest, preparer = _read_pack(pack)
    if spki_of(preparer) == spki_of(identity.certificate):
        raise UsageError(
            "this is the key that the pack was prepared with",
            where=identity.subject,
            hint="A sign-off is by somebody else: give --key and --certificate, or another data directory",
        )
    content = SignOffContent(
        role=role,
        name=name or identity.subject,
        comment=comment,
        signed_at=format_instant(signed_at // 1000 * 1000),
        certificate_sha256=identity.certificate_sha256,
        chain=tuple(base64.b64encode(der_of(issuer)).decode() for issuer in identity.chain),
    )
    digest = hashlib.sha256(manifest).hexdigest()
    return sign_bundle(
        make_statement({layout.MANIFEST: digest}, PREDICATE_TYPE, msgspec.to_builtins(content)), identity, stamp
    )


def read_sign_off(data: bytes) -> SignOff:
    """Parse a sign-off and check its signature.

    Raises:
        InvalidInput: it is none, or its signature does not hold.
    """
    if len(data) > MAX_FILE:
        raise InvalidInput("the sign-off is too large")
    bundle = read_bundle(data)
    if not verify_bundle(bundle):
        raise InvalidInput("the sign-off's signature does not hold")
    statement = read_statement(bundle.payload)
    try:
        content = msgspec.json.decode(bytes(statement.predicate), type=SignOffContent)
        chain = [read_certificate(base64.b64decode(one, validate=True), where="the sign-off") for one in content.chain]
        signed_at = parse_instant(content.signed_at)
        _check_words(content.role, content.name, content.comment)
    except (msgspec.DecodeError, binascii.Error, ValueError, RecordRejected, UsageError) as error:
        raise InvalidInput(f"not a sign-off ({error})"[:300]) from error
    (subject,) = statement.subject if len(statement.subject) == 1 else (None,)
    if statement.predicate_type != PREDICATE_TYPE or subject is None or subject.name != layout.MANIFEST:
        raise InvalidInput("not a sign-off of a pack")
    if content.certificate_sha256 != fingerprint_of(bundle.certificate):
        raise InvalidInput("the sign-off names another certificate than the one that signed it")
    return SignOff(
        signature=bundle.signature,
        responses=bundle.responses,
        certificate=bundle.certificate,
        chain=order_chain(bundle.certificate, chain),
        manifest_sha256=subject.digest["sha256"],
        signed_at=signed_at,
        content=content,
    )


def _check_words(role: str, name: str, comment: str) -> None:
    if not _ROLE.fullmatch(role):
        raise UsageError("a role is lower-case letters, digits and hyphens", where="--role", hint="Such as: reviewer")
    if len(comment) > MAX_COMMENT or len(name) > 200:  # noqa: PLR2004
        raise UsageError(f"a name has at most 200 characters, a comment at most {MAX_COMMENT}", where="--comment")


def _read_pack(pack: Path) -> tuple[bytes, x509.Certificate]:
    try:
        with zipfile.ZipFile(pack) as archive:
            if any(archive.getinfo(name).file_size > _MAX_MEMBER for name in (layout.MANIFEST, layout.BUNDLE)):
                raise InvalidInput("the pack's statement is too large", where=str(pack))
            manifest, bundle = archive.read(layout.MANIFEST), read_bundle(archive.read(layout.BUNDLE))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInput("this is no pack with a signed statement", where=str(pack)) from error
    if bundle.payload != manifest or not verify_bundle(bundle):
        raise InvalidInput("the pack's statement is not what was signed", where=str(pack))
    return manifest, bundle.certificate
