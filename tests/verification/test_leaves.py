# SPDX-License-Identifier: Apache-2.0

"""Leaves that are held close together prove what leaves in a dictionary prove."""

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger import merkle
from app.ledger.merkle import leaf_hash, root, subset_proof, verify_subset
from app.verification.leaves import Leaves

INDICES = st.sets(st.integers(0, 199), min_size=1)


@given(INDICES, st.integers(200, 260), st.integers(1, 50), st.sampled_from([1, 4, 64, 1 << 16]))
def test_they_lead_to_the_root_and_to_no_other(chosen: set[int], size: int, at_once: int, most: int) -> None:
    data = [str(number).encode() for number in range(size)]
    hashes = [leaf_hash(each) for each in data]
    indices = sorted(chosen)
    proof = subset_proof(hashes, indices)
    leaves, other = Leaves(), Leaves()
    for start in range(0, len(indices), at_once):
        part = indices[start : start + at_once]
        leaves.add(part, [data[index] for index in part])
        other.add(part, [data[index] if index != indices[-1] else b"other" for index in part])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merkle, "_AT_ONCE", most)
        assert leaves.lead_to(root(hashes), size, proof)
        assert verify_subset({index: hashes[index] for index in indices}, size, proof, root(hashes))
        assert not other.lead_to(root(hashes), size, proof)
        assert not leaves.lead_to(hashlib.sha256().digest(), size, proof)
        assert not leaves.lead_to(root(hashes), size, [*proof, hashes[0]])
        assert not proof or not leaves.lead_to(root(hashes), size, proof[1:])
    assert len(leaves) == len(indices)
    asked = pa.array([-1, *range(200), 1 << 62])
    assert set(leaves.marks().without(asked).to_pylist()) == {-1, 1 << 62, *range(200)} - chosen


def test_no_leaves_show_nothing() -> None:
    assert not Leaves().lead_to(merkle.EMPTY_ROOT, 0, [])
    assert Leaves().marks().without(pa.array([3, None], pa.int64())).to_pylist() == [3, None]
