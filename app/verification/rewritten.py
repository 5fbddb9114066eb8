# SPDX-License-Identifier: Apache-2.0

"""Compare files of a pack with what is written again, while it is written: gigabytes need not go to the disk for it.

In:  a verification; whoever writes a file opens it here.
Out: which files came to the same bytes.
"""

from typing import IO, Self

from app.verification.case import Case


class Rewritten:
    """Files that are written again.

    Attributes:
        same: name to whether the pack has a file of that name with the same bytes; only files that were closed.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self.same: dict[str, bool] = {}

    def open(self, name: str) -> "_File":
        """Open a file for writing; a file that is not what the statement says is compared with nothing."""
        is_fit = name in self._case.digests and name not in self._case.unfit
        return _File(self, name, self._case.stream(name) if is_fit else None)


class _File:
    """Takes bytes and compares them with the next bytes of a member."""

    closed = False

    def __init__(self, files: Rewritten, name: str, member: IO[bytes] | None) -> None:
        self._files, self._name, self._member = files, name, member
        self._is_same = member is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.closed = True
        if self._member is not None:
            self._is_same = raised[0] is None and self._is_same and not self._member.read(1)
            self._member.close()
        self._files.same[self._name] = self._is_same

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        if self._member is not None and self._is_same:
            self._is_same = self._member.read(len(data)) == data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what was written has been compared."""
