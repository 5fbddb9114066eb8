# SPDX-License-Identifier: Apache-2.0

"""Packs forged by whoever has a signing key: all digests fit and all signatures hold, and the content is a lie.

The verifier does not trust us: each lie is seen by the step that derives, proves or re-performs. The last ones are told
by a stranger, or by somebody whom the trusted certificate does not cover.
"""

import base64
import datetime as dt
import hashlib
import io
from collections.abc import Callable

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from app.evaluation.model import ItemOutcome, TestOutcomeWord
from app.ledger.note import Checkpoint, sign_checkpoint
from app.packs import layout
from app.packs.assemble import Draft
from app.packs.pdf import render_report
from app.signing.canonical import canonical_json
from app.signing.checkpoint_key import CheckpointKey
from app.signing.cms import sign_detached
from app.signing.dsse import sign_bundle
from app.signing.keys import LocalKey, SigningIdentity
from app.trails.populations import PeriodView
from app.trails.segments import PERIOD, period_bytes
from tests.packs.small import SIGNED_AT, forge, plain_render
from tests.tampering.model import (
    BOXES,
    CHECKPOINT,
    CONTAINER,
    CONTROLS,
    ENGINE,
    ENTRIES,
    FILES,
    GROWTH,
    LIST,
    LISTINGS,
    PDF,
    POPULATIONS,
    REPORT,
    SIGNER,
    Tampering,
    World,
    archive,
    sealed,
)

replace = msgspec.structs.replace
Lie = Callable[[Draft], Draft]


def content(draft: Draft, name: str) -> bytes:
    """Return one file of a draft."""
    return b"".join(draft.members[name].chunks())


def _last(draft: Draft, prefix: str) -> str:
    return max(name for name in draft.members if name.startswith(prefix))


def _table(draft: Draft, name: str) -> pa.Table:
    return pq.read_table(io.BytesIO(content(draft, name)))


def _parquet(table: pa.Table) -> bytes:
    output = io.BytesIO()
    pq.write_table(table, output)
    return output.getvalue()


def _with_segment(draft: Draft, name: str, data: bytes) -> Draft:
    """Change a segment, and its digest in the report."""
    evaluation = draft.report.evaluation
    digest = hashlib.sha256(data).hexdigest()
    segments = evaluation.segments | {name.removeprefix(f"{layout.POPULATIONS}/"): digest}
    report = replace(draft.report, evaluation=replace(evaluation, segments=segments))
    return forge(draft, {name: data}, report=report)


def a_deviation_made_a_pass(draft: Draft) -> Draft:
    """Change the outcome of one deviating item in the vector and in all figures of the report."""
    deviating = next(test for test in draft.report.evaluation.tests if test.counts["fail"] == 1)
    name = f"{layout.RESULTS}/{deviating.population}.parquet"
    table = pq.read_table(io.BytesIO(content(draft, name)))
    codes = table.column(deviating.test_id).to_pylist()
    codes[codes.index(int(ItemOutcome.FAIL))] = int(ItemOutcome.PASS)
    place = table.column_names.index(deviating.test_id)
    field = table.schema.field(place)
    output = io.BytesIO()
    pq.write_table(table.set_column(place, field, pa.array(codes, field.type)), output)
    counts = deviating.counts | {"fail": 0, "pass": deviating.counts["pass"] + 1}
    better = replace(deviating, counts=counts, outcome=TestOutcomeWord.PASSED)
    tests = tuple(better if test is deviating else test for test in draft.report.evaluation.tests)
    report = replace(draft.report, evaluation=replace(draft.report.evaluation, tests=tests))
    return forge(draft, {name: output.getvalue()}, report=report)


def a_finding_left_out(draft: Draft) -> Draft:
    report = replace(draft.report, gaps=draft.report.gaps[1:])
    return forge(draft, {layout.GAPS_JSON: msgspec.json.encode(report.gaps, order="sorted")}, report=report)


def another_sample(draft: Draft) -> Draft:
    samples = tuple(replace(sample, items=sample.items[::-1]) for sample in draft.report.samples)
    return forge(draft, {}, report=replace(draft.report, samples=samples))


