# SPDX-License-Identifier: Apache-2.0

"""``proofroom watch``: evaluate what is watched once more, and show what moved."""

import typer

from app.cli.options import DirOption, JsonOption, columns, out, progress_bar, services
from app.rendering.texts import as_json
from app.watching.model import Counts, Look


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(watch)


def watch(
    directory: DirOption = None,
    as_json_: JsonOption = False,  # noqa: FBT002 -- an option of the command
) -> None:
    """Evaluate what the setting 'watched' names over the records at hand, and show what moved since the look before.

    What moved is also kept: GET /api/v1/changes and the page list it. A running 'proofroom serve' does the same by
    itself whenever records came in. The first look at a period is a baseline. The status is 0 whatever moved.
    """
    proofroom = services(directory)
    with progress_bar("Watching") as update:
        looks = proofroom.watching.look(update)
    if as_json_:
        out.print(as_json(looks), markup=False)
        return
    for look in looks:
        _show(look)


def _show(look: Look) -> None:
    days = " to ".join(look.period.days)
    head = f"{look.framework}, {days}, ledger of {look.ledger_size:,} entries"
    if look.is_baseline:
        out.print(f"{head}: baseline, {_sentence(look.totals)}", markup=False)
        return
    out.print(f"{head}: {_moved(look)}, {_sentence(look.totals)}", markup=False)
    if look.controls_changed:
        out.print("  the control definitions changed too, so what moved may be their doing")
    if look.moves:
        table = columns("", "moved", "old", "new", "deviations", "waived", "evidence gaps")
        for move in look.moves:
            table.add_row(move.kind, move.subject, _word(move.old), _word(move.new), *_pairs(move.before, move.after))
        out.print(table)


def _moved(look: Look) -> str:
    return f"{len(look.moves)} moved" if look.moves else "nothing moved"


def _sentence(totals: Counts) -> str:
    return f"{totals.deviations:,} deviations, {totals.waived:,} waived, {totals.evidence_gaps:,} evidence gaps"


def _word(word: str | None) -> str:
    return "-" if word is None else word.replace("_", " ")


def _pairs(before: Counts | None, after: Counts | None) -> list[str]:
    old, new = before or Counts(), after or Counts()
    names = ("deviations", "waived", "evidence_gaps")
    return [_pair(getattr(old, name), getattr(new, name)) for name in names]


def _pair(old: int, new: int) -> str:
    return f"{new:,}" if old == new else f"{old:,} -> {new:,}"
