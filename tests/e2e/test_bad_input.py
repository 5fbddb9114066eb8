# SPDX-License-Identifier: Apache-2.0

"""Bad input gets one clear line (where, what, what to do), loses nothing else, and shows in the completeness box."""

import shutil
from pathlib import Path

import pytest

from app.__main__ import run
from app.cli.options import out, services
from app.resources import shipped
from tests.e2e.conftest import Demo

GOOD = '{"type":"ticket","id":"OPS-1","opened_at":"2026-07-01T08:00:00Z"}'
ALSO_GOOD = '{"type":"ticket","id":"OPS-2","opened_at":"2026-07-02T08:00:00Z"}'


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"type":"ticket","id":"OPS-3","opened_at":"2026-0', "not JSON"),
        (b'{"type":"ticket","opened_at":"2026-07-01T08:00:00Z"}', "'id'"),
        (b'{"type":"ticket","id":"OPS-3","opened_at":"last Tuesday"}', "last Tuesday"),
        (b'{"type":"ticket","id":"OPS-3","url":"' + b"x" * 10_000_000 + b'"}', "1048576"),
        (b'{"type":"ticket","id":"OPS-\xff"}', "UTF-8"),
        (b'{"type":"ticket","id":"OPS-3","id":"OPS-4"}', "'id'"),
        (b'{"type":"tikcet","id":"OPS-3"}', "not a record type"),
        (b'{"type":"ticket","id":"OPS-3","colour":"red"}', "colour"),
    ],
    ids=[
        "truncated",
        "no id",
        "no time",
        "10 MB field",
        "invalid UTF-8",
        "repeated key",
        "unknown type",
        "unknown key",
    ],
)
def test_a_bad_line_is_named_and_counted_and_the_others_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: bytes, reason: str
) -> None:
    path = tmp_path / "tickets.ndjson"
    path.write_bytes(b"\n".join([GOOD.encode(), bad, ALSO_GOOD.encode(), b""]))
    assert run(["import", str(path), "--as", "records", "--source", "tickets", "--dir", str(tmp_path / "data")]) == 0
    shown = capsys.readouterr()
    assert "3 received = 2 accepted + 0 duplicates + 1 rejected" in shown.out
    line = next(line for line in shown.err.splitlines() if "tickets.ndjson:2" in line)
    assert reason in line
    assert len(line) < 300
    (box,) = services(tmp_path / "data").collection.runs()
    assert (box.rejected, len(box.rejects), sum(box.reject_reasons.values())) == (1, 1, 1)
    assert not box.is_complete
    assert [one.record.id for one in services(tmp_path / "data").collection.observations()] == ["OPS-1", "OPS-2"]


def test_a_duplicate_is_counted_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tickets.ndjson"
    path.write_text(f"{GOOD}\n{GOOD}\n", encoding="utf-8")
    assert run(["import", str(path), "--as", "records", "--dir", str(tmp_path / "data")]) == 0
    assert "2 received = 1 accepted + 1 duplicates + 0 rejected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "{good}", "--as", "teleport"], ["tickets.ndjson", "teleport", "--as"]),
        (["import", "{good}", "--as", "telport"], ["telport", "teleport"]),
        (["import", "nowhere.json", "--as", "hoop"], ["nowhere.json"]),
        (["import", "{good}", "--as", "records", "--from", "2026-07-01"], ["--to"]),
        (["import", "{good}", "--as", "records", "--source", "../etc"], ["--source"]),
        (["import", "{good}", "--as", "records", "--from", "2026-07-02", "--to", "2026-07-01"], ["--to", "before"]),
        (["import", "{good}", "--as", "records", "--from", "2026-07-02", "--to", "9999-12-31"], ["--to", "too late"]),
        (["import", "{good}", "--as", "records", "--from", "", "--to", ""], ["--from", "YYYY-MM-DD"]),
        (["evaluate", "--framework", "soc2", "--from", "20260701", "--to", "2026-07-02"], ["--from", "YYYY-MM-DD"]),
        (["evaluate", "--framework", "soc3", "--from", "2026-07-01", "--to", "2026-07-02"], ["soc3", "soc2"]),
        (["evaluate", "--framework", "soc2", "--from", "July", "--to", "2026-07-02"], ["--from", "YYYY-MM-DD"]),
        (["evaluate", "--framework", "soc2", "--from", "2026-07-03", "--to", "2026-07-02"], ["--to"]),
        (["evaluate", "--framework", "soc2", "--from", "2026-07-01", "--to", "2026-07-02"], ["proofroom import"]),
        (["ledger", "fsck"], ["no data directory", "--dir"]),
        (["verify", "{good}"], ["tickets.ndjson"]),
        (["token", "create", "--name", "x", "--days", "9999"], ["--days"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_gets_one_clear_line_and_the_status_of_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    good = tmp_path / "tickets.ndjson"
    good.write_text(GOOD + "\n", encoding="utf-8")
    given = [str(good) if each == "{good}" else each for each in arguments]
    data = [] if given[0] == "verify" else ["--dir", str(tmp_path / "data")]
    if "no data directory" not in words:
        (tmp_path / "data").mkdir()
    status = run([*given, *data])
    shown = capsys.readouterr()
    assert status in ({1, 2} if given[0] == "verify" else {2})
    assert "Traceback" not in shown.err
    for word in words:
        assert word in shown.err + shown.out


def test_an_unknown_key_in_a_control_file_is_named_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "controls"
    shutil.copytree(shipped("controls"), folder)
    path = folder / "tests" / "grant.yaml"
    text = path.read_text(encoding="utf-8")
    line = text[: text.index("    severity:")].count("\n") + 1
    path.write_text(text.replace("    severity:", "    severty:", 1), encoding="utf-8")
    assert run(["controls", "check", "--controls", str(folder)]) == 1
    shown = capsys.readouterr().err
    assert f"grant.yaml:{line}:" in shown
    assert "severity" in shown, "the hint names the key that was meant"


def test_one_changed_byte_in_a_pack_fails_and_names_the_step(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(demo.pack.read_bytes())
    content[content.index(b"APR-01", len(content) // 2)] ^= 1
    broken = tmp_path / demo.pack.name
    broken.write_bytes(content)
    assert run(["verify", str(broken), "--trust", str(demo.certificate)]) == 1
    shown = capsys.readouterr().out
    assert "FAILED" in shown
    assert "every file is the one that was signed" in shown


def test_text_is_printed_as_it_is_and_not_with_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    out.print("vault:key:read", markup=False)
    assert capsys.readouterr().out == "vault:key:read\n"
