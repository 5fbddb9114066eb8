# SPDX-License-Identifier: Apache-2.0

"""Authorities over HTTP, good and bad; and the service that asks them: a failure is said, or fails the build."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.clock import FixedClock
from app.errors import CheckFailed, ProofroomError, UsageError
from app.packs import layout
from app.packs.authorities import HttpAuthority
from app.packs.service import TimePolicy
from app.packs.times import Authority, TimeRecord
from app.verification.reader import Reader
from app.verification.verifier import verify
from tests.authorities import LocalAuthority, TimeStamper, certify, now
from tests.packs.small import read_members, records
from tests.packs.world import PERIOD, World

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> TimeStamper:
    """Return a time-stamp authority."""
    return TimeStamper(tmp_path_factory.mktemp("stamper") / "one")


@pytest.fixture(autouse=True)
def _unbroken(stamper: TimeStamper) -> Iterator[None]:
    yield
    stamper.breaks = None


def test_a_token_is_fetched_and_checked_against_its_anchor(stamper: TimeStamper) -> None:
    other = certify("Other", ec.generate_private_key(ec.SECP256R1()), is_authority=True)
    with stamper.serve() as url:
        assert HttpAuthority(url, [stamper.root]).stamp(DIGEST).sha256 == DIGEST
        with pytest.raises(ProofroomError, match="no valid chain"):
            HttpAuthority(url, [other]).stamp(DIGEST)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"status": 500}, "status 500"),
        ({"status": 302}, "status 302"),
        ({"kind": "text/html"}, "not a time-stamp reply"),
        ({"body": b"nonsense"}, "can be read"),
        ({"body": bytes(1 << 20)}, "too large"),
    ],
)
def test_a_bad_answer_is_refused_and_named(stamper: TimeStamper, how: dict[str, object], word: str) -> None:
    body = how.pop("body", None)
    if body is not None:
        stamper.breaks = lambda _reply: body  # type: ignore[assignment, return-value]
    with stamper.serve(**how) as url, pytest.raises(ProofroomError, match=word):  # type: ignore[arg-type]
        HttpAuthority(url).stamp(DIGEST)


def test_an_old_answer_is_refused(stamper: TimeStamper) -> None:
    with stamper.serve() as url:
        kept: list[bytes] = []
        stamper.breaks = lambda reply: kept[0] if kept else (kept.append(reply) or reply)  # type: ignore[func-returns-value]
        HttpAuthority(url).stamp(DIGEST)
        with pytest.raises(ProofroomError, match="nonce"):
            HttpAuthority(url).stamp(DIGEST)


def test_nobody_there_is_said_without_a_secret() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    authority = HttpAuthority(f"http://user:secret@127.0.0.1:{port}/tsr?token=secret")
    with pytest.raises(ProofroomError, match="cannot be reached") as caught:
        authority.stamp(DIGEST)
    assert "secret" not in f"{caught.value} {authority.name}"
    for url in ("ftp://example.org/", "nonsense", "http://", "http://[::1"):
        with pytest.raises(UsageError, match="timestamp_urls"):
            HttpAuthority(url)


def built(folder: Path, authorities: list[Authority], *, is_required: bool = False) -> tuple[Path, list[TimeRecord]]:
    world = World(folder, TimePolicy(authorities=authorities, is_required=is_required), FixedClock(now()))
    world.collect(len(records()))
    told: list[TimeRecord] = []
    return world.packs.build("soc2", PERIOD, folder / "out", on_time=told.append), told


def test_a_failed_authority_is_in_the_pack_and_told_and_the_other_counts(stamper: TimeStamper, tmp_path: Path) -> None:
    with ExitStack() as stack:
        good = HttpAuthority(stack.enter_context(stamper.serve()))
        bad = HttpAuthority(stack.enter_context(stamper.serve(status=503)))
        path, told = built(tmp_path, [bad, good])
    assert [(record.authority, record.state) for record in told] == [(bad.name, "failed"), (good.name, "granted")]
    members = read_members(path)
    for name in (layout.README, layout.VERIFY, layout.MANIFEST, layout.REPORT_JSON):
        assert b"it answers with HTTP status 503" in members[name], name
    trust = (tmp_path / "keys" / "signing.crt").read_bytes()
    report = verify(path, trust, reader=Reader(trust_time=(stamper.root_pem,)))
    assert report.holds, [step for step in report.steps if step.problems]
    assert "status 503" in report.steps[19].detail
    assert layout.checkpoint_token(0) in members
    assert layout.checkpoint_token(1) not in members


@pytest.mark.parametrize("request_number", [2, 3, 4], ids=["the signature of the PDF", "the PDF", "the statement"])
def test_an_authority_that_fails_midway_is_out_everywhere(
    stamper: TimeStamper, tmp_path: Path, request_number: int
) -> None:
    failing = LocalAuthority("https://failing.example/", stamper, fails_from=request_number)
    path, told = built(tmp_path, [failing])
    assert [record.state for record in told] == ["failed"]
    predicate = msgspec.json.decode(read_members(path)[layout.MANIFEST])["predicate"]
    assert predicate["times"][0]["reason"] == "it does not answer in time"
    trust = (tmp_path / "keys" / "signing.crt").read_bytes()
    report = verify(path, trust)
    assert report.holds, [step for step in report.steps if step.problems]
    assert "0 of 1" in report.steps[19].detail


def test_a_required_authority_fails_the_build(stamper: TimeStamper, tmp_path: Path) -> None:
    for number in (1, 3):
        failing = LocalAuthority("https://failing.example/", stamper, fails_from=number)
        with pytest.raises(CheckFailed, match="required"):
            built(tmp_path / str(number), [failing], is_required=True)
        assert not list((tmp_path / str(number) / "out").iterdir())
    with pytest.raises(UsageError, match="names nobody"):
        built(tmp_path / "nobody", [], is_required=True)


def test_an_authority_with_a_clock_far_behind_has_failed(stamper: TimeStamper, tmp_path: Path) -> None:
    world = World(
        tmp_path,
        TimePolicy(authorities=[LocalAuthority("https://late.example/", stamper)]),
        FixedClock(now() + 3_600_000),
    )
    world.collect(len(records()))
    told: list[TimeRecord] = []
    world.packs.build("soc2", PERIOD, tmp_path / "out", on_time=told.append)
    assert "behind ours" in told[0].reason
