# SPDX-License-Identifier: Apache-2.0

"""The four laws of docs/architecture.md. Law 1 is ``test_rebuilding_from_the_ledger_gives_the_same_answers``."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.conclude import conclude_test
from app.evaluation.model import ItemOutcome, TestOutcomeWord
from tests.conftest import ROOT

OUTCOMES = st.lists(st.sampled_from(ItemOutcome), max_size=12)


def concluded(outcomes: list[ItemOutcome], *, incomplete: bool) -> TestOutcomeWord:
    """Conclude a test over these items."""
    counts = Counter(outcomes)
    return conclude_test({each: counts[each] for each in ItemOutcome}, incomplete=("a reason",) if incomplete else ())


def test_import_contracts_hold() -> None:
    """Law 2: connectors cannot judge, judges cannot fetch; and the verifier of law 4 stands alone."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@given(OUTCOMES, st.integers(0, 11), st.booleans())
def test_learning_less_never_turns_into_a_pass(outcomes: list[ItemOutcome], lost: int, incomplete: bool) -> None:
    """Law 3: take away what is known of one item, and a test that did not pass does not begin to."""
    before = concluded(outcomes, incomplete=incomplete)
    if lost < len(outcomes) and outcomes[lost] is not ItemOutcome.NOT_APPLICABLE:
        outcomes = [*outcomes[:lost], ItemOutcome.NO_EVIDENCE, *outcomes[lost + 1 :]]
        assert concluded(outcomes, incomplete=incomplete) is not TestOutcomeWord.PASSED
    after = concluded(outcomes, incomplete=True)
    assert after not in {TestOutcomeWord.PASSED, TestOutcomeWord.NO_OCCURRENCES}
    if before is TestOutcomeWord.PASSED:
        assert set(outcomes) - {ItemOutcome.NOT_APPLICABLE}


@pytest.mark.parametrize(
    "module", ["sqlmodel", "sqlalchemy", "fastapi", "httpx", "app.db", "app.settings", "app.wiring"]
)
def test_the_verifier_loads_nothing_of_the_service(module: str) -> None:
    """Law 4, seen at run time."""
    program = f"import sys, app.verification.verifier; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
