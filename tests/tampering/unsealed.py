# SPDX-License-Identifier: Apache-2.0

"""Files changed by somebody who has no key, in an archive that is written as packs are."""

import base64
import hashlib
import json

import msgspec
from asn1crypto import algos, cms
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from app.packs import layout
from app.signing.canonical import canonical_json
from app.signing.cms import sign_detached
from app.signing.dsse import PAYLOAD_TYPE, pae, sign_bundle
from tests.packs.small import END, SIGNED_AT
from tests.tampering.model import FILES, SECOND, SIGNED, SIGNER, STATEMENT, Tampering, World, archive, sealed

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the base point of P-256 (SP 800-186, section 3.2.1.3)."""


def _replaced(world: World, **changes: bytes | None) -> bytes:
    members: dict[str, bytes | None] = {**world.members, **changes}
    return archive({name: data for name, data in members.items() if data is not None})


def _edited(world: World, name: str, old: bytes, new: bytes) -> bytes:
    data = world.members[name]
    assert old in data, name
    return _replaced(world, **{name: data.replace(old, new, 1)})


def _flipped(world: World, name: str) -> bytes:
    data = world.members[name]
    middle = len(data) // 2
    return _replaced(world, **{name: data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]})


def _first(world: World, prefix: str) -> str:
    return min(name for name in world.members if name.startswith(prefix))


def _envelope(world: World, **changes: object) -> bytes:
    bundle = msgspec.json.decode(world.members[layout.BUNDLE])
    bundle["dsseEnvelope"].update(changes)
    return _replaced(world, **{layout.BUNDLE: canonical_json(bundle)})


def _signature(world: World) -> bytes:
    bundle = msgspec.json.decode(world.members[layout.BUNDLE])
    return base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])


def _signatures(*values: bytes) -> list[dict[str, str]]:
    return [{"sig": base64.b64encode(value).decode()} for value in values]


def _other_half(signature: bytes) -> bytes:
    """Return (r, n - s): an equation of ECDSA holds for both, so anybody can turn one into the other."""
    first, second = decode_dss_signature(signature)
    return encode_dss_signature(first, ORDER - second)


def an_outcome_in_the_report(world: World) -> bytes:
    return _edited(world, layout.REPORT_JSON, b'"outcome":"failed"', b'"outcome":"passed"')


def a_byte_of_the_pdf(world: World) -> bytes:
    return _flipped(world, layout.REPORT_PDF)


def a_byte_of_a_population(world: World) -> bytes:
    return _flipped(world, _first(world, "populations/session/"))


def a_byte_of_the_outcomes(world: World) -> bytes:
    return _flipped(world, "results/session.parquet")


def a_byte_of_an_entry(world: World) -> bytes:
    return _flipped(world, layout.ENTRIES)


def a_control_made_milder(world: World) -> bytes:
    return _edited(world, "controls/tests/session.yaml", b"severity: high", b"severity: low")


def a_deviation_listing_removed(world: World) -> bytes:
    return _replaced(world, **{_first(world, f"{layout.DEVIATIONS}/"): None})


def a_population_removed(world: World) -> bytes:
    return _replaced(world, **{_first(world, "populations/grant/"): None})


def the_pdf_removed(world: World) -> bytes:
    return _replaced(world, **{layout.REPORT_PDF: None})


def a_file_added(world: World) -> bytes:
    return _replaced(world, **{"populations/session/2026-08-01.parquet": b"PAR1"})


def a_file_renamed(world: World) -> bytes:
    name = _first(world, f"{layout.DEVIATIONS}/")
    return _replaced(world, **{name: None, f"{layout.DEVIATIONS}/XXX-99.csv": world.members[name]})


def two_files_swapped(world: World) -> bytes:
    one, two, *_ = sorted(name for name in world.members if name.startswith("populations/session/"))
    return _replaced(world, **{one: world.members[two], two: world.members[one]})


def the_pdf_without_its_signature(world: World) -> bytes:
    return _replaced(world, **{layout.REPORT_PDF: world.draft.pdf})


def the_pdf_with_an_update(world: World) -> bytes:
    return _replaced(world, **{layout.REPORT_PDF: world.members[layout.REPORT_PDF] + b"\n1 0 obj<<>>endobj\n%%EOF\n"})


def a_list_of_sums_that_fits_the_change(world: World) -> bytes:
    """Change a finding, and both lists of digests with it; only the statement still knows."""
    gaps = b"[]"
    old, new = (hashlib.sha256(data).hexdigest().encode() for data in (world.members[layout.GAPS_JSON], gaps))
    sums = world.members[layout.SUMS].replace(old, new)
    return _replaced(world, **{layout.GAPS_JSON: gaps, layout.SUMS: sums})


def a_statement_that_fits_the_change(world: World) -> bytes:
    """The same, and the statement too: its signature no longer fits."""
    gaps = b"[]"
    old, new = (hashlib.sha256(data).hexdigest().encode() for data in (world.members[layout.GAPS_JSON], gaps))
    statement = world.members[layout.MANIFEST].replace(old, new)
    return _replaced(world, **{layout.GAPS_JSON: gaps, layout.MANIFEST: statement})


def a_statement_spelled_otherwise(world: World) -> bytes:
    return _edited(world, layout.MANIFEST, b'{"_type":', b'{"_type": ')


def a_statement_with_a_key_twice(world: World) -> bytes:
    """Some parsers take the first list of subjects, some the last."""
    return _edited(world, layout.MANIFEST, b'{"_type":', b'{"subject":[],"_type":')


def a_statement_of_another_kind(world: World) -> bytes:
    return _edited(world, layout.MANIFEST, b"in-toto.io/Statement/v1", b"in-toto.io/Statement/v9")


def a_statement_about_itself(world: World) -> bytes:
    value = json.loads(world.members[layout.MANIFEST])
    value["subject"].append(value["subject"][0])
    return _replaced(world, **{layout.MANIFEST: canonical_json(value)})


def the_statement_removed(world: World) -> bytes:
    return _replaced(world, **{layout.MANIFEST: None})


def the_signature_removed(world: World) -> bytes:
    return _replaced(world, **{layout.BUNDLE: None})


def every_signature_removed(world: World) -> bytes:
    """The trap of verifiers that only check a signature when there is one."""
    stripped = {layout.BUNDLE: None, layout.CMS: None, layout.REPORT_PDF: world.draft.pdf}
    return _replaced(world, **stripped)


def a_second_statement(world: World) -> bytes:
    """Another pack's statement and its valid signature beside this pack's own."""
    other = sealed(world.draft, world.identity, SIGNED_AT + 1000)
    return _replaced(
        world, **{"manifest2.json": other[layout.MANIFEST], "manifest2.sigstore.json": other[layout.BUNDLE]}
    )


def the_bundle_of_another_pack(world: World) -> bytes:
    other = sealed(world.draft, world.identity, SIGNED_AT + 1000)
    return _replaced(world, **{layout.BUNDLE: other[layout.BUNDLE]})


def the_cms_of_another_pack(world: World) -> bytes:
    other = sealed(world.draft, world.identity, SIGNED_AT + 1000)
    return _replaced(world, **{layout.CMS: other[layout.CMS]})


def the_second_signature_removed(world: World) -> bytes:
    return _replaced(world, **{layout.CMS: None})


def no_signature_in_the_envelope(world: World) -> bytes:
    return _envelope(world, signatures=[])


def an_empty_signature(world: World) -> bytes:
    return _envelope(world, signatures=_signatures(b""))


def a_signature_of_zeros(world: World) -> bytes:
    """R = s = 0 fitted every message in a verifier that forgot to look (CVE-2022-21449)."""
    return _envelope(world, signatures=_signatures(encode_dss_signature(0, 0)))


def two_signatures(world: World) -> bytes:
    mine = world.stranger.sign(pae(PAYLOAD_TYPE, world.members[layout.MANIFEST]))
    return _envelope(world, signatures=_signatures(_signature(world), mine))


def a_signature_that_anybody_can_derive(world: World) -> bytes:
    """(r, n - s) is as valid as (r, s) by FIPS 186-5, and gives a second pack with another digest."""
    return _envelope(world, signatures=_signatures(_other_half(_signature(world))))


def a_cms_signature_that_anybody_can_derive(world: World) -> bytes:
    info = cms.ContentInfo.load(world.members[layout.CMS])
    signer = info["content"]["signer_infos"][0]
    signer["signature"] = _other_half(signer["signature"].native)
    return _replaced(world, **{layout.CMS: info.dump(force=True)})


def a_signature_with_bytes_behind(world: World) -> bytes:
    return _envelope(world, signatures=_signatures(_signature(world) + b"\0"))


def another_payload_type(world: World) -> bytes:
    """The type is signed with the payload, so that a signature cannot be used for something else."""
    return _envelope(world, payloadType="application/json")


def an_algorithm_called_none(world: World) -> bytes:
    bundle = msgspec.json.decode(world.members[layout.BUNDLE])
    bundle["dsseEnvelope"]["signatures"][0]["alg"] = "none"
    return _replaced(world, **{layout.BUNDLE: canonical_json(bundle)})


def a_weaker_digest_in_the_cms(world: World) -> bytes:
    info = cms.ContentInfo.load(world.members[layout.CMS])
    sha1 = algos.DigestAlgorithm({"algorithm": "sha1"})
    info["content"]["digest_algorithms"] = (sha1,)
    info["content"]["signer_infos"][0]["digest_algorithm"] = sha1
    return _replaced(world, **{layout.CMS: info.dump(force=True)})


def another_time_in_the_cms(world: World) -> bytes:
    digest = hashlib.sha256(world.members[layout.MANIFEST]).hexdigest()
    other = cms.ContentInfo.load(sign_detached(digest, world.identity, END))
    info = cms.ContentInfo.load(world.members[layout.CMS])
    other["content"]["signer_infos"][0]["signature"] = info["content"]["signer_infos"][0]["signature"].native
    return _replaced(world, **{layout.CMS: other.dump(force=True)})


def a_key_on_another_curve(world: World) -> bytes:
    """A certificate with a P-384 key, and a signature by it."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = world.identity.certificate.subject
    builder = _builder(world, name, key)
    signature = key.sign(pae(PAYLOAD_TYPE, world.members[layout.MANIFEST]), ec.ECDSA(hashes.SHA256()))
    bundle = msgspec.json.decode(world.members[layout.BUNDLE])
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = base64.b64encode(builder).decode()
    bundle["dsseEnvelope"]["signatures"] = _signatures(signature)
    return _replaced(world, **{layout.BUNDLE: canonical_json(bundle)})


