# SPDX-License-Identifier: Apache-2.0

"""A pack prepared by a signer with a chain and confirmed by two authorities, built once for all tests of trust."""

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.packs.assemble import Draft, sign_pack, write_pack
from app.packs.times import TimeDesk
from app.signing.keys import SigningIdentity
from tests.authorities import Key, LocalAuthority, TimeStamper, certify, now, revoke, signer
from tests.packs.small import read_members, timed_draft

Authority = tuple[x509.Certificate, Key]


class Trusted(msgspec.Struct, frozen=True):
    """A pack and everybody who stands behind it."""

    pack: Path
    members: dict[str, bytes]
    root: Authority
    middle: Authority
    identity: SigningIdentity
    stampers: tuple[TimeStamper, TimeStamper]

    def drafted(self, folder: Path) -> tuple[Draft, SigningIdentity, int, TimeDesk]:
        """Return the pack's content anew, confirmed up to its checkpoint, and what it is to be signed with."""
        named = zip("ab", self.stampers, strict=True)
        authorities = [LocalAuthority(f"https://{name}.example/tsr", stamper) for name, stamper in named]
        draft, desk = timed_draft(folder, self.identity, authorities, now())
        return draft, self.identity, now(), desk


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    """Return the pack; openssl is the time-stamp authority, so the times are the machine's."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("trusted")
    key = ec.generate_private_key(ec.SECP256R1())
    begins = dt.datetime.fromtimestamp(now() // 1000 - 5 * 365 * 86_400, tz=dt.UTC)
    root = (certify("Signing root", key, is_authority=True, years=40, begins=begins), key)
    identity, middle = signer(root)
    stampers = (TimeStamper(folder / "one", name="One"), TimeStamper(folder / "two", name="Two", is_rsa=True))
    authorities = [
        LocalAuthority(f"https://{name}.example/tsr", stamper) for name, stamper in zip("ab", stampers, strict=True)
    ]
    draft, desk = timed_draft(folder / "draft", identity, authorities, now())
    lists = [revoke(middle, {}), revoke(root, {}), *(revoke((one.root, one.root_key), {}) for one in stampers)]
    write_pack(sign_pack(draft, identity, now(), desk, lists), folder / "pack.zip")
    return Trusted(folder / "pack.zip", read_members(folder / "pack.zip"), root, middle, identity, stampers)
