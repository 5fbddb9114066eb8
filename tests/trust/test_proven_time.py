# SPDX-License-Identifier: Apache-2.0

"""Packs that authorities confirmed: believed by whom the reader trusts, today, after a revocation, years later."""

import base64
import datetime as dt
import hashlib
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.packs import layout
from app.packs.assemble import sign_pack, write_pack
from app.records.times import parse_instant
from app.signing.canonical import canonical_json
from app.signing.cms import sign_detached
from app.signing.keys import SigningIdentity
from app.verification.reader import Reader
from app.verification.report import StepState, VerificationReport
from app.verification.steps import STEPS
from app.verification.verifier import run, verify
from tests.authorities import PEM, LocalAuthority, certify, now, revoke, signer
from tests.packs.small import plain_render, small_draft, timed_draft, write_members
from tests.trust.conftest import Trusted

YEAR = 365 * 86_400_000
ABOUT_TRUST = [step for step in STEPS if step.number <= 9 or step.number in {20, 21, 22}]


def pem(certificate: object) -> bytes:
    return certificate.public_bytes(PEM)  # type: ignore[attr-defined]


def crl(issuer: object, serials: dict[int, dt.datetime]) -> bytes:
    return revoke(issuer, serials).public_bytes(PEM)  # type: ignore[arg-type]


