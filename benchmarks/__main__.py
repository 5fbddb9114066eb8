# SPDX-License-Identifier: Apache-2.0

"""Measure the main job over generated organisations and print a table: ``python -m benchmarks 10000 100000``.

Each step runs in a process of its own, so that its CPU time and its peak memory are its own. Whatever is planted must
be found, test by test, and what is computed in two ways must be the same; if it is not, this leaves with 1.
With several sizes, a second table says how each step grows: 1 is as fast as what is put in.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.steps import STEPS

DEFAULT_SIZES = (10_000, 100_000)


def main() -> int:
    """Run every step for every size."""
    sizes = [int(each) for each in sys.argv[1:]] or list(DEFAULT_SIZES)
    table = Table("sessions", "step", "CPU s", "wall s", "peak MiB", "what it did", title="Proofroom, one machine")
    good = True
    used: dict[str, list[float]] = {step: [] for step in STEPS}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="proofroom-bench-") as folder:
            for step in STEPS:
                found = run(step, size, Path(folder))
                good &= found["holds"]
                used[step].append(found["cpu"])
                figures = [f"{found[key]:,.1f}" for key in ("cpu", "wall")] + [f"{found['peak']:,}"]
                table.add_row(f"{size:,}", step, *figures, found["what"])
    console = Console(width=140)
    console.print(table)
    if len(sizes) > 1:
        console.print(growth(sizes, used))
    return 0 if good else 1


def growth(sizes: list[int], used: dict[str, list[float]]) -> Table:
    """Return the exponent with which each step's CPU time grows, fitted over all sizes."""
    table = Table("step", "exponent", title="Growth")
    scale = [math.log(size) for size in sizes]
    for step, seconds in used.items():
        fitted = statistics.linear_regression(scale, [math.log(each) for each in seconds])
        table.add_row(step, f"{fitted.slope:.2f}")
    return table


def run(step: str, size: int, folder: Path) -> dict[str, Any]:
    """Run one step in its own process and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.steps", step, str(size), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
