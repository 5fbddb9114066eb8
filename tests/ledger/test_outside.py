# SPDX-License-Identifier: Apache-2.0

"""What is kept outside the database shows what no check inside can: a rollback, and a change that fits everywhere."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from app.connectors.base import SourceRecord
from app.db import Database
from app.errors import InvalidInput, LedgerCorrupt, VerificationFailed
from app.ledger import merkle
from app.ledger.cosignature import WitnessKey, cosign, cosignatures
from app.ledger.entry import LedgerEntry, entry_hash, fingerprint
from app.ledger.kept import KeptCheckpoints
from app.ledger.note import open_checkpoint
from app.ledger.service import Ledger
from app.signing.checkpoint_key import CheckpointKey

KEY = CheckpointKey.from_seed(bytes(range(32)))
SIGNER = CheckpointKey.from_seed(bytes(32))
WITNESS = WitnessKey("witness.example.com/w1", SIGNER.public_bytes)
TABLES = ("ledger_entry", "ledger_raw", "ledger_node", "ledger_checkpoint")
Execute = Callable[..., None]


def append(ledger: Ledger, start: int, end: int, prefix: str = "k") -> None:
    page = [
        SourceRecord(
            kind="session", key=f"{prefix}{n}", raw=b"%d" % n, occurred_at=n, occurred_at_text=None, locator=""
        )
        for n in range(start, end)
    ]
    ledger.append("src", "run", 1, page)


@pytest.fixture
def ledger(database: Database, tmp_path: Path) -> Ledger:
    ledger = Ledger(database, KEY, KeptCheckpoints(tmp_path / "checkpoints"))
    for start in (0, 7):
        append(ledger, start, start + 7)
        ledger.checkpoint()
    assert ledger.fsck() == []
    return ledger


@pytest.fixture
def execute(database: Database, ledger: Ledger) -> Execute:
    """Change anything, as whoever owns the database can."""

    def run(statement: str, **values: object) -> None:
        with database.write() as connection:
            connection.execute(text(statement), values)

    for table in TABLES:
        names = [f"{table}_no_update", f"{table}_no_delete"] if database.is_sqlite else [f"{table}_append_only"]
        for name in names:
            run(f"DROP TRIGGER {name}" + ("" if database.is_sqlite else f" ON {table}"))
    return run


def roll_back(execute: Execute, size: int) -> None:
    """Bring the database back to what it was at a size, without a trace."""
    for table in ("ledger_entry", "ledger_raw"):
        execute(f'DELETE FROM {table} WHERE "index" >= :size', size=size)
    execute("DELETE FROM ledger_node WHERE position >= :count", count=size - size.bit_count())
    execute("DELETE FROM ledger_checkpoint WHERE size > :size", size=size)


def rewrite(ledger: Ledger, execute: Execute, index: int) -> None:
    """Change an entry and make everything inside the database fit, later checkpoints included."""
    execute(f'UPDATE ledger_entry SET occurred_at = 99 WHERE "index" = {index}')
    forged = [entry_hash(entry) for entry in ledger.entries(range(14))]
    execute(f'UPDATE ledger_entry SET leaf_hash = :leaf WHERE "index" = {index}', leaf=forged[index])
    for position, value in enumerate(merkle.extend([], 0, forged)):
        execute("UPDATE ledger_node SET hash = :hash WHERE position = :position", hash=value, position=position)
    execute("DELETE FROM ledger_checkpoint")


def test_a_rollback_is_seen_by_the_kept_checkpoints(ledger: Ledger, execute: Execute, database: Database) -> None:
    roll_back(execute, 7)
    assert Ledger(database, KEY).fsck() == [], "nothing inside the database shows it"
    assert ledger.fsck() == [
        "kept checkpoint 14: a checkpoint of size 14 was signed, so entries 7 to 13 are missing: the end was cut off"
    ]


def test_after_a_rollback_nothing_is_signed(ledger: Ledger, execute: Execute) -> None:
    roll_back(execute, 7)
    append(ledger, 50, 53, "other")
    with pytest.raises(LedgerCorrupt, match="rolled back"):
        ledger.checkpoint()
    append(ledger, 60, 70, "other")
    with pytest.raises(LedgerCorrupt, match="not the first ones any more"):
        ledger.checkpoint()
    assert any("the first 14 entries are not those that were signed" in problem for problem in ledger.fsck())


def test_a_rewritten_entry_is_narrowed_down_by_checkpoints(
    ledger: Ledger, execute: Execute, database: Database
) -> None:
    rewrite(ledger, execute, 9)
    assert Ledger(database, KEY).fsck() == [], "nothing inside the database shows it"
    (problem,) = ledger.fsck()
    assert "one of entries 7 to 13 was changed" in problem


def refit(execute: Execute, entries: list[LedgerEntry], raws: list[bytes]) -> None:
    """Put other entries into the tables and make every hash fit; forget all checkpoints inside the database."""
    hashes = [entry_hash(entry) for entry in entries]
    for table in TABLES:
        execute(f"DELETE FROM {table}")
    for place, (entry, raw, leaf) in enumerate(zip(entries, raws, hashes, strict=True)):
        digest = bytes.fromhex(entry.raw_sha256)
        mark = fingerprint(entry.source, entry.kind, entry.key, digest)
        values = msgspec.structs.asdict(entry) | {"index": place, "raw_sha256": digest}
        values |= {"leaf_hash": leaf, "fingerprint": mark}
        names = ", ".join(f'"{name}"' for name in values)
        execute(f"INSERT INTO ledger_entry ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values)
        execute("INSERT INTO ledger_raw VALUES (:place, :raw)", place=place, raw=raw)
    for position, value in enumerate(merkle.extend([], 0, hashes)):
        execute("INSERT INTO ledger_node VALUES (:position, :hash)", hash=value, position=position)


@pytest.mark.parametrize(
    ("order", "kept", "tiles"),
    [
        # Deleted, and the rest moved up.
        ([*range(9), *range(10, 14)], ["entry 13 is missing"], ["entry 9: it is not the one", "the end was cut off"]),
        # Re-ordered.
        (
            [*range(8), 10, 9, 8, *range(11, 14)],
            ["one of entries 7 to 13 was changed"],
            ["entry 8: it is not the one that was exported, which is now entry 10"],
        ),
        # Put in, and the rest moved down.
        ([0, 1, 1, *range(2, 14)], ["one of entries 0 to 6 was changed"], ["entry 2: it is not the one"]),
        # Rolled back, and other entries appended since.
        ([*range(7), 0, 1, 2, 3, 4, 5, 6], ["one of entries 7 to 13 was changed"], ["entry 7: it is not the one"]),
    ],
    ids=["deleted", "re-ordered", "inserted", "rolled back"],
)
def test_what_fits_everywhere_inside_is_named_by_what_was_kept_outside(
    ledger: Ledger,
    execute: Execute,
    database: Database,
    tmp_path: Path,
    order: list[int],
    kept: list[str],
    tiles: list[str],
) -> None:
    ledger.outside.export_tiles(ledger.checkpoint(), tmp_path / "tiles")
    entries, raws = list(ledger.entries(range(14))), [ledger.raw(place) for place in range(14)]
    chosen = [
        # The same entry cannot be there twice.
        msgspec.structs.replace(entries[old], key=f"other {new}") if old in order[:new] else entries[old]
        for new, old in enumerate(order)
    ]
    refit(execute, chosen, [raws[old] for old in order])
    assert Ledger(database, KEY).fsck() == [], "nothing inside the database shows it"
    for words, found in ((kept, ledger.fsck()), (tiles, ledger.outside.compare(tmp_path / "tiles"))):
        for word in words:
            assert any(word in problem for problem in found), (word, found)


def test_exported_tiles_name_the_rewritten_entry(ledger: Ledger, execute: Execute, tmp_path: Path) -> None:
    note = ledger.checkpoint()
    ledger.outside.export_tiles(note, tmp_path / "tiles")
    assert ledger.outside.compare(tmp_path / "tiles") == []
    rewrite(ledger, execute, 9)
    first, second = ledger.outside.compare(tmp_path / "tiles")
    assert first == "entry 9: it is not the one that was exported"
    assert "the first 14 entries are not those that were signed" in second
    with pytest.raises(InvalidInput, match="another export"):
        ledger.outside.export_tiles(note, tmp_path / "tiles")


def test_exported_tiles_name_entries_that_changed_places(ledger: Ledger, execute: Execute, tmp_path: Path) -> None:
    ledger.outside.export_tiles(ledger.checkpoint(), tmp_path / "tiles")
    for table in ("ledger_entry", "ledger_raw"):
        for old, new in ((3, -3), (5, 3), (-3, 5)):
            execute(f'UPDATE {table} SET "index" = {new} WHERE "index" = {old}')
    found = ledger.outside.compare(tmp_path / "tiles")
    assert found[:2] == [
        "entry 3: it is not the one that was exported, which is now entry 5",
        "entry 5: it is not the one that was exported, which is now entry 3",
    ]
    assert any(problem.startswith("entries 2 to 3") for problem in ledger.fsck())


def test_exported_tiles_show_a_rollback(ledger: Ledger, execute: Execute, tmp_path: Path) -> None:
    ledger.outside.export_tiles(ledger.checkpoint(), tmp_path / "tiles")
    roll_back(execute, 12)
    assert "entries 12 to 13 were exported and are missing: the end was cut off" in ledger.outside.compare(
        tmp_path / "tiles"
    )


def test_a_checkpoint_file_of_the_operator_shows_a_rollback(ledger: Ledger, execute: Execute, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(ledger.checkpoint())
    assert ledger.outside.compare(tmp_path / "mine") == []
    roll_back(execute, 13)
    (problem,) = ledger.outside.compare(tmp_path / "mine")
    assert problem == "mine: a checkpoint of size 14 was signed, so entry 13 is missing: the end was cut off"
    (tmp_path / "mine").write_bytes(b"nonsense")
    with pytest.raises(InvalidInput):
        ledger.outside.compare(tmp_path / "mine")
    with pytest.raises(InvalidInput, match="cannot be read"):
        ledger.outside.compare(tmp_path / "none")


def test_another_ledgers_checkpoint_says_nothing_about_this_one(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(ledger.outside._database, SIGNER)
    (tmp_path / "theirs").write_bytes(ledger.checkpoint())
    with pytest.raises(VerificationFailed):
        other.outside.compare(tmp_path / "theirs")


def test_a_kept_checkpoint_that_was_changed_is_a_problem(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / f"{7:020d}"
    path.write_bytes(path.read_bytes().replace(b"\n7\n", b"\n6\n"))
    assert any(problem.startswith("kept checkpoint 7:") for problem in ledger.fsck())


def test_cosignatures_are_kept_and_go_with_the_checkpoint(ledger: Ledger) -> None:
    note = cosign(ledger.checkpoint(), WITNESS, 5, SIGNER.sign)
    assert [found.witness for found in ledger.outside.accept_cosignatures(note, [WITNESS])] == [WITNESS.name]
    assert cosignatures(ledger.cosigned_checkpoint(), [WITNESS])
    assert open_checkpoint(ledger.cosigned_checkpoint(), [ledger.verifier_key]).size == 14
    append(ledger, 14, 15)
    assert cosignatures(ledger.cosigned_checkpoint(), [WITNESS]) == (), "nobody has seen the new state"
    assert ledger.fsck() == []


def test_cosignatures_of_strangers_and_of_other_ledgers_are_refused(ledger: Ledger) -> None:
    note = cosign(ledger.checkpoint(), WITNESS, 5, SIGNER.sign)
    with pytest.raises(VerificationFailed, match="none of these"):
        ledger.outside.accept_cosignatures(note, [WitnessKey("other", WITNESS.public_key)])
    with pytest.raises(VerificationFailed):
        ledger.outside.accept_cosignatures(note.replace(b"\n14\n", b"\n13\n"), [WITNESS])


def test_growth_is_proven_self_contained(ledger: Ledger) -> None:
    growth = ledger.consistency(7)
    state = open_checkpoint(growth.checkpoint.encode(), [ledger.verifier_key])
    proof = [bytes.fromhex(value) for value in growth.proof]
    assert merkle.verify_consistency(7, state.size, proof, bytes.fromhex(growth.old_root), state.root)