def the_trusted_certificate_beside_a_strangers_signature(world: World) -> bytes:
    bundle = msgspec.json.decode(sign_bundle(world.members[layout.MANIFEST], world.stranger))
    held = base64.b64encode(world.identity.certificate_der).decode()
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = held
    return _replaced(world, **{layout.BUNDLE: canonical_json(bundle)})


def a_strangers_certificate_beside_the_signature(world: World) -> bytes:
    bundle = msgspec.json.decode(world.members[layout.BUNDLE])
    held = base64.b64encode(world.stranger.certificate_der).decode()
    bundle["verificationMaterial"]["certificate"]["rawBytes"] = held
    return _replaced(world, **{layout.BUNDLE: canonical_json(bundle)})


def a_strangers_bundle(world: World) -> bytes:
    """The stranger signs the unchanged statement, which still names the trusted certificate."""
    signed = {layout.BUNDLE: sign_bundle(world.members[layout.MANIFEST], world.stranger)}
    return _replaced(world, **signed)


def both_signatures_by_a_stranger(world: World) -> bytes:
    """The same with the second signature, so that the two agree."""
    statement = world.members[layout.MANIFEST]
    cms_ = sign_detached(hashlib.sha256(statement).hexdigest(), world.stranger, SIGNED_AT)
    return _replaced(world, **{layout.BUNDLE: sign_bundle(statement, world.stranger), layout.CMS: cms_})


