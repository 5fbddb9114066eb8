# SPDX-License-Identifier: Apache-2.0

"""Measure the ledger: how fast it takes entries, how long proofs take and how large they are, how fast it is checked.

    python -m benchmarks.ledger 1000000

It appends records of 300 bytes in pages of 2,000 to a new SQLite database, proves, exports tiles, and runs ``fsck``.
Times are CPU seconds of this process. If a proof does not hold or a check finds a problem, it leaves with 1.
"""

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.connectors.base import SourceRecord
from app.db import Database
from app.ledger import merkle
from app.ledger.entry import entry_hash
from app.ledger.kept import KeptCheckpoints
from app.ledger.note import open_checkpoint
from app.ledger.service import Ledger
from app.signing.checkpoint_key import CheckpointKey

PAGE = 2_000
PROOFS = 200
SCATTERED = 1_000


def main(entries: int) -> None:
    """Measure a ledger of so many entries and print a table."""
    with tempfile.TemporaryDirectory(prefix="proofroom-ledger-") as name:
        folder = Path(name)
        database = Database(f"sqlite:///{folder / 'ledger.db'}")
        database.migrate()
        ledger = Ledger(database, CheckpointKey.from_seed(bytes(32)), KeptCheckpoints(folder / "checkpoints"))
        spent, _ = timed(lambda: fill(ledger, entries))
        row("append", f"{entries / spent:,.0f} entries/s", f"{spent:.1f} s in all")
        row("database", f"{(folder / 'ledger.db').stat().st_size / entries:,.0f} bytes an entry", "")
        spent, note = timed(ledger.checkpoint)
        row("checkpoint", f"{spent * 1000:.1f} ms", f"{len(note)} bytes")
        proofs(ledger, entries, note)
        spent, (_, files) = timed(lambda: ledger.outside.export_tiles(note, folder / "tiles"))
        size = sum(path.stat().st_size for path in (folder / "tiles").rglob("*") if path.is_file())
        row("export tiles", f"{spent:.1f} s", f"{files:,} files, {size / 2**20:,.0f} MiB with leaves")
        spent, problems = timed(lambda: ledger.outside.compare(folder / "tiles"))
        check(not problems)
        row("compare with tiles", f"{spent:.1f} s", f"{len(problems)} problems")
        spent, problems = timed(ledger.fsck)
        check(not problems)
        row("fsck", f"{entries / spent:,.0f} entries/s", f"{spent:.1f} s, {len(problems)} problems")
        row("memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB", "peak")
        database.close()


def fill(ledger: Ledger, entries: int) -> None:
    """Append records with random keys, as sources give them."""
    numbers = random.Random(7)  # noqa: S311 - The same numbers each time are what is wanted.
    for start in range(0, entries, PAGE):
        page = [
            SourceRecord(
                kind="session",
                key=f"{numbers.getrandbits(128):032x}",
                raw=numbers.randbytes(300),
                occurred_at=index,
                occurred_at_text="2026-07-01T00:00:00Z",
                locator="",
            )
            for index in range(start, min(start + PAGE, entries))
        ]
        ledger.append("benchmark", "run", 1, page)


def proofs(ledger: Ledger, entries: int, note: bytes) -> None:
    """Make and check proofs of each kind."""
    numbers = random.Random(8)  # noqa: S311 - As above.
    state = open_checkpoint(note, [ledger.verifier_key])
    chosen = [numbers.randrange(entries) for _ in range(PROOFS)]
    spent, made = timed(lambda: [ledger.prove_inclusion(index) for index in chosen])
    row("inclusion proof", f"{spent / PROOFS * 1000:.2f} ms", f"{max(map(len, made)) * 32} bytes at most")
    leaves = [entry_hash(entry) for entry in ledger.entries(chosen)]
    pairs = list(zip(chosen, leaves, made, strict=True))
    spent, _ = timed(lambda: [check(merkle.verify_inclusion(i, n, state.size, p, state.root)) for n, i, p in pairs])
    row("  checked in", f"{spent / PROOFS * 1e6:.0f} us", "")
    smaller = [max(index, 1) for index in chosen]
    spent, grown = timed(lambda: [ledger.prove_consistency(size, entries) for size in smaller])
    row("consistency proof", f"{spent / PROOFS * 1000:.2f} ms", f"{max(map(len, grown)) * 32} bytes at most")
    roots = [ledger.root(size) for size in smaller]
    old = list(zip(smaller, grown, roots, strict=True))
    spent, _ = timed(lambda: [check(merkle.verify_consistency(n, state.size, p, r, state.root)) for n, p, r in old])
    row("  checked in", f"{spent / PROOFS * 1e6:.0f} us", "")
    scattered = sorted(numbers.sample(range(entries), min(SCATTERED, entries)))
    spent, many = timed(lambda: ledger.prove_subset(scattered))
    row(f"one proof for {len(scattered):,}", f"{spent * 1000:.0f} ms", f"{len(many) * 32 / 1024:,.0f} KiB")


def check(holds: object) -> None:
    """Stop if a proof does not hold, or something is wrong with a ledger that nobody touched."""
    if not holds:
        raise SystemExit("a proof does not hold, or a check finds a problem that is none")


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Return how many CPU seconds an action took, and what it gave."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def row(*cells: str) -> None:
    """Print one line of the table."""
    print(f"| {' | '.join(cells)} |", flush=True)  # noqa: T201 - This is what it is for.


if __name__ == "__main__":
    os.nice(5)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
