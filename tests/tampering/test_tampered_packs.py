# SPDX-License-Identifier: Apache-2.0

"""Every tampered pack is refused, and the step that must see it is the first that fails."""

from collections import Counter
from pathlib import Path

import pytest

from app.packs.assemble import Draft
from app.signing.keys import SigningIdentity
from app.verification.report import StepState
from app.verification.steps import STEPS
from app.verification.verifier import run, verify
from tests.tampering.archives import ARCHIVES, untouched
from tests.tampering.model import Tampering, World, write
from tests.tampering.sealed import SEALED
from tests.tampering.unsealed import UNSEALED

ALL = [*ARCHIVES, *UNSEALED, *SEALED]
LEAST = 44


@pytest.fixture(scope="session")
def world(draft: Draft, members: dict[str, bytes], identity: SigningIdentity, stranger: SigningIdentity) -> World:
    return World(draft, members, identity, stranger)


@pytest.mark.parametrize("tampering", ALL, ids=lambda tampering: tampering.name)
def test_the_step_that_must_see_it_is_the_first_to_fail(world: World, tampering: Tampering, tmp_path: Path) -> None:
    path = write(tampering.make(world), tmp_path)
    upto = next(step.number for step in STEPS if step.name == tampering.step)
    report = run(path, world.identity.certificate_der, STEPS[:upto])
    assert not report.holds
    failed = [step for step in report.steps if step.state is StepState.FAILED]
    assert failed[0].name == tampering.step, [(step.name, step.problems) for step in failed]
    assert failed[0].problems


def test_the_untouched_pack_is_accepted(world: World, tmp_path: Path) -> None:
    assert untouched(world) == world.data
    report = verify(write(world.data, tmp_path), world.identity.certificate_der)
    assert report.holds
    required = {step.number for step in STEPS if step.required}
    assert {step.state for step in report.steps if step.number in required} == {StepState.OK}


def test_every_tampering_has_its_own_name_and_a_step_that_exists() -> None:
    assert len(ALL) >= LEAST
    assert max(Counter(tampering.name for tampering in ALL).values()) == 1
    assert {tampering.step for tampering in ALL} <= {step.name for step in STEPS}
