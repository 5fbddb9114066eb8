# SPDX-License-Identifier: Apache-2.0

"""Renew the time stamps of a pack: a further token over the whole file, in a file beside it.

In:  a pack, its earlier renewals.
Out: what the next renewal, a time-stamp response (RFC 3161), is over: the bytes of the pack followed by those of all
earlier renewals; where renewals are kept.
An authority's word holds as long as its certificate. A renewal made before that end shows that the pack, with all
tokens in it, was there while they still held (compare RFC 4998 section 5.2); the pack itself is never touched.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from app.errors import InvalidInput

MAX_RENEWALS = 32
"""One every few years, for longer than anybody keeps a pack."""


def renewal_digests(pack: Path, renewals: Sequence[bytes]) -> list[str]:
    """Return what each renewal is a token over, and last what the next one would be; hex SHA-256.

    Raises:
        InvalidInput: the pack cannot be read.
    """
    try:
        with pack.open("rb") as file:
            running = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise InvalidInput(f"the pack cannot be opened ({error.strerror})", where=str(pack)) from error
    digests = [running.hexdigest()]
    for data in renewals:
        running.update(data)
        digests.append(running.hexdigest())
    return digests


def renewal_path(pack: Path, number: int) -> Path:
    """Return where the renewal of this number, from 1, is kept."""
    return pack.with_name(f"{pack.name}.renewal-{number}.tsr")


def kept_renewals(pack: Path) -> list[Path]:
    """Return the renewals that stand beside a pack, in order."""
    found: list[Path] = []
    while len(found) < MAX_RENEWALS and renewal_path(pack, len(found) + 1).is_file():
        found.append(renewal_path(pack, len(found) + 1))
    return found
