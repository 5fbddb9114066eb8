# SPDX-License-Identifier: Apache-2.0

"""Ctrl-C: a real SIGINT to a real command, in each of its steps; one line, status 130, and nothing half done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from app.__main__ import run
from app.clock import SystemClock
from app.collection.model import CollectionRun
from app.settings import Settings
from app.wiring import build_services
from tests.cli.half_done import half_done
from tests.conftest import ROOT
from tests.packs.small import records

PERIOD = ["--framework", "soc2", "--from", "2026-07-01", "--to", "2026-09-30"]
STOPPED = "stopped; nothing half done is left"

_DRIVER = """
import os, pathlib, sys, time
import app.cli.options as options
from contextlib import contextmanager

announced = pathlib.Path(sys.argv[1])
wanted = sys.argv[2]

@contextmanager
def bar(what):
    def update(step, done, total):
        if wanted in (step, '*'):
            announced.touch()
            if sys.argv[3] == 'sleep':
                time.sleep(60)
    yield update

options.progress_bar = bar
from app.__main__ import run
sys.exit(run(sys.argv[4:]))
"""
"""Runs a command; when it comes to a step, tells the test, and waits there or goes on."""


def interrupted(folder: Path, step: str, command: list[str], *, wait: bool = True, delay: float = 0) -> tuple[int, str]:
    """Run a command, send SIGINT to its process group when it comes to a step; return its status and stderr."""
    announced = folder / "announced"
    announced.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", _DRIVER, str(announced), step, "sleep" if wait else "go", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # As in a terminal, where Ctrl-C reaches all processes of the command.
    )
    for _ in range(600):
        if announced.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    assert announced.exists(), process.communicate()[1]
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said.strip()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data directory with a handful of records."""
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records()))
    folder = tmp_path / "data"
    covered = ["--from", "2026-07-01", "--to", "2026-09-30"]
    assert run(["import", str(path), "--as", "records", "--dir", str(folder), *covered]) == 0
    return folder


@pytest.mark.parametrize("step", ["linking records", "testing every item"])
def test_an_evaluation_that_is_interrupted_leaves_nothing(data: Path, tmp_path: Path, step: str) -> None:
    assert interrupted(tmp_path, step, ["evaluate", *PERIOD, "--dir", str(data)]) == (130, STOPPED)
    assert half_done(data / "evaluations") == []
    assert run(["evaluate", *PERIOD, "--dir", str(data)]) == 0


@pytest.mark.parametrize(
    ("step", "wait", "delay"),
    [("signing", True, 0), ("writing", True, 0), ("gathering evidence", False, 0.2), ("gathering evidence", False, 1)],
    ids=["before signing", "before writing", "while drafting", "while rendering"],
)
def test_a_pack_that_is_interrupted_leaves_nothing(
    data: Path, tmp_path: Path, step: str, wait: bool, delay: float
) -> None:
    target = tmp_path / "packs"
    command = ["pack", "build", *PERIOD, "--out", str(target), "--dir", str(data)]
    assert interrupted(tmp_path, step, command, wait=wait, delay=delay) == (130, STOPPED)
    assert list(target.iterdir()) == []
    assert half_done(data / "evaluations") == []


def test_an_import_that_is_interrupted_keeps_whole_batches_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    lines = [f'{{"type":"ticket","id":"OPS-{n}","opened_at":"2026-07-01T08:00:00Z"}}\n' for n in range(50_000)]
    path.write_text("".join(lines))
    folder = tmp_path / "data"
    command = ["import", str(path), "--as", "records", "--dir", str(folder)]
    assert interrupted(tmp_path, "*", command) == (130, STOPPED)
    (box,) = runs(folder)
    assert box.problem == "the run broke off (KeyboardInterrupt)"
    kept = build_services(Settings.load(folder), SystemClock()).ledger.size() - 1
    assert box.accepted == kept
    assert 0 < kept < len(lines)
    assert run(command) == 0
    assert runs(folder)[-1].accepted + kept == len(lines)


def runs(folder: Path) -> list[CollectionRun]:
    return build_services(Settings.load(folder), SystemClock()).collection.runs()


def test_what_is_interrupted_may_call_it_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB answers a signal with a RuntimeError, and a child process that gets it too with a status."""

    def command(**_options: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    monkeypatch.setattr("app.__main__.app", command)
    before = signal.getsignal(signal.SIGINT)
    assert run([]) == 130
    assert capsys.readouterr().err.strip() == STOPPED
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_that_nobody_interrupted_is_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(**_options: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("app.__main__.app", command)
    with pytest.raises(RuntimeError):
        run([])
