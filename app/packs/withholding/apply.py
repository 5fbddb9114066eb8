# SPDX-License-Identifier: Apache-2.0

"""Withhold fields from an evaluated period before a pack is made from it.

In:  the evaluated period, what is to be withheld and why, the operator's secret, an empty folder.
Out: the period as the pack shows it, what the pack says about it, and the lines that open every commitment.
Outcomes were judged on the whole rows and stay; everything that is written for the pack is written from the others.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.errors import CheckFailed, UsageError
from app.evaluation.periods import EvaluatedPeriod
from app.packs.model import Withholding
from app.packs.withholding.commitments import pack_key
from app.packs.withholding.conceal import SHORT, conceal, elsewhere
from app.packs.withholding.disclosures import MODE, Disclosure, write_line
from app.packs.withholding.fields import check_names
from app.packs.withholding.reads import metrics_reading, strata_reading, tests_reading
from app.trails.segments import segment_digests

_LONGEST = 300
_MOST_PLACES = 12


class WithholdingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be withheld from a pack.

    Attributes:
        fields: names of fields. reason: why. by: who decided it; the signer if empty.
        partly: build the pack even if some of these values also stand where they are not withheld.

    Raises:
        UsageError: a field cannot be withheld, there is no reason, or a text is not one printable line.
    """

    fields: tuple[str, ...]
    reason: str
    by: str = ""
    partly: bool = False

    def __post_init__(self) -> None:
        check_names(self.fields)
        if not self.fields or not self.reason.strip():
            raise UsageError(
                "to withhold something takes a field and a reason",
                where="--withhold-reason",
                hint="The pack tells its readers both",
            )
        for text in (self.reason, self.by):
            if len(text) > _LONGEST or not text.isprintable():
                raise UsageError(f"a reason or a name is one line of up to {_LONGEST} characters", where="--withhold")


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluated period without the values, what is said about that, and the file of lines that open them.

    ``remaining`` says where some of the values still stand: population and path, and in how many cells.
    """

    evaluated: EvaluatedPeriod
    stated: Withholding
    lines: Path
    remaining: Mapping[str, int]


def withhold(evaluated: EvaluatedPeriod, request: WithholdingRequest, by: str, secret: bytes, folder: Path) -> Withheld:
    """Write populations without the values of some fields.

    Args:
        evaluated: the period with all values.
        request: what is to be withheld, and why.
        by: who decided it, if the request does not say.
        secret: what salts come from.
        folder: an existing folder, readable by its owner only, that must live until the pack is written.

    Raises:
        UsageError: samples are stratified by one of the fields.
        CheckFailed: some of the values also stand elsewhere, and the request does not allow that.
    """
    fields, evaluation, controls = check_names(request.fields), evaluated.evaluation, evaluated.controls
    if strata := strata_reading(controls, fields):
        raise UsageError(
            f"the samples of {', '.join(strata)} are stratified by a field that is to be withheld",
            where="--withhold",
            hint="Withhold another field, or change the sampling plan",
        )
    period = evaluation.period
    about = (evaluation.framework, period.start, period.end, evaluation.as_of, evaluation.ledger_size)
    values: set[str] = set()
    lines = folder / "disclosures.jsonl"
    with os.fdopen(os.open(lines, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:

        def tell(opened: Disclosure) -> None:
            write_line(opened, file)
            if opened.value is not None and len(opened.value) >= SHORT:
                values.add(opened.value)

        parts = conceal(evaluated.segments, folder / "populations", fields, pack_key(secret, about), tell)
    remaining = elsewhere(folder / "populations", sorted(values))
    if remaining and not request.partly:
        raise _still_there(remaining)
    shown = msgspec.structs.replace(evaluation, segments=segment_digests(folder / "populations"))
    return Withheld(
        evaluated=msgspec.structs.replace(evaluated, evaluation=shown, segments=folder / "populations"),
        stated=Withholding(
            fields=fields,
            reason=request.reason,
            by=request.by or by,
            parts=parts,
            tests=tests_reading(controls, evaluation, fields),
            metrics=metrics_reading(controls, fields),
        ),
        lines=lines,
        remaining=remaining,
    )


def _still_there(remaining: Mapping[str, int]) -> CheckFailed:
    places = [f"{place} ({count})" for place, count in sorted(remaining.items())]
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    return CheckFailed(
        f"values that are to be withheld also stand in: {', '.join(places[:_MOST_PLACES])}{more}",
        where="--withhold",
        hint="Withhold these fields as well; ids cannot be. --withhold-partly builds the pack all the same",
    )
