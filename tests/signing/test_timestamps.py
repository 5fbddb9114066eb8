# SPDX-License-Identifier: Apache-2.0

"""RFC 3161 tokens of an independent authority (openssl): read, pinned byte for byte, and refused when not right."""

import datetime as dt
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from app.errors import InvalidInput
from app.signing.chain import TIME_STAMPING, Search, find_path
from app.signing.timestamps import (
    MAX_RESPONSE,
    TimeResponse,
    TimeToken,
    make_request,
    read_response,
    read_token,
    take_response,
)
from tests.authorities import TimeStamper, certify, now

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
DATA = b"what is confirmed"
DIGEST = hashlib.sha256(DATA).hexdigest()
NONCE = (1 << 63) + 7


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> TimeStamper:
    """Return an authority with an ECDSA key."""
    return TimeStamper(tmp_path_factory.mktemp("time") / "ec")


@pytest.fixture(scope="module")
def token(stamper: TimeStamper) -> TimeToken:
    """Return its token over ``DATA``."""
    return ask(stamper)


def ask(stamper: TimeStamper) -> TimeToken:
    return take_response(stamper.reply(make_request(DIGEST, NONCE)), DIGEST, NONCE)


@pytest.mark.parametrize("is_rsa", [False, True])
def test_a_token_says_who_what_and_when(tmp_path: Path, is_rsa: bool) -> None:
    stamper = TimeStamper(tmp_path / "time", is_rsa=is_rsa)
    before = now()
    token = ask(stamper)
    assert token.authority == stamper.certificate
    assert token.sha256 == DIGEST
    assert before - 1000 <= token.at <= now()
    assert token.latest == token.at + 1000, "the authority states an accuracy of a second"
    assert (token.policy, token.nonce) == ("1.2.3.4", NONCE)
    assert read_response(token.response) == token
    assert read_token(token.token) == token


def test_independent_programs_read_our_spelling_of_a_token(
    stamper: TimeStamper, token: TimeToken, tmp_path: Path
) -> None:
    (tmp_path / "mine.tsr").write_bytes(token.response)
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "root.pem").write_bytes(stamper.root_pem)
    command = ["openssl", "ts", "-verify", "-in", "mine.tsr", "-data", "data", "-CAfile", "root.pem"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "data").write_bytes(DATA + b" ")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    verifier = VerifierBuilder().add_root_certificate(stamper.root).nonce(NONCE).build()
    verifier.verify_message(decode_timestamp_response(token.response), DATA)


def test_no_changed_byte_goes_unseen(token: TimeToken) -> None:
    unseen = [place for place in range(len(token.response)) if _reads(token.response, place)]
    assert unseen == []


def test_a_root_and_what_else_is_sent_along_is_left_out(stamper: TimeStamper) -> None:
    raw = stamper.reply(make_request(DIGEST, NONCE))
    sent = tsp.TimeStampResp.load(raw)["time_stamp_token"]["content"]["certificates"]
    assert len(sent) == 2
    assert take_response(raw, DIGEST, NONCE).chain == ()


def test_a_chain_is_kept_and_leads_to_its_root(tmp_path: Path) -> None:
    stamper = TimeStamper(tmp_path / "time")
    key = ec.generate_private_key(ec.SECP256R1())
    middle = certify("Middle", key, (stamper.root, stamper.root_key), is_authority=True)
    stamper.use(certify("Leaf", stamper.key, (middle, key), purposes=(Eku.TIME_STAMPING,)))
    (stamper.folder / "root.pem").write_bytes(middle.public_bytes(serialization.Encoding.PEM))
    token = ask(stamper)
    assert token.chain == (middle,)
    path = find_path(token.authority, Search(token.chain, (stamper.root,), token.at, TIME_STAMPING))
    assert path == (stamper.certificate, middle, stamper.root)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"purposes": (Eku.TIME_STAMPING, Eku.CODE_SIGNING)}, "alone"),
        ({"purposes": (Eku.CODE_SIGNING,)}, "alone"),
        ({"purposes": (Eku.TIME_STAMPING,), "is_critical": False}, "critically"),
        ({}, "not one for time stamping"),
        ({"purposes": (Eku.TIME_STAMPING,), "begins": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "not valid"),
    ],
)
def test_a_certificate_that_is_not_for_time_stamping_alone_is_refused(
    stamper: TimeStamper, token: TimeToken, change: dict[str, object], word: str
) -> None:
    """Openssl refuses to sign with such certificates, so the token is made again around another certificate."""
    other = certify("Other", stamper.key, (stamper.root, stamper.root_key), **change)
    with pytest.raises(InvalidInput, match=word):
        read_response(_signed_again(stamper, token, other))


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"", "can be read"),
        (b"0" * (MAX_RESPONSE + 1), "too large"),
        (
            TimeResponse({"status": {"status": "rejection", "status_string": ["no\x1b[31m credit"]}}).dump(),
            "credit",
        ),
        (TimeResponse({"status": {"status": "waiting"}}).dump(), "waiting"),
        (TimeResponse({"status": {"status": "granted"}}).dump(), "can be read"),
    ],
)
def test_an_answer_that_is_no_grant_is_refused_and_said(answer: bytes, word: str) -> None:
    with pytest.raises(InvalidInput, match=word) as caught:
        take_response(answer, DIGEST, NONCE)
    assert "\x1b" not in str(caught.value)


def test_an_answer_to_another_request_is_refused(stamper: TimeStamper) -> None:
    answer = stamper.reply(make_request(DIGEST, NONCE))
    with pytest.raises(InvalidInput, match="nonce"):
        take_response(answer, DIGEST, NONCE + 1)
    with pytest.raises(InvalidInput, match="another digest"):
        take_response(answer, "00" * 32, NONCE)


def test_signing_certificate_version_one_is_refused(tmp_path: Path) -> None:
    stamper = TimeStamper(tmp_path / "time")
    config = (stamper.folder / "ts.cnf").read_text(encoding="ascii").replace("alg = sha256", "alg = sha1")
    (stamper.folder / "ts.cnf").write_text(config, encoding="ascii")
    with pytest.raises(InvalidInput):
        ask(stamper)


def _reads(data: bytes, place: int) -> bool:
    try:
        read_response(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    except InvalidInput:
        return False
    return True


def _signed_again(stamper: TimeStamper, token: TimeToken, certificate: x509.Certificate) -> bytes:
    """Return the response with another certificate of the same key, named in the signed attributes, signed anew."""
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    response = tsp.TimeStampResp.load(token.response)
    signed = response["time_stamp_token"]["content"]
    der = certificate.public_bytes(serialization.Encoding.DER)
    holder = asn1_x509.Certificate.load(der)
    signed["certificates"] = [holder]
    signer = signed["signer_infos"][0]
    signer["sid"] = {"issuer_and_serial_number": {"issuer": holder.issuer, "serial_number": holder.serial_number}}
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "signing_certificate_v2":
            attribute["values"] = [{"certs": [{"cert_hash": hashlib.sha256(der).digest()}]}]
    attributes = signer["signed_attrs"].untag().dump(force=True)
    assert isinstance(stamper.key, ec.EllipticCurvePrivateKey)
    signer["signature"] = stamper.key.sign(attributes, ec.ECDSA(hashes.SHA256()))
    return response.dump(force=True)