def limits_left_out(draft: Draft) -> Draft:
    return forge(draft, {}, report=replace(draft.report, limits=()))


def a_nicer_listing(draft: Draft) -> Draft:
    name = f"{layout.POPULATIONS}/session.csv"
    return forge(draft, {name: content(draft, name).replace(b"dba", b"app")})


def a_deviation_listing_left_out(draft: Draft) -> Draft:
    return forge(draft, {next(name for name in draft.members if name.startswith(layout.DEVIATIONS)): None})


def a_file_slipped_in(draft: Draft) -> Draft:
    return forge(draft, {"advertisement.html": b"<script>"})


def a_better_completeness_box(draft: Draft) -> Draft:
    box = draft.report.collections[0]
    better = replace(box, received=box.received + 1, duplicates=1)
    raw = msgspec.json.encode(better, order="sorted")
    runs = content(draft, layout.RUNS)
    line = b'{"run":' + raw + runs[runs.rindex(b',"index":') :]
    return forge(draft, {layout.RUNS: line}, report=replace(draft.report, collections=(better,)))


def a_milder_test(draft: Draft) -> Draft:
    name = next(name for name in draft.members if name.startswith("controls/tests/session"))
    return forge(draft, {name: content(draft, name).replace(b"severity: high", b"severity: low", 1)})


def an_entry_less(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join(lines[1:])})


def a_changed_entry(draft: Draft) -> Draft:
    return forge(draft, {layout.ENTRIES: content(draft, layout.ENTRIES).replace(b'"key":"g0"', b'"key":"g9"', 1)})


def another_history(draft: Draft) -> Draft:
    consistency = msgspec.json.decode(content(draft, layout.CONSISTENCY))
    consistency["proof"][0] = "00" * 32
    return forge(draft, {layout.CONSISTENCY: msgspec.json.encode(consistency, order="sorted")})


def history_denied(draft: Draft) -> Draft:
    denied = b'{"previous":null,"proof":[]}'
    return forge(draft, {layout.CONSISTENCY: denied})


def an_unsigned_checkpoint(draft: Draft) -> Draft:
    note = content(draft, layout.CHECKPOINT)
    place = note.rindex(b" ") + 12
    changed = note[:place] + (b"A" if note[place : place + 1] != b"A" else b"B") + note[place + 1 :]
    return replace(forge(draft, {layout.CHECKPOINT: changed}), report=draft.report)


def an_item_less(draft: Draft) -> Draft:
    """Drop the last session from its segment and say so everywhere but in what was concluded."""
    name = max(name for name in draft.members if name.startswith("populations/session/"))
    segment = name.removeprefix(f"{layout.POPULATIONS}/")
    evaluation = draft.report.evaluation
    segments = {key: sha for key, sha in evaluation.segments.items() if key != segment}
    sizes = evaluation.population_sizes | {"session": evaluation.population_sizes["session"] - 1}
    report = replace(draft.report, evaluation=replace(evaluation, segments=segments, population_sizes=sizes))
    return forge(draft, {name: None}, report=report)


def an_item_from_nowhere(draft: Draft) -> Draft:
    """Let one grant rest on no ledger entry."""
    name = max(name for name in draft.members if name.startswith("populations/grant/"))
    table = pq.read_table(io.BytesIO(content(draft, name)))
    place = table.column_names.index("ledger")
    rows = [[], *table.column("ledger").to_pylist()[1:]]
    output = io.BytesIO()
    pq.write_table(table.set_column(place, table.field(place), pa.array(rows, table.field(place).type)), output)
    return forge(draft, {name: output.getvalue()})


