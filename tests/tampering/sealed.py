# SPDX-License-Identifier: Apache-2.0

"""Packs forged by whoever has a signing key: all digests fit and all signatures hold, and the content is a lie.

The verifier does not trust us: each lie is seen by the step that derives, proves or re-performs. The last ones are told
by a stranger, or by somebody whom the trusted certificate does not cover.
"""

import datetime as dt
import hashlib
from collections.abc import Callable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from app.packs import layout
from app.packs.assemble import Draft
from app.signing.canonical import canonical_json
from app.signing.cms import sign_detached
from app.signing.dsse import sign_bundle
from app.signing.keys import LocalKey, SigningIdentity
from tests.packs.small import SIGNED_AT, forge
from tests.tampering.forging import Lie, replace
from tests.tampering.ledger_lies import LEDGER_LIES
from tests.tampering.lies import LIES, a_deviation_made_a_pass
from tests.tampering.model import FILES, PDF, SIGNER, Tampering, World, archive, sealed


def told(lie: Lie) -> Callable[[World], bytes]:
    """Return what makes the archive of a lie that the trusted signer tells."""

    def make(world: World) -> bytes:
        return archive(sealed(lie(world.draft), world.identity))

    make.__name__ = lie.__name__
    return make


def _named(draft: Draft, signer: SigningIdentity) -> Draft:
    """Return a draft whose report and statement name another signer."""
    info = replace(
        draft.report.signer,
        subject=signer.subject,
        certificate_sha256=signer.certificate_sha256,
        is_development=signer.is_development,
    )
    return forge(draft, {}, report=replace(draft.report, signer=info))


def _private(identity: SigningIdentity) -> ec.EllipticCurvePrivateKey:
    handle = identity._key
    assert isinstance(handle, LocalKey)
    return handle._key


def _issued(world: World, *, by_leaf: bool, usage: bool = True) -> SigningIdentity:
    """Return a stranger with the trusted signer's name, and a certificate that the trusted key or nobody issued."""
    key, held = ec.generate_private_key(ec.SECP256R1()), world.identity.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(held.subject)
        .issuer_name(held.subject)
        .public_key(key.public_key())
        .serial_number(held.serial_number)
        .not_valid_before(held.not_valid_before_utc)
        .not_valid_after(held.not_valid_after_utc + dt.timedelta(days=1))
    )
    flags = dict.fromkeys(("digital_signature", "content_commitment"), usage)
    others = ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only")
    limits = x509.KeyUsage(**flags, **dict.fromkeys(others, False), key_cert_sign=not usage)
    builder = builder.add_extension(limits, critical=True)
    signer = _private(world.identity) if by_leaf else key
    return SigningIdentity(key, builder.sign(signer, hashes.SHA256()))


def a_stranger(world: World) -> bytes:
    return archive(sealed(_named(a_deviation_made_a_pass(world.draft), world.stranger), world.stranger))


def a_stranger_of_the_same_name(world: World) -> bytes:
    signer = _issued(world, by_leaf=False)
    return archive(sealed(_named(world.draft, signer), signer))


def a_stranger_whom_the_trusted_key_issued(world: World) -> bytes:
    """The trusted signer is no authority, so what its key issued is worth nothing."""
    signer = _issued(world, by_leaf=True)
    return archive(sealed(_named(world.draft, signer), signer))


def a_certificate_that_is_not_for_signatures(world: World) -> bytes:
    signer = _issued(world, by_leaf=False, usage=False)
    return archive(sealed(_named(world.draft, signer), signer))


def a_stranger_who_names_the_trusted_certificate(world: World) -> bytes:
    """The statement names the trusted certificate, and a stranger's signs it."""

    class Borrowed(SigningIdentity):
        certificate_sha256 = world.identity.certificate_sha256
        subject = world.identity.subject

    return archive(sealed(world.draft, Borrowed(_private(world.stranger), world.stranger.certificate)))


def a_signature_before_the_certificate(world: World) -> bytes:
    class Careless(SigningIdentity):
        def check_validity(self, instant: int) -> None:
            """Sign whenever asked."""

    careless = Careless(_private(world.identity), world.identity.certificate)
    return archive(sealed(world.draft, careless, SIGNED_AT - 365 * 86_400_000))


def a_pdf_signed_by_a_stranger(world: World) -> bytes:
    """The statement is the trusted signer's and names the report that a stranger has signed."""
    theirs = sealed(world.draft, world.stranger)[layout.REPORT_PDF]
    return _statement_over(world, {layout.REPORT_PDF: theirs})


def a_pdf_that_nobody_signed(world: World) -> bytes:
    return _statement_over(world, {layout.REPORT_PDF: world.draft.pdf})


def a_pdf_changed_after_its_signature(world: World) -> bytes:
    """An incremental update behind the certification signature, which allows none."""
    update = b"\n9999 0 obj\n<< >>\nendobj\nstartxref\n0\n%%EOF\n"
    return _statement_over(world, {layout.REPORT_PDF: world.members[layout.REPORT_PDF] + update})


def a_file_that_the_statement_does_not_name(world: World) -> bytes:
    """The trusted signer forgets a file that the content manifest lists."""
    return _statement_over(world, {}, leave_out=layout.GAPS_JSON)


def a_file_that_only_the_statement_names(world: World) -> bytes:
    members = _signed(world, {"ghost.txt": b"boo"})
    del members["ghost.txt"]
    return archive(members)


def _statement_over(world: World, changes: dict[str, bytes], leave_out: str = "") -> bytes:
    return archive(_signed(world, changes, leave_out))


def _signed(world: World, changes: dict[str, bytes], leave_out: str = "") -> dict[str, bytes]:
    """Return the good pack with some files changed and its statement signed anew by the trusted signer."""
    members = world.members | changes
    statement = msgspec.json.decode(members[layout.MANIFEST])
    names = sorted(set(members) - layout.SIGNATURES - {leave_out})
    statement["subject"] = [
        {"name": name, "digest": {"sha256": hashlib.sha256(members[name]).hexdigest()}} for name in names
    ]
    data = canonical_json(statement)
    digest = hashlib.sha256(data).hexdigest()
    return members | {
        layout.MANIFEST: data,
        layout.BUNDLE: sign_bundle(data, world.identity),
        layout.CMS: sign_detached(digest, world.identity, SIGNED_AT // 1000 * 1000),
    }


SEALED = [
    *(Tampering(told(lie), step) for lie, step in [*LIES, *LEDGER_LIES]),
    Tampering(a_stranger, SIGNER),
    Tampering(a_stranger_of_the_same_name, SIGNER),
    Tampering(a_stranger_whom_the_trusted_key_issued, SIGNER),
    Tampering(a_stranger_who_names_the_trusted_certificate, SIGNER),
    Tampering(a_certificate_that_is_not_for_signatures, SIGNER),
    Tampering(a_signature_before_the_certificate, SIGNER),
    Tampering(a_file_that_the_statement_does_not_name, FILES),
    Tampering(a_file_that_only_the_statement_names, FILES),
    Tampering(a_pdf_signed_by_a_stranger, PDF),
    Tampering(a_pdf_that_nobody_signed, PDF),
    Tampering(a_pdf_changed_after_its_signature, PDF),
]
