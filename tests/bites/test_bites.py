# SPDX-License-Identifier: Apache-2.0

"""Every shipped test bites: one deviation in an organisation where all else is in order is found, alone.

The organisations go the real way, from observations over folding, linking and frozen segments to the SQL engine, and
every test judges every one of them.
"""

import importlib
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.controls.loader import Controls, load
from app.resources import shipped
from tests.bites.in_order import InOrder, Shape
from tests.bites.organisation import Judged, Verdict, judge_together
from tests.bites.registry import BITES

for _group in ("rights", "people", "sessions", "governance"):
    importlib.import_module(f"tests.bites.bites_{_group}")

NAMES = [f"{bite.test_id} {bite.name}" for bite in BITES]


@pytest.fixture(scope="module")
def controls() -> Controls:
    return load(shipped("controls"))


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[InOrder, set[Verdict]]]:
    """Return the organisations, one for each bite and one where nothing is out of order, and what must be found."""
    made = {name: InOrder(Shape(seed=seed)) for seed, name in enumerate(NAMES)}
    found = {name: bite.apply(made[name]) for name, bite in zip(NAMES, BITES, strict=True)}
    return {name: (made[name], found[name]) for name in NAMES} | {"in order": (InOrder(), set())}


@pytest.fixture(scope="module")
def judged(
    controls: Controls, expected: dict[str, tuple[InOrder, set[Verdict]]], tmp_path_factory: pytest.TempPathFactory
) -> Judged:
    organisations = {name: organisation for name, (organisation, _) in expected.items()}
    return judge_together(organisations, controls, tmp_path_factory.mktemp("bites"))


def test_nothing_is_found_where_everything_is_in_order(judged: Judged) -> None:
    assert judged.of("in order") == set()


def test_every_test_has_something_to_pass_where_everything_is_in_order(controls: Controls, judged: Judged) -> None:
    assert [name for name in controls.tests if not judged.passing("in order", name)] == []


def test_every_shipped_test_has_a_bite(controls: Controls) -> None:
    assert {bite.test_id for bite in BITES} == set(controls.tests)


def test_bites_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(bite.name for bite in BITES).items() if count > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_one_deviation_is_found_and_nothing_else(
    name: str, judged: Judged, expected: dict[str, tuple[InOrder, set[Verdict]]]
) -> None:
    assert judged.of(name) == expected[name][1]


def test_consequences_are_explained() -> None:
    """A bite that expects more than its own test says in a docstring why the rest cannot be otherwise."""
    for bite in BITES:
        assert len(bite.apply(InOrder())) == 1 or bite.change.__doc__, bite.name


SHAPES = st.builds(
    Shape,
    people=st.lists(st.from_regex(r"[a-z]{2,8}-[0-9]", fullmatch=True), min_size=1, max_size=5, unique=True).map(tuple),
    databases=st.integers(1, 4),
    accesses=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)


@pytest.fixture(scope="module")
def judge(controls: Controls, tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, InOrder]], Judged]:
    return lambda organisations: judge_together(organisations, controls, tmp_path_factory.mktemp("shapes"))


@given(st.lists(st.tuples(st.integers(0, len(BITES) - 1), SHAPES), min_size=20, max_size=20))
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
def test_whatever_else_is_in_order_does_not_matter(judge, drawn: list[tuple[int, Shape]]) -> None:
    """Names, sizes, times and who did it are drawn; twenty organisations at a time, since freezing is what costs."""
    made = {f"{number} {NAMES[bite]}": InOrder(shape) for number, (bite, shape) in enumerate(drawn)}
    wanted = {
        name: BITES[bite].apply(organisation)
        for (name, organisation), (bite, _) in zip(made.items(), drawn, strict=True)
    }
    judged = judge(made)
    assert {name: judged.of(name) for name in made} == wanted
