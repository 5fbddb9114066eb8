# SPDX-License-Identifier: Apache-2.0

"""The one-file verifier and Proofroom's own say the same about signers, times, revocations, renewals and sign-offs."""

import datetime as dt
import itertools
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.ledger.cosignature import WitnessKey
from app.packs import layout
from app.packs.answers import Answers
from app.packs.assemble import sign_pack, write_pack
from app.packs.renewal import renewal_digests
from app.packs.sign_off import make_sign_off
from app.signing.certificates import fingerprint_of
from app.signing.checkpoint_key import CheckpointKey
from app.signing.timestamps import make_request, take_response
from app.verification.reader import Reader
from app.verification.report import VerificationReport
from app.verification.steps import STEPS
from app.verification.verifier import run
from tests.authorities import PEM, LocalAuthority, TimeStamper, certify, now, revoke, signer
from tests.packs.small import plain_render, small_draft, write_members
from tests.trust.conftest import Trusted

FILE = Path(__file__).parents[2] / "verifier" / "proofroom_verify.py"
PROGRAM: dict[str, Any] = runpy.run_path(str(FILE))
COMPARED = [step for step in STEPS if step.number <= 9 or step.number in {20, 21, 22, 24, 25}]
YEAR = 365 * 86_400_000


def both(pack: Path, trust: list[bytes] | None, **given: Any) -> tuple[dict[int, str], dict[int, str]]:
    """Return the states of the steps by Proofroom, and by the file."""
    report: VerificationReport = run(pack, trust, COMPARED, reader=Reader(**given))
    ours = {step.number: str(step.state) for step in report.steps}
    beside = given | {"sign_offs": tuple(data for _, data in given.get("sign_offs", ()))}
    answer = PROGRAM["verify"](pack.read_bytes(), PROGRAM["Reader"](trust=trust, **beside))
    theirs = {step["number"]: step["state"] for step in answer["steps"] if step["number"] in ours}
    return ours, theirs


