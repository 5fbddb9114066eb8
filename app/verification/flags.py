# SPDX-License-Identifier: Apache-2.0

"""The step that applies the pack's risk rules again to every text of the pack, and compares the flags.

In:  the populations ``session_event`` and ``session``, the rules of the pack.
Out: how many texts were matched; or which item shows flags that the rules do not give.
What was typed again and again is matched once, and which event a session means is for the SQL engine to find.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from app.cel.reads import reads
from app.controls.rules import RuleSet
from app.evaluation.engine import open_engine
from app.evaluation.questions import segments_sql
from app.packs.withholding.reads import definitions_of
from app.trails.segments import segment_files
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any

# ruff: noqa: S608 - Names are made by us.

_ROWS = 10_000
_MEMORY = "500MB"
"""What the engine may take of a million different texts; what does not fit goes to the disk."""
_MAX_PROBLEMS = 20
TEXT = "event.text"
"""What is called that when it is withheld."""
_TOLD = ("id", '"at"', "text_sha256")
"""What tells one event from another; the last is something else when texts are withheld."""


def again(case: Case) -> str:
    """Match the texts of all commands and queries on the rules again; a session must show the same flags."""
    rules = need(case.controls, 13).rule_set
    folder = case.folders_of_pack().populations
    is_withheld = case.withheld is not None and TEXT in case.withheld.fields
    with open_engine([folder], _MEMORY, case.work) as engine:
        _open(engine, folder)
        matched = _Matched()
        for batch in _texts(engine):
            matched.add(batch, None if is_withheld else rules)
        unseen, misfits = _shown(engine, _TOLD[:-1] if is_withheld else _TOLD)
    fail_if_any([*sorted(matched.problems), *misfits][:_MAX_PROBLEMS])
    texts, flagged = matched.texts, matched.flagged
    rest = f"; {unseen:,} events of sessions are outside the period, without a text" if unseen else ""
    if is_withheld:
        if relying := _reading_flags(case):
            case.caution_about_flags = (
                f"The flags of {texts:,} withheld texts are the signer's claim, and with them what these tests, though"
                f" run again, come to: {', '.join(relying)}."
            )
        return (
            f"NOT DONE for {texts:,} withheld texts, whose flags are the signer's claim; sessions show the same{rest}"
        )
    return f"{texts:,} texts, {flagged:,} flagged{rest}"


def _open(engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Name the events, and what sessions show of theirs."""
    events, sessions = (
        segments_sql([path.resolve() for path in segment_files(folder, population)])
        for population in ("session_event", "session")
    )
    engine.execute(f"CREATE TEMP VIEW event AS SELECT item_id, unnest(event) FROM {events}")
    shown = f"SELECT item_id, unnest(events) AS event FROM {sessions}"
    engine.execute(f"CREATE TEMP VIEW shown AS SELECT item_id, unnest(event) FROM ({shown})")


def _texts(engine: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
    """Return each text with the flags it has somewhere: the first item that shows it so, and how many do."""
    sql = "SELECT text, flags, min(item_id) AS item_id, count(*) AS items FROM event GROUP BY text, flags"
    return engine.sql(sql).to_arrow_reader(_ROWS)


class _Matched:
    """What came of matching: texts in all, texts with a flag, and a sentence for each that has other flags."""

    def __init__(self) -> None:
        self.texts = self.flagged = 0
        self.problems: list[str] = []

    def add(self, batch: pa.RecordBatch, rules: RuleSet | None) -> None:
        """Match texts, or count them where there are no rules to be believed."""
        texts, stated, items, counts = (batch.column(name).to_pylist() for name in batch.schema.names)
        found = _right(rules, texts) if rules else stated
        for text, flags, right, item, count in zip(texts, stated, found, items, counts, strict=True):
            self.texts += count if text is not None else 0
            self.flagged += count if right else 0
            if (flags or right) and flags != right and len(self.problems) < _MAX_PROBLEMS:
                self.problems.append(f"the flags of {item} are not those that the rules give")


def _right(rules: RuleSet, texts: Sequence[str | None]) -> list[list[dict[str, object]]]:
    return [
        [msgspec.structs.asdict(flag) for flag in flags] for flags in rules.flags_of([text or "" for text in texts])
    ]


def _shown(engine: duckdb.DuckDBPyConnection, told: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many events of sessions are not there, and a sentence for each that is there with other flags."""
    same = " AND ".join(f"shown.{name} IS NOT DISTINCT FROM event.{name}" for name in told)
    engine.execute(
        'CREATE TEMP TABLE other AS SELECT item_id, id, "at", text_sha256 FROM shown'
        f" ANTI JOIN event ON {same} AND shown.flags IS NOT DISTINCT FROM event.flags"
    )
    ((others,),) = engine.execute("SELECT count(*) FROM other").fetchall()
    there = f"FROM other AS shown SEMI JOIN event ON {same}"
    ((misfits,),) = engine.execute(f"SELECT count(*) {there}").fetchall()
    named = engine.execute(f"SELECT item_id, id {there} ORDER BY ALL LIMIT {_MAX_PROBLEMS}").fetchall()
    return others - misfits, [f"{item} shows other flags of event {event} than the event has" for item, event in named]


def _reading_flags(case: Case) -> list[str]:
    """Return the tests that read flags, by id, but for those that were not run again anyway."""
    definitions = definitions_of(need(case.controls, 13), case.report().evaluation)
    reading = {each.id for each in definitions for one in each.expressions if any(map(_is_flags, reads(one.tree)))}
    return sorted(reading.difference(case.not_reperformed))


def _is_flags(path: str) -> bool:
    return "flags" in path.split(".")
