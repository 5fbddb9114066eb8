# SPDX-License-Identifier: Apache-2.0

"""The ledger over a real database: appending, reading back, checkpoints and proofs."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.connectors.base import MAX_RECORD_BYTES, SourceRecord
from app.db import Database
from app.errors import NotFound
from app.ledger import merkle
from app.ledger.entry import RUN_KIND, entry_hash, leaf_bytes, why_unfit
from app.ledger.note import open_checkpoint
from app.ledger.service import Ledger
from app.signing.checkpoint_key import CheckpointKey

KEY = CheckpointKey.from_seed(bytes(range(32)))


def record(number: int, *, kind: str = "session.start", raw: bytes | None = None) -> SourceRecord:
    return SourceRecord(
        kind=kind,
        key=f"k{number}",
        raw=b'{"n":%d}' % number if raw is None else raw,
        occurred_at=1_000 + number if number % 3 else None,
        occurred_at_text=f"text {number}" if number % 3 else None,
        locator=f"file:{number}",
    )


def filled(database: Database, pages: Sequence[int]) -> Ledger:
    ledger = Ledger(database, KEY)
    number = 0
    for page in pages:
        ledger.append("src", "run-1", 5_000, [record(n) for n in range(number, number + page)])
        number += page
    return ledger


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return filled(database, [3, 1, 9])


def leaves(ledger: Ledger) -> list[bytes]:
    return [entry_hash(entry) for entry in ledger.entries(range(ledger.size()))]


def test_the_leaf_is_this_text_and_nothing_else(ledger: Ledger) -> None:
    entry = next(ledger.entries([1]))
    digest = hashlib.sha256(b'{"n":1}').hexdigest()
    assert leaf_bytes(entry).decode() == (
        '{"collected_at":5000,"key":"k1","kind":"session.start","occurred_at":1001,"occurred_at_text":"text 1",'
        f'"raw_length":7,"raw_sha256":"{digest}","run_id":"run-1","source":"src"}}'
    )
    assert merkle.leaf_hash(leaf_bytes(entry)) == leaves(ledger)[1]


def test_entries_come_back_as_they_went_in(ledger: Ledger) -> None:
    for number, entry in enumerate(ledger.entries(range(13))):
        given = record(number)
        assert (entry.index, entry.key, entry.occurred_at) == (number, given.key, given.occurred_at)
        assert (entry.raw_sha256, entry.raw_length) == (given.raw_sha256, len(given.raw))
        assert ledger.raw(number) == given.raw
    assert [(entry.index, raw) for entry, raw in ledger.scan(2, 4)] == [(2, b'{"n":2}'), (3, b'{"n":3}')]
    assert [entry.index for entry in ledger.entries([7, 2, 11])] == [7, 2, 11]


def test_root_and_proofs_are_those_of_the_leaves(ledger: Ledger) -> None:
    hashes = leaves(ledger)
    for size in range(14):
        assert ledger.root(size) == merkle.root(hashes[:size])
        for old in range(1, size + 1):
            proof = ledger.prove_consistency(old, size)
            assert merkle.verify_consistency(old, size, proof, merkle.root(hashes[:old]), ledger.root(size))
    for index in range(13):
        assert merkle.verify_inclusion(hashes[index], index, 13, ledger.prove_inclusion(index), ledger.root())
    chosen = {index: hashes[index] for index in (0, 4, 5, 12)}
    assert merkle.verify_subset(chosen, 13, ledger.prove_subset([0, 4, 5, 12]), ledger.root())


def test_pages_do_not_show_in_the_root(new_database: Callable[[], Database]) -> None:
    whole, pieces = filled(new_database(), [13]), filled(new_database(), [1, 0, 2, 4, 5, 1])
    assert whole.root() == pieces.root()
    assert whole.checkpoint() == pieces.checkpoint()
    assert whole.fsck() == pieces.fsck() == []


def test_the_same_bytes_again_are_a_duplicate_and_other_bytes_a_version(ledger: Ledger) -> None:
    root = ledger.root()
    again = ledger.append("src", "run-2", 9_000, [record(2), record(5)])
    assert (again.indices, again.accepted, again.size) == ((None, None), 0, 13)
    assert ledger.root() == root
    mixed = ledger.append(
        "src",
        "run-2",
        9_000,
        [
            record(5, raw=b"newer"),
            record(5),
            record(99),
            record(99),
            record(5, kind="session.end"),
            record(5, raw=b"newer"),
        ],
    )
    assert mixed.indices == (13, None, 14, None, 15, None)
    assert ledger.append("other", "run-3", 9_000, [record(5)]).indices == (16,)
    assert ledger.fsck() == []


def test_an_empty_page_is_no_entry(database: Database) -> None:
    ledger = Ledger(database, KEY)
    assert ledger.append("src", "run", 1, []).size == 0
    assert ledger.root() == merkle.EMPTY_ROOT
    assert open_checkpoint(ledger.checkpoint(), [ledger.verifier_key]).size == 0
    assert ledger.fsck() == []


def test_a_page_larger_than_one_query(database: Database) -> None:
    ledger = Ledger(database, KEY)
    assert ledger.append("src", "run", 1, [record(n) for n in range(9_001)]).accepted == 9_001
    assert ledger.append("src", "run", 1, [record(n) for n in range(9_002)]).accepted == 1
    indices = list(range(0, 9_002, 2))
    hashes = {entry.index: entry_hash(entry) for entry in ledger.entries(indices)}
    assert merkle.verify_subset(hashes, 9_002, ledger.prove_subset(indices), ledger.root())
    assert ledger.fsck() == []


def test_several_writers_leave_one_sound_log(database: Database) -> None:
    ledger = Ledger(database, KEY)
    problems: list[BaseException] = []

    def write(source: str) -> None:
        try:
            for page in range(5):
                ledger.append(source, source, 1, [record(n) for n in range(page * 7, page * 7 + 7)])
                ledger.checkpoint()
        except BaseException as error:  # noqa: BLE001  A thread's failure must reach the test.
            problems.append(error)

    threads = [threading.Thread(target=write, args=(f"source{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert ledger.size() == 3 * 5 * 7
    assert ledger.fsck() == []


def test_a_checkpoint_is_made_once_per_size_and_states_the_root(ledger: Ledger) -> None:
    note = ledger.checkpoint()
    assert ledger.checkpoint() == note
    stated = open_checkpoint(note, [ledger.verifier_key])
    assert (stated.origin, stated.size, stated.root) == (f"proofroom/{KEY.ledger_id}", 13, ledger.root())
    ledger.append("src", "run", 1, [record(50)])
    assert [size for size, _ in ledger.checkpoints()] == [13]
    assert ledger.checkpoint() != note
    assert [size for size, _ in ledger.checkpoints()] == [13, 14]


def test_an_inclusion_can_be_checked_by_itself(ledger: Ledger) -> None:
    found = ledger.inclusion(4)
    stated = open_checkpoint(found.checkpoint.encode(), [ledger.verifier_key])
    proof = [bytes.fromhex(value) for value in found.proof]
    assert merkle.verify_inclusion(entry_hash(found.entry), 4, stated.size, proof, stated.root)
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_what_is_not_there_is_said_so(ledger: Ledger) -> None:
    for ask in (
        lambda: ledger.raw(13),
        lambda: list(ledger.entries([3, 13])),
        lambda: ledger.root(14),
        lambda: ledger.prove_inclusion(0, 14),
        lambda: ledger.inclusion(13),
        lambda: ledger.inclusion(-1),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_raw", "ledger_node", "ledger_checkpoint"])
@pytest.mark.parametrize("verb", ["update", "delete", "wholesale"])
def test_the_database_itself_refuses_to_change_the_ledger(
    ledger: Ledger, database: Database, table: str, verb: str
) -> None:
    ledger.checkpoint()
    key = {"ledger_entry": '"index"', "ledger_raw": '"index"', "ledger_node": "position", "ledger_checkpoint": "size"}[
        table
    ]
    statements = {
        "update": f"UPDATE {table} SET {key} = {key} + 1000",
        "delete": f"DELETE FROM {table}",
        "wholesale": f"REPLACE INTO {table} SELECT * FROM {table}" if database.is_sqlite else f"TRUNCATE {table}",
    }
    with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(text(statements[verb]))
    assert ledger.fsck() == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"kind": RUN_KIND}, "reserved"),
        ({"key": "k" * 1024}, None),
        ({"key": "k" * 1025}, "key is longer"),
        ({"key": "é" * 513}, "key is longer"),
        ({"kind": "\ud800"}, "kind is not valid Unicode"),
        ({"occurred_at_text": "a\x00b"}, "zero byte"),
        ({"occurred_at": 1 << 53}, "out of range"),
        ({"raw": b"x" * MAX_RECORD_BYTES}, None),
        ({"raw": b"x" * (MAX_RECORD_BYTES + 1)}, "larger than"),
    ],
)
def test_what_cannot_become_an_entry(changes: dict[str, object], reason: str | None) -> None:
    found = why_unfit(msgspec.structs.replace(record(1), **changes))
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize("value", ["日本 🔑", "\u202e\u2028", "tab\t\\N\\.", "'\"; DROP TABLE", ""])
def test_every_fit_text_is_kept_and_hashed_the_same_on_both_databases(database: Database, value: str) -> None:
    ledger = Ledger(database, KEY)
    odd = SourceRecord(kind=value, key=value, raw=value.encode(), occurred_at=-1, occurred_at_text=value, locator="")
    assert why_unfit(odd) is None
    ledger.append("src", "run", 1, [odd])
    entry = next(ledger.entries([0]))
    assert (entry.kind, entry.key, entry.occurred_at_text, ledger.raw(0)) == (value, value, value, value.encode())
    assert ledger.root() == entry_hash(entry)
    assert ledger.fsck() == []


# The page's example must not depend on the database, so one is enough.
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_page_about_the_ledger_shows_what_this_ledger_gives(ledger: Ledger) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "ledger.md").read_text()
    assert ledger.checkpoint().decode() in page
    assert leaf_bytes(next(ledger.entries([1]))).decode() in page.replace('",\n"raw_length"', '","raw_length"')