def rows_beyond_count(draft: Draft) -> Draft:
    """Let a small file claim a hundred million rows."""
    name = max(name for name in draft.members if name.startswith("populations/grant/"))
    output = io.BytesIO()
    with pq.ParquetWriter(output, pa.schema([("ledger", pa.int8())]), compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(pa.table({"ledger": pa.repeat(pa.scalar(1, pa.int8()), 1_000_000)}))
    return forge(draft, {name: output.getvalue()})


def a_deviation_made_a_pass_in_json_and_pdf(draft: Draft) -> Draft:
    """The same with the report rendered from the forged figures, as its readers would get it."""
    forged = a_deviation_made_a_pass(draft)
    return replace(forged, pdf=render_report(forged.report, forged.content_manifest))


def a_status_made_better(draft: Draft) -> Draft:
    evaluation = draft.report.evaluation
    best = next(control.status for control in evaluation.controls if control.status.value == "no_deviations")
    controls = tuple(
        replace(control, status=best) if control.status.value == "deviations" else control
        for control in evaluation.controls
    )
    return forge(draft, {}, report=replace(draft.report, evaluation=replace(evaluation, controls=controls)))


def outcomes_in_another_order(draft: Draft) -> Draft:
    name = f"{layout.RESULTS}/session.parquet"
    table = _table(draft, name)
    return forge(draft, {name: _parquet(table.take([2, 1, 0]))})


def a_test_left_out(draft: Draft) -> Draft:
    """Leave a failed test out of the report as if it had never been asked."""
    evaluation = draft.report.evaluation
    tests = tuple(test for test in evaluation.tests if test.outcome is not TestOutcomeWord.FAILED)
    return forge(draft, {}, report=replace(draft.report, evaluation=replace(evaluation, tests=tests)))


def a_row_twice(draft: Draft) -> Draft:
    name = _last(draft, "populations/session/")
    table = _table(draft, name)
    return _with_segment(draft, name, _parquet(pa.concat_tables([table, table])))


def a_row_on_another_day(draft: Draft) -> Draft:
    """Move the last day's sessions into a segment of a day on which nothing happened."""
    name = _last(draft, "populations/session/")
    other = "populations/session/2026-08-15.parquet"
    data = content(draft, name)
    moved = _with_segment(draft, other, data)
    evaluation = moved.report.evaluation
    segments = {key: sha for key, sha in evaluation.segments.items() if f"populations/{key}" != name}
    return forge(moved, {name: None}, report=replace(moved.report, evaluation=replace(evaluation, segments=segments)))


def rows_of_another_period(draft: Draft) -> Draft:
    name = f"{layout.POPULATIONS}/{PERIOD}"
    period = msgspec.json.decode(content(draft, name), type=PeriodView)
    return forge(draft, {name: period_bytes(replace(period, as_of=period.as_of - 1))})


def a_column_less(draft: Draft) -> Draft:
    name = _last(draft, "populations/session/")
    return _with_segment(draft, name, _parquet(_table(draft, name).drop_columns(["recordings"])))


def a_row_that_was_approved_after_all(draft: Draft) -> Draft:
    """Change what a row says: its outcomes are no longer those that were recorded."""
    rows = [name for name in draft.members if name.startswith("populations/grant/")]
    approved, bare = _table(draft, max(rows)), _table(draft, min(rows))
    place = bare.column_names.index("approvals")
    changed = bare.set_column(place, bare.field(place), approved.column("approvals").slice(0, bare.num_rows))
    return _with_segment(draft, min(rows), _parquet(changed))


def a_segment_that_is_no_parquet(draft: Draft) -> Draft:
    return _with_segment(draft, _last(draft, "populations/session/"), b"PAR1" + bytes(99) + b"PAR1")


def a_source_that_was_whole(draft: Draft) -> Draft:
    """Say of the source's item another figure than its completeness box does."""
    name = _last(draft, "populations/source/")
    table = _table(draft, name)
    place = table.column_names.index("collected")
    views = [{**row, "received": row["received"] + 1} for row in table.column("collected").to_pylist()]
    changed = table.set_column(place, table.field(place), pa.array(views, table.field(place).type))
    return _with_segment(draft, name, _parquet(changed))


def a_box_left_out(draft: Draft) -> Draft:
    return forge(draft, {layout.RUNS: b""}, report=replace(draft.report, collections=()))


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


def a_proof_with_a_hash_more(draft: Draft) -> Draft:
    proof = msgspec.json.decode(content(draft, layout.SUBSET_PROOF))
    proof["hashes"].append("00" * 32)
    return forge(draft, {layout.SUBSET_PROOF: msgspec.json.encode(proof, order="sorted")})


def a_proof_about_another_size(draft: Draft) -> Draft:
    proof = msgspec.json.decode(content(draft, layout.SUBSET_PROOF))
    proof["size"] += 1
    return forge(draft, {layout.SUBSET_PROOF: msgspec.json.encode(proof, order="sorted")})


def entries_in_another_order(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join([lines[1], lines[0], *lines[2:]])})


