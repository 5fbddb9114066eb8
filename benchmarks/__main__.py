# SPDX-License-Identifier: Apache-2.0

"""Measure the main job over generated organisations and print a table: ``python -m benchmarks 10000 100000``.

Each step runs in a process of its own, so that its CPU time and its peak memory are its own. Whatever is planted must
be found, test by test; if it is not, this leaves with 1.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.steps import STEPS

DEFAULT_SIZES = (10_000, 100_000)


def main() -> int:
    """Run every step for every size."""
    sizes = [int(each) for each in sys.argv[1:]] or list(DEFAULT_SIZES)
    table = Table("sessions", "step", "CPU s", "wall s", "peak MiB", "what it did", title="Proofroom, one machine")
    good = True
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="proofroom-bench-") as folder:
            for step in STEPS:
                found = run(step, size, Path(folder))
                good &= found.get("holds", True)
                figures = [f"{found[key]:,.1f}" for key in ("cpu", "wall")] + [f"{found['peak']:,}"]
                table.add_row(f"{size:,}", step, *figures, found["what"])
    Console(width=140).print(table)
    return 0 if good else 1


def run(step: str, size: int, folder: Path) -> dict[str, object]:
    """Run one step in its own process and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.steps", step, str(size), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
