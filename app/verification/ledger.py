# SPDX-License-Identifier: Apache-2.0

"""Steps about the ledger: its signed state, the entries, the growth since the last pack, and completeness."""

import hashlib

import msgspec
import pyarrow.compute as pc

from app.errors import InvalidInput
from app.ledger.entry import RUN_KIND
from app.ledger.merkle import verify_consistency
from app.ledger.note import VerifierKey, open_checkpoint
from app.packs import layout
from app.packs.evidence import (
    LINE_END,
    ProvenRun,
    read_consistency,
    read_entries,
    read_leaf,
    read_runs,
    read_subset_proof,
)
from app.packs.references import is_resting_on_nothing, references
from app.verification.case import Case, need
from app.verification.leaves import Leaves
from app.verification.outcome import fail_if_any, require

_BOX = b'"kind":"%b"' % RUN_KIND.encode()


class _Origin(msgspec.Struct):
    source: str


_ORIGINS = msgspec.json.Decoder(_Origin)


def checkpoint(case: Case) -> str:
    """Check the checkpoint's signature by the key that the signed statement names, its size and its root."""
    predicate, report = need(case.predicate, 2), case.report()
    key = VerifierKey.parse(predicate.checkpoint_key)
    note = case.read(layout.CHECKPOINT)
    state = open_checkpoint(note, [key])
    checks = (
        (state.size == predicate.tree_size, "the statement records another number of entries"),
        (state.root.hex() == predicate.root_hash, "the statement records another root"),
        (report.evaluation.ledger_size == state.size, "the report rests on another number of entries"),
        (report.checkpoint.encode() == note, "the report prints another checkpoint"),
    )
    fail_if_any([problem for holds, problem in checks if not holds])
    case.checkpoint_key, case.checkpoint = key, state
    return f"{state.size:,} entries, root {state.root.hex()}"


def entries(case: Case) -> str:
    """Prove that every listed entry is in the ledger, and that every row rests on listed entries only."""
    state = need(case.checkpoint, 9)
    leaves = Leaves()
    boxes: dict[int, bytes] = {}
    sources: set[str] = set()
    for indices, listed in read_entries(case.pieces(layout.ENTRIES)):
        leaves.add(indices, listed)
        lines = LINE_END.join(listed)
        if _BOX in lines:
            boxes.update((index, leaf) for index, leaf in zip(indices, listed, strict=True) if _BOX in leaf)
        origins = _ORIGINS.decode_lines(lines)
        require(len(origins) == len(listed), "an entry is empty")
        sources.update(origin.source for origin in origins)
    proof = read_subset_proof(case.read(layout.SUBSET_PROOF))
    require(proof.size == state.size, "the proof is about another size than the checkpoint's")
    hashes = [_hash(text) for text in proof.hashes]
    require(
        leaves.lead_to(state.root, state.size, hashes),
        "the proof does not lead from the entries to the checkpoint's root",
    )
    case.boxes, case.sources = boxes, sources
    missing: set[int | None] = set()
    without: dict[str, None] = {}
    marks = leaves.marks()
    for population, named in references(case.folders_of_pack().populations):
        missing.update(marks.without(pc.list_flatten(named)).to_pylist())
        if is_resting_on_nothing(population, named):
            without[population] = None
    ordered = sorted(missing, key=lambda index: (index is None, index))
    problems = [f"a row rests on ledger entry {index}, which is not proven" for index in ordered]
    problems += [f"population {name} has an item that rests on no ledger entry" for name in without]
    fail_if_any(problems)
    return f"{len(leaves):,} of {state.size:,} entries proven"


def growth(case: Case) -> str:
    """Prove that the previous pack's ledger is a prefix of this one: nothing was changed or removed since."""
    state, key, report = need(case.checkpoint, 9), need(case.checkpoint_key, 9), case.report()
    consistency = read_consistency(case.read(layout.CONSISTENCY))
    if consistency.previous is None:
        require(
            report.previous_size is None and not consistency.proof, "the report and the proof tell different things"
        )
        return "this is the first pack of its framework; there is no earlier state to compare with"
    earlier = open_checkpoint(consistency.previous.encode(), [key])
    require(earlier.size == report.previous_size, "the report states another size of the previous ledger")
    require(earlier.size < state.size, "the previous ledger is not smaller")
    proof = [_hash(text) for text in consistency.proof]
    require(
        verify_consistency(earlier.size, state.size, proof, earlier.root, state.root),
        "the ledger does not begin with the previous pack's: entries were changed or removed",
    )
    return f"from {earlier.size:,} to {state.size:,} entries; compare with your previous pack"


def completeness(case: Case) -> str:
    """Check that each completeness box is the one in the ledger and adds up, and that every source has one."""
    proven, report = need(case.boxes, 10), case.report()
    runs = read_runs(case.read(layout.RUNS))
    problems = [problem for run in runs if run.index in proven for problem in _box_problems(run, proven[run.index])]
    differing = sorted({run.index for run in runs} ^ set(proven))
    problems += [f"entry {index} is a completeness box only in one of the two files" for index in differing]
    fail_if_any(problems)
    boxes = tuple(run.run for run in runs)
    if boxes != report.collections:
        problems.append("the report shows other completeness boxes than the ledger holds")
    without = sorted(need(case.sources, 10) - {box.source for box in boxes})
    problems += [f"source {source} has entries and no completeness box" for source in without]
    fail_if_any(problems)
    incomplete = sum(not box.is_complete for box in boxes)
    return f"{len(runs):,} runs, of which {incomplete:,} say that something is missing"


def _box_problems(proven: ProvenRun, leaf: bytes) -> list[str]:
    entry, box = read_leaf(leaf, proven.index), proven.run
    checks = (
        (entry.kind == RUN_KIND, "is no completeness box in the ledger"),
        (entry.raw_sha256 == hashlib.sha256(proven.raw).hexdigest(), "is not what its ledger entry says"),
        ((entry.source, entry.run_id) == (box.source, box.id), "is of another source or run than its entry"),
        (box.received == box.accepted + box.duplicates + box.rejected, "does not add up"),
    )
    return [f"box {proven.index} {problem}" for holds, problem in checks if not holds]


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InvalidInput("a proof holds something that is no hash") from error