@pytest.fixture(scope="module")
def plain(trusted: Trusted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same content, which no authority confirmed."""
    folder = tmp_path_factory.mktemp("plain")
    draft = small_draft(folder / "draft", trusted.identity, plain_render)
    write_pack(sign_pack(draft, trusted.identity, now()), folder / "pack.zip")
    return folder / "pack.zip"


@pytest.mark.parametrize("years", [0, 9, 12])
def test_whoever_is_trusted_and_whenever_it_is_asked(trusted: Trusted, plain: Path, years: int) -> None:
    other = certify("Other", ec.generate_private_key(ec.SECP256R1()), is_authority=True).public_bytes(PEM)
    own = trusted.identity.certificate
    anchors = [
        None,
        [trusted.root[0].public_bytes(PEM)],
        [own.public_bytes(PEM)],
        [b"sha256:" + fingerprint_of(own).encode()],
        [other],
    ]
    one = trusted.stampers[0]
    times = [(), (one.root_pem,), (one.certificate.public_bytes(PEM),), (trusted.stampers[1].root_pem,), (other,)]
    seen = set()
    for pack, trust, trust_time in itertools.product((trusted.pack, plain), anchors, times):
        if (trust, trust_time) == (None, (other,)):
            continue
        ours, theirs = both(pack, trust, trust_time=trust_time, now=now() + years * YEAR)
        assert ours == theirs, (pack.name, trust, trust_time)
        seen.add((ours[5], ours[21]))
    assert len(seen) >= 5, "this is meant to meet many answers"


def test_renewals(trusted: Trusted, plain: Path, tmp_path: Path) -> None:
    later = TimeStamper(tmp_path / "later", name="Later", years=30)
    anchors = (trusted.stampers[0].root_pem, later.root_pem)
    for pack in (trusted.pack, plain):

        def renewal(by: TimeStamper, *earlier: bytes, pack: Path = pack) -> bytes:
            digest = renewal_digests(pack, earlier)[-1]
            return take_response(by.reply(make_request(digest, 7)), digest, 7).response

        first = renewal(trusted.stampers[0])
        second = renewal(later, first)
        states = set()
        for given in [(first,), (first, second), (second, first), (second,), (renewal(later),), (b"nonsense",)]:
            ours, theirs = both(
                pack,
                [trusted.root[0].public_bytes(PEM)],
                trust_time=anchors,
                renewals=given,
                now=now() + 12 * YEAR,
            )
            assert ours == theirs
            states.add((ours[5], ours[25]))
        assert states == {("ok", "ok"), ("not done", "FAILED")}


@pytest.mark.parametrize("offset", [-3_600_000, 3_600_000])
@pytest.mark.parametrize("who", ["signer", "issuer", "authority", "nobody"])
def test_revocations(trusted: Trusted, plain: Path, who: str, offset: int) -> None:
    since = dt.datetime.fromtimestamp((now() + offset) // 1000, tz=dt.UTC)
    one = trusted.stampers[0]
    lists = {
        "signer": (trusted.middle, trusted.identity.certificate.serial_number),
        "issuer": (trusted.root, trusted.middle[0].serial_number),
        "authority": ((one.root, one.root_key), one.certificate.serial_number),
        "nobody": (trusted.middle, 1),
    }
    issuer, serial = lists[who]
    crl = revoke(issuer, {serial: since}).public_bytes(PEM)
    for pack, trust_time in itertools.product((trusted.pack, plain), ((), (one.root_pem,))):
        ours, theirs = both(pack, [trusted.root[0].public_bytes(PEM)], trust_time=trust_time, crls=(crl,))
        assert ours == theirs


def test_sign_offs(trusted: Trusted) -> None:
    other, _ = signer(trusted.root)
    words: dict[str, Any] = {"role": "reviewer", "name": "R", "comment": "", "signed_at": now()}
    asked = Answers([LocalAuthority("https://a.example/tsr", trusted.stampers[0])])
    timed = make_sign_off(trusted.pack, other, **words, stamp=asked.responses)
    untimed = make_sign_off(trusted.pack, other, **words)
    changed = timed[:500] + bytes([timed[500] ^ 1]) + timed[501:]
    given = [(timed,), (untimed,), (timed, untimed), (changed,), (trusted.members[layout.BUNDLE],)]
    anchors = [[trusted.root[0].public_bytes(PEM)], [trusted.identity.certificate.public_bytes(PEM)]]
    for files, trust, years in itertools.product(given, anchors, (0, 9)):
        ours, theirs = both(
            trusted.pack,
            trust,
            trust_time=(trusted.stampers[0].root_pem,),
            sign_offs=tuple((f"{place}.json", data) for place, data in enumerate(files)),
            now=now() + years * YEAR,
        )
        assert ours == theirs, (files, trust, years)


def test_witnesses(trusted: Trusted) -> None:
    witness = WitnessKey("witness.example.com/w1", CheckpointKey.from_seed(bytes(32)).public_bytes)
    ours, theirs = both(trusted.pack, [trusted.root[0].public_bytes(PEM)], witnesses=(str(witness),))
    assert ours == theirs
    assert ours[24] == "FAILED"


def stamps_of(value: dict[str, Any]) -> list[dict[str, str]]:
    stamps: list[dict[str, str]] = value["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    return stamps


TAMPERINGS: dict[str, Callable[[dict[str, Any]], object]] = {
    "stripped": lambda value: value["verificationMaterial"].pop("timestampVerificationData"),
    "one less": lambda value: stamps_of(value).pop(),
    "another order": lambda value: stamps_of(value).reverse(),
    "twice": lambda value: stamps_of(value).append(stamps_of(value)[0]),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tokens_that_are_not_those_of_the_statement(trusted: Trusted, tmp_path: Path, how: str) -> None:
    bundle = msgspec.json.decode(trusted.members[layout.BUNDLE])
    TAMPERINGS[how](bundle)
    changed = msgspec.json.encode(bundle, order="sorted")
    path = write_members(trusted.members | {layout.BUNDLE: changed}, tmp_path / "pack.zip")
    anchors = tuple(one.root_pem for one in trusted.stampers)
    ours, theirs = both(path, [trusted.root[0].public_bytes(PEM)], trust_time=anchors)
    assert ours == theirs
    assert ours[20] == "FAILED"


def test_changed_bytes_of_tokens_and_of_the_report(trusted: Trusted, tmp_path: Path) -> None:
    bundle, pdf = trusted.members[layout.BUNDLE], trusted.members[layout.REPORT_PDF]
    begin = bundle.index(b"rfc3161Timestamps")
    cases = [(layout.BUNDLE, bundle, place) for place in range(begin, len(bundle), 397)]
    cases += [
        (layout.CMS, trusted.members[layout.CMS], place) for place in range(0, len(trusted.members[layout.CMS]), 61)
    ]
    cases += [(layout.REPORT_PDF, pdf, len(pdf) - 200)]
    for name, data, place in cases:
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        path = write_members(trusted.members | {name: changed}, tmp_path / "pack.zip")
        ours, theirs = both(path, [trusted.root[0].public_bytes(PEM)], trust_time=(trusted.stampers[0].root_pem,))
        assert ours == theirs, (name, place)


def test_the_command_takes_what_proofroom_takes(trusted: Trusted, tmp_path: Path) -> None:
    files = {"root.pem": trusted.root[0].public_bytes(PEM), "time.pem": trusted.stampers[0].root_pem}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-I", str(FILE), str(trusted.pack), "--trust-time", str(tmp_path / "time.pem")]
    for anchor, status in (
        (["--trust", str(tmp_path / "root.pem"), "--at", "2040-01-01T00:00:00Z"], 1),
        (["--trust", str(tmp_path / "root.pem")], 0),
        (["--fingerprint", fingerprint_of(trusted.identity.certificate)], 0),
        (["--fingerprint", "00" * 32], 1),
        (["--fingerprint", "00"], 2),
        (["--trust", str(tmp_path / "none.pem")], 2),
    ):
        done = subprocess.run([*command, *anchor], capture_output=True, text=True, check=False)
        assert done.returncode == status, (anchor, done.stdout, done.stderr)
