# SPDX-License-Identifier: Apache-2.0

"""Options of ``proofroom pack build`` about what is not to be shown, and ``proofroom pack disclose``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DirOption, err, out, services
from app.errors import UsageError
from app.packs.withholding.apply import WithholdingRequest
from app.packs.withholding.disclosures import Disclosure, disclosures_path, select
from app.packs.withholding.fields import check_names

WithholdOption = Annotated[
    list[str] | None,
    typer.Option("--withhold", help="Field whose values the pack must not show, such as event.text. Repeatable."),
]
ReasonOption = Annotated[str, typer.Option("--withhold-reason", help="Why; the pack says it.")]
ByOption = Annotated[
    str, typer.Option("--withhold-by", help="Who decided it; by default the signer. The pack says it.")
]
PartlyOption = Annotated[
    bool,
    typer.Option("--withhold-partly", help="Build it even if such values also stand where they are not withheld."),
]


def request_of(fields: list[str] | None, reason: str, by: str, *, partly: bool) -> WithholdingRequest | None:
    """Return what is to be withheld; None without a field.

    Raises:
        UsageError: a field cannot be withheld, or an option lacks another.
    """
    if not fields:
        if reason or by or partly:
            raise UsageError("these options need a field to withhold", where="--withhold", hint="Such as: event.text")
        return None
    return WithholdingRequest(fields=tuple(fields), reason=reason, by=by, partly=partly)


def tell_withheld(asked: WithholdingRequest | None, pack: Path) -> None:
    """Say where the file is that opens what was withheld."""
    if asked is not None:
        path = disclosures_path(pack)
        err.print(f"withheld: {', '.join(asked.fields)}; what opens the values: {path}", markup=False)
        err.print("keep that file to yourself; hand out parts of it with 'proofroom pack disclose'")


def disclose(
    pack: Annotated[Path, typer.Argument(help="The pack (a ZIP file); what opens its values lies beside it.")],
    *,
    target: Annotated[Path, typer.Option("--out", help="File to write, for the reader of the pack.", dir_okay=False)],
    item: Annotated[list[str] | None, typer.Option(help="Id of an item whose values to open. Repeatable.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="Field to open, such as event.text. Repeatable.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Open every value.")] = False,
    source: Annotated[
        Path | None,
        typer.Option("--disclosures", help="The file that opens the values, if it lies elsewhere.", dir_okay=False),
    ] = None,
    directory: DirOption = None,
) -> None:
    """Write a file that opens some of the values a pack withholds; its reader gives it to ``proofroom verify``."""
    if everything == bool(item or field):
        raise UsageError("say what to open: --item, --field or both; or else --all", where="--item")
    items, fields = set(item or ()), set(check_names(field or (), where="--field"))

    def wanted(one: Disclosure) -> bool:
        return (not items or one.item_id in items) and (not fields or one.field in fields)

    proofroom = services(directory)
    count = select(source or disclosures_path(pack), target, wanted)
    proofroom.auth.record("operator", "pack.disclose", f"{pack.name[:80]}: {count} values")
    err.print(f"opens {count:,} values; check it with: proofroom verify {pack} --disclosed {target}", markup=False)
    out.print(str(target), markup=False)
