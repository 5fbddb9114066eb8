# SPDX-License-Identifier: Apache-2.0

"""Evaluate two sets of controls over the same populations, and compare.

In:  trails, a framework, a period, two sets of controls, a folder to work in. Out: a ``Comparison``.
Populations are frozen into that folder, once for both unless their risk rules differ, for these flag what is in them.
Nothing is kept anywhere else, so no cached evaluation is read or written.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from app.controls.loader import Controls
from app.evaluation.comparison import Comparison, Side, compare
from app.evaluation.engine import outcomes_of
from app.evaluation.model import ItemOutcome, Period
from app.evaluation.reuse import Earlier
from app.evaluation.service import evaluate
from app.trails.service import TrailService

Progress = Callable[[str, int, int], None]
_STEPS = 4


def compare_side_by_side(
    *,
    old: Controls,
    new: Controls,
    framework: str,
    period: Period,
    trails: TrailService,
    ledger_size: int,
    folder: Path,
    progress: Progress,
) -> Comparison:
    """Return what changes between two sets of controls.

    Args:
        old: the controls to start from.
        new: the controls to compare with them.
        framework: its id or a short name, for the new controls.
        period: the audit period.
        trails: gives the populations.
        ledger_size: number of ledger entries that these rest on.
        folder: an empty folder to work in; who gives it deletes it.
        progress: is told of each step.

    Raises:
        NotFound: one of the two does not hold the framework.
        InvalidInput: nothing was collected yet.
    """
    framework = new.resolve_framework(framework).id
    old.resolve_framework(framework)
    progress("linking records", 0, _STEPS)
    as_of = trails.freeze(period, folder / "populations", old.rule_set)
    flagged_anew = old.rules != new.rules
    if flagged_anew:
        trails.freeze(period, folder / "populations-new", new.rule_set)

    def side(name: str, controls: Controls, earlier: Earlier | None = None) -> Side:
        again = flagged_anew and controls is new
        evaluation = evaluate(
            controls=controls,
            catalog=controls.resolve_framework(framework),
            period=period,
            as_of=as_of,
            ledger_size=ledger_size,
            segments=folder / ("populations-new" if again else "populations"),
            results=folder / name,
            earlier=earlier,
        )
        populations = {test.test_id: test.population for test in evaluation.tests}

        def outcomes(test_id: str) -> Mapping[str, ItemOutcome]:
            population = populations.get(test_id)
            return outcomes_of(folder / name, population, test_id) if population else {}

        return Side(controls=controls, evaluation=evaluation, outcomes=outcomes)

    progress("testing with the old controls", 1, _STEPS)
    before = side("old", old)
    progress("testing with the new controls", 2, _STEPS)
    after = side("new", new, Earlier(evaluation=before.evaluation, results=folder / "old"))
    progress("comparing", 3, _STEPS)
    return compare(before, after)
