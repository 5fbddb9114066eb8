# SPDX-License-Identifier: Apache-2.0

"""The steps that are measured, one per process: ``python -m benchmarks.steps STEP SESSIONS FOLDER`` prints JSON."""

import hashlib
import json
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa

from app.clock import SystemClock
from app.connectors.base import Window
from app.evaluation.definition import define
from app.evaluation.engine import checked_files, open_engine
from app.evaluation.model import Evaluation, ItemOutcome, Period
from app.evaluation.oracle import outcomes
from app.evaluation.questions import outcomes_sql, rows_sql
from app.evaluation.service import evaluate
from app.settings import Settings
from app.trails.segments import read_period, read_rows
from app.verification.verifier import verify
from app.wiring import Services, build_services
from benchmarks.by_hand import BY_HAND
from benchmarks.organisation import DAY, DAYS, FIRST_DAY, LAST_DAY, START, Organisation

PERIOD = Period.of_days(FIRST_DAY, LAST_DAY)
FRAMEWORK = "soc2-tsc-2017"
LITTLE = "600MB"
_INSTANT = re.compile(rb'_at":([0-9]{13})')
INTERPRETED = 2_000
"""Items that the interpreter is asked of; it is three orders of magnitude slower, so it is not asked of all."""


def services(folder: Path, **changed: str) -> Services:
    """Open the data directory of the benchmark, with some settings changed."""
    return build_services(Settings.load(folder / "data").model_copy(update=changed), SystemClock())


def generate(folder: Path, sessions: int) -> str:
    """Write the records and what is planted in them."""
    organisation = Organisation(sessions)
    with (folder / "records.ndjson").open("wb") as file:
        file.writelines(organisation.lines())
    (folder / "planted.json").write_text(json.dumps(organisation.planted))
    return f"{sum(organisation.planted.values()):,} deviations planted"


def import_records(folder: Path, sessions: int) -> str:
    """Import them into ledger and tables."""
    del sessions
    covered = Window(start=START - 100 * DAY, end=START + (DAYS + 1) * DAY)
    box = services(folder).import_files("records", [folder / "records.ndjson"], "bench", covered, lambda *_: None)
    return f"{box.accepted:,} records"


def freeze(folder: Path, sessions: int) -> str:
    """Link the period and freeze its populations."""
    del sessions
    opened = services(folder)
    opened.trails.freeze(PERIOD, folder / "segments", opened.controls.rule_set)
    size = sum(file.stat().st_size for file in (folder / "segments").rglob("*.parquet"))
    return f"{size / 2**20:,.0f} MiB of segments"


def judge_every_item(folder: Path, sessions: int) -> tuple[str, bool]:
    """Judge every item by all tests, conclude, and compare with what was planted."""
    del sessions
    evaluation = _judge(services(folder), folder / "segments", folder / "results")
    planted = json.loads((folder / "planted.json").read_text())
    found = {test.test_id: test.counts["fail"] for test in evaluation.tests if test.counts["fail"]}
    judged = sum(sum(test.counts.values()) for test in evaluation.tests)
    wrong = {name: (planted.get(name, 0), found.get(name, 0)) for name in planted.keys() | found.keys()}
    wrong = {name: counts for name, counts in wrong.items() if counts[0] != counts[1]}
    said = "planted = found" if not wrong else f"NOT as planted: {wrong}"
    return f"{len(evaluation.tests)} tests, {judged:,} answers; {said}", not wrong


def in_little_memory(folder: Path, sessions: int) -> tuple[str, bool]:
    """Link, freeze and judge again with a limit, which must give the same bytes."""
    del sessions
    opened, segments, results = services(folder, memory_limit=LITTLE), folder / "little", folder / "little-results"
    opened.trails.freeze(PERIOD, segments, opened.controls.rule_set)
    _judge(opened, segments, results)
    same = _digests(segments) == _digests(folder / "segments") and _digests(results) == _digests(folder / "results")
    shutil.rmtree(segments)
    return f"memory_limit {LITTLE}: {'same bytes' if same else 'OTHER BYTES'}", same


def _judge(opened: Services, segments: Path, results: Path) -> Evaluation:
    return evaluate(
        controls=opened.controls,
        catalog=opened.controls.resolve_framework(FRAMEWORK),
        period=PERIOD,
        as_of=opened.trails.as_of(),
        ledger_size=opened.ledger.size(),
        segments=segments,
        results=results,
        memory_limit=opened.settings.memory_limit,
    )


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*.parquet")
    }


def by_hand(folder: Path, sessions: int) -> tuple[str, bool]:
    """Judge sessions by the SQL that somebody would write by hand for five tests, and by our compiler for the same."""
    del sessions
    tests = [define(services(folder).controls.tests[name]) for name in BY_HAND]
    files = rows_sql(checked_files(folder / "segments", "session"), read_period(folder / "segments"))
    codes = ", ".join(f'({sql})::SMALLINT AS "{name}"' for name, sql in BY_HAND.items())
    written = f"SELECT item_id, {codes} FROM {files} ORDER BY item_id"  # noqa: S608
    hand, expected = _timed(folder, written)
    ours, found = _timed(folder, outcomes_sql(tests, files))
    same = expected.equals(found.select(expected.column_names).cast(expected.schema))
    said = "same answers" if same else "OTHER ANSWERS"
    return f"five tests of sessions: by hand {hand:.2f} CPU s, compiled {ours:.2f}: {ours / hand:.2f} x; {said}", same


