# SPDX-License-Identifier: Apache-2.0

"""The contract of ``app.connectors.base`` as a check that any file connector can be put through.

In:  a connector's factory and files that it reads well.
Out: nothing, or an AssertionError that says which promise was broken.
Ships with the contract, so that a connector from elsewhere can be checked the same way: see README.md.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

from app.connectors.base import Connector, Page, SourceRecord, Window
from app.errors import RecordRejected
from app.records.model import AccessRecord, record_type
from app.records.times import LAST_INSTANT

Factory = Callable[[Sequence[Path]], Connector]

_LONGEST_REASON = 500
_HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 62, 1 << 80, -(1 << 80), 1.5, 1e308, "", " ", "\x00", "\ud7ff", "x" * 9000, "\u202e",
    "0001-01-01T00:00:00Z", "9999-99-99T99:99:99Z", "2026-01-01 00:00:00", [], {}, [[]], [None], [{}], {"": {}},
)  # fmt: skip


def connector_conformance(
    factory: Factory, good_files: Sequence[Path], scratch: Path, *, seed: int = 0, mutations: int = 20
) -> list[SourceRecord]:
    """Put a connector through every promise of the contract.

    Args:
        factory: makes the connector from paths.
        good_files: files that it reads without a reject.
        scratch: an empty folder to write damaged copies to.
        seed: of the mutations, so that a failure can be had again.
        mutations: hostile variants made of each record.

    Returns:
        The source records read, for further checks.
    """
    pages = list(factory(good_files).fetch(Window(), None))
    records = [record for page in pages for record in page.records]
    _check_pages(pages)
    _check(bool(records), "the good files give at least one record")
    _check(not any(page.rejects for page in pages), "the good files give no rejects")
    _check(records == _all(factory, good_files), "fetching twice gives the same records")
    connector = factory(good_files)
    for record in records:
        _check_source_record(record)
        check_normalize(connector, record)
    _check_cursors(factory, good_files, pages)
    _check_truncation(factory, good_files, scratch)
    check_hostile(connector, records, random.Random(seed), mutations)  # noqa: S311  # a test, not a secret
    return records


def check_normalize(connector: Connector, record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Check what one record is normalized to: pure, declared, with ids and sane instants."""
    before = msgspec.json.encode(record)
    stated = connector.normalize(record)
    _check(stated == connector.normalize(record), "normalize gives the same twice", record)
    _check(msgspec.json.encode(record) == before, "normalize leaves its input alone", record)
    for each in stated:
        _check(record_type(each) in connector.record_types, f"{record_type(each)} is declared", record)
        check_access_record(each)
    return stated


def check_access_record(record: AccessRecord) -> None:
    """Check one access record: an id, instants on the time line, text that any database holds, bytes that read back."""
    _check(bool(record.id.strip()), "an access record has an id")
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name == "at" or name.endswith("_at"):
            _check(value is None or 0 <= value <= LAST_INSTANT, f"'{name}' is an instant")
        _check(type(value) is not str or "\x00" not in value, f"'{name}' holds no NUL")
        _check(type(value) is not int or -(1 << 63) <= value < 1 << 63, f"'{name}' fits in 64 bits")
    _check(msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record, "it reads back as it was")


def check_hostile(
    connector: Connector, records: Iterable[SourceRecord], randomness: random.Random, mutations: int
) -> None:
    """Check that nothing but RecordRejected comes out of normalize, whatever the bytes are."""
    for record in records:
        for raw in _variants(record.raw, randomness, mutations):
            hostile = msgspec.structs.replace(record, raw=raw)
            try:
                stated = connector.normalize(hostile)
            except RecordRejected as error:
                _check(str(error).isprintable() and len(str(error)) < _LONGEST_REASON, "a rejection is short", hostile)
                continue
            for each in stated:
                check_access_record(each)


def mutate(value: Any, randomness: random.Random) -> Any:  # noqa: ANN401  # any JSON value
    """Return a copy of a JSON value with one thing in it lost, replaced by something hostile, or doubled."""
    if isinstance(value, dict) and value:
        name = randomness.choice(sorted(value))
        rest = {each: inner for each, inner in value.items() if each != name}
        return rest if randomness.random() < 0.2 else rest | {name: mutate(value[name], randomness)}  # noqa: PLR2004
    if isinstance(value, list) and value:
        place = randomness.randrange(len(value))
        return [*value[:place], mutate(value[place], randomness), *value[place:]]
    return randomness.choice(_HOSTILE)


def _variants(raw: bytes, randomness: random.Random, mutations: int) -> Iterable[bytes]:
    yield from (b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 5000, raw[: len(raw) // 2], raw + raw)
    value = orjson.loads(raw)
    for _ in range(mutations):
        yield _encoded(mutate(value, randomness))


def _encoded(value: Any) -> bytes:  # noqa: ANN401  # any JSON value
    try:
        return orjson.dumps(value)
    except TypeError:  # An integer beyond 64 bits, which JSON allows and orjson does not write.
        return msgspec.json.encode(value)


def _check_pages(pages: Sequence[Page]) -> None:
    _check(bool(pages), "fetch yields at least one page, even of an empty source")
    _check(all(page.cursor for page in pages[:-1]), "every page but the last has a cursor")
    _check(pages[-1].cursor is None, "the last page has no cursor")
    positions = [page.position for page in pages]
    _check(positions == sorted(positions), "the position never goes back")
    _check(all(page.size is None or page.position <= page.size for page in pages), "no position is beyond the size")


def _check_source_record(record: SourceRecord) -> None:
    _check(bool(record.kind) and bool(record.key) and bool(record.locator), "kind, key and locator are there", record)
    _check(record.kind.isprintable() and record.key.isprintable(), "kind and key are printable", record)
    _check(record.occurred_at is None or 0 <= record.occurred_at <= LAST_INSTANT, "occurred_at is an instant", record)
    _check(bool(record.raw), "the raw bytes are there", record)


def _check_cursors(factory: Factory, files: Sequence[Path], pages: Sequence[Page]) -> None:
    for number, page in enumerate(pages[:-1], start=1):
        rest = [record for later in factory(files).fetch(Window(), page.cursor) for record in later.records]
        expected = [record for later in pages[number:] for record in later.records]
        _check(rest == expected, f"the cursor of page {number} gives the rest")


def _check_truncation(factory: Factory, files: Sequence[Path], scratch: Path) -> None:
    """Check that a file cut off in its last record gives all the others, and says that something is missing."""
    for file in files:
        whole = _all(factory, [file])
        if len(whole) < 2:  # noqa: PLR2004
            continue
        data = file.read_bytes()
        damaged = scratch / file.name
        damaged.write_bytes(data[: data.rindex(whole[-1].raw) + len(whole[-1].raw) // 2])
        pages = list(factory([damaged]).fetch(Window(), None))
        found = [record for page in pages for record in page.records]
        _check(found == whole[:-1], f"{file.name}, cut off in its last record, gives all the others")
        _check(sum(len(page.rejects) for page in pages) == 1, f"{file.name}, cut off, gives one reject")


def _all(factory: Factory, files: Sequence[Path]) -> list[SourceRecord]:
    return [record for page in factory(files).fetch(Window(), None) for record in page.records]


def _check(holds: bool, promise: str, record: SourceRecord | None = None) -> None:  # noqa: FBT001
    if not holds:
        raise AssertionError(f"broken promise: {promise}" + (f" ({record.locator})" if record is not None else ""))
