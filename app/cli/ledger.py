# SPDX-License-Identifier: Apache-2.0

"""``proofroom ledger checkpoint|prove|consistency|fsck|export-tiles|accept``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DirOption, err, out, services
from app.ledger.cosignature import WitnessKey
from app.records.times import format_instant
from app.rendering.texts import as_json
from app.verification.verifier import read_given


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The append-only ledger of everything received.", no_args_is_help=True)
    group.command()(checkpoint)
    group.command()(prove)
    group.command()(consistency)
    group.command()(fsck)
    group.command("export-tiles")(export_tiles)
    group.command("accept")(accept)
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


def consistency(
    old: Annotated[int, typer.Argument(help="Number of entries of the earlier state.", min=0)],
    directory: DirOption = None,
) -> None:
    """Print the proof that the ledger only grew since it had so many entries (RFC 9162), as JSON."""
    out.print(as_json(services(directory).ledger.consistency(old)), markup=False)


def export_tiles(
    folder: Annotated[Path, typer.Argument(help="Folder for the files; exporting again adds what is new.")],
    directory: DirOption = None,
) -> None:
    """Write the ledger's hashes and leaves (no raw bytes) as static files, in the layout of C2SP tlog-tiles."""
    ledger = services(directory).ledger
    entries, files = ledger.outside.export_tiles(ledger.cosigned_checkpoint(), folder)
    out.print(f"{entries:,} entries, {files:,} files written below {folder}", markup=False)


def accept(
    note: Annotated[Path, typer.Argument(help="A checkpoint that witnesses have cosigned.", exists=True)],
    witness: Annotated[list[str], typer.Option(help="Key of a witness you know (name+id+key). Repeatable.")],
    directory: DirOption = None,
) -> None:
    """Keep the cosignatures of witnesses; packs that rest on this checkpoint carry them."""
    keys = [WitnessKey.parse(text) for text in witness]
    for found in services(directory).ledger.outside.accept_cosignatures(read_given(note), keys):
        out.print(f"{found.witness} at {format_instant(found.at * 1000)}", markup=False)


def fsck(
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint, or a folder of exported tiles, that you kept elsewhere. Repeatable."),
    ] = None,
    directory: DirOption = None,
) -> None:
    """Recompute every hash of the ledger; name each entry that does not hold, or is gone."""
    ledger = services(directory).ledger
    problems = ledger.fsck()
    problems += [problem for place in against or () for problem in ledger.outside.compare(place)]
    for problem in problems:
        err.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)
    out.print(f"ledger holds: {ledger.size():,} entries, root {ledger.root().hex()}")
