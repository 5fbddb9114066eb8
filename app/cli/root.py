# SPDX-License-Identifier: Apache-2.0

"""The command tree. Each module of this folder adds its own commands; this file only names the modules."""

from typing import Annotated

import typer

from app import __version__
from app.cli import (
    collecting,
    controls,
    demo,
    keys,
    ledger,
    metrics,
    packs,
    results,
    serving,
    tokens,
    verifying,
    watching,
)

app = typer.Typer(
    help="Turn privileged-access records into signed evidence packs that anybody can check, trusting nobody.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(value: bool) -> None:  # noqa: FBT001 -- the shape that typer calls
    if value:
        typer.echo(f"proofroom {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Collect, link, test, pack, verify."""


for module in (demo, serving, collecting, controls, results, watching, metrics, packs, verifying, ledger, keys, tokens):
    module.register(app)
