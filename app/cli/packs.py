# SPDX-License-Identifier: Apache-2.0

"""``proofroom pack build|list`` and ``proofroom verify``."""

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
from app.records.times import format_instant
from app.rendering.texts import as_json
from app.verification.memory import bounded_memory
from app.verification.report import as_text
from app.verification.verifier import read_trust
from app.verification.verifier import verify as verify_pack


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Build and list evidence packs.", no_args_is_help=True)
    group.command("build")(build)
    group.command("list")(list_packs)
    app.add_typer(group, name="pack")
    app.command()(verify)


def build(
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    target: Annotated[Path, typer.Option("--out", help="Folder to put the pack in.", file_okay=False)],
    directory: DirOption = None,
) -> None:
    """Build a signed evidence pack; the last line printed is its path."""
    proofroom = services(directory)
    with progress_bar("Building the pack") as update:
        path = proofroom.packs.build(framework, period(first, last), target, progress=update)
    signer = proofroom.packs.signer()
    err.print(f"signed by {signer.subject}, certificate SHA-256 {signer.certificate_sha256}", markup=False)
    if signer.is_development:
        certificate = proofroom.settings.keys_dir / "signing.crt"
        err.print(f"check it with: proofroom verify {path} --trust {certificate}", markup=False)
    out.print(str(path), markup=False)


def list_packs(directory: DirOption = None) -> None:
    """List the packs that were built."""
    table = columns("built", "framework", "from", "to", "sha256", "file")
    packs = services(directory).packs.list()
    for pack in packs:
        table.add_row(
            format_instant(pack.built_at),
            pack.framework,
            *pack.period.days,
            pack.sha256[:16],
            pack.file_name,
        )
    out.print(table if packs else "No pack has been built. Build one with 'proofroom pack build'.")


def verify(
    pack: Annotated[Path, typer.Argument(help="The pack (a ZIP file).", dir_okay=False)],
    *,
    trust: Annotated[
        Path | None,
        typer.Option(
            help="Certificate or public key (PEM or DER) of the signer you trust.", exists=True, dir_okay=False
        ),
    ] = None,
    as_json_: JsonOption = False,
) -> None:
    """Check a pack without trusting whoever made it: no network, no data directory, no configuration.

    Leaves with 0 if no step failed, and 1 otherwise.
    """
    anchor = read_trust(trust) if trust else None
    with progress_bar("Verifying"), bounded_memory():
        report = verify_pack(pack, anchor)
    out.print(as_json(report) if as_json_ else as_text(report), markup=False)
    if not report.holds:
        raise typer.Exit(1)
