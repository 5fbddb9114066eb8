# SPDX-License-Identifier: Apache-2.0

"""The ledger's part of a pack: what ties its rows to the append-only log, without any raw record.

In:  ledger entries (digests and times, no payload), completeness boxes, proofs.
Out: the files below ``ledger/``, and the same read back.

    entries.jsonl       {"entry":{…},"index":n}: the canonical text between the outer keys is the leaf, byte for byte
    runs.jsonl          {"run":{…},"index":n}: that text of the run has the digest its ledger entry states
    subset-proof.json   one proof that all these entries are in the log of the checkpoint
    consistency.json    proof that the log of the previous pack is a prefix of this one, or why there is none
    checkpoint          C2SP signed note over size and root
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from operator import lt
from typing import IO, TypeVar

import msgspec

from app.collection.model import CollectionRun
from app.errors import InvalidInput
from app.ledger.entry import LedgerEntry, leaf_bytes
from app.signing.canonical import canonical_json

_ENTRY = b'{"entry":'
_RUN = b'{"run":'
_INDEX = b',"index":'
LINE_END = b"\n"
_LONGEST_INDEX = 16  # 53 bits have at most 16 digits.

_T = TypeVar("_T", bound=msgspec.Struct)


class SubsetProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One proof for many leaves: hex hashes of the subtrees that hold none of them, in ``verify_subset`` order."""

    size: int
    hashes: tuple[str, ...]


class Consistency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log grew since the previous pack of this framework.

    Attributes:
        previous: the previous pack's checkpoint, as text; None when there is no earlier pack to compare with.
        proof: hex hashes (RFC 9162 section 2.1.4); empty without a previous checkpoint.
    """

    previous: str | None
    proof: tuple[str, ...]


class ProvenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A completeness box as the ledger holds it: its entry's index and raw bytes."""

    index: int
    raw: bytes

    @property
    def run(self) -> CollectionRun:
        """Return the box.

        Raises:
            InvalidInput: the bytes are not one.
        """
        try:
            return msgspec.json.decode(self.raw, type=CollectionRun)
        except msgspec.DecodeError as error:
            raise InvalidInput(f"completeness box {self.index} cannot be read ({error})") from error


def write_entries(entries: Iterable[tuple[int, bytes]], output: IO[bytes]) -> None:
    """Write entries, given by index and leaf bytes, which must come in order of index; one a line."""
    output.writelines(_line(_ENTRY, leaf, index) for index, leaf in entries)


def read_entries(lines: Iterable[bytes]) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    """Yield indices and leaf bytes, some at a time; a leaf's meaning is only taken from it after its proof holds.

    Args:
        lines: pieces of the file, each of whole lines.

    Raises:
        InvalidInput: a line has another shape, or the indices do not rise.
    """
    return _indexed(lines, _ENTRY)


def read_leaf(leaf: bytes, index: int) -> LedgerEntry:
    """Return the entry that a leaf states.

    Raises:
        InvalidInput: it is not an entry in its one spelling.
    """
    try:
        entry = msgspec.convert({**msgspec.json.decode(leaf), "index": index}, LedgerEntry)
    except (msgspec.MsgspecError, TypeError) as error:
        raise InvalidInput(f"ledger entry {index} cannot be read") from error
    if leaf_bytes(entry) != leaf:
        raise InvalidInput(f"ledger entry {index} is not in canonical form")
    return entry


def make_runs(runs: Sequence[ProvenRun]) -> bytes:
    """Return ``runs.jsonl``, in order of index."""
    ordered = sorted(runs, key=lambda proven: proven.index)
    return b"".join(_line(_RUN, proven.raw, proven.index) for proven in ordered)


def read_runs(data: bytes) -> tuple[ProvenRun, ...]:
    """Return the completeness boxes.

    Raises:
        InvalidInput: a line has another shape, or the indices do not rise.
    """
    return tuple(
        ProvenRun(index=index, raw=raw)
        for indices, raws in _indexed([data], _RUN)
        for index, raw in zip(indices, raws, strict=True)
    )


def make_json(value: msgspec.Struct) -> bytes:
    """Return a struct as canonical JSON."""
    return canonical_json(msgspec.to_builtins(value))


def read_subset_proof(data: bytes) -> SubsetProof:
    """Return the proof.

    Raises:
        InvalidInput: it is not one in its one spelling.
    """
    return _read(data, SubsetProof)


def read_consistency(data: bytes) -> Consistency:
    """Return how the log grew.

    Raises:
        InvalidInput: it is not in its one spelling.
    """
    return _read(data, Consistency)


def _read(data: bytes, kind: type[_T]) -> _T:
    try:
        value = msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"this cannot be read ({error})") from error
    if make_json(value) != data:
        raise InvalidInput("this is not in canonical form")
    return value


def _line(prefix: bytes, body: bytes, index: int) -> bytes:
    return b"%b%b%b%d}\n" % (prefix, body, _INDEX, index)


def _indexed(pieces: Iterable[bytes], prefix: bytes) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    """Yield the indices and the bodies of the lines of each piece.

    The pattern takes no line that is not spelled as ours are; so if its matches have the piece's length together,
    they are all there is.
    """
    shape = re.compile(
        b"^%b(.*)%b(0|[1-9][0-9]{0,%d})}\n" % (re.escape(prefix), _INDEX, _LONGEST_INDEX - 1), re.MULTILINE
    )
    around = len(_line(prefix, b"", 0)) - 1
    last, first = -1, 1
    for piece in pieces:
        found = shape.findall(piece)
        bodies, numbers = zip(*found, strict=True) if found else ((), ())
        indices = list(map(int, numbers))
        length = sum(map(len, bodies)) + sum(map(len, numbers)) + around * len(found)
        if length != len(piece) or not all(map(lt, [last, *indices], indices)):
            where = f"lines {first} to {first + piece.count(LINE_END)}"
            raise InvalidInput("a line has not the expected shape, or is out of order", where=where)
        if found:
            last, first = indices[-1], first + len(found)
            yield indices, bodies
