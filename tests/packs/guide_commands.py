# SPDX-License-Identifier: Apache-2.0

"""Run the commands that a pack's VERIFY.md prints, exactly as printed."""

import re
import subprocess
from pathlib import Path

from app.packs import layout


def run_guide(folder: Path, *, blocks: int) -> tuple[int, str]:
    """Run all commands of VERIFY.md, one after the other, and stop at the first that fails."""
    text = (folder / layout.VERIFY).read_text(encoding="utf-8")
    found = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    assert len(found) == blocks
    script = "set -eu -o pipefail\n" + "\n".join(found)
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
