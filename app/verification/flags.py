# SPDX-License-Identifier: Apache-2.0

"""The step that applies the pack's risk rules again to every text of the pack, and compares the flags."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
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
_TOLD = ("id", "at", "text_sha256")
"""What tells one event from another."""
_KEY_BYTES = 16
_NONE: list[FlagView] = []


def again(case: Case) -> str:
    """Match the texts of all commands and queries on the rules again; a session must show the same flags."""
    rules = Flags(need(case.controls, 13).rule_set)
    folder = case.folders_of_pack().populations
    is_withheld = case.withheld is not None and TEXT in case.withheld.fields
    shown = _Shown(is_withheld=is_withheld)
    problems: list[str] = []
    texts = flagged = 0
    for events in _events(folder):
        found = events.flags if is_withheld else [rules.of(text) for text in events.texts]
        texts += len(events.texts) - events.texts.count(None)
        flagged += sum(map(bool, found))
        shown.add(events, found)
        problems += [
            f"the flags of {events.item_id(place)} are not those that the rules give"
            for place, (stated, right) in enumerate(zip(events.flags, found, strict=True))
            if stated != right
        ]
        del problems[_MAX_PROBLEMS:]
    unseen = 0
    for events in _referred(folder):
        for place, (key, stated) in enumerate(zip(shown.keys(events), events.flags, strict=True)):
            fits = shown.fits(key, stated)
            unseen += fits is None
            if fits is False and len(problems) < _MAX_PROBLEMS:
                problems.append(
                    f"{events.item_id(place)} shows other flags of event {events.ids[place]} than the event has"
                )
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


class _Events:
    """Some events: what tells one from another, their texts if they are there, and their flags, place by place."""

    def __init__(self, items: pa.Array, parents: pa.Array | None, events: pa.Array) -> None:
        self._items = items
        self._parents = parents
        self.ids: list[str] = pc.struct_field(events, "id").to_pylist()
        self.ats: list[int | None] = pc.struct_field(events, "at").to_pylist()
        self.digests: list[str | None] = pc.struct_field(events, "text_sha256").to_pylist()
        is_own = events.type.get_field_index("text") >= 0
        self.texts: list[str | None] = pc.struct_field(events, "text").to_pylist() if is_own else []
        self.flags = _flags(pc.struct_field(events, "flags"))

    def item_id(self, place: int) -> str:
        """Return the id of the item that an event belongs to."""
        return str(self._items[place if self._parents is None else self._parents[place].as_py()])


class _Shown:
    """What flags events have, by what tells one from another; a hundred bytes an event, for there may be millions."""

    def __init__(self, *, is_withheld: bool) -> None:
        self._is_withheld = is_withheld
        self._plain: set[bytes] = set()
        self._flagged: dict[bytes, list[list[FlagView]]] = {}

    def keys(self, events: _Events) -> Iterator[bytes]:
        """Yield a digest of what tells each event from another."""
        digests = [None] * len(events.ids) if self._is_withheld else events.digests
        for key in zip(events.ids, events.ats, digests, strict=True):
            yield blake2b(repr(key).encode(), digest_size=_KEY_BYTES).digest()

    def add(self, events: _Events, found: Sequence[list[FlagView]]) -> None:
        """Take note of events and their right flags."""
        for key, flags in zip(self.keys(events), found, strict=True):
            if flags:
                self._flagged.setdefault(key, []).append(flags)
            else:
                self._plain.add(key)

    def fits(self, key: bytes, flags: list[FlagView]) -> bool | None:
        """Tell whether an event has these flags; None if it is not known."""
        if key not in self._plain and key not in self._flagged:
            return None
        return flags in self._flagged.get(key, ()) if flags else key in self._plain


def _reading_flags(case: Case) -> list[str]:
    """Return the tests that read flags, by id, but for those that were not run again anyway."""
    definitions = definitions_of(need(case.controls, 13), case.report().evaluation)
    reading = {each.id for each in definitions for one in each.expressions if any(map(_is_flags, reads(one.tree)))}
    return sorted(reading.difference(case.not_reperformed))


def _is_flags(path: str) -> bool:
    return "flags" in path.split(".")


def _events(folder: Path) -> Iterator[_Events]:
    """Yield the population ``session_event``, some at a time."""
    for batch in _batches(folder, "session_event", [f"event.{name}" for name in (*_TOLD, "text")], "event.flags"):
        yield _Events(batch.column("item_id"), None, batch.column("event"))


def _referred(folder: Path) -> Iterator[_Events]:
    """Yield what sessions show of their events, some at a time."""
    columns = [f"events.list.element.{name}" for name in _TOLD]
    for batch in _batches(folder, "session", columns, "events.list.element.flags"):
        lists = batch.column("events")
        yield _Events(batch.column("item_id"), pc.list_parent_indices(lists), pc.list_flatten(lists))


def _batches(folder: Path, population: str, columns: Sequence[str], flags: str) -> Iterator[pa.RecordBatch]:
    wanted = ["item_id", *columns, *(f"{flags}.list.element.{name}" for name in FlagView.__struct_fields__)]
    for path in segment_files(folder, population):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_ROWS, columns=wanted)


def _flags(lists: pa.Array) -> list[list[FlagView]]:
    """Return the flags of each event; nearly none has any."""
    flags = [_NONE] * len(lists)
    for place in pc.indices_nonzero(pc.fill_null(pc.list_value_length(lists), 0)).to_pylist():
        flags[place] = [FlagView(**flag) for flag in lists[place].as_py()]
    return flags
