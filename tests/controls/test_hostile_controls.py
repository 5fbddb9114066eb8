# SPDX-License-Identifier: Apache-2.0

"""Whatever a file under ``controls/`` holds, the loader either loads it or names its problems; it never breaks."""

import json
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given, settings

from app.controls.document import read_document
from app.controls.loader import load_bytes
from app.errors import ControlsInvalid

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / "controls" / "tests" / "workflow.yaml").read_text()

PIECES = ["kind: ", "ControlTests", "tests:", "- ", "id: ", "ABC-01", "  ", "{", "}", "[", "]", ": ", "'", '"']
PIECES += ["&a ", "*a", "!!set ", "<<", "? ", "#", "é", "---", "%YAML 1.1", "0x1F"]
PIECES += ["|-\n", "\n", "\t", "\N{LINE SEPARATOR}", "9" * 400]
DAMAGE = [*PIECES, "", "null", "[]", "{}", "true", "1e999"]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | WORDS
KEYS = st.text("abc", min_size=1, max_size=4)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


def loads_or_says_why(text: str) -> None:
    try:
        load_bytes({"tests/any.yaml": text.encode()})
    except ControlsInvalid as error:
        for problem in error.problems:
            assert problem.startswith(("tests/any.yaml:", "controls:")), problem
            assert problem.isprintable(), problem


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_yaml_is_loaded_or_refused(text: str) -> None:
    loads_or_says_why(text)


@given(st.integers(0, len(WORKFLOW)), st.integers(0, 60), st.sampled_from(DAMAGE))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_loaded_or_refused(start: int, length: int, piece: str) -> None:
    loads_or_says_why(WORKFLOW[:start] + piece + WORKFLOW[start + length :])


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_json_is_read_as_it_is_meant(value: object) -> None:
    assert read_document("tests/any.yaml", json.dumps(value, ensure_ascii=False).encode()).value == value
