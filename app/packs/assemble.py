# SPDX-License-Identifier: Apache-2.0

"""Put a pack together: gather its files, digest them, sign the statement about them, write the archive.

In:  an evaluated period (folders of Parquet), the controls, what ties it to the ledger, an identity, the signing time.
Out: one ZIP file. Everything but signatures and times is the same for the same inputs.
No database and no clock here: the service gets those.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography import x509

from app.controls.loader import Controls
from app.evaluation.metric_model import MetricResult
from app.evaluation.model import Evaluation
from app.ledger.note import VerifierKey, open_checkpoint
from app.packs import layout
from app.packs.container import Content, FileContent, MemoryContent, measure, write_archive
from app.packs.evidence import Consistency, ProvenRun, SubsetProof, make_json, make_runs, write_entries
from app.packs.model import ReportData
from app.packs.report import Facts, Folders, derive_content
from app.packs.times import TimeDesk
from app.records.times import format_instant
from app.signing.certificates import fingerprint_of
from app.signing.cms import sign_detached
from app.signing.dsse import StampAll, make_statement, sign_bundle
from app.signing.keys import SigningIdentity
from app.signing.pdf import PdfTime, sign_pdf

Render = Callable[[ReportData, bytes], bytes]
"""Makes the unsigned PDF of a report and its content manifest; prints the manifest's digest and attaches it."""


class LedgerPart(msgspec.Struct, frozen=True, kw_only=True):
    """What ties a pack to the ledger.

    Attributes:
        checkpoint: the signed note. key: who signs such notes.
        entries: index and leaf bytes of every entry that a row or a completeness box refers to, in order of index.
        subset: one proof that they are in the checkpoint's log.
        runs: completeness boxes, each with the raw bytes of its entry.
        stamps: time-stamp responses over the checkpoint, in the order of the authorities that granted.
    """

    checkpoint: bytes
    key: VerifierKey
    entries: Iterable[tuple[int, bytes]]
    subset: SubsetProof
    consistency: Consistency
    runs: Sequence[ProvenRun]
    stamps: Sequence[bytes] = ()


