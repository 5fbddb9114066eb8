# SPDX-License-Identifier: Apache-2.0

"""Each mistake in the shipped YAML is answered with its file, line, column, reason and hint, and with nothing else."""

import functools
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from app.cel import check
from app.controls import document, expressions, loader
from app.controls.loader import load, load_bytes
from app.controls.model import ParameterValue
from app.errors import ControlsInvalid
from app.evaluation.examples import example_failures
from tests.controls.mutations import Mutation, swap
from tests.controls.mutations_beside import BESIDE, OWN
from tests.controls.mutations_files import BETWEEN
from tests.controls.mutations_tests import INSIDE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _read_what_is_not_broken_once() -> Iterator[None]:
    """Remember what was read and checked before: all files but one are the same in each of these loads."""
    read = functools.cache(document.read_document)

    @functools.cache
    def checked(expression: str, row: type, values: bytes, required: tuple[str, ...]) -> object:
        parameters = msgspec.json.decode(values, type=dict[str, ParameterValue])
        return check.check(expression, row=row, parameters=parameters, required=required)

    def remembered(
        expression: str, *, row: type, parameters: dict[str, object], required: Sequence[str] = ()
    ) -> object:
        return checked(expression, row, msgspec.json.encode(parameters, order="sorted"), tuple(required))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "read_document", read)
        patch.setattr(expressions, "check", remembered)
        yield


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    """Return the controls that ship, and two overlays of an organisation."""
    files = {**load(ROOT / "controls").files, **OWN}
    load_bytes(files)
    return files


def problems(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes(files)
    return caught.value.problems


ALL = (*INSIDE, *BETWEEN, *BESIDE)


@pytest.mark.parametrize("mutation", ALL, ids=str)
def test_a_mistake_is_answered_at_its_place_and_alone(mutation: Mutation, shipped: dict[str, bytes]) -> None:
    files, place = mutation.apply(shipped)
    found = problems(files)
    named = next((each for each in found if each.startswith(f"{place}: ")), None)
    assert named, found
    assert mutation.says in named
    assert mutation.hint in named
    others = [each for each in found if each != named]
    assert bool(others) == bool(mutation.besides)
    assert all(re.search(mutation.besides, each) for each in others), others


def test_the_table_is_long_and_says_each_thing_once() -> None:
    assert len(ALL) >= 100
    assert max(Counter(each.name for each in ALL).values()) == 1


PAIRS = [(one, other) for one, other in pairwise(each for each in ALL if each.alone) if one.file != other.file][::2]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{one} + {other}" for one, other in PAIRS])
def test_two_broken_files_are_both_named(one: Mutation, other: Mutation, shipped: dict[str, bytes]) -> None:
    files, place = one.apply(shipped)
    files, other_place = other.apply(files)
    found = problems(files)
    assert sorted(line.partition(": ")[0] for line in found) == sorted([place, other_place]), found
    assert any(one.says in line for line in found)
    assert any(other.says in line for line in found)


def test_a_file_of_a_wrong_name_is_named(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "controls", tmp_path / "controls")
    (tmp_path / "controls/tests/workflow.yaml").rename(tmp_path / "controls/tests/workflow.yml")
    with pytest.raises(ControlsInvalid) as caught:
        load(tmp_path / "controls")
    assert "tests/workflow.yml:1:1: this file is not read. Name it '*.yaml', or move it away." in caught.value.problems


WRONG = [
    ("an outcome that the row does not get", swap("expect: fail", "expect: pass"), "no owner", "pass", "fail"),
    ("a guard that asks too much", swap('== "human"', '== "robot"', after="assert:"), "in order", "pass", "fail"),
    ("a limit that is too narrow", swap("8760h", "1h"), "in order", "pass", "fail"),
    (
        "a condition left out",
        swap("&& workflow.retention_documented\n", "\n", after="assert:"),
        "retention not written down",
        "fail",
        "pass",
    ),
    (
        "a question asked too rarely",
        swap("when: workflow.active", 'when: "!workflow.active"'),
        "no owner",
        "fail",
        "not_applicable",
    ),
]


@pytest.mark.parametrize(("name", "edit", "example", "expected", "got"), WRONG, ids=[each[0] for each in WRONG])
def test_a_test_that_says_something_else_fails_its_examples_on_both_engines(
    name, edit, example: str, expected: str, got: str, shipped: dict[str, bytes]
) -> None:
    file = "tests/workflow.yaml"
    after = load_bytes(shipped | {file: edit(shipped[file].decode()).encode()})
    found = [str(failure) for failure in example_failures([after.tests["GOV-01"]])]
    for engine in ("the interpreter", "the SQL engine"):
        assert f"GOV-01, example '{example}': expected {expected}, but {engine} says {got}" in found, name
