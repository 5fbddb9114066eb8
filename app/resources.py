# SPDX-License-Identifier: Apache-2.0

"""Find the data folders that ship with Proofroom: ``controls/`` and ``report_templates/``."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return a shipped data folder, from an installed wheel or from a checkout.

    Raises:
        FileNotFoundError: the installation lacks the folder.
    """
    for candidate in (_PACKAGE / "data" / folder, _PACKAGE.parent / folder):
        if candidate.is_dir():
            return candidate
    message = f"the installation lacks its '{folder}' folder"
    raise FileNotFoundError(message)