def entries_that_changed_places(draft: Draft) -> Draft:
    """Each entry is in the ledger, but not in this place."""
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    one, two = lines[0].replace(b'"index":0', b'"index":1'), lines[1].replace(b'"index":1', b'"index":0')
    return forge(draft, {layout.ENTRIES: b"".join([two, one, *lines[2:]])})


def an_entry_twice(draft: Draft) -> Draft:
    lines = content(draft, layout.ENTRIES).splitlines(keepends=True)
    return forge(draft, {layout.ENTRIES: b"".join([lines[0], *lines])})


def a_previous_ledger_of_another_size(draft: Draft) -> Draft:
    return forge(draft, {}, report=replace(draft.report, previous_size=2))


def a_smaller_sample(draft: Draft) -> Draft:
    samples = tuple(replace(sample, items=sample.items[:1], size=1) for sample in draft.report.samples)
    return forge(draft, {}, report=replace(draft.report, samples=samples))


def another_seed(draft: Draft) -> Draft:
    samples = tuple(replace(sample, seed="00" * 32) for sample in draft.report.samples)
    return forge(draft, {}, report=replace(draft.report, samples=samples))


def a_nicer_sampled_item(draft: Draft) -> Draft:
    name = f"{layout.SAMPLES}/session.json"
    return forge(draft, {name: content(draft, name).replace(b'"mfa": true', b'"mfa": null', 1)})


def a_frame_with_an_item_less(draft: Draft) -> Draft:
    """Leave an item out of what the sample is drawn from."""
    name = f"{layout.FRAMES}/session.jsonl"
    return forge(draft, {name: b"".join(content(draft, name).splitlines(keepends=True)[1:])})


def a_frame_in_which_nothing_is_risky(draft: Draft) -> Draft:
    name = f"{layout.FRAMES}/account.jsonl"
    return forge(draft, {name: content(draft, name).replace(b"risky", b"usual")})


def a_chosen_item_called_drawn(draft: Draft) -> Draft:
    samples = tuple(replace(sample, strata=sample.strata[:0]) for sample in draft.report.samples)
    return forge(draft, {}, report=replace(draft.report, samples=samples, engagement="Mine"))


def a_guide_that_checks_nothing(draft: Draft) -> Draft:
    return forge(draft, {layout.VERIFY: b"# How to check this pack\n\nIt is fine.\n"})


def another_framework(draft: Draft) -> Draft:
    evaluation = replace(draft.report.evaluation, framework_title="Everything is in order")
    return forge(draft, {}, report=replace(draft.report, evaluation=evaluation))


def another_period(draft: Draft) -> Draft:
    """Say that the report is about more days than its populations are."""
    evaluation = draft.report.evaluation
    period = replace(evaluation.period, start=evaluation.period.start - 86_400_000)
    return forge(draft, {}, report=replace(draft.report, evaluation=replace(evaluation, period=period)))


def a_control_that_cannot_be_read(draft: Draft) -> Draft:
    name = "controls/tests/session.yaml"
    return forge(draft, {name: content(draft, name) + b"\n- &a [*a]\n"})


def a_pdf_about_other_files(draft: Draft) -> Draft:
    return replace(draft, pdf=plain_render(draft.report, b"{}"))


def a_list_of_another_pack(draft: Draft) -> Draft:
    """A content manifest that leaves a file out, which the PDF and the statement name correctly."""
    name = layout.GAPS_JSON
    shorter = {key: value for key, value in draft.members.items() if key != name}
    made = forge(replace(draft, members=shorter), {})
    digest = hashlib.sha256(content(draft, name)).hexdigest()
    return replace(made, members={**made.members, name: draft.members[name]}, digests={**made.digests, name: digest})


def a_case_twin_that_is_signed(draft: Draft) -> Draft:
    return forge(draft, {"Gaps.json": b"[]"})


def a_folder_with_the_name_of_a_file(draft: Draft) -> Draft:
    return forge(draft, {"gaps.json/x": b"[]"})