class Ingredients(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack is made from.

    Attributes:
        facts: what the report says that does not follow from the rest. folders: frozen populations, result vectors.
        measured: the metrics of exactly these, if they are known already.
    """

    facts: Facts
    evaluation: Evaluation
    controls: Controls
    folders: Folders
    ledger: LedgerPart
    measured: tuple[MetricResult, ...] | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A pack before anything is signed: its report, its files, and the unsigned PDF."""

    report: ReportData
    members: dict[str, Content]
    content_manifest: bytes
    pdf: bytes
    digests: dict[str, str]
    key: VerifierKey


def draft_pack(ingredients: Ingredients, render: Render, work: Path) -> Draft:
    """Gather and render everything that comes before a signature; equal inputs give equal bytes.

    Args:
        ingredients: what the pack is made from; its folders are read again when the archive is written.
        render: makes the PDF.
        work: an empty folder that must live until the archive is written.
    """
    folders, controls, ledger = ingredients.folders, ingredients.controls, ingredients.ledger
    report = derive_content(ingredients.facts, ingredients.evaluation, controls, folders, work, ingredients.measured)
    _write_ledger(ledger, work)
    members: dict[str, Content] = {name: FileContent(path) for name, path in _tree(work, "")}
    members |= {name: FileContent(path) for name, path in _tree(folders.populations, f"{layout.POPULATIONS}/")}
    members |= {name: FileContent(path) for name, path in _tree(folders.results, f"{layout.RESULTS}/")}
    members |= {f"{layout.CONTROLS}/{name}": MemoryContent(data) for name, data in controls.files.items()}
    return seal_content(report, members, ledger.key, render)


def seal_content(report: ReportData, members: Mapping[str, Content], key: VerifierKey, render: Render) -> Draft:
    """Digest all content, list it, and render the PDF that prints the digest of that list."""
    measured = {name: measure(content) for name, content in members.items()}
    manifest = layout.make_content_manifest(
        {name: (content.size, digest) for name, (content, digest) in measured.items()}
    )
    pdf = render(report, manifest)
    digests = {name: digest for name, (_, digest) in measured.items()}
    digests[layout.CONTENT_MANIFEST] = hashlib.sha256(manifest).hexdigest()
    sums = layout.make_sums(digests)
    digests[layout.SUMS] = hashlib.sha256(sums).hexdigest()
    lists = {layout.CONTENT_MANIFEST: MemoryContent(manifest), layout.SUMS: MemoryContent(sums)}
    return Draft(
        report=report,
        members={**{name: content for name, (content, _) in measured.items()}, **lists},
        content_manifest=manifest,
        pdf=pdf,
        digests=digests,
        key=key,
    )


def sign_pack(
    draft: Draft,
    identity: SigningIdentity,
    signed_at: int,
    desk: TimeDesk | None = None,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> dict[str, Content]:
    """Sign the PDF and the statement, and return all members of the pack.

    Args:
        draft: what is signed.
        identity: who signs.
        signed_at: epoch milliseconds; whole seconds count.
        desk: asks the time-stamp authorities that the report names.
        crls: revocation lists for the PDF; they count only with a confirmed time.

    Raises:
        UsageError: the identity's certificate is not valid at that time.
        AuthorityFailed: the report names an authority that failed now; draft again, and sign that.
    """
    identity.check_validity(signed_at)
    is_timed = desk is not None and bool(desk.checkpoint())
    pdf = sign_pdf(draft.pdf, identity, signed_at, _pdf_time(desk) if desk and is_timed else None, crls)
    digests = draft.digests | {layout.REPORT_PDF: hashlib.sha256(pdf).hexdigest()}
    predicate = layout.make_predicate(_predicate(draft, identity, signed_at))
    statement = make_statement(digests, layout.PREDICATE_TYPE, predicate)
    signature = sign_detached(hashlib.sha256(statement).hexdigest(), identity, _whole_seconds(signed_at))
    signed = {
        layout.REPORT_PDF: pdf,
        layout.MANIFEST: statement,
        layout.BUNDLE: sign_bundle(statement, identity, _responses(desk) if desk and is_timed else None),
        layout.CMS: signature,
    }
    return draft.members | {name: MemoryContent(data) for name, data in signed.items()}


def _pdf_time(desk: TimeDesk) -> PdfTime:
    return PdfTime(stamp=lambda sha256: desk.stamp_one(sha256).token, sample=desk.checkpoint()[0])


def _responses(desk: TimeDesk) -> StampAll:
    return lambda sha256: [token.response for token in desk.stamp(sha256)]


def write_pack(members: Mapping[str, Content], path: Path) -> str:
    """Write the archive aside and put it in place whole, so that nobody ever sees half a pack; return its SHA-256."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        with aside.open("wb") as file:
            digest = write_archive(dict(members), file)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return digest


def _write_ledger(ledger: LedgerPart, work: Path) -> None:
    (work / layout.LEDGER).mkdir()
    (work / layout.CHECKPOINT).write_bytes(ledger.checkpoint)
    with (work / layout.ENTRIES).open("wb") as file:
        write_entries(ledger.entries, file)
    (work / layout.SUBSET_PROOF).write_bytes(make_json(ledger.subset))
    (work / layout.CONSISTENCY).write_bytes(make_json(ledger.consistency))
    (work / layout.RUNS).write_bytes(make_runs(ledger.runs))
    for place, stamp in enumerate(ledger.stamps):
        (work / layout.checkpoint_token(place)).write_bytes(stamp)


def _tree(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(prefix + path.relative_to(folder).as_posix(), path) for path in paths]


def _predicate(draft: Draft, identity: SigningIdentity, signed_at: int) -> layout.Predicate:
    evaluation = draft.report.evaluation
    checkpoint = open_checkpoint(draft.report.checkpoint.encode(), [draft.key])
    return layout.Predicate(
        framework=evaluation.framework,
        period_start=format_instant(evaluation.period.start),
        period_end=format_instant(evaluation.period.end),
        as_of=format_instant(evaluation.as_of),
        signed_at=format_instant(_whole_seconds(signed_at)),
        tree_size=checkpoint.size,
        root_hash=checkpoint.root.hex(),
        checkpoint_key=str(draft.key),
        content_manifest_sha256=hashlib.sha256(draft.content_manifest).hexdigest(),
        unsigned_pdf=layout.UnsignedPdf(length=len(draft.pdf), sha256=hashlib.sha256(draft.pdf).hexdigest()),
        signer=layout.Signer(
            subject=identity.subject,
            certificate_sha256=identity.certificate_sha256,
            is_development=identity.is_development,
            chain_sha256=tuple(fingerprint_of(issuer) for issuer in identity.chain),
        ),
        software=draft.report.software,
        times=draft.report.times,
    )


def _whole_seconds(instant: int) -> int:
    return instant // 1000 * 1000
