# SPDX-License-Identifier: Apache-2.0

"""``proofroom verify``: the one command that needs no data directory and no configuration."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import JsonOption, out, progress_bar
from app.errors import UsageError
from app.records.times import parse_instant
from app.rendering.texts import as_json
from app.verification.anchors import fingerprint_anchor
from app.verification.memory import bounded_memory
from app.verification.outcome import Failed
from app.verification.reader import Reader
from app.verification.report import as_text
from app.verification.verifier import MAX_DISCLOSED, read_given, read_trust
from app.verification.verifier import verify as verify_pack


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    pack: Annotated[Path, typer.Argument(help="The pack (a ZIP file).", dir_okay=False)],
    *,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            help="Certificate or public key of the signer you trust, or of an authority above. Repeatable.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    fingerprint: Annotated[
        list[str] | None,
        typer.Option(help="SHA-256 of the signer's certificate, or of its public key (DER), in hex. Repeatable."),
    ] = None,
    trust_time: Annotated[
        list[Path] | None,
        typer.Option(
            help="Certificate of a time-stamp authority you trust, or of one above. Repeatable.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    crl: Annotated[
        list[Path] | None,
        typer.Option(help="Certificate revocation list (PEM or DER). Repeatable.", exists=True, dir_okay=False),
    ] = None,
    renewals: Annotated[
        list[Path] | None,
        typer.Option(
            "--renewal", help="A renewal of the pack's time stamps. Repeatable, in order.", exists=True, dir_okay=False
        ),
    ] = None,
    sign_offs: Annotated[
        list[Path] | None,
        typer.Option("--sign-off", help="A sign-off of this pack. Repeatable.", exists=True, dir_okay=False),
    ] = None,
    disclosed: Annotated[
        list[Path] | None,
        typer.Option(help="Values that the pack withholds and its signer showed you.", exists=True, dir_okay=False),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(help="Key (name+id+key) of a witness who must have cosigned the checkpoint. Repeatable."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Judge as of this instant (RFC 3339) what has expired, instead of as of now.")
    ] = None,
    as_json_: JsonOption = False,
) -> None:
    """Check a pack without trusting whoever made it: no network, no data directory, no configuration.

    Leaves with 0 if no step failed, and 1 otherwise.
    """
    reader = Reader(
        trust_time=tuple(map(read_trust, trust_time or ())),
        crls=tuple(map(read_given, crl or ())),
        renewals=tuple(map(read_given, renewals or ())),
        sign_offs=tuple((path.name, read_given(path)) for path in sign_offs or ()),
        disclosed=tuple((path.name, read_given(path, MAX_DISCLOSED)) for path in disclosed or ()),
        witnesses=tuple(witness or ()),
        now=None if at is None else parse_instant(at),
    )
    anchors = [*map(read_trust, trust or ()), *map(_pinned, fingerprint or ())] or None
    with progress_bar("Verifying"), bounded_memory():
        report = verify_pack(pack, anchors, reader=reader)
    out.print(as_json(report) if as_json_ else as_text(report), markup=False)
    if not report.holds:
        raise typer.Exit(1)


def _pinned(text: str) -> bytes:
    try:
        return fingerprint_anchor(text)
    except Failed as error:
        raise UsageError(error.problems[0], where="--fingerprint") from error
