# SPDX-License-Identifier: Apache-2.0

"""A small pack that withholds what people typed, their names and addresses, all of which hold one word of our own."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.evaluation.periods import EvaluatedPeriod
from app.packs.assemble import Draft, Ingredients, Render, draft_pack
from app.packs.report import Folders
from app.packs.withholding.apply import Withheld, WithholdingRequest, withhold
from app.packs.withholding.disclosures import write_file
from app.records.model import AccessRecord, Identity, Session, SessionEvent
from app.signing.keys import SigningIdentity
from tests.packs.small import ingredients, plain_render, records

replace = msgspec.structs.replace
PLANTED = "Zq7Planted"
FIELDS = ("event.text", "identity.display", "session.client_address")
REQUEST = WithholdingRequest(fields=FIELDS, reason="GDPR Art. 5(1)(c)", by="the data protection officer")
SECRET = bytes(range(32))


def planted_records() -> list[AccessRecord]:
    """Return the small records, with a word of our own in everything that is withheld; one event has no text."""
    return [_planted(record, number) for number, record in enumerate(records())]


def _planted(record: AccessRecord, number: int) -> AccessRecord:
    match record:
        case Identity():
            return replace(record, display=f"{PLANTED} Näme {number}")
        case Session():
            return replace(record, client_address=f"{PLANTED}.{number}.example")
        case SessionEvent(id="e2"):
            return replace(record, text=None)
        case SessionEvent():
            return replace(record, text=f"rm -rf /{PLANTED}/{number}")
        case _:
            return record


def evaluated_of(parts: Ingredients) -> EvaluatedPeriod:
    """Return the evaluated period of some ingredients."""
    framework = parts.evaluation.framework
    return EvaluatedPeriod(
        evaluation=parts.evaluation,
        metrics=(),
        catalog=parts.controls.resolve_framework(framework),
        mapping=parts.controls.mappings[framework],
        controls=parts.controls,
        segments=parts.folders.populations,
        results=parts.folders.results,
    )


def withheld_parts(
    folder: Path,
    identity: SigningIdentity,
    request: WithholdingRequest = REQUEST,
    stated: Sequence[AccessRecord] | None = None,
) -> tuple[Ingredients, Withheld]:
    """Return what the pack is made from, and what was withheld."""
    for name in ("work", "withheld"):
        (folder / name).mkdir(parents=True)
    parts = ingredients(folder, identity, stated=planted_records() if stated is None else stated)
    found = withhold(evaluated_of(parts), request, identity.subject, SECRET, folder / "withheld")
    shown = replace(
        parts,
        facts=replace(parts.facts, withheld=found.stated),
        evaluation=found.evaluated.evaluation,
        folders=Folders(populations=found.evaluated.segments, results=parts.folders.results),
    )
    return shown, found


def withheld_draft(
    folder: Path,
    identity: SigningIdentity,
    request: WithholdingRequest = REQUEST,
    stated: Sequence[AccessRecord] | None = None,
    render: Render = plain_render,
) -> tuple[Draft, Withheld, Path]:
    """Return the pack before it is signed, what was withheld, and the file that opens it."""
    shown, found = withheld_parts(folder, identity, request, stated)
    draft = draft_pack(shown, render, folder / "work")
    return draft, found, disclosures(found, draft, folder)


def disclosures(found: Withheld, draft: Draft, folder: Path) -> Path:
    """Write the file that opens what a draft withholds."""
    opened = folder / "disclosures.jsonl"
    with found.lines.open("rb") as lines:
        write_file(opened, draft.digests["content-manifest.json"], lines)
    return opened
