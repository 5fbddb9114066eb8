# SPDX-License-Identifier: Apache-2.0

"""``proofroom evaluate`` and ``proofroom gaps``: what the evidence shows, and what is missing."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import (
    DirOption,
    FrameworkOption,
    FromOption,
    JsonOption,
    ToOption,
    columns,
    err,
    out,
    period,
    progress_bar,
    services,
)
from app.errors import UsageError
from app.evaluation.model import Evaluation, ItemOutcome
from app.gaps.export import Form
from app.rendering.texts import as_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(evaluate)
    app.command()(gaps)


def evaluate(
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    *,
    directory: DirOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Test every item of a period and conclude, control by control."""
    proofroom = services(directory)
    with progress_bar("Evaluating") as update:
        evaluated = proofroom.evaluator.evaluate(framework, period(first, last), progress=update)
    if as_json_:
        out.print(as_json(evaluated.evaluation), markup=False)
    else:
        show_evaluation(evaluated.evaluation)


def show_evaluation(evaluation: Evaluation) -> None:
    """Print the outcome of each test and the status of each tested control."""
    words = [outcome.word for outcome in ItemOutcome]
    tests = columns("test", "outcome", *[word.replace("_", " ") for word in words])
    for test in evaluation.tests:
        tests.add_row(test.test_id, test.outcome, *[f"{test.counts[word]:,}" for word in words])
    controls = columns("control", "status", "tests")
    for control in evaluation.controls:
        if control.test_ids:
            controls.add_row(control.control_id, control.status, " ".join(control.test_ids))
    out.print(tests)
    _show_incomplete(evaluation)
    out.print()
    out.print(controls)
    untested = sum(not control.test_ids for control in evaluation.controls)
    out.print(f"\n{untested} controls of {evaluation.framework_title} are not tested.", markup=False)


def _show_incomplete(evaluation: Evaluation) -> None:
    """Say why a population is not known to be whole, which is what makes a test over no items inconclusive."""
    tests_of: dict[str, list[str]] = {}
    for test in evaluation.tests:
        for reason in test.incomplete:
            tests_of.setdefault(reason, []).append(test.test_id)
    if tests_of:
        out.print("\nPopulations that are not known to be whole:")
    for reason, test_ids in sorted(tests_of.items()):
        out.print(f"  {reason}: {' '.join(test_ids)}", markup=False)


def gaps(
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    *,
    form: Annotated[Form, typer.Option("--format", help="How to write it; a PDF needs --out.")] = "json",
    target: Annotated[
        Path | None, typer.Option("--out", help="File to write; standard output by default.", dir_okay=False)
    ] = None,
    directory: DirOption = None,
) -> None:
    """Report control deviations and evidence gaps, kept apart."""
    proofroom = services(directory)
    if form == "pdf" and target is None:
        raise UsageError("a PDF needs a file", where="--out", hint="Name one: --out gaps.pdf")
    with progress_bar("Evaluating") as update:
        content = proofroom.gap_report(framework, period(first, last), form, progress=update)
    if target is None:
        typer.echo(content.decode())
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    err.print(f"wrote {target}", markup=False)
