# SPDX-License-Identifier: Apache-2.0

"""Chains and revocation: what RFC 5280 allows leads to the anchor, and ``openssl verify`` says the same."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import ObjectIdentifier

from app.errors import InvalidInput
from app.signing.chain import SIGNING, Search, find_path, order_chain, spki_of, use_problems
from app.signing.revocation import ask_lists, read_crl
from tests.authorities import PEM, certify, now, revoke

YEAR_MS = 365 * 86_400_000
ROOT_KEY, MIDDLE_KEY, LEAF_KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(4))
ROOT = certify("Root", ROOT_KEY, is_authority=True, years=20)
MIDDLE = certify("Middle", MIDDLE_KEY, (ROOT, ROOT_KEY), is_authority=True, path_length=0, years=10)
LEAF = certify("Leaf", LEAF_KEY, (MIDDLE, MIDDLE_KEY), purposes=(Eku.EMAIL_PROTECTION,))
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
NAMES = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)


def path(leaf: x509.Certificate, others: list[x509.Certificate], *anchors: Any, at: int | None = None) -> Any:
    return find_path(leaf, Search(others, anchors, now() if at is None else at, SIGNING))


def test_a_path_leads_through_authorities_to_any_kind_of_anchor() -> None:
    assert path(LEAF, [MIDDLE], ROOT) == (LEAF, MIDDLE, ROOT)
    assert path(LEAF, [MIDDLE, ROOT], spki_of(ROOT)) == (LEAF, MIDDLE, ROOT)
    assert path(LEAF, [], MIDDLE) == (LEAF, MIDDLE)
    assert path(LEAF, [], LEAF) == (LEAF,)
    assert path(LEAF, [MIDDLE], spki_of(LEAF)) == (LEAF,)


BAD: dict[str, dict[str, Any]] = {
    "no authority": {"is_authority": False},
    "expired": {"is_authority": True, "begins": dt.datetime(2010, 1, 1, tzinfo=dt.UTC)},
    "critical and unknown": {"is_authority": True, "extra": ((UNKNOWN, True),)},
    "name constraints": {"is_authority": True, "extra": ((NAMES, True),)},
    "for web servers only": {"is_authority": True, "purposes": (Eku.SERVER_AUTH,)},
}


@pytest.mark.parametrize("kind", BAD)
def test_an_authority_that_may_not_issue_ends_the_path(kind: str) -> None:
    middle = certify("Middle", MIDDLE_KEY, (ROOT, ROOT_KEY), **BAD[kind])
    with pytest.raises(InvalidInput, match="no valid chain"):
        path(LEAF, [middle], ROOT)


def test_a_path_longer_than_allowed_is_refused() -> None:
    deeper = certify("Deeper", OTHER_KEY, (MIDDLE, MIDDLE_KEY), is_authority=True)
    leaf = certify("Leaf", LEAF_KEY, (deeper, OTHER_KEY))
    with pytest.raises(InvalidInput, match="no valid chain"):
        path(leaf, [deeper, MIDDLE], ROOT)


def test_nobody_elses_root_and_no_missing_link() -> None:
    stranger = certify("Root", OTHER_KEY, is_authority=True)
    for others, anchor in (([MIDDLE], stranger), ([], ROOT)):
        with pytest.raises(InvalidInput, match="no valid chain"):
            path(LEAF, others, anchor)
    with pytest.raises(InvalidInput, match="more certificates"):
        path(LEAF, [MIDDLE] * 17, ROOT)
    with pytest.raises(InvalidInput, match="no line"):
        order_chain(LEAF, [MIDDLE, stranger])


def test_what_an_end_entity_may_not_be() -> None:
    assert use_problems(LEAF, SIGNING) == []
    assert "extended key usage" in use_problems(certify("L", LEAF_KEY, purposes=(Eku.SERVER_AUTH,)), SIGNING)[0]
    problems = use_problems(certify("L", LEAF_KEY, is_authority=True), SIGNING)
    assert any("authority" in problem for problem in problems)
    assert any("not for signatures" in problem for problem in problems)
    assert "not understood" in use_problems(certify("L", LEAF_KEY, extra=((UNKNOWN, True),)), SIGNING)[0]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("kind", ["good", *(kind for kind in BAD if kind != "name constraints")])
def test_openssl_says_the_same(tmp_path: Path, kind: str) -> None:
    """But for name constraints, which openssl understands and we refuse."""
    middle = MIDDLE if kind == "good" else certify("Middle", MIDDLE_KEY, (ROOT, ROOT_KEY), **BAD[kind])
    for name, certificate in (("leaf", LEAF), ("middle", middle), ("root", ROOT)):
        (tmp_path / name).write_bytes(certificate.public_bytes(PEM))
    command = ["openssl", "verify", "-purpose", "smimesign", "-CAfile", "root", "-untrusted", "middle", "leaf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode == 0) is (kind == "good")


def _moment(offset_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp((now() + offset_ms) // 1000, tz=dt.UTC)


@pytest.mark.parametrize(
    ("revoked_at", "used_at", "counts"),
    [(-3600_000, 0, True), (0, -3600_000, False), (3600_000, None, True), (-3600_000, None, True)],
)
def test_a_revocation_counts_before_a_proven_use_and_always_against_a_claimed_one(
    revoked_at: int, used_at: int | None, counts: bool
) -> None:
    crl = revoke((MIDDLE, MIDDLE_KEY), {LEAF.serial_number: _moment(revoked_at)})
    found = ask_lists([LEAF], [MIDDLE], [crl], None if used_at is None else now() + used_at)
    assert bool(found.revoked) is counts
    assert bool(found.notes) is (not counts)
    assert found.spoken == ("CN=Leaf",)


def test_a_list_that_cannot_speak_is_silence_and_not_good_news() -> None:
    issuers = [MIDDLE, ROOT]
    stale = revoke((MIDDLE, MIDDLE_KEY), {}, at=_moment(-40 * YEAR_MS))
    forged = revoke((MIDDLE, OTHER_KEY), {})
    elsewhere = revoke((ROOT, ROOT_KEY), {})
    for crl in (stale, forged, elsewhere):
        assert ask_lists([LEAF], issuers, [crl], now()).silent == ("CN=Leaf",)
    assert ask_lists([LEAF], issuers, [revoke((MIDDLE, MIDDLE_KEY), {})], now()).spoken == ("CN=Leaf",)


def test_a_revocation_in_a_list_that_has_run_out_still_counts() -> None:
    long_ago = _moment(-40 * YEAR_MS)
    stale = revoke((MIDDLE, MIDDLE_KEY), {LEAF.serial_number: long_ago}, at=long_ago)
    found = ask_lists([LEAF], [MIDDLE], [stale], now())
    assert len(found.revoked) == 1
    assert found.silent == ("CN=Leaf",), "what else was revoked since, it does not know"


@pytest.mark.parametrize("data", [b"", b"nonsense", LEAF.public_bytes(serialization.Encoding.DER)])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="revocation list"):
        read_crl(data, where="crl.pem")
