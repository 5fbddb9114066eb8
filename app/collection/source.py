# SPDX-License-Identifier: Apache-2.0

"""Names of sources: they are part of item ids, file names and pages, so they are kept plain."""

import re

from app.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_source(name: str) -> None:
    """Refuse a name that could not stand in an item id, ``<source>/<type>/<id>``.

    Raises:
        UsageError: the name is not one to 64 letters, digits, dots, underscores and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "a source's name has 1 to 64 letters, digits, '.', '_' or '-'",
            where="--source",
            hint="Such as teleport-prod",
        )
