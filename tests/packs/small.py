# SPDX-License-Identifier: Apache-2.0

"""A small pack, real in every part: a handful of observations through the ledger's tree, trails, tests and signatures.

Only storage is left out: the ledger is a list in memory.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pikepdf

from app.clock import FixedClock
from app.collection.model import CollectionRun
from app.connectors.base import Window
from app.controls.loader import Controls, load
from app.evaluation.model import Period
from app.evaluation.service import evaluate
from app.ledger.entry import RUN_KIND, LedgerEntry, entry_hash, leaf_bytes
from app.ledger.merkle import consistency_proof, root, subset_proof
from app.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from app.packs import layout
from app.packs.assemble import Draft, Ingredients, LedgerPart, Render, draft_pack, seal_content, sign_pack, write_pack
from app.packs.container import MemoryContent
from app.packs.evidence import Consistency, ProvenRun, SubsetProof
from app.packs.model import ReportData, SignerInfo
from app.packs.pdf import render_report
from app.packs.references import ledger_indices
from app.packs.report import Facts, Folders, software_versions
from app.packs.times import Authority, TimeDesk
from app.records.folding import fold
from app.records.model import (
    AccessRecord,
    Account,
    Approval,
    Grant,
    Identity,
    Observation,
    Recording,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Workflow,
    record_type,
)
from app.resources import shipped
from app.signing.canonical import canonical_json
from app.signing.certificates import fingerprint_of
from app.signing.checkpoint_key import CheckpointKey
from app.signing.keys import SigningIdentity, load_or_create_identity
from app.trails.linking import build_populations
from app.trails.segments import freeze

START, END = 1_782_864_000_000, 1_790_812_800_000
"""2026-07-01 until before 2026-10-01."""
AS_OF = END + 3_600_000
HOUR = 3_600_000
SIGNED_AT = END + 24 * HOUR
SOURCE = "broker"
PREVIOUS_SIZE = 3
SHORTER_GRANTS = """\
kind: Overlay
id: mine
title: Shorter grants
changes:
  - test: GRT-01
    parameters: {max_duration: 1h}
    where: workflow != null && workflow.id == "wf"
    from: 2026-07-02
    reason: Policy 7
    approved_by: bo
