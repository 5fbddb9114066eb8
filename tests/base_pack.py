# SPDX-License-Identifier: Apache-2.0

"""One small pack, built once, that all tests of the verifier look at or break in one named way."""

from pathlib import Path

import pytest

from app.packs.assemble import Draft, sign_pack, write_pack
from app.signing.keys import SigningIdentity
from tests.packs.small import SIGNED_AT, identity_in, plain_render, read_members, small_draft


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return who signs the pack."""
    return identity_in(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return somebody whom nobody trusts."""
    return identity_in(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def draft(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> Draft:
    """Return the pack before it was signed."""
    return small_draft(tmp_path_factory.mktemp("draft"), identity, plain_render)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory, draft: Draft, identity: SigningIdentity) -> Path:
    """Return the signed pack."""
    path = tmp_path_factory.mktemp("pack") / "pack.zip"
    write_pack(sign_pack(draft, identity, SIGNED_AT), path)
    return path


@pytest.fixture(scope="session")
def members(pack: Path) -> dict[str, bytes]:
    """Return the pack's files."""
    return read_members(pack)
