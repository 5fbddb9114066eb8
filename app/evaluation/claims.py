# SPDX-License-Identifier: Apache-2.0

"""Take the outcomes of some tests as they were recorded, where their rows withhold what they read.

In:  recorded result vectors, and the tests concerned.
Out: the vectors just made, with these tests' columns replaced.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.errors import InvalidInput
from app.evaluation.model import ItemOutcome


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Population to the tests whose outcomes are claims, and the folder of the result vectors that hold them."""

    tests: Mapping[str, tuple[str, ...]]
    recorded: Path


def adopt(claims: Claims, results: Path) -> None:
    """Put the claimed outcomes in the place of those that were just computed.

    Raises:
        InvalidInput: a recorded vector is missing, is about other items, or holds something that is no outcome.
    """
    for population, tests in claims.tests.items():
        path = results / f"{population}.parquet"
        ours = pq.read_table(path)
        theirs = _recorded(claims.recorded / path.name, tests)
        if not ours.column("item_id").equals(theirs.column("item_id")):
            raise InvalidInput("the recorded outcomes are of other items", where=path.name)
        for test in tests:
            place = ours.schema.get_field_index(test)
            ours = ours.set_column(place, ours.schema.field(place), theirs.column(test).cast(ours.schema.types[place]))
        pq.write_table(ours, path, compression="zstd", store_schema=False)


def _recorded(path: Path, tests: tuple[str, ...]) -> pa.Table:
    try:
        table = pq.read_table(path, columns=["item_id", *tests])
    except (OSError, pa.ArrowException) as error:
        raise InvalidInput("the recorded outcomes cannot be read", where=path.name) from error
    known = pa.array([int(outcome) for outcome in ItemOutcome], pa.int16())
    for test in tests:
        if test not in table.column_names or not pc.all(pc.is_in(table.column(test), value_set=known)).as_py():
            raise InvalidInput(f"the recorded outcomes of {test} are no outcomes", where=path.name)
    return table