"""
"""An overlay under which two of the three grants of the small pack deviate from GRT-01."""


def identity_in(folder: Path) -> SigningIdentity:
    """Return the identity that signs the small pack."""
    return load_or_create_identity(folder, FixedClock(SIGNED_AT))


def records() -> list[AccessRecord]:
    """Return what the one source says: three accesses, of which one was never approved."""
    found: list[AccessRecord] = [
        Identity(id="ana", kind="human", display="Ana", person_id="p-ana", status="active", privileged=True),
        Identity(id="bo", kind="human", display="Bo =cmd()", person_id="p-bo", status="active"),
        Target(id="db", name="db", env="prod", brokered=True, workflow_id="wf"),
        Account(id="dba", name="dba", target="db", subject="ana", privileged=True, enabled=True),
        Workflow(id="wf", name="Database care", active=True, business_owner="bo", recording_required=True),
        Ticket(id="CHG-1", kind="change", status="closed", opened_at=START, closed_at=START + 90 * HOUR),
    ]
    for number in range(3):
        at = START + number * 40 * HOUR + HOUR
        found += [
            Grant(
                id=f"g{number}",
                subject="ana",
                requester="ana",
                role="dba",
                targets=("db",),
                basis="jit",
                privileged=True,
                requested_at=at - HOUR // 2,
                starts_at=at,
                expires_at=at + 2 * HOUR,
                ticket_keys=("CHG-1",),
                workflow_id="wf",
                state="ended",
            ),
            Session(
                id=f"s{number}",
                subject="ana",
                subject_kind="human",
                run_as="dba",
                target="db",
                role="dba",
                privileged=True,
                started_at=at + 60_000,
                ended_at=at + HOUR,
                status="closed",
                mfa=True,
                mfa_at=at,
                grant_ids=(f"g{number}",),
            ),
            SessionEvent(id=f"e{number}", session_id=f"s{number}", at=at + 90_000, kind="query", text="=SELECT 1"),
            Recording(id=f"r{number}", session_id=f"s{number}", state="verified", kind="pty", coverage=1.0),
        ]
        if number:
            found.append(
                Approval(
                    id=f"a{number}",
                    grant_id=f"g{number}",
                    decision="approved",
                    mode="human",
                    requested_at=at - HOUR // 2,
                    decided_at=at - HOUR // 4,
                    approver="bo",
                )
            )
    return found


def run_of(found: Sequence[AccessRecord]) -> CollectionRun:
    """Return the completeness box of collecting these records."""
    produced: dict[str, int] = {}
    for record in found:
        produced[record_type(record)] = produced.get(record_type(record), 0) + 1
    return CollectionRun(
        id="records-1",
        source=SOURCE,
        connector="records",
        query="all",
        started_at=END,
        finished_at=AS_OF,
        asked=Window(),
        covered=Window(start=START - 24 * HOUR, end=END + HOUR),
        covered_basis="declared",
        source_count=len(found),
        received=len(found),
        accepted=len(found),
        produced=dict(sorted(produced.items())),
        ledger_first=0,
        ledger_last=len(found) - 1,
    )


def entries_of(found: Sequence[AccessRecord], run: CollectionRun) -> tuple[list[LedgerEntry], bytes]:
    """Return the ledger's entries, the box's among them as the last, and the box's raw bytes."""
    raws = [(str(record_type(record)), record.id, msgspec.json.encode(record)) for record in found]
    box = canonical_json(msgspec.to_builtins(run))
    raws.append((RUN_KIND, run.id, box))
    entries = [
        LedgerEntry(
            index=index,
            source=SOURCE,
            kind=kind,
            key=key,
            occurred_at=None,
            occurred_at_text=None,
            collected_at=AS_OF,
            run_id=run.id,
            raw_sha256=hashlib.sha256(raw).hexdigest(),
            raw_length=len(raw),
        )
        for index, (kind, key, raw) in enumerate(raws)
    ]
    return entries, box


def ingredients(
    folder: Path,
    identity: SigningIdentity,
    controls: Controls | None = None,
    stated: Sequence[AccessRecord] | None = None,
) -> Ingredients:
    """Return what the small pack is made from; frozen populations and results go below ``folder``."""
    chosen = controls or load(shipped("controls"))
    found = records() if stated is None else list(stated)
    run = run_of(found)
    entries, box = entries_of(found, run)
    observations = [
        Observation(source=SOURCE, ledger_index=index, observed_at=AS_OF, record=record)
        for index, record in enumerate(found)
    ]
    period = Period(start=START, end=END)
    folders = Folders(populations=folder / "populations", results=folder / "results")
    freeze(build_populations(fold(observations), [run], period, AS_OF), folders.populations)
    evaluation = evaluate(
        controls=chosen,
        catalog=chosen.resolve_framework("soc2"),
        period=period,
        as_of=AS_OF,
        ledger_size=len(entries),
        segments=folders.populations,
        results=folders.results,
    )
    ledger = ledger_part(entries, box, ledger_indices(folders.populations))
    facts = Facts(
        organisation="Example organisation",
        collections=(run,),
        signer=SignerInfo(
            subject=identity.subject,
            certificate_sha256=identity.certificate_sha256,
            is_development=identity.is_development,
            chain_sha256=tuple(fingerprint_of(issuer) for issuer in identity.chain),
        ),
        checkpoint=ledger.checkpoint.decode(),
        previous_size=PREVIOUS_SIZE,
        software=software_versions(),
    )
    return Ingredients(facts=facts, evaluation=evaluation, controls=chosen, folders=folders, ledger=ledger)


