# SPDX-License-Identifier: Apache-2.0

"""What one tampered pack is: how it is made from the good one, and the step that must be the first to see it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from app.packs.assemble import Draft, sign_pack
from app.packs.container import MemoryContent, archive_chunks
from app.signing.keys import SigningIdentity
from tests.packs.small import SIGNED_AT

CONTAINER = "the container is a plain archive"
STATEMENT = "the statement is well formed"
SIGNED = "the statement is signed"
SECOND = "the second signature agrees"
SIGNER = "the signer is the one you trust"
FILES = "every file is the one that was signed"
LIST = "the content manifest is complete"
PDF = "the PDF is signed and is about these files"
CHECKPOINT = "the ledger's checkpoint is signed"
ENTRIES = "every item rests on proven ledger entries"
GROWTH = "the ledger only grew"
BOXES = "completeness boxes are those of the ledger"
CONTROLS = "the controls are those of the report"
POPULATIONS = "the populations are those of the report"
ENGINE = "every test gives the same on every item"
REPORT = "the report, findings and samples follow"
LISTINGS = "the listings follow, and nothing else is there"


class World(NamedTuple):
    """The good pack, before and after it was signed, who signed it, and somebody whom nobody trusts."""

    draft: Draft
    members: dict[str, bytes]
    identity: SigningIdentity
    stranger: SigningIdentity

    @property
    def data(self) -> bytes:
        """Return the good archive."""
        return archive(self.members)


class Tampering(NamedTuple):
    """One way to break a pack.

    Attributes:
        make: gives the broken archive. step: the name of the step that must be the first to fail.
    """

    make: Callable[[World], bytes]
    step: str

    @property
    def name(self) -> str:
        """Return what was done, in words."""
        return self.make.__name__


def archive(members: Mapping[str, bytes]) -> bytes:
    """Return the archive of files as packs are written, whatever they are."""
    return b"".join(archive_chunks({name: MemoryContent(data) for name, data in members.items()}))


def sealed(draft: Draft, signer: SigningIdentity, signed_at: int = SIGNED_AT) -> dict[str, bytes]:
    """Return all files of a draft after somebody signed it."""
    signed = sign_pack(draft, signer, signed_at)
    return {name: b"".join(content.chunks()) for name, content in signed.items()}


def write(data: bytes, folder: Path) -> Path:
    """Write an archive and return where it is."""
    path = folder / "pack.zip"
    path.write_bytes(data)
    return path
