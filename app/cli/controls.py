# SPDX-License-Identifier: Apache-2.0

"""``proofroom controls list|check|test``: for the people who write the tests."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import columns, err, out
from app.controls.loader import Controls, load
from app.errors import ControlsInvalid
from app.evaluation.examples import run_examples
from app.resources import shipped

FolderOption = Annotated[
    Path | None,
    typer.Option("--controls", help="Folder of controls; the shipped one by default.", file_okay=False, exists=True),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The control tests, catalogues and mappings.", no_args_is_help=True)
    group.command("list")(list_tests)
    group.command()(check)
    group.command("test")(run_tests)
    app.add_typer(group, name="controls")


def _load(folder: Path | None) -> Controls:
    return load(folder or shipped("controls"))


def list_tests(folder: FolderOption = None) -> None:
    """List the tests and the controls that each bears on."""
    controls = _load(folder)
    table = columns("test", "severity", "population", "title", "bears on")
    for test in controls.tests.values():
        bears_on = [
            entry.control
            for mapping in controls.mappings.values()
            for entry in mapping.entries
            if entry.test == test.id
        ]
        table.add_row(test.id, test.severity, test.population, test.title, " ".join(dict.fromkeys(bears_on)))
    out.print(table)


def check(folder: FolderOption = None) -> None:
    """Check every file: shape, ids, types, missing values. All problems are named, with file, line and column."""
    try:
        controls = _load(folder)
    except ControlsInvalid as error:
        for problem in error.problems:
            err.print(problem, markup=False)
        err.print(f"{len(error.problems)} problem(s)")
        raise typer.Exit(1) from None
    entries = sum(len(mapping.entries) for mapping in controls.mappings.values())
    requirements = sum(len(catalog.controls) for catalog in controls.catalogs.values())
    out.print(
        f"{len(controls.catalogs)} catalogues with {requirements} controls, {len(controls.tests)} tests,"
        f" {entries} mappings: no problems"
    )


def run_tests(folder: FolderOption = None) -> None:
    """Run every test's examples on both engines; they must agree with the examples and with each other."""
    controls = _load(folder)
    failures = run_examples(controls)
    for failure in failures:
        err.print(str(failure), markup=False)
    count = sum(len(one.examples) for one in controls.tests.values())
    if failures:
        err.print(f"{len(failures)} of {count} examples do not hold")
        raise typer.Exit(1)
    out.print(f"{count} examples of {len(controls.tests)} tests hold on both engines")
