# SPDX-License-Identifier: Apache-2.0

"""Witnesses that the reader names must have cosigned the checkpoint; others are not asked about."""

from pathlib import Path

import msgspec
import pytest

from app.ledger.cosignature import WitnessKey, cosign
from app.packs import layout
from app.packs.assemble import Draft, sign_pack, write_pack
from app.signing.checkpoint_key import CheckpointKey
from app.signing.keys import SigningIdentity
from app.verification.reader import Reader
from app.verification.report import StepResult, StepState
from app.verification.steps import STEPS
from app.verification.verifier import run
from tests.packs.small import SIGNED_AT, forge

SIGNER = CheckpointKey.from_seed(bytes(32))
WITNESS = WitnessKey("witness.example.com/w1", SIGNER.public_bytes)
OTHER = WitnessKey("witness.example.com/w2", CheckpointKey.from_seed(bytes(range(32))).public_bytes)
NAME = "the witnesses you named have seen the ledger"
ASKED = [*STEPS[:9], next(step for step in STEPS if step.name == NAME)]


def step(path: Path, identity: SigningIdentity, *witnesses: str) -> StepResult:
    reader = Reader(witnesses=witnesses)
    report = run(path, (identity.certificate_der,), ASKED, reader=reader)
    assert report.steps[8].state is StepState.OK, report.steps[8].problems
    return report.steps[-1]


@pytest.fixture
def cosigned(draft: Draft, identity: SigningIdentity, tmp_path: Path) -> Path:
    note = cosign(draft.report.checkpoint.encode(), WITNESS, 1_790_000_000, SIGNER.sign)
    report = msgspec.structs.replace(draft.report, checkpoint=note.decode())
    write_pack(
        sign_pack(forge(draft, {layout.CHECKPOINT: note}, report=report), identity, SIGNED_AT), tmp_path / "p.zip"
    )
    return tmp_path / "p.zip"


def test_a_cosigned_checkpoint_shows_who_has_seen_it_and_when(cosigned: Path, identity: SigningIdentity) -> None:
    found = step(cosigned, identity, str(WITNESS))
    assert found.state is StepState.OK
    assert found.detail == "witness.example.com/w1 at 2026-09-21T14:13:20Z"


def test_a_witness_who_has_not_cosigned_is_named(cosigned: Path, identity: SigningIdentity) -> None:
    found = step(cosigned, identity, str(WITNESS), str(OTHER))
    assert found.state is StepState.FAILED
    assert found.problems == ("witness witness.example.com/w2 has not cosigned the checkpoint",)


def test_without_witnesses_the_step_is_not_done(pack: Path, identity: SigningIdentity) -> None:
    assert step(pack, identity).state is StepState.NOT_DONE


@pytest.mark.parametrize("key", ["nonsense", "w+00000000+AAAA"])
def test_what_is_no_key_of_a_witness_fails(pack: Path, identity: SigningIdentity, key: str) -> None:
    assert step(pack, identity, key).state is StepState.FAILED
