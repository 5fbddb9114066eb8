# SPDX-License-Identifier: Apache-2.0

"""Sign-offs: by somebody else, about this very pack, by whom the reader trusts; and written down."""

import base64
from pathlib import Path

import msgspec
import pytest
from sqlmodel import select
from typer.testing import CliRunner

from app.auth.tables import ActivityRow
from app.cli.root import app
from app.clock import FixedClock, SystemClock
from app.errors import CheckFailed, InvalidInput, UsageError
from app.packs import layout
from app.packs.answers import Answers
from app.packs.sign_off import make_sign_off, read_sign_off
from app.settings import Settings
from app.signing.canonical import canonical_json
from app.signing.certificates import der_of
from app.signing.dsse import sign_bundle
from app.signing.keys import SigningIdentity, load_or_create_identity
from app.verification.reader import Reader
from app.verification.report import StepResult, StepState
from app.verification.steps import STEPS
from app.verification.verifier import run
from app.wiring import build_services
from tests.authorities import PEM, LocalAuthority, now, revoke, signer
from tests.trust.conftest import Trusted

YEAR = 365 * 86_400_000
SHORT = [step for step in STEPS if step.number in {1, 2, 3, 4, 5, 22}]


@pytest.fixture(scope="module")
def reviewer(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return somebody else."""
    return load_or_create_identity(tmp_path_factory.mktemp("reviewer"), FixedClock(now()))


def signed(trusted: Trusted, who: SigningIdentity, comment: str = "Looked at ten items.") -> bytes:
    return make_sign_off(trusted.pack, who, role="reviewer", name="R. Eviewer", comment=comment, signed_at=now())


def step_of(
    trusted: Trusted, *sign_offs: bytes, trust: tuple[bytes, ...] = (), crls: tuple[bytes, ...] = ()
) -> StepResult:
    reader = Reader(sign_offs=tuple((f"{place}.json", data) for place, data in enumerate(sign_offs)), crls=crls)
    anchors = (trusted.root[0].public_bytes(PEM), *trust)
    return run(trusted.pack, anchors, SHORT, reader=reader).steps[-1]


def test_a_sign_off_says_who_as_what_and_about_what(trusted: Trusted, reviewer: SigningIdentity) -> None:
    data = signed(trusted, reviewer)
    found = read_sign_off(data)
    assert (found.content.role, found.content.name) == ("reviewer", "R. Eviewer")
    step = step_of(trusted, data, trust=(reviewer.certificate.public_bytes(PEM),))
    assert step.state is StepState.OK, step
    assert "reviewer R. Eviewer at " in step.detail
    assert "Looked at ten items." in step.detail


def test_an_authority_vouches_for_a_reviewer_with_a_chain(trusted: Trusted) -> None:
    other, middle = signer(trusted.root)
    data = signed(trusted, other)
    assert step_of(trusted, data).state is StepState.OK
    revoked = revoke(middle, {other.certificate.serial_number: other.certificate.not_valid_after_utc}).public_bytes(PEM)
    assert "revoked" in step_of(trusted, data, crls=(revoked,)).problems[0], "a claimed time may be any time"


def test_an_authority_confirms_when_it_was_signed_off(trusted: Trusted) -> None:
    other, middle = signer(trusted.root)
    one, late = trusted.stampers[0], now() + 5 * YEAR
    asked = Answers([LocalAuthority("https://a.example/tsr", one)])
    data = make_sign_off(
        trusted.pack, other, role="reviewer", name="R", comment="", signed_at=now(), stamp=asked.responses
    )
    assert asked.lines[0].startswith("https://a.example/tsr confirmed at ")
    given = {"trust_time": (one.root_pem,), "sign_offs": (("a.json", data),)}
    assert "confirmed" in _judged(trusted, **given).detail
    after = revoke(middle, {other.certificate.serial_number: other.certificate.not_valid_after_utc}).public_bytes(PEM)
    assert _judged(trusted, **given, crls=(after,)).state is StepState.OK, "it was revoked after it had signed"
    assert _judged(trusted, **given, now=late).state is StepState.OK
    expired = _judged(trusted, sign_offs=given["sign_offs"], now=late)
    assert "has expired" in expired.problems[0], "nobody trusted says that it signed before"
    moved = msgspec.json.decode(data)
    moved["verificationMaterial"]["timestampVerificationData"] = msgspec.json.decode(trusted.members[layout.BUNDLE])[
        "verificationMaterial"
    ]["timestampVerificationData"]
    forged = _judged(trusted, trust_time=(one.root_pem,), sign_offs=(("a.json", canonical_json(moved)),))
    assert "over something else" in forged.problems[0]


def test_an_authority_that_fails_at_a_sign_off_is_said_or_fails_it(trusted: Trusted, reviewer: SigningIdentity) -> None:
    failing = LocalAuthority("https://b.example/tsr", trusted.stampers[0], fails_from=1)
    asked = Answers([failing])
    words = {"role": "reviewer", "name": "R", "comment": "", "signed_at": now()}
    data = make_sign_off(trusted.pack, reviewer, **words, stamp=asked.responses)
    assert asked.lines == ["https://b.example/tsr FAILED: it does not answer in time"]
    assert read_sign_off(data).responses == ()
    with pytest.raises(CheckFailed, match="required"):
        make_sign_off(trusted.pack, reviewer, **words, stamp=Answers([failing], is_required=True).responses)


def _judged(trusted: Trusted, **given: object) -> StepResult:
    reader = Reader(**given)  # type: ignore[arg-type]
    return run(trusted.pack, trusted.root[0].public_bytes(PEM), SHORT, reader=reader).steps[-1]


def test_whom_nobody_trusts_signs_nothing_off(trusted: Trusted, reviewer: SigningIdentity) -> None:
    step = step_of(trusted, signed(trusted, reviewer))
    assert step.state is StepState.FAILED
    assert "no valid chain" in step.problems[0]


def test_the_preparer_cannot_sign_off_and_nobody_counts_twice(trusted: Trusted, reviewer: SigningIdentity) -> None:
    with pytest.raises(UsageError, match="prepared with"):
        signed(trusted, trusted.identity)
    # Somebody who does not ask the command: the same bytes, made by hand.
    forged = _by_hand(trusted, trusted.identity, signed(trusted, reviewer))
    assert "preparer's key" in step_of(trusted, forged).problems[0]
    data, trust = signed(trusted, reviewer), (reviewer.certificate.public_bytes(PEM),)
    assert "another sign-off" in step_of(trusted, data, data, trust=trust).problems[0]


def test_a_sign_off_of_another_pack_and_a_changed_one_fail(trusted: Trusted, reviewer: SigningIdentity) -> None:
    data, trust = signed(trusted, reviewer), (reviewer.certificate.public_bytes(PEM),)
    other = _by_hand(trusted, reviewer, data, manifest="00" * 32)
    assert "another pack" in step_of(trusted, other, trust=trust).problems[0]
    for place in range(0, len(data), 61):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert step_of(trusted, changed, trust=trust).state is StepState.FAILED, place
    for nonsense in (b"", b"{}", bytes(1 << 20)):
        with pytest.raises(InvalidInput):
            read_sign_off(nonsense)


def test_words_that_cannot_be_used_are_refused(trusted: Trusted, reviewer: SigningIdentity) -> None:
    for role, comment in (("Re viewer", ""), ("", ""), ("reviewer", "x" * 2001)):
        with pytest.raises(UsageError):
            make_sign_off(trusted.pack, reviewer, role=role, name=None, comment=comment, signed_at=now())


def test_the_command_writes_a_file_and_the_activity_log(trusted: Trusted, tmp_path: Path) -> None:
    services = build_services(Settings.load(tmp_path / "data"), SystemClock())
    own = services.keys.identity()
    arguments = ["pack", "sign-off", str(trusted.pack), "--role", "approver", "--dir", str(tmp_path / "data")]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "off.json")])
    assert done.exit_code == 0, done.output
    step = step_of(trusted, (tmp_path / "off.json").read_bytes(), trust=(own.certificate.public_bytes(PEM),))
    assert step.state is StepState.OK
    with services.database.session(writes=False) as session:
        (line,) = session.exec(select(ActivityRow).where(ActivityRow.action == "pack.sign-off")).all()
        assert (line.actor, line.subject[-11:]) == (own.subject, "as approver")


def _by_hand(trusted: Trusted, who: SigningIdentity, like: bytes, manifest: str | None = None) -> bytes:
    """Return a sign-off with the words of another, signed by anybody, about anything."""
    statement = msgspec.json.decode(base64.b64decode(msgspec.json.decode(like)["dsseEnvelope"]["payload"]))
    statement["predicate"]["certificateSha256"] = who.certificate_sha256
    statement["predicate"]["chain"] = [base64.b64encode(der_of(issuer)).decode() for issuer in who.chain]
    if manifest:
        statement["subject"][0]["digest"]["sha256"] = manifest
    return sign_bundle(canonical_json(statement), who)
