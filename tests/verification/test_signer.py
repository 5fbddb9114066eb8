# SPDX-License-Identifier: Apache-2.0

"""Whom the verifier believes: the anchor it was given, in any usual form, and nobody else."""

import datetime as dt
import hashlib
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from app.cli.root import app
from app.errors import InvalidInput
from app.packs.assemble import Draft, sign_pack, write_pack
from app.signing.chain import spki_of
from app.signing.keys import SigningIdentity
from app.verification.anchors import fingerprint_anchor
from app.verification.outcome import Failed
from app.verification.report import StepResult, StepState, VerificationReport, as_text
from app.verification.steps import STEPS
from app.verification.verifier import run, verify
from tests.packs.small import SIGNED_AT, forge

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
UP_TO_SIGNER = STEPS[:5]


def signer_step(report: VerificationReport) -> StepResult:
    return report.steps[4]


@pytest.mark.parametrize("form", ["certificate pem", "certificate der", "key pem", "key der", "two certificates"])
def test_every_form_of_an_anchor_is_taken(
    pack: Path, identity: SigningIdentity, stranger: SigningIdentity, form: str
) -> None:
    certificate, key = identity.certificate, identity.certificate.public_key()
    anchors = {
        "certificate pem": certificate.public_bytes(PEM),
        "certificate der": certificate.public_bytes(DER),
        "key pem": key.public_bytes(PEM, SPKI),
        "key der": key.public_bytes(DER, SPKI),
        "two certificates": stranger.certificate.public_bytes(PEM) + certificate.public_bytes(PEM),
    }
    report = run(pack, anchors[form], UP_TO_SIGNER)
    assert signer_step(report).state is StepState.OK
    assert report.signer_checked


@pytest.mark.parametrize("form", ["certificate", "key"])
def test_another_anchor_does_not_vouch(pack: Path, stranger: SigningIdentity, form: str) -> None:
    certificate = stranger.certificate
    anchor = (
        certificate.public_bytes(PEM) if form == "certificate" else certificate.public_key().public_bytes(PEM, SPKI)
    )
    report = run(pack, anchor, UP_TO_SIGNER)
    assert signer_step(report).state is StepState.FAILED
    assert not report.holds
    assert not report.signer_checked


@pytest.mark.parametrize(
    "anchor", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_anchor_that_is_none_fails_and_is_not_taken_for_no_anchor(pack: Path, anchor: bytes) -> None:
    report = run(pack, anchor, UP_TO_SIGNER)
    assert signer_step(report).state is StepState.FAILED
    assert not report.holds


def test_without_an_anchor_it_is_said_that_the_signer_was_not_checked(pack: Path, identity: SigningIdentity) -> None:
    report = verify(pack)
    assert signer_step(report).state is StepState.NOT_DONE
    assert identity.certificate_sha256 in signer_step(report).detail
    assert report.holds
    assert not report.signer_checked
    assert "WHO signed was not checked" in report.verdict
    text = as_text(report)
    assert text.endswith(report.verdict)
    for step in report.steps:
        mark = "-" if step.state is StepState.NOT_DONE else "."
        assert any(line.startswith(f"{step.number:>2} {step.name} {mark}") for line in text.splitlines())


def test_an_authority_vouches_for_whom_it_issued(draft: Draft, tmp_path: Path) -> None:
    authority, issued = _issue(is_authority=True)
    report = run(_signed_by(draft, issued, tmp_path), authority.public_bytes(PEM), UP_TO_SIGNER)
    assert signer_step(report).state is StepState.OK, signer_step(report)


def test_a_certificate_that_is_no_authority_vouches_for_nobody(draft: Draft, tmp_path: Path) -> None:
    authority, issued = _issue(is_authority=False)
    report = run(_signed_by(draft, issued, tmp_path), authority.public_bytes(PEM), UP_TO_SIGNER)
    assert signer_step(report).state is StepState.FAILED


def test_a_signature_outside_the_certificates_validity_is_refused(draft: Draft, tmp_path: Path) -> None:
    class Careless(SigningIdentity):
        def check_validity(self, instant: int) -> None:
            """Sign whenever asked."""

    key = ec.generate_private_key(ec.SECP256R1())
    early = Careless(key, _certificate("Signer", key, "Signer", key, is_authority=False, year=2030))
    report = run(_signed_by(draft, early, tmp_path), early.certificate_der, UP_TO_SIGNER)
    assert "not valid when it signed" in signer_step(report).problems[0]


def test_a_pack_that_is_not_there_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        verify(tmp_path / "none.zip")


def _signed_by(draft: Draft, identity: SigningIdentity, folder: Path) -> Path:
    signer = msgspec.structs.replace(
        draft.report.signer,
        subject=identity.subject,
        certificate_sha256=identity.certificate_sha256,
        is_development=identity.is_development,
    )
    told = forge(draft, {}, report=msgspec.structs.replace(draft.report, signer=signer))
    write_pack(sign_pack(told, identity, SIGNED_AT), folder / "pack.zip")
    return folder / "pack.zip"


def _issue(*, is_authority: bool) -> tuple[x509.Certificate, SigningIdentity]:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Authority", root_key, "Authority", root_key, is_authority=is_authority)
    leaf = _certificate("Signer", key, "Authority", root_key, is_authority=False)
    return root, SigningIdentity(key, leaf)


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
    year: int = 2026,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(year, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(year + 2, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.mark.parametrize("of", ["certificate", "key"])
@pytest.mark.parametrize("spelling", ["plain", "openssl"])
def test_a_fingerprint_is_an_anchor(
    pack: Path, identity: SigningIdentity, stranger: SigningIdentity, of: str, spelling: str
) -> None:
    def written(who: SigningIdentity) -> str:
        digest = hashlib.sha256(who.certificate_der if of == "certificate" else spki_of(who.certificate)).hexdigest()
        colons = ":".join(digest[place : place + 2] for place in range(0, 64, 2)).upper()
        return digest if spelling == "plain" else f"sha256 Fingerprint={colons}"

    anchor = fingerprint_anchor(written(identity))
    assert signer_step(run(pack, anchor, STEPS[:5])).state is StepState.OK
    assert signer_step(run(pack, fingerprint_anchor(written(stranger)), STEPS[:5])).state is StepState.FAILED
    done = CliRunner().invoke(app, ["verify", str(pack), "--fingerprint", written(stranger)])
    assert done.exit_code == 1


def test_what_is_no_fingerprint_is_refused(pack: Path) -> None:
    for text in ("", "ab", "g" * 64, "sha1 Fingerprint=" + "ab" * 20):
        with pytest.raises(Failed, match="64 hex digits"):
            fingerprint_anchor(text)
    done = CliRunner().invoke(app, ["verify", str(pack), "--fingerprint", "ab"])
    assert "64 hex digits" in str(done.exception)
