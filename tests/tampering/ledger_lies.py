# SPDX-License-Identifier: Apache-2.0

"""What a trusted signer may say falsely of the ledger: its checkpoint, entries, proofs, history and collections."""

import base64

import msgspec

from app.ledger.note import Checkpoint, sign_checkpoint
from app.packs import layout
from app.packs.assemble import Draft
from app.signing.checkpoint_key import CheckpointKey
from tests.packs.small import forge
from tests.tampering.forging import Lie, content, replace
from tests.tampering.model import BOXES, CHECKPOINT, ENTRIES, GROWTH


def an_unsigned_checkpoint(draft: Draft) -> Draft:
    note = content(draft, layout.CHECKPOINT)
    place = note.rindex(b" ") + 12
    changed = note[:place] + (b"A" if note[place : place + 1] != b"A" else b"B") + note[place + 1 :]
    return replace(forge(draft, {layout.CHECKPOINT: changed}), report=draft.report)


def a_stale_checkpoint(draft: Draft) -> Draft:
    """Hand over the previous pack's checkpoint, validly signed by the ledger, instead of the present one."""
    previous = msgspec.json.decode(content(draft, layout.CONSISTENCY))["previous"]
    stale = forge(draft, {layout.CHECKPOINT: previous.encode()})
    return replace(stale, report=draft.report)


def a_stale_checkpoint_everywhere(draft: Draft) -> Draft:
    """The same, and the statement, the report and the proof's size speak of it too."""
    previous = msgspec.json.decode(content(draft, layout.CONSISTENCY))["previous"]
    size = int(previous.split("\n")[1])
    proof = msgspec.json.decode(content(draft, layout.SUBSET_PROOF)) | {"size": size}
    consistency = b'{"previous":null,"proof":[]}'
    evaluation = replace(draft.report.evaluation, ledger_size=size)
    report = replace(draft.report, evaluation=evaluation, checkpoint=previous, previous_size=None)
    changes = {
        layout.CHECKPOINT: previous.encode(),
        layout.SUBSET_PROOF: msgspec.json.encode(proof, order="sorted"),
        layout.CONSISTENCY: consistency,
    }
    return forge(draft, changes, report=report)


def a_checkpoint_of_another_ledger(draft: Draft) -> Draft:
    """A note of the right size and root, signed by a key of which the statement says nothing."""
    size, other = draft.report.evaluation.ledger_size, CheckpointKey.from_seed(bytes(32))
    root = base64.b64decode(draft.report.checkpoint.split("\n")[2])
    note = sign_checkpoint(
        Checkpoint(draft.key.name, size, root), replace(draft.key, public_key=other.public_bytes), other.sign
    )
    forged = forge(draft, {layout.CHECKPOINT: note}, report=replace(draft.report, checkpoint=note.decode()))
    return replace(forged, report=draft.report)


def an_entry_less(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join(lines[1:])})


def a_changed_entry(draft: Draft) -> Draft:
    return forge(draft, {layout.ENTRIES: content(draft, layout.ENTRIES).replace(b'"key":"g0"', b'"key":"g9"', 1)})


def an_entry_twice(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join([lines[0], *lines])})


def entries_in_another_order(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join([lines[1], lines[0], *lines[2:]])})


def entries_that_changed_places(draft: Draft) -> Draft:
    """Each entry is in the ledger, but not in this place."""
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    one, two = lines[0].replace(b'"index":0', b'"index":1'), lines[1].replace(b'"index":1', b'"index":0')
    return forge(draft, {layout.ENTRIES: b"".join([two, one, *lines[2:]])})


def a_proof_with_a_hash_more(draft: Draft) -> Draft:
    proof = msgspec.json.decode(content(draft, layout.SUBSET_PROOF))
    proof["hashes"].append("00" * 32)
    return forge(draft, {layout.SUBSET_PROOF: msgspec.json.encode(proof, order="sorted")})


def a_proof_about_another_size(draft: Draft) -> Draft:
    proof = msgspec.json.decode(content(draft, layout.SUBSET_PROOF))
    proof["size"] += 1
    return forge(draft, {layout.SUBSET_PROOF: msgspec.json.encode(proof, order="sorted")})


def another_history(draft: Draft) -> Draft:
    consistency = msgspec.json.decode(content(draft, layout.CONSISTENCY))
    consistency["proof"][0] = "00" * 32
    return forge(draft, {layout.CONSISTENCY: msgspec.json.encode(consistency, order="sorted")})


def history_denied(draft: Draft) -> Draft:
    denied = b'{"previous":null,"proof":[]}'
    return forge(draft, {layout.CONSISTENCY: denied})


def a_previous_ledger_of_another_size(draft: Draft) -> Draft:
    return forge(draft, {}, report=replace(draft.report, previous_size=2))


def a_better_completeness_box(draft: Draft) -> Draft:
    box = draft.report.collections[0]
    better = replace(box, received=box.received + 1, duplicates=1)
    raw = msgspec.json.encode(better, order="sorted")
    runs = content(draft, layout.RUNS)
    line = b'{"run":' + raw + runs[runs.rindex(b',"index":') :]
    return forge(draft, {layout.RUNS: line}, report=replace(draft.report, collections=(better,)))


def a_box_left_out(draft: Draft) -> Draft:
    return forge(draft, {layout.RUNS: b""}, report=replace(draft.report, collections=()))


LEDGER_LIES: list[tuple[Lie, str]] = [
    (an_unsigned_checkpoint, CHECKPOINT),
    (a_stale_checkpoint, CHECKPOINT),
    (a_checkpoint_of_another_ledger, CHECKPOINT),
    (a_stale_checkpoint_everywhere, ENTRIES),
    (an_entry_less, ENTRIES),
    (a_changed_entry, ENTRIES),
    (an_entry_twice, ENTRIES),
    (entries_in_another_order, ENTRIES),
    (entries_that_changed_places, ENTRIES),
    (a_proof_with_a_hash_more, ENTRIES),
    (a_proof_about_another_size, ENTRIES),
    (another_history, GROWTH),
    (history_denied, GROWTH),
    (a_previous_ledger_of_another_size, GROWTH),
    (a_better_completeness_box, BOXES),
    (a_box_left_out, BOXES),
]