def ledger_part(entries: list[LedgerEntry], box: bytes, referred: list[int]) -> LedgerPart:
    """Return the ledger's part, over the tree of these entries, grown from its first three."""
    signer = CheckpointKey.from_seed(bytes(range(32)))
    key = VerifierKey(f"proofroom/{signer.ledger_id}", signer.public_bytes)
    hashes = [entry_hash(entry) for entry in entries]
    notes = [
        sign_checkpoint(Checkpoint(key.name, size, root(hashes[:size])), key, signer.sign)
        for size in (PREVIOUS_SIZE, len(entries))
    ]
    indices = sorted({*referred, len(entries) - 1})
    return LedgerPart(
        checkpoint=notes[1],
        key=key,
        entries=[(index, leaf_bytes(entries[index])) for index in indices],
        subset=SubsetProof(size=len(entries), hashes=tuple(part.hex() for part in subset_proof(hashes, indices))),
        consistency=Consistency(
            previous=notes[0].decode(),
            proof=tuple(part.hex() for part in consistency_proof(hashes, PREVIOUS_SIZE)),
        ),
        runs=[ProvenRun(index=len(entries) - 1, raw=box)],
    )


def plain_render(report: ReportData, content_manifest: bytes) -> bytes:
    """Return a PDF that only does what a report must: print the digest, carry the list. A hundred times faster."""
    document = pikepdf.new()
    page = document.add_blank_page()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Courier)
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    text = f"BT /F1 9 Tf 40 700 Td ({hashlib.sha256(content_manifest).hexdigest()}) Tj ET"
    page.obj.Contents = document.make_stream(text.encode())
    files = {layout.CONTENT_MANIFEST: content_manifest}
    files[layout.REPORT_JSON] = canonical_json(msgspec.to_builtins(report))
    for name, data in files.items():
        document.attachments[name] = pikepdf.AttachedFileSpec(document, data, filename=name)
    output = io.BytesIO()
    document.save(output, deterministic_id=True)
    return output.getvalue()


def small_draft(folder: Path, identity: SigningIdentity, render: Render = render_report) -> Draft:
    """Return the small pack before it is signed; its files live below ``folder``."""
    (folder / "work").mkdir(parents=True)
    return draft_pack(ingredients(folder, identity), render, folder / "work")


def timed_draft(
    folder: Path,
    identity: SigningIdentity,
    authorities: Sequence[Authority],
    now: int,
    render: Render = plain_render,
) -> tuple[Draft, TimeDesk]:
    """Return the small pack before it is signed, its checkpoint confirmed, and the desk that knows the authorities."""
    (folder / "work").mkdir(parents=True)
    parts = ingredients(folder, identity)
    desk = TimeDesk(authorities, hashlib.sha256(parts.ledger.checkpoint).hexdigest(), now)
    stamps = [token.response for token in desk.checkpoint()]
    timed = msgspec.structs.replace(
        parts,
        facts=msgspec.structs.replace(parts.facts, times=desk.records()),
        ledger=msgspec.structs.replace(parts.ledger, stamps=stamps),
    )
    return draft_pack(timed, render, folder / "work"), desk


def small_pack(folder: Path, identity: SigningIdentity) -> Path:
    """Build the small pack and return its path."""
    draft = small_draft(folder, identity)
    write_pack(sign_pack(draft, identity, SIGNED_AT), folder / "pack.zip")
    return folder / "pack.zip"


def forge(draft: Draft, changes: Mapping[str, bytes | None], *, report: ReportData | None = None) -> Draft:
    """Return a draft with some content changed or left out and everything that follows from digests made to fit.

    This is what somebody can do who has the signing key, or who signs with a key of their own.
    """
    members = {name: content for name, content in draft.members.items() if name not in layout.OUTSIDE_CONTENT}
    for name, data in changes.items():
        if data is None:
            del members[name]
        else:
            members[name] = MemoryContent(data)
    told = report or draft.report
    if report is not None:
        members[layout.REPORT_JSON] = MemoryContent(canonical_json(msgspec.to_builtins(report)))
    return seal_content(told, members, draft.key, plain_render)


def read_members(path: Path) -> dict[str, bytes]:
    """Return every file of a pack."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(members: Mapping[str, bytes], path: Path) -> Path:
    """Write files as a pack's archive is written, whatever they are."""
    write_pack({name: MemoryContent(data) for name, data in members.items()}, path)
    return path