def _builder(world: World, name: object, key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509  # noqa: PLC0415

    assert isinstance(name, x509.Name)
    held = world.identity.certificate
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(held.serial_number)
        .not_valid_before(held.not_valid_before_utc)
        .not_valid_after(held.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


UNSEALED = [
    Tampering(an_outcome_in_the_report, FILES),
    Tampering(a_byte_of_the_pdf, FILES),
    Tampering(a_byte_of_a_population, FILES),
    Tampering(a_byte_of_the_outcomes, FILES),
    Tampering(a_byte_of_an_entry, FILES),
    Tampering(a_control_made_milder, FILES),
    Tampering(a_deviation_listing_removed, FILES),
    Tampering(a_population_removed, FILES),
    Tampering(the_pdf_removed, FILES),
    Tampering(a_file_added, FILES),
    Tampering(a_file_renamed, FILES),
    Tampering(two_files_swapped, FILES),
    Tampering(the_pdf_without_its_signature, FILES),
    Tampering(the_pdf_with_an_update, FILES),
    Tampering(a_list_of_sums_that_fits_the_change, FILES),
    Tampering(a_statement_that_fits_the_change, SIGNED),
    Tampering(a_statement_spelled_otherwise, STATEMENT),
    Tampering(a_statement_with_a_key_twice, STATEMENT),
    Tampering(a_statement_of_another_kind, STATEMENT),
    Tampering(a_statement_about_itself, STATEMENT),
    Tampering(the_statement_removed, STATEMENT),
    Tampering(the_signature_removed, SIGNED),
    Tampering(every_signature_removed, SIGNED),
    Tampering(a_second_statement, FILES),
    Tampering(the_bundle_of_another_pack, SIGNED),
    Tampering(the_cms_of_another_pack, SECOND),
    Tampering(the_second_signature_removed, SECOND),
    Tampering(no_signature_in_the_envelope, SIGNED),
    Tampering(an_empty_signature, SIGNED),
    Tampering(a_signature_of_zeros, SIGNED),
    Tampering(two_signatures, SIGNED),
    Tampering(a_signature_that_anybody_can_derive, SIGNED),
    Tampering(a_cms_signature_that_anybody_can_derive, SECOND),
    Tampering(a_signature_with_bytes_behind, SIGNED),
    Tampering(another_payload_type, SIGNED),
    Tampering(an_algorithm_called_none, SIGNED),
    Tampering(a_weaker_digest_in_the_cms, SECOND),
    Tampering(another_time_in_the_cms, SECOND),
    Tampering(a_key_on_another_curve, SIGNED),
    Tampering(the_trusted_certificate_beside_a_strangers_signature, SIGNED),
    Tampering(a_strangers_certificate_beside_the_signature, SIGNED),
    Tampering(a_strangers_bundle, SECOND),
    Tampering(both_signatures_by_a_stranger, SIGNER),
]
