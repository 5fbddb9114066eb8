# SPDX-License-Identifier: Apache-2.0

"""A pack years later: past the signer's certificate, past the authority's, with and without time stamps and renewals.

The signer's certificate is valid for two years and the authorities' for ten. What is asserted is the honest answer.
"""

import runpy
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.root import app
from app.clock import SystemClock
from app.packs import layout
from app.packs.assemble import sign_pack, write_pack
from app.packs.renewal import renewal_digests, renewal_path
from app.records.times import format_instant
from app.settings import Settings
from app.signing.timestamps import make_request, take_response
from app.verification.reader import Reader
from app.verification.report import StepState, VerificationReport, as_text
from app.verification.steps import STEPS
from app.verification.verifier import run
from app.wiring import build_services
from tests.authorities import PEM, TimeStamper, now, signer
from tests.conftest import ROOT
from tests.packs.small import plain_render, read_members, small_draft, write_members
from tests.trust.conftest import Trusted

YEAR = 365 * 86_400_000
ABOUT_TRUST = [step for step in STEPS if step.number <= 9 or step.number in {20, 21, 25}]
PACKS = ("B-B", "B-T", "B-LTA")
PROGRAM = runpy.run_path(str(ROOT / "verifier" / "proofroom_verify.py"))


@pytest.fixture(scope="module")
def packs(trusted: Trusted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the same content signed without an authority, with one and no revocation lists, and with all."""
    folder = tmp_path_factory.mktemp("packs")
    plain = sign_pack(small_draft(folder / "plain", trusted.identity, plain_render), trusted.identity, now())
    write_pack(plain, folder / "B-B.zip")
    write_pack(sign_pack(*trusted.drafted(folder / "timed")), folder / "B-T.zip")
    return {"B-B": folder / "B-B.zip", "B-T": folder / "B-T.zip", "B-LTA": trusted.pack}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> TimeStamper:
    """Return an authority whose certificate is valid for another thirty years."""
    return TimeStamper(tmp_path_factory.mktemp("later") / "later", name="Later", years=30)


def renewal(pack: Path, by: TimeStamper, *earlier: bytes) -> bytes:
    digest = renewal_digests(pack, earlier)[-1]
    return take_response(by.reply(make_request(digest, 7)), digest, 7).response


def check(
    trusted: Trusted, pack: Path, years: float, *, anchor: bytes | None = None, **given: object
) -> VerificationReport:
    reader = Reader(now=now() + int(years * YEAR), **given)  # type: ignore[arg-type]
    return run(pack, anchor or trusted.root[0].public_bytes(PEM), ABOUT_TRUST, reader=reader)


def states(report: VerificationReport) -> dict[int, StepState]:
    return {step.number: step.state for step in report.steps}


@pytest.mark.parametrize(
    ("kind", "years", "holds", "signer", "time"),
    [
        ("B-B", 1, False, "ok", "FAILED"),  # Nobody confirmed the time, and the reader asked for that.
        ("B-T", 1, True, "ok", "ok"),
        ("B-LTA", 1, True, "ok", "ok"),
        ("B-B", 9, False, "not done", "FAILED"),
        ("B-T", 9, True, "ok", "ok"),
        ("B-LTA", 9, True, "ok", "ok"),
        ("B-B", 12, False, "not done", "FAILED"),
        ("B-T", 12, False, "not done", "FAILED"),
        ("B-LTA", 12, False, "not done", "FAILED"),
    ],
)
def test_each_kind_at_each_age(
    trusted: Trusted, packs: dict[str, Path], kind: str, years: int, holds: bool, signer: str, time: str
) -> None:
    report = check(trusted, packs[kind], years, trust_time=(trusted.stampers[0].root_pem,))
    assert report.holds is holds, as_text(report)
    assert (states(report)[5], states(report)[21]) == (signer, time)
    assert {state for number, state in states(report).items() if number not in {5, 21, 25}} == {StepState.OK}
    if holds:
        expected = "PAdES B-LTA" if kind == "B-LTA" else "PAdES B-T with a time stamp over the document"
        assert expected in report.steps[-2].detail


def test_the_words_before_and_after_the_signers_end(trusted: Trusted, packs: dict[str, Path]) -> None:
    end = format_instant(int(trusted.identity.certificate.not_valid_after_utc.timestamp()) * 1000)[:10]
    fresh = check(trusted, packs["B-B"], 1)
    assert fresh.holds
    assert fresh.cautions == ()
    assert fresh.verdict == "Every step holds, and the signer is the one you trust."
    old = check(trusted, packs["B-B"], 9)
    assert not old.holds
    assert old.verdict == "This pack does NOT verify: step 5 could not be done."
    assert old.steps[4].detail == (
        f"the signer's certificate expired on {end}, and no authority that you trust (--trust-time) confirmed that it "
        "signed before; whoever has had the key since can have made this pack"
    )
    confirmed = check(trusted, packs["B-LTA"], 9, trust_time=(trusted.stampers[0].root_pem,))
    assert confirmed.cautions == (
        f"The signer's certificate expired on {end}. It had signed before, as an authority that you trust confirmed.",
    )


def test_who_gave_the_signers_own_certificate_is_told_and_decides(trusted: Trusted, packs: dict[str, Path]) -> None:
    own = trusted.identity.certificate.public_bytes(PEM)
    report = check(trusted, packs["B-B"], 12, anchor=own)
    assert report.holds
    assert "That it signed before rests on its own word" in report.cautions[0]
    (authority,) = [trusted.stampers[0].certificate.public_bytes(PEM)]
    report = check(trusted, packs["B-LTA"], 12, trust_time=(authority,))
    assert report.holds
    assert "its tokens hold as long as nobody else has had its key since" in report.cautions[1]


def test_past_the_authoritys_end_a_token_proves_nothing_by_itself(trusted: Trusted, packs: dict[str, Path]) -> None:
    report = check(trusted, packs["B-LTA"], 12, trust_time=(trusted.stampers[0].root_pem,))
    (problem,) = [problem for step in report.steps if step.number == 21 for problem in step.problems][:1]
    assert "expired on" in problem
    assert "--renewal" in problem


@pytest.mark.parametrize("kind", PACKS)
def test_a_renewal_carries_a_pack_past_every_end(
    trusted: Trusted, packs: dict[str, Path], later: TimeStamper, kind: str
) -> None:
    anchors = (trusted.stampers[0].root_pem, later.root_pem)
    data = renewal(packs[kind], later)
    report = check(trusted, packs[kind], 12, trust_time=anchors, renewals=(data,))
    assert report.holds, as_text(report)
    assert states(report)[25] is StepState.OK
    assert any("had signed before" in caution for caution in report.cautions)
    assert not check(trusted, packs[kind], 31, trust_time=anchors, renewals=(data,)).holds


def test_renewals_follow_one_another(trusted: Trusted, packs: dict[str, Path], later: TimeStamper) -> None:
    pack, one = packs["B-LTA"], trusted.stampers[0]
    anchors = (one.root_pem, later.root_pem)
    first = renewal(pack, one)
    second = renewal(pack, later, first)
    report = check(trusted, pack, 12, trust_time=anchors, renewals=(first, second))
    assert report.holds, as_text(report)
    assert "2 renewals" in report.steps[-1].detail
    wrong = [(second,), (second, first), (first, first), (first, renewal(pack, later)), (b"nonsense",), (first,)]
    for given in wrong:
        report = check(trusted, pack, 12, trust_time=anchors, renewals=given)
        assert states(report)[25] is StepState.FAILED, given
        assert states(report)[21] is StepState.FAILED
    assert states(check(trusted, pack, 12, renewals=(first,)))[25] is StepState.NOT_DONE
    stranger = check(trusted, pack, 12, trust_time=(one.root_pem,), renewals=(first, second))
    assert states(stranger)[25] is StepState.FAILED, "the second is by nobody whom the reader trusts"


def test_a_renewal_after_the_signers_end_comes_too_late_and_makes_nothing_worse(
    trusted: Trusted, later: TimeStamper, tmp_path: Path
) -> None:
    short, _ = signer(trusted.root, years=0.0001)  # It began an hour ago and ended some minutes ago.
    draft = small_draft(tmp_path / "draft", short, plain_render)
    signed_at = int(short.certificate.not_valid_after_utc.timestamp()) * 1000 - 60_000
    write_pack(sign_pack(draft, short, signed_at), tmp_path / "pack.zip")
    data = renewal(tmp_path / "pack.zip", later)
    given = {"trust_time": (later.root_pem,), "renewals": (data,)}
    report = check(trusted, tmp_path / "pack.zip", 1, **given)
    assert (states(report)[5], states(report)[25]) == (StepState.NOT_DONE, StepState.OK)
    own = short.certificate.public_bytes(PEM)
    assert check(trusted, tmp_path / "pack.zip", 1, anchor=own, **given).holds
    answer = PROGRAM["verify"](
        (tmp_path / "pack.zip").read_bytes(),
        PROGRAM["Reader"](trust=[trusted.root[0].public_bytes(PEM)], now=now() + YEAR, **given),
    )
    assert {step["number"]: step["state"] for step in answer["steps"]}[5] == "not done"


def test_a_renewal_is_of_one_pack_only(
    trusted: Trusted, packs: dict[str, Path], later: TimeStamper, tmp_path: Path
) -> None:
    data = renewal(packs["B-B"], later)
    members = read_members(packs["B-B"])
    other = write_members(members | {layout.README: members[layout.README] + b" "}, tmp_path / "other.zip")
    report = check(trusted, other, 12, trust_time=(later.root_pem,), renewals=(data,))
    assert states(report)[25] is StepState.FAILED


def test_the_command_renews_and_the_guide_s_tools_agree(
    trusted: Trusted, packs: dict[str, Path], later: TimeStamper, tmp_path: Path
) -> None:
    """``proofroom pack renew`` twice; then ``proofroom verify --renewal`` and ``openssl ts`` say yes."""
    build_services(Settings.load(tmp_path / "data"), SystemClock())
    pack = tmp_path / "pack.zip"
    pack.write_bytes(packs["B-B"].read_bytes())
    runner = CliRunner()
    with later.serve() as url:
        environment = {"PROOFROOM_TIMESTAMP_URLS": f'["{url}"]', "PROOFROOM_DIR": str(tmp_path / "data")}
        for number in (1, 2):
            done = runner.invoke(app, ["pack", "renew", str(pack)], env=environment)
            assert done.exit_code == 0, done.output
            assert renewal_path(pack, number).is_file()
            assert "confirmed at" in done.output
    (tmp_path / "root.pem").write_bytes(trusted.root[0].public_bytes(PEM))
    (tmp_path / "time.pem").write_bytes(later.root_pem)
    arguments = ["verify", str(pack), "--trust", str(tmp_path / "root.pem"), "--trust-time", str(tmp_path / "time.pem")]
    arguments += ["--at", format_instant(now() + 12 * YEAR)]
    given = [word for number in (1, 2) for word in ("--renewal", str(renewal_path(pack, number)))]
    done = runner.invoke(app, [*arguments, *given])
    assert done.exit_code == 0, done.output
    assert "2 renewals" in done.output
    assert runner.invoke(app, arguments).exit_code == 1
    (tmp_path / "both").write_bytes(pack.read_bytes() + renewal_path(pack, 1).read_bytes())
    for number, data in ((1, pack), (2, tmp_path / "both")):
        files = ["-data", str(data), "-in", str(renewal_path(pack, number)), "-CAfile", str(tmp_path / "time.pem")]
        said = subprocess.run(["openssl", "ts", "-verify", *files], capture_output=True, text=True, check=False)
        assert "Verification: OK" in said.stdout, said.stderr


def test_without_an_authority_nothing_is_renewed(packs: dict[str, Path], tmp_path: Path) -> None:
    build_services(Settings.load(tmp_path / "data"), SystemClock())
    done = CliRunner().invoke(app, ["pack", "renew", str(packs["B-B"]), "--dir", str(tmp_path / "data")])
    assert "no time-stamp authority is set up" in str(done.exception)
    assert not renewal_path(packs["B-B"], 1).exists()
