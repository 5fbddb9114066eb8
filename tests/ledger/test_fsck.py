# SPDX-License-Identifier: Apache-2.0

"""A ledger changed in one named way by somebody who may write to the database; fsck must name the place."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.connectors.base import SourceRecord
from app.db import Database
from app.ledger import merkle
from app.ledger.entry import entry_hash
from app.ledger.service import Ledger
from app.signing.checkpoint_key import CheckpointKey

KEY = CheckpointKey.from_seed(bytes(range(32)))
TABLES = ("ledger_entry", "ledger_raw", "ledger_node", "ledger_checkpoint")


@pytest.fixture
def ledger(database: Database) -> Ledger:
    ledger = Ledger(database, KEY)
    for start in (0, 7):
        page = [
            SourceRecord(
                kind="session", key=f"k{n}", raw=b"raw %d" % n, occurred_at=n, occurred_at_text=str(n), locator=""
            )
            for n in range(start, start + 7)
        ]
        ledger.append("src", "run", 1, page)
        ledger.checkpoint()
    assert ledger.fsck() == []
    return ledger


Intruder = Callable[..., None]


@pytest.fixture
def intruder(database: Database, ledger: Ledger) -> Intruder:
    """Give a way to change anything: the guards are gone, as for anybody who owns the database."""

    def execute(statement: str, **values: object) -> None:
        with database.write() as connection:
            connection.execute(text(statement), values)

    for table in TABLES:
        if database.is_sqlite:
            execute(f"DROP TRIGGER {table}_no_update")
            execute(f"DROP TRIGGER {table}_no_delete")
        else:
            execute(f"DROP TRIGGER {table}_append_only ON {table}")
    return execute


def leaf_of(ledger: Ledger, index: int) -> bytes:
    return entry_hash(next(ledger.entries([index])))


ONE_CHANGE = [
    (
        """UPDATE ledger_entry SET occurred_at = 99 WHERE "index" = 3""",
        ["entry 3 (src session k3): its columns do not"],
    ),
    (
        """UPDATE ledger_entry SET occurred_at = NULL WHERE "index" = 3""",
        ["entry 3 (src session k3): its columns do not"],
    ),
    (
        """UPDATE ledger_entry SET key = 'other' WHERE "index" = 3""",
        ["entry 3 (src session other): its columns do not", "entry 3 (src session other): its fingerprint"],
    ),
    (
        """UPDATE ledger_entry SET fingerprint = CAST('x' AS BLOB) WHERE "index" = 3""",
        ["entry 3 (src session k3): its fingerprint"],
    ),
    (
        """UPDATE ledger_raw SET raw = CAST('forged' AS BLOB) WHERE "index" = 5""",
        ["entry 5 (src session k5): its raw bytes do not"],
    ),
    ("""DELETE FROM ledger_raw WHERE "index" = 5""", ["entry 5 (src session k5): its raw bytes are missing"]),
    ("INSERT INTO ledger_raw VALUES (77, CAST('stray' AS BLOB))", ["entry 77: there are raw bytes without an entry"]),
    (
        """DELETE FROM ledger_entry WHERE "index" = 5""",
        ["entry 5: 1 entries are missing", "entry 5: there are raw bytes"],
    ),
    (
        "UPDATE ledger_node SET hash = CAST('short' AS BLOB) WHERE position = 0",
        ["entries 0 to 1: the hash of their subtree"],
    ),
    ("DELETE FROM ledger_node WHERE position = 2", ["entries 0 to 3: the hash of their subtree"]),
    ("INSERT INTO ledger_node VALUES (500, CAST('x' AS BLOB))", ["there are 1 subtree hashes more"]),
    ("UPDATE ledger_checkpoint SET note = 'x' WHERE size = 7", ["checkpoint of size 7: this is not a signed note"]),
    (
        "UPDATE ledger_checkpoint SET root_hash = CAST('x' AS BLOB) WHERE size = 7",
        [
            "checkpoint of size 7: the entries do not give its root",
            "checkpoint of size 7: its signed note states another",
        ],
    ),
    (
        "UPDATE ledger_checkpoint SET size = 6 WHERE size = 7",
        [
            "checkpoint of size 6: the entries do not give its root",
            "checkpoint of size 6: its signed note states another",
        ],
    ),
    (
        """DELETE FROM ledger_entry WHERE "index" = 13""",
        ["entry 13: there are raw bytes", "checkpoint of size 14: the ledger ends after 13", "there are"],
    ),
    (
        """UPDATE ledger_entry SET "index" = 1000000000000 WHERE "index" = 13""",
        ["entry 13: 999999999987 entries are missing", "nothing from entry 1000000000000 on was checked"],
    ),
]


@pytest.mark.parametrize(("statement", "expected"), ONE_CHANGE)
def test_one_change_is_named_where_it_was_made(
    ledger: Ledger, database: Database, intruder: Intruder, statement: str, expected: list[str]
) -> None:
    if not database.is_sqlite:
        statement = statement.replace("BLOB", "BYTEA")
    intruder(statement)
    problems = ledger.fsck()
    assert len(problems) == len(expected), problems
    for problem, start in zip(problems, expected, strict=True):
        assert problem.startswith(start), problems


def test_a_change_with_its_leaf_hash_made_to_fit_shows_in_the_subtree(ledger: Ledger, intruder: Intruder) -> None:
    intruder("""UPDATE ledger_entry SET occurred_at = 99 WHERE "index" = 3""")
    intruder("""UPDATE ledger_entry SET leaf_hash = :leaf WHERE "index" = 3""", leaf=leaf_of(ledger, 3))
    assert ledger.fsck() == ["entries 2 to 3: the hash of their subtree does not fit"]


def test_a_change_with_every_hash_made_to_fit_shows_in_the_signed_checkpoints(
    ledger: Ledger, intruder: Intruder
) -> None:
    intruder("""UPDATE ledger_entry SET occurred_at = 99 WHERE "index" = 3""")
    forged = [entry_hash(entry) for entry in ledger.entries(range(14))]
    intruder("""UPDATE ledger_entry SET leaf_hash = :leaf WHERE "index" = 3""", leaf=forged[3])
    for position, value in enumerate(merkle.extend([], 0, forged)):
        intruder("UPDATE ledger_node SET hash = :hash WHERE position = :position", hash=value, position=position)
    assert ledger.fsck() == [
        "checkpoint of size 7: the entries do not give its root",
        "checkpoint of size 14: the entries do not give its root",
    ]


def test_checkpoints_of_another_key_are_not_believed(ledger: Ledger, database: Database) -> None:
    other = Ledger(database, CheckpointKey.from_seed(bytes(32)))
    assert [problem.partition(":")[0] for problem in other.fsck()] == ["checkpoint of size 7", "checkpoint of size 14"]


def test_hostile_text_does_not_reach_the_terminal(ledger: Ledger, intruder: Intruder) -> None:
    intruder("""UPDATE ledger_entry SET key = :key WHERE "index" = 3""", key="\x1b[2J\n\u202e" + "x" * 999)
    problems = ledger.fsck()
    assert len(problems) == 2
    assert all(problem.isprintable() and len(problem) < 200 for problem in problems)


# Only SQLite stores a text in a column of bytes or numbers.
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_values_of_a_wrong_kind_are_problems_and_no_crash(ledger: Ledger, intruder: Intruder) -> None:
    for column in ("raw_sha256", "leaf_hash", "collected_at", "raw_length", "kind"):
        intruder(f"""UPDATE ledger_entry SET {column} = 'text' WHERE "index" = 3""")
    intruder("UPDATE ledger_node SET hash = 5 WHERE position = 3")
    intruder("UPDATE ledger_raw SET raw = 7")
    intruder("UPDATE ledger_checkpoint SET note = x'ff00', root_hash = 'text' WHERE size = 14")
    problems = ledger.fsck()
    assert any(problem.startswith("entry 3 ") for problem in problems)
    assert any(problem.startswith("checkpoint of size 14") for problem in problems)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_text_that_is_not_unicode_is_a_problem_and_no_crash(ledger: Ledger, intruder: Intruder) -> None:
    intruder("""UPDATE ledger_entry SET kind = CAST(x'ff' AS TEXT) WHERE "index" = 3""")
    (problem,) = ledger.fsck()
    assert problem.startswith("the database cannot be read beyond entry")


def test_so_many_problems_are_cut_off_and_it_says_so(ledger: Ledger, database: Database, intruder: Intruder) -> None:
    page = [
        SourceRecord(kind="session", key=f"m{n}", raw=b"", occurred_at=n, occurred_at_text=None, locator="")
        for n in range(1_100)
    ]
    ledger.append("src", "run", 1, page)
    with database.write() as connection:
        connection.execute(text("UPDATE ledger_entry SET collected_at = 2"))
    problems = ledger.fsck()
    assert len(problems) == 1_001
    assert problems[-1] == "there are more problems than are listed"
