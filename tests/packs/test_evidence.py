# SPDX-License-Identifier: Apache-2.0

"""The ledger's files in a pack: one spelling, leaves byte for byte, and nothing else accepted."""

import io
import time

import pytest

from app.errors import InvalidInput
from app.ledger.entry import LedgerEntry, leaf_bytes
from app.packs.evidence import (
    Consistency,
    ProvenRun,
    SubsetProof,
    make_json,
    make_runs,
    read_consistency,
    read_entries,
    read_leaf,
    read_runs,
    read_subset_proof,
    write_entries,
)


def entry(index: int, key: str = "k") -> LedgerEntry:
    return LedgerEntry(
        index=index,
        source="src",
        kind="session",
        key=key,
        occurred_at=None,
        occurred_at_text=None,
        collected_at=1,
        run_id="run",
        raw_sha256="00" * 32,
        raw_length=3,
    )


def lines(*entries: LedgerEntry) -> list[bytes]:
    output = io.BytesIO()
    write_entries([(each.index, leaf_bytes(each)) for each in entries], output)
    return output.getvalue().splitlines(keepends=True)


def test_a_line_holds_the_leaf_byte_for_byte() -> None:
    hostile = entry(7, '","index":9}\n\u2028"')
    (((index,), (leaf,)),) = read_entries(lines(hostile))
    assert (index, leaf) == (7, leaf_bytes(hostile))
    assert read_leaf(leaf, index) == hostile


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b'{"entry":{},"index":1}',
        b'{"entry":{},"index":01}\n',
        b'{"entry":{},"index":-1}\n',
        b'{"entry":{},"index":1 }\n',
        b'{"entry":{},"index":99999999999999999}\n',
        b'{"run":{},"index":1}\n',
        b',"index":1}\n',
        b'{"entry":{},"index":1}\nx',
        b'x{"entry":{},"index":1}\n',
        b'{"entry":{},"index":1}\n\n{"entry":{},"index":2}\n',
        b'{"entry":{},"index":2}\n{"entry":{},"index":2}\n',
    ],
)
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(read_entries([line]))


@pytest.mark.parametrize("indices", [(1, 1), (2, 1)])
def test_indices_must_rise(indices: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="order"):
        list(read_entries([line for index in indices for line in lines(entry(index))]))


def test_it_does_not_matter_in_which_pieces_the_lines_come() -> None:
    whole = lines(entry(1), entry(5), entry(6), entry(10))
    expected = [(index, leaf_bytes(entry(index))) for index in (1, 5, 6, 10)]
    for pieces in (whole, [b"".join(whole)], [b"".join(whole[:1]), b"", b"".join(whole[1:])]):
        found = [pair for indices, leaves in read_entries(pieces) for pair in zip(indices, leaves, strict=True)]
        assert found == expected


def test_a_hostile_line_takes_no_more_time_than_its_length() -> None:
    line = b'{"entry":' * 110_000 + b"\n"
    started = time.process_time()
    with pytest.raises(InvalidInput):
        list(read_entries([line]))
    assert time.process_time() - started < 5  # With every beginning tried to the end, it is half an hour.


def test_a_leaf_in_another_spelling_is_refused() -> None:
    with pytest.raises(InvalidInput, match="canonical"):
        read_leaf(leaf_bytes(entry(1)).replace(b",", b", "), 1)


def test_runs_are_kept_byte_for_byte() -> None:
    runs = (ProvenRun(index=3, raw=b'{"b":1,"a":2}'), ProvenRun(index=9, raw=b"{}"))
    assert read_runs(make_runs(tuple(reversed(runs)))) == runs
    with pytest.raises(InvalidInput):
        _ = runs[0].run


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (SubsetProof(size=5, hashes=("aa",)), read_subset_proof),
        (Consistency(previous=None, proof=()), read_consistency),
        (Consistency(previous="note\n", proof=("bb",)), read_consistency),
    ],
)
def test_proofs_have_one_spelling(value: SubsetProof | Consistency, read: object) -> None:
    assert callable(read)
    data = make_json(value)
    assert read(data) == value
    for other in (data + b"\n", data.replace(b":", b": ", 1), b"[]", b""):
        with pytest.raises(InvalidInput):
            read(other)
