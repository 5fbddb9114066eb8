# SPDX-License-Identifier: Apache-2.0

"""The step that applies the pack's risk rules again to every text of the pack, and compares the flags."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from app.cel.reads import reads
from app.packs.withholding.reads import definitions_of
from app.trails.flags import Flags
from app.trails.populations import FlagView
from app.trails.segments import segment_files
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any

_ROWS = 10_000
_MAX_PROBLEMS = 20
TEXT = "event.text"
"""What is called that when it is withheld."""
_Key = tuple[str, int | None, str | None]


def again(case: Case) -> str:
    """Match the texts of all commands and queries on the rules again; a session must show the same flags."""
    flags = Flags(need(case.controls, 13).rule_set)
    folder = case.folders_of_pack().populations
    is_withheld = case.withheld is not None and TEXT in case.withheld.fields
    shown: defaultdict[_Key, list[list[FlagView]]] = defaultdict(list)
    problems: list[str] = []
    texts = flagged = 0
    for item_id, event in _events(folder):
        found = _flags(event) if is_withheld else flags.of(event["text"])
        texts += event["text"] is not None
        flagged += bool(found)
        shown[_key(event, is_withheld=is_withheld)].append(found)
        if _flags(event) != found and len(problems) < _MAX_PROBLEMS:
            problems.append(f"the flags of {item_id} are not those that the rules give")
    unseen = 0
    for item_id, event in _referred(folder):
        known = shown.get(_key(event, is_withheld=is_withheld))
        unseen += known is None
        if known is not None and _flags(event) not in known and len(problems) < _MAX_PROBLEMS:
            problems.append(f"{item_id} shows other flags of event {event['id']} than the event has")
    fail_if_any(problems)
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


def _reading_flags(case: Case) -> list[str]:
    """Return the tests that read flags, by id, but for those that were not run again anyway."""
    definitions = definitions_of(need(case.controls, 13), case.report().evaluation)
    reading = {each.id for each in definitions for one in each.expressions if any(map(_is_flags, reads(one.tree)))}
    return sorted(reading.difference(case.not_reperformed))


def _is_flags(path: str) -> bool:
    return "flags" in path.split(".")


def _events(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in _rows(folder, "session_event", "event"):
        yield row["item_id"], row["event"]


def _referred(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in _rows(folder, "session", "events"):
        for event in row["events"]:
            yield row["item_id"], event


def _rows(folder: Path, population: str, column: str) -> Iterator[dict[str, Any]]:
    for path in segment_files(folder, population):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=["item_id", column]):
                yield from batch.to_pylist()


def _key(event: dict[str, Any], *, is_withheld: bool) -> _Key:
    return event["id"], event["at"], None if is_withheld else event["text_sha256"]


def _flags(event: dict[str, Any]) -> list[FlagView]:
    return [FlagView(**flag) for flag in event["flags"]]
