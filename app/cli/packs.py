# SPDX-License-Identifier: Apache-2.0

"""``proofroom pack build|list|sign-off|renew|disclose``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import (
    DirOption,
    FrameworkOption,
    FromOption,
    ToOption,
    columns,
    err,
    out,
    period,
    progress_bar,
    services,
)
from app.cli.withholding import (
    ByOption,
    PartlyOption,
    ReasonOption,
    WithholdOption,
    disclose,
    request_of,
    tell_withheld,
)
from app.errors import VerificationFailed
from app.packs.answers import Answers
from app.packs.model import Engagement
from app.packs.renewal import kept_renewals, renewal_digests, renewal_path
from app.packs.sign_off import make_sign_off
from app.packs.times import TimeRecord
from app.records.times import format_instant
from app.signing.sources import file_identity, read_passphrase
from app.verification.verifier import verify as verify_pack


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Build and list evidence packs.", no_args_is_help=True)
    group.command("build")(build)
    group.command("list")(list_packs)
    group.command("sign-off")(sign_off)
    group.command("renew")(renew)
    group.command("disclose")(disclose)
    app.add_typer(group, name="pack")


def build(
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    target: Annotated[Path, typer.Option("--out", help="Folder to put the pack in.", file_okay=False)],
    *,
    engagement: Annotated[
        str, typer.Option(help="The auditor's name for the work; part of the seed of every sample.")
    ] = "",
    also: Annotated[
        list[str] | None, typer.Option(help="Id of an item to show whole beside the samples; may be repeated.")
    ] = None,
    withhold: WithholdOption = None,
    withhold_reason: ReasonOption = "",
    withhold_by: ByOption = "",
    withhold_partly: PartlyOption = False,
    directory: DirOption = None,
) -> None:
    """Build a signed evidence pack; the last line printed is its path."""
    asked = Engagement(name=engagement, also=tuple(also or ()))
    hidden = request_of(withhold, withhold_reason, withhold_by, partly=withhold_partly)
    proofroom = services(directory)
    times: list[TimeRecord] = []
    with progress_bar("Building the pack") as update:
        path = proofroom.packs.build(framework, period(first, last), target, update, times.append, asked, hidden)
    signer = proofroom.packs.signer()
    err.print(f"signed by {signer.subject}, certificate SHA-256 {signer.certificate_sha256}", markup=False)
    if signer.is_development:
        certificate = proofroom.settings.keys_dir / "signing.crt"
        err.print(f"check it with: proofroom verify {path} --trust {certificate}", markup=False)
    _tell_times([str(record) for record in times])
    tell_withheld(hidden, path)
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


def sign_off(
    pack: Annotated[Path, typer.Argument(help="The pack (a ZIP file).", exists=True, dir_okay=False)],
    *,
    role: Annotated[str, typer.Option(help="As what: reviewer, approver, ...")],
    comment: Annotated[str, typer.Option(help="What you have to say about it.")] = "",
    name: Annotated[str | None, typer.Option(help="Who you are; by default the certificate's subject.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Your key (PKCS#8 or PKCS#12), instead of the data directory's.", exists=True),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Your certificate (PEM or DER).", exists=True)] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="File whose first line opens the key.", exists=True, dir_okay=False)
    ] = None,
    target: Annotated[Path | None, typer.Option("--out", help="File to write.", dir_okay=False)] = None,
    directory: DirOption = None,
) -> None:
    """Sign a pack off as somebody else than who prepared it; writes a file beside it. The pack must verify."""
    proofroom = services(directory)
    if key is None:
        identity = proofroom.keys.identity()
    else:
        identity = file_identity(key, certificate, read_passphrase(passphrase_file) if passphrase_file else None)
    with progress_bar("Verifying"):
        report = verify_pack(pack)
    if not report.holds:
        raise VerificationFailed("this pack does not verify, so it cannot be signed off", where=str(pack))
    signed_at = proofroom.clock.now()
    asked = Answers(proofroom.time.authorities, is_required=proofroom.time.is_required)
    data = make_sign_off(
        pack, identity, role=role, name=name, comment=comment, signed_at=signed_at, stamp=asked.responses
    )
    _tell_times(asked.lines)
    path = target or pack.with_name(f"{pack.name}.{role}.{identity.certificate_sha256[:8]}.sign-off.json")
    path.write_bytes(data)
    proofroom.auth.record(identity.subject, "pack.sign-off", f"{report.pack_sha256[:16]} as {role}")
    err.print(f"signed off as {role} by {identity.subject}", markup=False)
    out.print(str(path), markup=False)


def renew(
    pack: Annotated[Path, typer.Argument(help="The pack (a ZIP file).", exists=True, dir_okay=False)],
    directory: DirOption = None,
) -> None:
    """Have an authority confirm a pack again, before the certificate of the last one runs out; writes a file.

    Earlier renewals are taken from beside the pack, and must stay there. The pack must verify.
    """
    proofroom = services(directory)
    with progress_bar("Verifying"):
        report = verify_pack(pack)
    if not report.holds:
        raise VerificationFailed("this pack does not verify, so its time stamps cannot be renewed", where=str(pack))
    earlier = kept_renewals(pack)
    asked = Answers(proofroom.time.authorities, is_required=proofroom.time.is_required)
    token = asked.first(renewal_digests(pack, [path.read_bytes() for path in earlier])[-1])
    path = renewal_path(pack, len(earlier) + 1)
    path.write_bytes(token.response)
    proofroom.auth.record("operator", "pack.renew", report.pack_sha256[:16])
    _tell_times(asked.lines)
    out.print(str(path), markup=False)


def _tell_times(lines: Sequence[str]) -> None:
    for line in lines:
        err.print(f"time: {line}", markup=False)
    if not lines:
        err.print("time: no authority was asked (timestamp_urls); the time of signing is the signer's own claim")
