# SPDX-License-Identifier: Apache-2.0

"""Packs forged by whoever has a signing key: all digests fit and all signatures hold, and the content is a lie.

The verifier does not trust us: each lie is seen by the step that derives, proves or re-performs.
"""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.evaluation.model import ItemOutcome, TestOutcomeWord
from app.packs import layout
from app.packs.assemble import Draft, sign_pack, write_pack
from app.packs.model import ReportData
from app.signing.keys import SigningIdentity
from app.verification.report import StepState, VerificationReport
from app.verification.verifier import verify
from tests.packs.small import SIGNED_AT, forge

replace = msgspec.structs.replace
Lie = Callable[[Draft], Draft]


def content(draft: Draft, name: str) -> bytes:
    return b"".join(draft.members[name].chunks())


def failed(report: VerificationReport) -> set[int]:
    return {step.number for step in report.steps if step.state is StepState.FAILED}


def published(draft: Draft, signer: SigningIdentity, trust: SigningIdentity, folder: Path) -> VerificationReport:
    write_pack(sign_pack(draft, signer, SIGNED_AT), folder / "pack.zip")
    return verify(folder / "pack.zip", trust.certificate_der)


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


LIES: list[tuple[Lie, int]] = [
    (an_unsigned_checkpoint, 9),
    (an_entry_less, 10),
    (a_changed_entry, 10),
    (an_item_from_nowhere, 10),
    (rows_beyond_count, 10),
    (another_history, 11),
    (history_denied, 11),
    (a_better_completeness_box, 12),
    (a_milder_test, 13),
    (an_item_less, 15),
    (a_deviation_made_a_pass, 15),
    (a_finding_left_out, 17),
    (another_sample, 17),
    (limits_left_out, 17),
    (a_nicer_listing, 18),
    (a_deviation_listing_left_out, 18),
    (a_file_slipped_in, 18),
]


@pytest.mark.parametrize(("lie", "number"), LIES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_lie_is_seen_even_when_the_trusted_signer_tells_it(
    draft: Draft, identity: SigningIdentity, tmp_path: Path, lie: Lie, number: int
) -> None:
    report = published(lie(draft), identity, identity, tmp_path)
    assert not report.holds
    assert number in failed(report), [(step.number, step.problems) for step in report.steps if step.problems]
    assert failed(report).isdisjoint(range(1, 9)), "signatures and digests are not what shows this lie"


def test_a_strangers_signature_is_seen(
    draft: Draft, identity: SigningIdentity, stranger: SigningIdentity, tmp_path: Path
) -> None:
    forged = a_deviation_made_a_pass(draft)
    signer = replace(forged.report.signer, certificate_sha256=stranger.certificate_sha256)
    report = published(forge(forged, {}, report=_signed_by(forged.report, signer)), stranger, identity, tmp_path)
    assert failed(report) == {5}
    assert {step.state for step in report.steps[6:]} == {StepState.NOT_DONE}, "a stranger's files are not parsed"


def _signed_by(report: ReportData, signer: object) -> ReportData:
    return replace(report, signer=signer)
