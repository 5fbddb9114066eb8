# SPDX-License-Identifier: Apache-2.0

"""Find what was begun among the kept evaluations, and not finished."""

import re
from pathlib import Path

_KEPT = re.compile(r"(?:[a-z]+-)?[0-9a-f]{32}")
_EVALUATION = re.compile(r"[0-9a-f]{32}")


def half_done(evaluations: Path) -> list[str]:
    """Return the names of what is not finished: work put aside, files not in place, evaluations without a result."""
    found = [path for path in evaluations.glob("*") if not _KEPT.fullmatch(path.name)]
    found += [path for path in evaluations.rglob("*") if ".partial" in path.name or path.name.startswith(".")]
    found += [
        path
        for path in evaluations.glob("*")
        if _EVALUATION.fullmatch(path.name) and not (path / "metrics.json").is_file()
    ]
    return sorted(path.relative_to(evaluations).as_posix() for path in found)