def _timed(folder: Path, sql: str) -> tuple[float, pa.Table]:
    with open_engine([folder / "segments"]) as engine:
        started = time.process_time()
        table = engine.sql(sql).to_arrow_table()
        return time.process_time() - started, table


def evaluate_a_framework(folder: Path, sessions: int) -> str:
    """Evaluate as ``proofroom evaluate`` does: link, freeze, judge, conclude, measure, and keep the answer."""
    del sessions
    evaluated = services(folder).evaluator.evaluate(FRAMEWORK, PERIOD)
    return f"{len(evaluated.evaluation.tests)} tests, {len(evaluated.metrics)} metrics"


def build_a_pack(folder: Path, sessions: int) -> str:
    """Build the signed pack of the evaluated period."""
    del sessions
    pack = services(folder).packs.build(FRAMEWORK, PERIOD, folder / "packs")
    return f"{pack.stat().st_size / 2**20:,.0f} MiB, of which the report {_report_size(pack) / 2**20:,.1f}"


def _report_size(pack: Path) -> int:
    with ZipFile(pack) as archive:
        return next(member.file_size for member in archive.infolist() if member.filename.endswith("report.pdf"))


def verify_the_pack(folder: Path, sessions: int) -> tuple[str, bool]:
    """Verify it by all steps, every test performed again."""
    del sessions
    [pack] = (folder / "packs").glob("*.zip")
    report = verify(pack, (folder / "data" / "keys" / "signing.crt").read_bytes())
    return f"{len(report.steps)} steps: {'holds' if report.holds else 'DOES NOT HOLD'}", report.holds


def one_more_day(folder: Path, sessions: int) -> tuple[str, bool]:
    """Evaluate all but the last day, then the rest; and all from the beginning, which must say the same."""
    del sessions
    again = folder / "again"
    again.mkdir()
    for name, is_late in (("before", False), ("since", True)):
        with (again / f"{name}.ndjson").open("wb") as part, (folder / "records.ndjson").open("rb") as whole:
            part.writelines(line for line in whole if _is_late(line) is is_late)
    _import(again, "before")
    _evaluate(again)
    _import(again, "since")
    least, found = _evaluate(again)
    shutil.rmtree(again / "data" / "evaluations")
    full, expected = _evaluate(again)
    same = found == expected
    said = "same answers" if same else "OTHER ANSWERS"
    return f"after a day more {least:.1f} CPU s, in full {full:.1f}: {least / full:.0%}; {said}", same


def _is_late(line: bytes) -> bool:
    """Tell whether something of a record happened on the last day with sessions."""
    return any(int(at) >= START + (DAYS - 2) * DAY for at in _INSTANT.findall(line))


def _import(folder: Path, name: str) -> None:
    covered = Window(start=START - 100 * DAY, end=START + (DAYS + 1) * DAY)
    services(folder).import_files("records", [folder / f"{name}.ndjson"], "bench", covered, lambda *_: None)


def _evaluate(folder: Path) -> tuple[float, Evaluation]:
    opened = services(folder)
    opened.controls.rule_set.flags("")
    started = time.process_time()
    evaluated = opened.evaluator.evaluate(FRAMEWORK, PERIOD)
    return time.process_time() - started, evaluated.evaluation


def interpret(folder: Path, sessions: int) -> str:
    """Judge a few sessions by the interpreter, and say what all would take."""
    opened = services(folder)
    tests = [test for test in opened.controls.tests_for(FRAMEWORK) if test.population == "session"]
    rows = list(islice(read_rows(folder / "segments", "session"), INTERPRETED))
    outcomes(tests, rows[0])
    started = time.process_time()
    failed = sum(ItemOutcome.FAIL in outcomes(tests, row).values() for row in rows)
    whole = (time.process_time() - started) / len(rows) * sessions
    files = rows_sql(checked_files(folder / "segments", "session"), read_period(folder / "segments"))
    compiled, _ = _timed(folder, outcomes_sql([define(test) for test in tests], files))
    asked = f"{len(tests)} tests of {len(rows):,} sessions ({failed} fail)"
    return f"{asked}: {whole:,.0f} CPU s for all, {whole / compiled:,.0f} x the compiled query"


STEPS: dict[str, Callable[[Path, int], Any]] = {
    "generate": generate,
    "import": import_records,
    "link and freeze": freeze,
    "test every item": judge_every_item,
    "by hand": by_hand,
    "interpreter": interpret,
    f"in {LITTLE}": in_little_memory,
    "evaluate a framework": evaluate_a_framework,
    "build a pack": build_a_pack,
    "verify the pack": verify_the_pack,
    "one more day": one_more_day,
}


def main() -> None:
    """Run one step and print what it took."""
    step, sessions, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    started, used = time.monotonic(), time.process_time()
    said = STEPS[step](folder, sessions)
    what, holds = said if isinstance(said, tuple) else (said, True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    wall, cpu = time.monotonic() - started, time.process_time() - used
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "what": what, "holds": holds}))  # noqa: T201


if __name__ == "__main__":
    main()
