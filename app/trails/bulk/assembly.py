# SPDX-License-Identifier: Apache-2.0

"""Put rows together, column by column: lay the views that many rows show beside the keys by which they name them.

In:  rows with keys, in order; views by key; lists of views, by row. Out: the rows with the views in their places.
A database would carry a hundred columns through each join and sort. Arrow takes them once, when all is in order.
"""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_PLACES = 1 << 40
"""More than a ledger has entries, and so few that a batch of rows times it is far from 64 bits."""


class Views:
    """Views by key, with the ledger entries behind each.

    Args:
        table: columns ``key``, each once, ``view`` and ``ledger``.
    """

    def __init__(self, table: pa.Table) -> None:
        self._keys, self._views, self._ledgers = (_array(table, name) for name in ("key", "view", "ledger"))

    def find(self, keys: pa.Array) -> pa.Array:
        """Return the place of the view of each key; it is missing where the key is, or where nothing has this key."""
        return pc.index_in(keys, value_set=self._keys, skip_nulls=True)

    def views(self, places: pa.Array) -> pa.Array:
        """Return the views at some places."""
        return self._views.take(places)

    def ledgers(self, places: pa.Array) -> pa.ListArray:
        """Return the entries behind the views at some places."""
        return self._ledgers.take(places)


class Lists:
    """A list of views for each row, with the ledger entries behind each list.

    Args:
        table: columns ``nth``, the number of the row that shows it, ``view`` and ``ledger``; by row and in order.
        rows: number of rows.
    """

    def __init__(self, table: pa.Table, rows: int) -> None:
        offsets = _offsets(_array(table, "nth"), rows)
        entries = _array(table, "ledger")
        self._views = pa.ListArray.from_arrays(offsets, _array(table, "view"))
        self._ledgers = pa.ListArray.from_arrays(entries.offsets.take(offsets), entries.values)

    def views(self, start: int, rows: int) -> pa.ListArray:
        """Return the lists of some rows."""
        return self._views.slice(start, rows)

    def ledgers(self, start: int, rows: int) -> pa.ListArray:
        """Return the entries behind the lists of some rows."""
        return self._ledgers.slice(start, rows)


def assemble(
    names: Sequence[str], rows: pa.RecordBatch, start: int, views: Mapping[str, Views], lists: Mapping[str, Lists]
) -> pa.RecordBatch:
    """Return rows with what they show in its place, and everything that is behind it in ``ledger``.

    Args:
        names: the columns of the answer.
        rows: what is said of each row alone; columns called as ``views`` hold keys.
        start: the number of the first row.
        views: what is shown by key, by column; a column that is not asked for still counts for ``ledger``.
        lists: what is shown in lists, by column.
    """
    places = {name: each.find(rows.column(name)) for name, each in views.items()}
    ledgers = [rows.column("ledger")]
    ledgers += [each.ledgers(places[name]) for name, each in views.items()]
    ledgers += [each.ledgers(start, rows.num_rows) for each in lists.values()]

    def column(name: str) -> pa.Array:
        if name == "ledger":
            return _united(ledgers, rows.num_rows)
        if name in views:
            return views[name].views(places[name])
        return lists[name].views(start, rows.num_rows) if name in lists else rows.column(name)

    return pa.RecordBatch.from_arrays([column(name) for name in names], names=list(names))


def _united(ledgers: Iterable[pa.ListArray], rows: int) -> pa.ListArray:
    """Return for each row the entries of all its lists, ascending and each once."""
    # Row and entry as one number: numbers are sorted far quicker than lists are made distinct one by one.
    both = pa.concat_arrays(
        [pc.add(pc.multiply(pc.list_parent_indices(each), _PLACES), pc.list_flatten(each)) for each in ledgers]
    )
    both = both.take(pc.array_sort_indices(both))
    both = both.filter(pc.not_equal(pc.pairwise_diff(both), 0).fill_null(fill_value=True))
    return pa.ListArray.from_arrays(_offsets(pc.divide(both, _PLACES), rows), pc.bit_wise_and(both, _PLACES - 1))


def _offsets(parents: pa.Array, rows: int) -> pa.Array:
    """Return where the children of each row begin, given the number of the row of each child, ascending."""
    counted = parents.value_counts()
    places = pc.index_in(pa.array(range(rows), pa.int64()), value_set=counted.field("values"))
    ends = pc.cumulative_sum(counted.field("counts").take(places).fill_null(0))
    return pa.concat_arrays([pa.array([0], pa.int64()), ends]).cast(pa.int32())


def _array(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()
