# SPDX-License-Identifier: Apache-2.0

"""The four scenarios: what fails in each is exactly what its story says, and what it says must hold does hold."""

import pytest

from app.controls.loader import load
from app.resources import shipped
from tests.bites.in_order import InOrder
from tests.bites.organisation import Judged, judge_together
from tests.bites.scenarios import SCENARIOS, Found, Scenario

NAMES = [scenario.__name__ for scenario in SCENARIOS]


@pytest.fixture(scope="module")
def organisations() -> dict[str, tuple[InOrder, Found]]:
    made = {scenario.__name__: InOrder() for scenario in SCENARIOS}
    return {scenario.__name__: (made[scenario.__name__], scenario(made[scenario.__name__])) for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def judged(organisations: dict[str, tuple[InOrder, Found]], tmp_path_factory: pytest.TempPathFactory) -> Judged:
    made = {name: organisation for name, (organisation, _) in organisations.items()}
    return judge_together(made, load(shipped("controls")), tmp_path_factory.mktemp("scenarios"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_what_a_story_breaks_is_found_and_nothing_else(
    scenario: Scenario, judged: Judged, organisations: dict[str, tuple[InOrder, Found]]
) -> None:
    _, wanted = organisations[scenario.__name__]
    found = judged.of(scenario.__name__)
    assert found == {(test_id, item, "fail") for test_id, item in Found.pairs(wanted.fails)}, scenario.__doc__


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_what_a_story_leaves_in_order_passes(
    scenario: Scenario, judged: Judged, organisations: dict[str, tuple[InOrder, Found]]
) -> None:
    _, wanted = organisations[scenario.__name__]
    for test_id, item in Found.pairs(wanted.passes):
        assert item in judged.passing(scenario.__name__, test_id), f"{test_id} {item}"
