# SPDX-License-Identifier: Apache-2.0

"""Programs by others say yes to a good pack and no to a tampered one, each by itself.

``tests/conformance`` asks veraPDF about PDF/A and PDF/UA; ``test_guide`` runs the commands of VERIFY.md as printed.
"""

import base64
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from jsonschema import Draft202012Validator
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from app.packs import layout
from tests.authorities import PEM
from tests.conftest import ROOT
from tests.trust.conftest import Trusted

REFERENCE = ROOT / "docs" / "reference"


class Program(NamedTuple):
    """One program: what it is asked, the words of its yes, and the file whose change makes it say no.

    Attributes:
        words: must be in its output; without words, the exit status tells.
    """

    name: str
    command: str
    words: str
    changes: str


PROGRAMS = [
    Program("unzip", "unzip -tqq pack.zip", "", "pack.zip"),
    Program("sha256sum", "sha256sum --check --quiet SHA256SUMS", "", layout.GAPS_JSON),
    Program("sha256sum", "sha256sum --check --quiet SHA256SUMS", "", "populations/session.csv"),
    Program("openssl", "openssl dgst -sha256 -verify signer.pub -signature statement.sig pae", "OK", "pae"),
    Program("openssl", "openssl dgst -sha256 -verify signer.pub -signature statement.sig pae", "OK", "statement.sig"),
    Program(
        "openssl",
        f"openssl cms -verify -binary -inform DER -in {layout.CMS} -content {layout.MANIFEST} -CAfile root.pem "
        "-purpose any -out /dev/null",
        "",
        layout.MANIFEST,
    ),
    Program(
        "openssl",
        f"openssl cms -verify -binary -inform DER -in {layout.CMS} -content {layout.MANIFEST} -CAfile root.pem "
        "-purpose any -out /dev/null",
        "",
        "root.pem",
    ),
    Program(
        "openssl",
        f"openssl ts -verify -in {layout.checkpoint_token(0)} -data {layout.CHECKPOINT} -CAfile time.pem",
        "Verification: OK",
        layout.CHECKPOINT,
    ),
    Program(
        "openssl",
        "openssl ts -verify -in statement.tsr -data statement.sig -CAfile time.pem",
        "Verification: OK",
        "statement.tsr",
    ),
    Program("pdfsig", f"pdfsig {layout.REPORT_PDF}", "Signature is Valid", layout.REPORT_PDF),
]


@pytest.fixture
def folder(trusted: Trusted, tmp_path: Path) -> Path:
    """Return the pack, unpacked, with what VERIFY.md takes out of it and the anchors from elsewhere."""
    shutil.copy(trusted.pack, tmp_path / "pack.zip")
    with zipfile.ZipFile(trusted.pack) as archive:
        archive.extractall(tmp_path)
    bundle = json.loads(trusted.members[layout.BUNDLE])
    envelope, material = bundle["dsseEnvelope"], bundle["verificationMaterial"]
    (stamp, *_) = material["timestampVerificationData"]["rfc3161Timestamps"]
    public = subprocess.run(
        ["openssl", "x509", "-noout", "-pubkey"],
        input=trusted.identity.certificate.public_bytes(PEM),
        capture_output=True,
        check=True,
    )
    payload = trusted.members[layout.MANIFEST]
    files = {
        "root.pem": trusted.root[0].public_bytes(PEM),
        "time.pem": trusted.stampers[0].root_pem,
        "signer.pub": public.stdout,
        "statement.sig": base64.b64decode(envelope["signatures"][0]["sig"]),
        "statement.tsr": base64.b64decode(stamp["signedTimestamp"]),
        "pae": b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def says_yes(program: Program, folder: Path) -> bool:
    done = subprocess.run(program.command.split(), cwd=folder, capture_output=True, text=True, check=False)
    return program.words in done.stdout + done.stderr if program.name == "pdfsig" else done.returncode == 0


@pytest.mark.parametrize("program", PROGRAMS, ids=[f"{one.name}-{one.changes.rpartition('/')[2]}" for one in PROGRAMS])
def test_it_says_yes_and_to_a_tampered_pack_no(program: Program, folder: Path) -> None:
    if shutil.which(program.name) is None:
        assert not os.environ.get("CI"), f"{program.name} must be there where CI is set"
        pytest.skip(f"{program.name} is not installed")
    assert says_yes(program, folder)
    path = folder / program.changes
    data = path.read_bytes()
    place = len(data) // 2
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    assert not says_yes(program, folder)


def test_pdfsig_tells_when_something_was_appended(folder: Path) -> None:
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig is not installed")
    path = folder / layout.REPORT_PDF
    whole = Program("pdfsig", f"pdfsig {layout.REPORT_PDF}", "Total document signed", "")
    assert says_yes(whole, folder)
    path.write_bytes(path.read_bytes() + b"\n% and one more line\n%%EOF\n")
    assert not says_yes(whole, folder)


def test_an_rfc_3161_library_says_yes_and_no(trusted: Trusted, folder: Path) -> None:
    def judge(token: bytes, data: bytes, root: x509.Certificate) -> bool:
        response = decode_timestamp_response(token)
        return VerifierBuilder().add_root_certificate(root).build().verify_message(response, data)

    token, data = (folder / "statement.tsr").read_bytes(), (folder / "statement.sig").read_bytes()
    assert judge(token, data, trusted.stampers[0].root)
    for other, root in ((data[:-1] + bytes([data[-1] ^ 1]), trusted.stampers[0].root), (data, trusted.root[0])):
        with pytest.raises(VerificationError):
            judge(token, other, root)


Change = Callable[[dict[str, object]], object]


def evaluation(report: dict[str, object]) -> dict[str, object]:
    return report["evaluation"]  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["report", "manifest"])
def test_a_json_schema_checker_says_yes(trusted: Trusted, name: str) -> None:
    schema = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(trusted.members[f"{name}.json"]))


CHANGES: dict[str, tuple[str, Change]] = {
    "a word for an outcome that is none": (
        "report",
        lambda report: evaluation(report)["tests"][0].update(outcome="compliant"),  # type: ignore[index]
    ),
    "a count that is no number": (
        "report",
        lambda report: evaluation(report)["tests"][0]["counts"].update(fail="none"),  # type: ignore[index]
    ),
    "a control without a status": ("report", lambda report: evaluation(report)["controls"][0].pop("status")),  # type: ignore[index]
    "no findings": ("report", lambda report: report.pop("gaps")),
    "a field more": ("report", lambda report: report.update(verdict="all good")),
    "a digest in capitals": (
        "report",
        lambda report: report["signer"].update(certificate_sha256="AB" * 32),  # type: ignore[attr-defined]
    ),
    "another kind of statement": ("manifest", lambda value: value.update(_type="https://in-toto.io/Statement/v0.1")),
    "another digest": ("manifest", lambda value: value["subject"][0]["digest"].update(sha512="00")),  # type: ignore[index]
    "no root": ("manifest", lambda value: value["predicate"].pop("rootHash")),  # type: ignore[attr-defined]
    "another state of an authority": (
        "manifest",
        lambda value: value["predicate"]["times"][0].update(state="skipped"),  # type: ignore[index]
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_json_schema_checker_says_no(trusted: Trusted, what: str) -> None:
    name, change = CHANGES[what]
    value = json.loads(trusted.members[f"{name}.json"])
    change(value)
    schema = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert not Draft202012Validator(schema).is_valid(value)
