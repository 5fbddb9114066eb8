# SPDX-License-Identifier: Apache-2.0

"""The operator's secret that salts come from.

In:  a folder for keys.
Out: 32 bytes. They are in no message, no log and no pack; whoever has them and a pack can try out what was withheld.
"""

import contextlib
import os
import secrets
from pathlib import Path

from app.errors import InvalidInput
from app.packs.withholding.commitments import SECRET_BYTES

KEY_FILE = "withholding.key"


def load_or_create_secret(directory: Path) -> bytes:
    """Return the secret in ``<directory>/withholding.key`` (hex, mode 0600), made on first use.

    Safe when two processes start at once: whoever links the file first wins, and both read what is there.

    Raises:
        InvalidInput: the file is there and holds something else.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / KEY_FILE
    if not path.exists():
        _create(path, f"{secrets.token_hex(SECRET_BYTES)}\n")
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise InvalidInput("the secret for withholding cannot be read", where=str(path)) from error
    if len(secret) != SECRET_BYTES:
        raise InvalidInput(f"the secret for withholding has not {SECRET_BYTES} bytes", where=str(path))
    return secret


def _create(path: Path, content: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    try:
        # A link fails where a rename would replace a secret that another process has just made.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