LIES: list[tuple[Lie, str]] = [
    (a_case_twin_that_is_signed, CONTAINER),
    (a_folder_with_the_name_of_a_file, CONTAINER),
    (a_list_of_another_pack, LIST),
    (a_pdf_about_other_files, PDF),
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
    (an_item_from_nowhere, ENTRIES),
    (rows_beyond_count, ENTRIES),
    (a_segment_that_is_no_parquet, ENTRIES),
    (another_history, GROWTH),
    (history_denied, GROWTH),
    (a_previous_ledger_of_another_size, GROWTH),
    (a_better_completeness_box, BOXES),
    (a_box_left_out, BOXES),
    (a_milder_test, CONTROLS),
    (a_control_that_cannot_be_read, CONTROLS),
    (a_row_twice, POPULATIONS),
    (a_row_on_another_day, POPULATIONS),
    (rows_of_another_period, POPULATIONS),
    (a_column_less, POPULATIONS),
    (a_source_that_was_whole, POPULATIONS),
    (another_period, POPULATIONS),
    (an_item_less, ENGINE),
    (a_deviation_made_a_pass, ENGINE),
    (a_deviation_made_a_pass_in_json_and_pdf, ENGINE),
    (a_status_made_better, ENGINE),
    (a_test_left_out, ENGINE),
    (outcomes_in_another_order, ENGINE),
    (a_row_that_was_approved_after_all, ENGINE),
    (another_framework, ENGINE),
    (a_finding_left_out, REPORT),
    (another_sample, REPORT),
    (a_smaller_sample, REPORT),
    (another_seed, REPORT),
    (a_nicer_sampled_item, REPORT),
    (a_frame_with_an_item_less, REPORT),
    (a_frame_in_which_nothing_is_risky, REPORT),
    (a_chosen_item_called_drawn, REPORT),
    (a_guide_that_checks_nothing, REPORT),
    (limits_left_out, REPORT),
    (a_nicer_listing, LISTINGS),
    (a_deviation_listing_left_out, LISTINGS),
    (a_file_slipped_in, LISTINGS),
]


def told(lie: Lie) -> Callable[[World], bytes]:
    """Return what makes the archive of a lie that the trusted signer tells."""

    def make(world: World) -> bytes:
        return archive(sealed(lie(world.draft), world.identity))

    make.__name__ = lie.__name__
    return make


def _named(draft: Draft, signer: SigningIdentity) -> Draft:
    """Return a draft whose report and statement name another signer."""
    info = replace(
        draft.report.signer,
        subject=signer.subject,
        certificate_sha256=signer.certificate_sha256,
        is_development=signer.is_development,
    )
    return forge(draft, {}, report=replace(draft.report, signer=info))


def _private(identity: SigningIdentity) -> ec.EllipticCurvePrivateKey:
    handle = identity._key
    assert isinstance(handle, LocalKey)
    return handle._key


def _issued(world: World, *, by_leaf: bool, usage: bool = True) -> SigningIdentity:
    """Return a stranger with the trusted signer's name, and a certificate that the trusted key or nobody issued."""
    key, held = ec.generate_private_key(ec.SECP256R1()), world.identity.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(held.subject)
        .issuer_name(held.subject)
        .public_key(key.public_key())
        .serial_number(held.serial_number)
        .not_valid_before(held.not_valid_before_utc)
        .not_valid_after(held.not_valid_after_utc + dt.timedelta(days=1))
    )
    flags = dict.fromkeys(("digital_signature", "content_commitment"), usage)
    others = ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only")
    limits = x509.KeyUsage(**flags, **dict.fromkeys(others, False), key_cert_sign=not usage)
    builder = builder.add_extension(limits, critical=True)
    signer = _private(world.identity) if by_leaf else key
    return SigningIdentity(key, builder.sign(signer, hashes.SHA256()))


def a_stranger(world: World) -> bytes:
    return archive(sealed(_named(a_deviation_made_a_pass(world.draft), world.stranger), world.stranger))


def a_stranger_of_the_same_name(world: World) -> bytes:
    signer = _issued(world, by_leaf=False)
    return archive(sealed(_named(world.draft, signer), signer))


