# SPDX-License-Identifier: Apache-2.0

"""An identity that all signing tests share."""

import pytest

from app.clock import FixedClock
from app.signing.keys import SigningIdentity, load_or_create_identity

NOW = 1_790_000_000_000


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return a development identity that is valid from ``NOW`` on."""
    return load_or_create_identity(tmp_path_factory.mktemp("identity"), FixedClock(NOW))


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return somebody else's identity."""
    return load_or_create_identity(tmp_path_factory.mktemp("other"), FixedClock(NOW))
