# SPDX-License-Identifier: Apache-2.0

"""``proofroom ledger checkpoint|prove|fsck``."""

from typing import Annotated

import typer

from app.cli.options import DirOption, err, out, services
from app.rendering.texts import as_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The append-only ledger of everything received.", no_args_is_help=True)
    group.command()(checkpoint)
    group.command()(prove)
    group.command()(fsck)
    app.add_typer(group, name="ledger")


def checkpoint(directory: DirOption = None) -> None:
    """Print the signed checkpoint for the ledger's present size; give it to somebody who keeps it."""
    typer.echo(services(directory).ledger.checkpoint().decode(), nl=False)


def prove(
    index: Annotated[int, typer.Argument(help="Index of the ledger entry.", min=0)], directory: DirOption = None
) -> None:
    """Print the proof that an entry is in the ledger (RFC 9162 inclusion proof), as JSON."""
    ledger = services(directory).ledger
    out.print(as_json(ledger.inclusion(index)), markup=False)


def fsck(directory: DirOption = None) -> None:
    """Recompute every hash of the ledger; name each entry that does not hold."""
    ledger = services(directory).ledger
    problems = ledger.fsck()
    for problem in problems:
        err.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)
    out.print(f"ledger holds: {ledger.size():,} entries, root {ledger.root().hex()}")
