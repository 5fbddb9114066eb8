# SPDX-License-Identifier: Apache-2.0

"""What a trusted signer may say falsely of rows, outcomes, controls, findings and files; all digests fit."""

import hashlib
import io

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.evaluation.model import ItemOutcome, TestOutcomeWord
from app.packs import layout
from app.packs.assemble import Draft
from app.packs.pdf import render_report
from app.trails.populations import PeriodView
from app.trails.segments import PERIOD, period_bytes
from tests.packs.small import forge, plain_render
from tests.tampering.forging import Lie, content, last_of, parquet, replace, table_of, with_segment
from tests.tampering.model import CONTAINER, CONTROLS, ENGINE, ENTRIES, LIST, LISTINGS, PDF, POPULATIONS, REPORT


def a_deviation_made_a_pass(draft: Draft) -> Draft:
    """Change the outcome of one deviating item in the vector and in all figures of the report."""
    deviating = next(test for test in draft.report.evaluation.tests if test.counts["fail"] == 1)
    name = f"{layout.RESULTS}/{deviating.population}.parquet"
    table = table_of(draft, name)
    codes = table.column(deviating.test_id).to_pylist()
    codes[codes.index(int(ItemOutcome.FAIL))] = int(ItemOutcome.PASS)
    place = table.column_names.index(deviating.test_id)
    field = table.schema.field(place)
    changed = table.set_column(place, field, pa.array(codes, field.type))
    counts = deviating.counts | {"fail": 0, "pass": deviating.counts["pass"] + 1}
    better = replace(deviating, counts=counts, outcome=TestOutcomeWord.PASSED)
    tests = tuple(better if test is deviating else test for test in draft.report.evaluation.tests)
    report = replace(draft.report, evaluation=replace(draft.report.evaluation, tests=tests))
    return forge(draft, {name: parquet(changed)}, report=report)


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


def a_milder_test(draft: Draft) -> Draft:
    name = next(name for name in draft.members if name.startswith("controls/tests/session"))
    return forge(draft, {name: content(draft, name).replace(b"severity: high", b"severity: low", 1)})


def an_item_less(draft: Draft) -> Draft:
    """Drop the last session from its segment and say so everywhere but in what was concluded."""
    name = last_of(draft, "populations/session/")
    segment = name.removeprefix(f"{layout.POPULATIONS}/")
    evaluation = draft.report.evaluation
    segments = {key: sha for key, sha in evaluation.segments.items() if key != segment}
    sizes = evaluation.population_sizes | {"session": evaluation.population_sizes["session"] - 1}
    report = replace(draft.report, evaluation=replace(evaluation, segments=segments, population_sizes=sizes))
    return forge(draft, {name: None}, report=report)


def an_item_from_nowhere(draft: Draft) -> Draft:
    """Let one grant rest on no ledger entry."""
    name = last_of(draft, "populations/grant/")
    table = table_of(draft, name)
    place = table.column_names.index("ledger")
    rows = [[], *table.column("ledger").to_pylist()[1:]]
    changed = table.set_column(place, table.field(place), pa.array(rows, table.field(place).type))
    return forge(draft, {name: parquet(changed)})


def rows_beyond_count(draft: Draft) -> Draft:
    """Let a small file claim a hundred million rows."""
    name = last_of(draft, "populations/grant/")
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
    table = table_of(draft, name)
    return forge(draft, {name: parquet(table.take([2, 1, 0]))})


def a_test_left_out(draft: Draft) -> Draft:
    """Leave a failed test out of the report as if it had never been asked."""
    evaluation = draft.report.evaluation
    tests = tuple(test for test in evaluation.tests if test.outcome is not TestOutcomeWord.FAILED)
    return forge(draft, {}, report=replace(draft.report, evaluation=replace(evaluation, tests=tests)))


def a_row_twice(draft: Draft) -> Draft:
    name = last_of(draft, "populations/session/")
    table = table_of(draft, name)
    return with_segment(draft, name, parquet(pa.concat_tables([table, table])))


def a_row_on_another_day(draft: Draft) -> Draft:
    """Move the last day's sessions into a segment of a day on which nothing happened."""
    name = last_of(draft, "populations/session/")
    other = "populations/session/2026-08-15.parquet"
    data = content(draft, name)
    moved = with_segment(draft, other, data)
    evaluation = moved.report.evaluation
    segments = {key: sha for key, sha in evaluation.segments.items() if f"populations/{key}" != name}
    return forge(moved, {name: None}, report=replace(moved.report, evaluation=replace(evaluation, segments=segments)))


def rows_of_another_period(draft: Draft) -> Draft:
    name = f"{layout.POPULATIONS}/{PERIOD}"
    period = msgspec.json.decode(content(draft, name), type=PeriodView)
    return forge(draft, {name: period_bytes(replace(period, as_of=period.as_of - 1))})


def a_column_less(draft: Draft) -> Draft:
    name = last_of(draft, "populations/session/")
    return with_segment(draft, name, parquet(table_of(draft, name).drop_columns(["recordings"])))


def a_row_that_was_approved_after_all(draft: Draft) -> Draft:
    """Change what a row says: its outcomes are no longer those that were recorded."""
    rows = [name for name in draft.members if name.startswith("populations/grant/")]
    approved, bare = table_of(draft, max(rows)), table_of(draft, min(rows))
    place = bare.column_names.index("approvals")
    changed = bare.set_column(place, bare.field(place), approved.column("approvals").slice(0, bare.num_rows))
    return with_segment(draft, min(rows), parquet(changed))


def a_segment_that_is_no_parquet(draft: Draft) -> Draft:
    return with_segment(draft, last_of(draft, "populations/session/"), b"PAR1" + bytes(99) + b"PAR1")


def a_source_that_was_whole(draft: Draft) -> Draft:
    """Say of the source's item another figure than its completeness box does."""
    name = last_of(draft, "populations/source/")
    table = table_of(draft, name)
    place = table.column_names.index("collected")
    views = [{**row, "received": row["received"] + 1} for row in table.column("collected").to_pylist()]
    changed = table.set_column(place, table.field(place), pa.array(views, table.field(place).type))
    return with_segment(draft, name, parquet(changed))


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
    (an_item_from_nowhere, ENTRIES),
    (rows_beyond_count, ENTRIES),
    (a_segment_that_is_no_parquet, ENTRIES),
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
