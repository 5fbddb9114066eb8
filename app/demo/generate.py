# SPDX-License-Identifier: Apache-2.0

"""Puts the demo together: the whole story, and the files that tell it in the vendors' formats.

In:  a folder. Out: files, and a manifest that says which connector reads each, as which source, and for which time.
The files then go the way of any real export: through the connectors, the ledger, the trails and the tests.
"""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import msgspec

from app.connectors.base import Window
from app.demo.consequences import consequences
from app.demo.deviations import deviating_story
from app.demo.directory import organisation
from app.demo.model import Access, Door, Story
from app.demo.oversight import reviews_of_sample
from app.demo.registers import registers
from app.demo.remarkable import remarkable_but_in_order
from app.demo.story import ordinary_days
from app.demo.times import HOUR, PERIOD_END, PERIOD_START
from app.demo.writers import hoop, openbao, postgresql, records, sudo, teleport

_FORMATS: tuple[tuple[str, str, str, Callable[[Iterable[Access]], bytes], frozenset[Door]], ...] = (
    ("hoop", "hoop", "hoop.json", hoop.write, frozenset({"hoop"})),
    ("teleport", "teleport", "teleport.jsonl", teleport.write,
     frozenset({"teleport_ssh", "teleport_db", "teleport_kube"})),
    ("openbao", "openbao", "openbao-audit.jsonl", openbao.write, frozenset({"openbao", "openbao_ssh"})),
    ("postgresql", "postgresql", "postgresql.jsonl", postgresql.write, frozenset({"openbao"})),
    ("sudo", "sudo", "sudo_logsrvd.json", sudo.write, frozenset({"sudo"})),
)  # fmt: skip

_RECORD_SOURCES = ("hr", "inventory", "tickets", "reviews", "siem", "gateway", "archive")

COLLECTED_AT = PERIOD_END + 6 * HOUR
"""When the demo collects: the morning after the period."""


class DemoFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the demo: where it is, which connector reads it, as which source, and what time it speaks for."""

    path: Path
    source: str
    connector: str
    covered: Window


class DemoManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What ``write_demo`` wrote, in the order in which it should be collected.

    Attributes:
        period: the audit period of the demo, first instant inclusive and last exclusive.
        collected_at: the instant at which a reproducible demo collects.
    """

    files: tuple[DemoFile, ...]
    period: Window
    collected_at: int


@cache
def whole_story() -> Story:
    """Return the ordinary days, the planted deviations, and what the inventory and the targets tell of both."""
    special = remarkable_but_in_order() + deviating_story()
    ordinary = _without_clashes(ordinary_days(), special)
    happened = ordinary + special
    looked_at = reviews_of_sample(happened.accesses)
    return organisation() + happened + consequences(happened.accesses) + looked_at + registers(ordinary.accesses)


def _without_clashes(ordinary: Story, special: Story) -> Story:
    """Leave out ordinary accesses of a person around a special one, so that no window links the two."""
    clashing = {
        each.key
        for each in ordinary.accesses
        for other in special.accesses
        if each.person == other.person and each.requested < _last(other) + HOUR and other.requested - HOUR < _last(each)
    }
    tickets = {each.ticket for each in ordinary.accesses if each.key in clashing}
    return Story(
        accesses=tuple(each for each in ordinary.accesses if each.key not in clashing),
        told=tuple(each for each in ordinary.told if each.record.id not in tickets),
    )


def _last(access: Access) -> int:
    return max([access.expires, *(use.ended or 0 for use in access.uses)])


def write_demo(directory: Path) -> DemoManifest:
    """Write the demo's files into a folder, which is made if needed; the same bytes every time.

    Raises:
        OSError: the folder cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    story, covered = whole_story(), Window(start=PERIOD_START, end=PERIOD_END)
    files: list[DemoFile] = []
    for name in _RECORD_SOURCES:
        told = [each for each in story.told if each.source == name]
        broken = [line for source, line in story.broken_lines if source == name]
        path = directory / f"{name}.records.ndjson"
        path.write_bytes(records.write(told, broken))
        files.append(DemoFile(path=path, source=name, connector="records", covered=covered))
    for source, connector, name, write, doors in _FORMATS:
        path = directory / name
        path.write_bytes(write(access for access in story.accesses if access.door in doors))
        files.append(DemoFile(path=path, source=source, connector=connector, covered=covered))
    return DemoManifest(files=tuple(files), period=covered, collected_at=COLLECTED_AT)
