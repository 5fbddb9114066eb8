# SPDX-License-Identifier: Apache-2.0

"""Fixtures that every stage's tests may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says more about the machine than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = ("tests.database", "tests.base_pack")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of vendor samples, where a checkout has one; the project passes without them."""
    folder = Path(os.environ.get("PROOFROOM_SAMPLES", ROOT.parent / "shared" / "samples"))
    if not folder.is_dir():
        pytest.skip("no vendor samples beside this checkout")
    return folder
