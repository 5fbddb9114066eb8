# SPDX-License-Identifier: Apache-2.0

"""What lies where in a pack, and the two lists that say so: the content manifest and the signed statement.

The statement (``manifest.json``) covers every file but itself and its two signatures. It cannot be covered by a digest
that the PDF prints, because it covers the PDF; so the PDF prints the digest of the content manifest, which covers
everything else.
"""

import re
from collections.abc import Mapping

import msgspec

from app.errors import InvalidInput
from app.packs.times import TimeRecord
from app.signing.canonical import canonical_json

README = "README.md"
VERIFY = "VERIFY.md"
REPORT_PDF = "report.pdf"
REPORT_JSON = "report.json"
GAPS_JSON = "gaps.json"
METRICS_JSON = "metrics.json"
POPULATIONS = "populations"
RESULTS = "results"
DEVIATIONS = "deviations"
SAMPLES = "samples"
FRAMES = "samples/frames"
CONTROLS = "controls"
LEDGER = "ledger"
CHECKPOINT = "ledger/checkpoint"
ENTRIES = "ledger/entries.jsonl"
RUNS = "ledger/runs.jsonl"
SUBSET_PROOF = "ledger/subset-proof.json"
CONSISTENCY = "ledger/consistency.json"
CONTENT_MANIFEST = "content-manifest.json"
SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
BUNDLE = "manifest.sigstore.json"
CMS = "manifest.json.p7s"

SIGNATURES = frozenset({MANIFEST, BUNDLE, CMS})
"""The statement and what signs it; not among its own subjects."""
OUTSIDE_CONTENT = SIGNATURES | {REPORT_PDF, CONTENT_MANIFEST, SUMS}
"""What the content manifest does not cover: it comes after it."""

PREDICATE_TYPE = "urn:proofroom:evidence-pack:v1"
CONTENT_FORMAT = "urn:proofroom:content-manifest:v1"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FileEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: its name in the pack, length in bytes and hex SHA-256."""

    name: str
    size: int
    sha256: str


class ContentManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every file of a pack that comes before its PDF, in order of name."""

    format: str
    files: tuple[FileEntry, ...]


class UnsignedPdf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report before it was signed: the first ``length`` bytes of ``report.pdf``."""

    length: int
    sha256: str


class Signer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Who signs, as far as the signer's own certificate says."""

    subject: str
    certificate_sha256: str
    is_development: bool
    chain_sha256: tuple[str, ...] = ()


class Predicate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What the signed statement says about the pack.

    Attributes:
        period_start, period_end, as_of, signed_at: RFC 3339, UTC; ``period_end`` is exclusive.
        tree_size, root_hash: the ledger's state that the pack rests on; the root is hex.
        checkpoint_key: the verifier key (C2SP signed note) that the ledger's checkpoints are signed with.
        content_manifest_sha256: what the PDF prints.
        software: versions of what made the pack.
        times: what became of each time-stamp authority that was asked; there is one token of each that granted over
            the checkpoint and over the statement's signature, and one of the first over the PDF's.
    """

    framework: str
    period_start: str
    period_end: str
    as_of: str
    signed_at: str
    tree_size: int
    root_hash: str
    checkpoint_key: str
    content_manifest_sha256: str
    unsigned_pdf: UnsignedPdf
    signer: Signer
    software: dict[str, str]
    times: tuple[TimeRecord, ...] = ()


def checkpoint_token(place: int) -> str:
    """Return the name of the time-stamp response over the checkpoint of the authority at a place, from 0."""
    return f"{CHECKPOINT}.tsr" if place == 0 else f"{CHECKPOINT}-{place + 1}.tsr"


def make_content_manifest(files: Mapping[str, tuple[int, str]]) -> bytes:
    """Return the content manifest, canonical JSON, of file name to length and hex SHA-256."""
    entries = [
        {"name": name, "size": files[name][0], "sha256": files[name][1]}
        for name in sorted(files)
        if name not in OUTSIDE_CONTENT
    ]
    return canonical_json({"format": CONTENT_FORMAT, "files": entries})


def read_content_manifest(data: bytes) -> dict[str, tuple[int, str]]:
    """Return file name to length and hex SHA-256.

    Raises:
        InvalidInput: it is not a content manifest in its one spelling.
    """
    try:
        manifest = msgspec.json.decode(data, type=ContentManifest)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"not a content manifest ({error})") from error
    files = {entry.name: (entry.size, entry.sha256) for entry in manifest.files}
    if manifest.format != CONTENT_FORMAT or not all(_DIGEST.fullmatch(entry.sha256) for entry in manifest.files):
        raise InvalidInput("not a content manifest of this version")
    if make_content_manifest(files) != data:
        raise InvalidInput("the content manifest is not in canonical form, or lists what it may not")
    return files


def make_sums(digests: Mapping[str, str]) -> bytes:
    """Return the list that ``sha256sum --check`` reads: the content, and the content manifest."""
    covered = sorted(name for name in digests if name not in OUTSIDE_CONTENT or name == CONTENT_MANIFEST)
    return "".join(f"{digests[name]}  {name}\n" for name in covered).encode()


def make_predicate(predicate: Predicate) -> dict[str, object]:
    """Return the predicate as plain values for the statement."""
    values: dict[str, object] = msgspec.to_builtins(predicate)
    return values


def read_predicate(data: bytes) -> Predicate:
    """Parse the statement's predicate.

    Raises:
        InvalidInput: it is not one of an evidence pack.
    """
    try:
        return msgspec.json.decode(data, type=Predicate)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the statement is not about an evidence pack ({error})") from error
