# SPDX-License-Identifier: Apache-2.0

"""A file that is written again is the same if every byte is, and nothing else."""

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from app.errors import InvalidInput
from app.verification.case import Case
from app.verification.reader import Reader
from app.verification.rewritten import Rewritten

NAME = "populations/session.csv"


def case_of(folder: Path, data: bytes) -> Case:
    with zipfile.ZipFile(folder / "pack.zip", "w") as archive:
        archive.writestr(NAME, data)
    case = Case(folder / "pack.zip", None, folder, Reader(), 0)
    case.archive = zipfile.ZipFile(case.path)
    case.members = {info.filename: info for info in case.archive.infolist()}
    case.digests = {NAME: ""}
    return case


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ([b"one,two\n", b"1,2\n"], True),
        ([b"", b"one,two\n1", b",2\n"], True),
        ([b"one,two\n", b"1,3\n"], False),
        ([b"one,two\n"], False),
        ([b"one,two\n", b"1,2\n", b"3,4\n"], False),
        ([b"One,two\n", b"1,2\n"], False),
        ([], False),
    ],
)
def test_every_byte_counts(tmp_path: Path, written: list[bytes], same: bool) -> None:
    case = case_of(tmp_path, b"one,two\n1,2\n")
    again = Rewritten(case)
    with again.open(NAME) as file:
        for piece in written:
            assert file.write(piece) == len(piece)
    assert again.same == {NAME: same}
    case.close()


def test_what_arrow_writes_is_compared(tmp_path: Path) -> None:
    table = pa.table({"a": ["x"] * 50_000, "b": [None, "y"] * 25_000})
    expected = io.BytesIO()
    pyarrow.csv.write_csv(table, expected)
    case = case_of(tmp_path, expected.getvalue())
    again = Rewritten(case)
    with again.open(NAME) as file:
        pyarrow.csv.write_csv(table, file)
    assert again.same == {NAME: True}
    case.close()


def break_off(again: Rewritten) -> None:
    with again.open(NAME) as file:
        file.write(b"one")
        raise InvalidInput("broke")


def test_a_writer_that_breaks_off_wrote_nothing_of_worth(tmp_path: Path) -> None:
    case = case_of(tmp_path, b"one")
    again = Rewritten(case)
    with pytest.raises(InvalidInput, match="broke"):
        break_off(again)
    assert again.same == {NAME: False}
    case.close()


@pytest.mark.parametrize("unfit", [True, False])
def test_a_file_that_is_missing_or_not_the_signed_one_is_not_read(tmp_path: Path, unfit: bool) -> None:
    case = case_of(tmp_path, b"one")
    case.unfit, case.digests = ({NAME}, {NAME: ""}) if unfit else (set(), {})
    again = Rewritten(case)
    with again.open(NAME) as file:
        file.write(b"one")
    assert again.same == {NAME: False}
    case.close()
