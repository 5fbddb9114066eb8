# SPDX-License-Identifier: Apache-2.0

"""``proofroom import``, ``connectors list``, ``rebuild``: records in, and the derived tables anew."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DirOption, JsonOption, columns, err, out, period, progress_bar, services
from app.collection.model import CollectionRun
from app.connectors.base import Window
from app.connectors.registry import FILE_CONNECTORS
from app.errors import UsageError
from app.records.times import format_instant
from app.rendering.texts import as_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import")(import_files)
    app.command()(rebuild)
    group = typer.Typer(help="The connectors that can read a source.", no_args_is_help=True)
    group.command("list")(list_connectors)
    app.add_typer(group, name="connectors")


def import_files(
    files: Annotated[list[Path], typer.Argument(help="Exported files of one source.", metavar="FILE...")],
    connector: Annotated[str, typer.Option("--as", help=f"Format: {', '.join(FILE_CONNECTORS)}.")],
    *,
    source: Annotated[str | None, typer.Option(help="Name of the source; the connector's name by default.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day that the export covers, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day that the export covers, included.")] = None,
    directory: DirOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Import exported records: keep them byte for byte in the ledger, and say what they state.

    Importing the same file again changes nothing. Records that cannot be used are counted and shown; the rest is kept.
    Say with --from and --to what time the export covers: without them only the span of its records counts as covered.
    It evaluates nothing: 'proofroom watch' does, and a running 'proofroom serve' by itself, for what is watched.
    """
    if (first is None) != (last is None):
        raise UsageError("--from and --to go together", hint="Give both, or neither")
    covered = None
    if first is not None and last is not None:
        days = period(first, last)
        covered = Window(start=days.start, end=days.end)
    with progress_bar(f"Importing {source or connector}") as update:
        proofroom = services(directory, make=True)
        run = proofroom.import_files(connector, files, source or connector, covered, update)
    if as_json_:
        out.print(as_json(run), markup=False)
    else:
        show_run(run)
    if proofroom.settings.watched and run.accepted:
        err.print("next: 'proofroom watch' shows what moved; a running 'proofroom serve' looks by itself", markup=False)
    if run.problem:
        raise typer.Exit(1)


def show_run(run: CollectionRun) -> None:
    """Print the completeness box of a run."""
    out.print(
        f"{run.source}: {run.received:,} received = {run.accepted:,} accepted + {run.duplicates:,} duplicates"
        f" + {run.rejected:,} rejected",
        markup=False,
    )
    if run.produced:
        out.print("  states   " + _counts(run.produced), markup=False)
    if run.unused:
        out.print("  unused   " + _counts(run.unused), markup=False)
    for reason, count in sorted(run.reject_reasons.items()):
        out.print(f"  rejected {count:,} x {reason}", markup=False)
    for reject in run.rejects[:10]:
        err.print(f"  {reject.locator}: {reject.reason}", markup=False)
    for gap in run.gaps[:10]:
        err.print(f"  missing in the source: {gap.what} {gap.first_missing}-{gap.last_missing}", markup=False)
    if run.covered.start is not None and run.covered.end is not None:
        span = f"{format_instant(run.covered.start)} to {format_instant(run.covered.end)}"
        out.print(f"  covers   {span} ({run.covered_basis})", markup=False)
    if run.problem:
        err.print(f"  stopped early: {run.problem}", markup=False)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def rebuild(directory: DirOption = None) -> None:
    """Derive all tables anew from the ledger; the answers stay the same, because only raw is evidence."""
    proofroom = services(directory)
    with progress_bar("Rebuilding from the ledger"):
        count = proofroom.collection.rebuild()
    out.print(f"rebuilt {count:,} observations from {proofroom.ledger.size():,} ledger entries")


def list_connectors() -> None:
    """List the formats that can be imported."""
    table = columns("name", "reads", "can state")
    for name, factory in FILE_CONNECTORS.items():
        table.add_row(name, factory.title, ", ".join(sorted(factory.record_types)))
    out.print(table)