def a_stranger_whom_the_trusted_key_issued(world: World) -> bytes:
    """The trusted signer is no authority, so what its key issued is worth nothing."""
    signer = _issued(world, by_leaf=True)
    return archive(sealed(_named(world.draft, signer), signer))


def a_certificate_that_is_not_for_signatures(world: World) -> bytes:
    signer = _issued(world, by_leaf=False, usage=False)
    return archive(sealed(_named(world.draft, signer), signer))


def a_stranger_who_names_the_trusted_certificate(world: World) -> bytes:
    """The statement names the trusted certificate, and a stranger's signs it."""

    class Borrowed(SigningIdentity):
        certificate_sha256 = world.identity.certificate_sha256
        subject = world.identity.subject

    return archive(sealed(world.draft, Borrowed(_private(world.stranger), world.stranger.certificate)))


def a_signature_before_the_certificate(world: World) -> bytes:
    class Careless(SigningIdentity):
        def check_validity(self, instant: int) -> None:
            """Sign whenever asked."""

    careless = Careless(_private(world.identity), world.identity.certificate)
    return archive(sealed(world.draft, careless, SIGNED_AT - 365 * 86_400_000))


def a_pdf_signed_by_a_stranger(world: World) -> bytes:
    """The statement is the trusted signer's and names the report that a stranger has signed."""
    theirs = sealed(world.draft, world.stranger)[layout.REPORT_PDF]
    return _statement_over(world, {layout.REPORT_PDF: theirs})


def a_pdf_that_nobody_signed(world: World) -> bytes:
    return _statement_over(world, {layout.REPORT_PDF: world.draft.pdf})


def a_pdf_changed_after_its_signature(world: World) -> bytes:
    """An incremental update behind the certification signature, which allows none."""
    update = b"\n9999 0 obj\n<< >>\nendobj\nstartxref\n0\n%%EOF\n"
    return _statement_over(world, {layout.REPORT_PDF: world.members[layout.REPORT_PDF] + update})


def a_file_that_the_statement_does_not_name(world: World) -> bytes:
    """The trusted signer forgets a file that the content manifest lists."""
    return _statement_over(world, {}, leave_out=layout.GAPS_JSON)


def a_file_that_only_the_statement_names(world: World) -> bytes:
    members = _signed(world, {"ghost.txt": b"boo"})
    del members["ghost.txt"]
    return archive(members)


def _statement_over(world: World, changes: dict[str, bytes], leave_out: str = "") -> bytes:
    return archive(_signed(world, changes, leave_out))


def _signed(world: World, changes: dict[str, bytes], leave_out: str = "") -> dict[str, bytes]:
    """Return the good pack with some files changed and its statement signed anew by the trusted signer."""
    members = world.members | changes
    statement = msgspec.json.decode(members[layout.MANIFEST])
    names = sorted(set(members) - layout.SIGNATURES - {leave_out})
    statement["subject"] = [
        {"name": name, "digest": {"sha256": hashlib.sha256(members[name]).hexdigest()}} for name in names
    ]
    data = canonical_json(statement)
    digest = hashlib.sha256(data).hexdigest()
    return members | {
        layout.MANIFEST: data,
        layout.BUNDLE: sign_bundle(data, world.identity),
        layout.CMS: sign_detached(digest, world.identity, SIGNED_AT // 1000 * 1000),
    }


SEALED = [
    *(Tampering(told(lie), step) for lie, step in LIES),
    Tampering(a_stranger, SIGNER),
    Tampering(a_stranger_of_the_same_name, SIGNER),
    Tampering(a_stranger_whom_the_trusted_key_issued, SIGNER),
    Tampering(a_stranger_who_names_the_trusted_certificate, SIGNER),
    Tampering(a_certificate_that_is_not_for_signatures, SIGNER),
    Tampering(a_signature_before_the_certificate, SIGNER),
    Tampering(a_file_that_the_statement_does_not_name, FILES),
    Tampering(a_file_that_only_the_statement_names, FILES),
    Tampering(a_pdf_signed_by_a_stranger, PDF),
    Tampering(a_pdf_that_nobody_signed, PDF),
    Tampering(a_pdf_changed_after_its_signature, PDF),
]