def moment(offset_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp((now() + offset_ms) // 1000, tz=dt.UTC)


def check(trusted: Trusted, pack: Path | None = None, *, with_time: bool = True, **given: object) -> VerificationReport:
    anchors = tuple(one.root_pem for one in trusted.stampers) if with_time else ()
    reader = Reader(**{"trust_time": anchors} | given)  # type: ignore[arg-type]
    return run(pack or trusted.pack, pem(trusted.root[0]), ABOUT_TRUST, reader=reader)


def step(report: VerificationReport, number: int) -> object:
    return next(found for found in report.steps if found.number == number)


def failed(report: VerificationReport) -> set[int]:
    return {found.number for found in report.steps if found.state is StepState.FAILED}


def test_all_of_it_holds_and_the_root_of_the_signer_is_enough(trusted: Trusted) -> None:
    anchors = tuple(one.root_pem for one in trusted.stampers)
    lists = (crl(trusted.middle, {}), crl(trusted.root, {}))
    report = verify(trusted.pack, pem(trusted.root[0]), reader=Reader(trust_time=anchors, crls=lists))
    assert report.holds, [found for found in report.steps if found.problems]
    assert report.cautions == ()
    assert "confirmed; not revoked" in step(report, 5).detail
    assert "2 of 2 authorities confirmed" in step(report, 20).detail
    assert "PAdES B-LTA" in step(report, 21).detail
    assert step(report, 21).state is StepState.OK


def test_one_trusted_authority_is_enough_and_a_stranger_is_not(trusted: Trusted) -> None:
    for stamper in trusted.stampers:
        report = check(trusted, trust_time=(stamper.root_pem,))
        assert step(report, 21).state is StepState.OK, step(report, 21)
    report = check(trusted, trust_time=(pem(trusted.root[0]),))
    assert failed(report) == {21}
    assert "as it says" in step(report, 5).detail
    assert failed(check(trusted, trust_time=(b"nonsense",))) >= {5}


def test_without_a_trusted_authority_the_time_is_said_to_be_claimed(trusted: Trusted) -> None:
    report = check(trusted, with_time=False)
    assert report.holds
    assert step(report, 21).state is StepState.NOT_DONE
    assert "own claim" in step(report, 21).detail


@pytest.mark.parametrize("change", ["stripped", "one less", "exchanged", "twice"])
def test_tokens_that_are_not_those_of_the_statement_are_missed(trusted: Trusted, tmp_path: Path, change: str) -> None:
    bundle = msgspec.json.decode(trusted.members[layout.BUNDLE])
    data = bundle["verificationMaterial"]["timestampVerificationData"]
    stamps = data["rfc3161Timestamps"]
    match change:
        case "stripped":
            del bundle["verificationMaterial"]["timestampVerificationData"]
        case "one less":
            data["rfc3161Timestamps"] = stamps[:1]
        case "twice":
            data["rfc3161Timestamps"] = [*stamps, stamps[0]]
        case _:
            other = trusted.members[layout.checkpoint_token(0)]
            data["rfc3161Timestamps"] = [{"signedTimestamp": base64.b64encode(other).decode()}, stamps[1]]
    path = write_members(trusted.members | {layout.BUNDLE: canonical_json(bundle)}, tmp_path / "pack.zip")
    assert failed(check(trusted, path)) >= {20}


def test_a_checkpoint_token_that_was_exchanged_is_not_the_file_that_was_signed(
    trusted: Trusted, tmp_path: Path
) -> None:
    names = [layout.checkpoint_token(place) for place in (0, 1)]
    swapped = trusted.members | {names[0]: trusted.members[names[1]], names[1]: trusted.members[names[0]]}
    assert failed(check(trusted, write_members(swapped, tmp_path / "pack.zip"))) == {6, 7}


def test_no_byte_of_the_bundles_tokens_changes_unseen(trusted: Trusted, tmp_path: Path) -> None:
    data = trusted.members[layout.BUNDLE]
    begin = data.index(b"rfc3161Timestamps")
    for place in range(begin, len(data), 97):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        path = write_members(trusted.members | {layout.BUNDLE: changed}, tmp_path / "pack.zip")
        assert failed(check(trusted, path)), place


@pytest.mark.parametrize(
    ("offset", "with_time", "fails"),
    [(-3600_000, True, True), (3600_000, True, False), (3600_000, False, True), (-3600_000, False, True)],
)
def test_a_revoked_signer(trusted: Trusted, offset: int, with_time: bool, fails: bool) -> None:
    """Before the proven time it fails; after it, it is said; against a claimed time every revocation counts."""
    lists = (crl(trusted.middle, {trusted.identity.certificate.serial_number: moment(offset)}),)
    report = check(trusted, with_time=with_time, crls=lists)
    assert (failed(report) == {5}) is fails
    told = step(report, 5)
    assert "revoked on" in (told.problems[0] if fails else told.detail)


def test_a_revoked_issuer_and_a_revoked_authority_fail(trusted: Trusted) -> None:
    issuer = (crl(trusted.root, {trusted.middle[0].serial_number: moment(-3600_000)}),)
    assert failed(check(trusted, crls=issuer)) == {5}
    one = trusted.stampers[0]
    lists = (crl((one.root, one.root_key), {one.certificate.serial_number: moment(-3600_000)}),)
    report = check(trusted, trust_time=(one.root_pem,), crls=lists)
    assert failed(report) == {21}


def test_a_list_that_says_nothing_about_the_signer_is_said(trusted: Trusted) -> None:
    report = check(trusted, crls=(crl(trusted.root, {}),))
    assert any("CN=Preparer" in caution for caution in report.cautions)
    assert failed(check(trusted, crls=(b"nonsense",))) >= {5}


def test_backdating_with_an_expired_certificate_is_proven_only_with_a_proven_time(
    trusted: Trusted, tmp_path: Path
) -> None:
    expired, _ = signer(trusted.root, years=1, begins=moment(-2 * YEAR))
    draft, desk = timed_draft(tmp_path / "draft", expired, _authorities(trusted), now())
    write_pack(sign_pack(draft, expired, now() - int(1.5 * YEAR), desk), tmp_path / "pack.zip")
    assert failed(check(trusted, tmp_path / "pack.zip")) == {5}
    report = check(trusted, tmp_path / "pack.zip", with_time=False)
    assert not report.holds
    assert step(report, 5).state is StepState.NOT_DONE
    assert "whoever has had the key since" in step(report, 5).detail


def test_a_time_after_the_tokens_is_a_lie(trusted: Trusted, tmp_path: Path) -> None:
    draft, desk = timed_draft(tmp_path / "draft", trusted.identity, _authorities(trusted), now())
    write_pack(sign_pack(draft, trusted.identity, now() + 3_600_000, desk), tmp_path / "pack.zip")
    assert failed(check(trusted, tmp_path / "pack.zip")) >= {20}


def test_a_signer_that_is_for_something_else_is_refused(trusted: Trusted, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    server = SigningIdentity(key, certify("Web", key, trusted.root, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)))
    draft = small_draft(tmp_path / "draft", server, plain_render)
    write_pack(sign_pack(draft, server, now()), tmp_path / "pack.zip")
    report = check(trusted, tmp_path / "pack.zip", with_time=False)
    assert failed(report) == {5}
    assert "another use" in step(report, 5).problems[0]


def test_other_issuers_than_the_statement_names_are_seen(trusted: Trusted, tmp_path: Path) -> None:
    """The CMS is outside of the statement; its issuers are not."""
    digest = hashlib.sha256(trusted.members[layout.MANIFEST]).hexdigest()
    signed_at = msgspec.json.decode(trusted.members[layout.MANIFEST])["predicate"]["signedAt"]
    alone = SigningIdentity(trusted.identity._key, trusted.identity.certificate)
    cms = sign_detached(digest, alone, parse_instant(signed_at))
    path = write_members(trusted.members | {layout.CMS: cms}, tmp_path / "pack.zip")
    assert failed(check(trusted, path)) >= {4}


def _authorities(trusted: Trusted) -> list[object]:
    return [LocalAuthority(f"https://{one.folder.name}.example/", one) for one in trusted.stampers]
