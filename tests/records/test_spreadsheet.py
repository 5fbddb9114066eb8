# SPDX-License-Identifier: Apache-2.0

"""One rule against formulas in CSV files, the same for Python and for Arrow's RE2."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from app.records.spreadsheet import FORMULA, plain_cell

CASES = {
    "=HYPERLINK(1)": True,
    "+1": True,
    "-1+1": True,
    "@SUM(1)": True,
    " =1": True,
    "\u00a0=1": True,
    "\t=1": True,
    "\n=1": True,
    "\uff1d1": True,
    "ana": False,
    "a=1": False,
    "": False,
    "2026-07-01": False,
}


@pytest.mark.parametrize(("text", "guarded"), CASES.items(), ids=map(repr, CASES))
def test_only_what_could_be_a_formula_gets_an_apostrophe(text: str, guarded: bool) -> None:
    assert plain_cell(text) == ("'" + text if guarded else text)


def test_both_engines_read_the_pattern_alike() -> None:
    assert pc.match_substring_regex(pa.array(list(CASES)), FORMULA).to_pylist() == list(CASES.values())
