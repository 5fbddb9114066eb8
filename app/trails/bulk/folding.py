# SPDX-License-Identifier: Apache-2.0

"""Folded records as SQL: the rules are those of ``app.records.folding``; later words win field by field.

In:  a record type. Out: the query that makes its table of the table ``raw``: ``item_id``, ``source``, ``id``, its
fields, ``ledger`` (ascending) and ``first_at``.
"""

import types
import typing

import msgspec

from app.records.model import RECORD_CLASSES, RecordType

GROWING = (
    RecordType.SESSION,
    RecordType.SESSION_EVENT,
    RecordType.GRANT,
    RecordType.APPROVAL,
    RecordType.RECORDING,
    RecordType.TICKET,
    RecordType.REVIEW,
    RecordType.ALERT,
    RecordType.ACCESS_EVENT,
)
"""Record types that grow with use; all others are inventory, and are linked by ``app.trails.linking``."""
_JSON_TYPES: dict[object, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


def columns_of(kind: RecordType) -> dict[str, str]:
    """Return the fields of a record type, but its id, with their SQL types.

    Raises:
        TypeError: a field has a type or a default that folding in SQL does not know.
    """
    record = RECORD_CLASSES[kind]
    hints = typing.get_type_hints(record)
    fields = [field for field in msgspec.structs.fields(record) if field.name != "id"]
    if any(field.default is not None for field in fields):
        raise TypeError(f"a field of {kind} is silent by another word than None")
    return {field.name: _sql_type(hints[field.name]) for field in fields}


def _sql_type(hint: object) -> str:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"{_sql_type(typing.get_args(hint)[0])}[]"
    if typing.get_origin(hint) is typing.Literal:
        return "VARCHAR"
    return _JSON_TYPES[hint]


def fold_sql(kind: RecordType) -> str:
    """Return the query; what several observations say of one record is in ``raw`` too, wherever one of them is."""
    columns = columns_of(kind)
    shape = msgspec.json.encode({name: _json_shape(sql_type) for name, sql_type in columns.items()}).decode()
    said = f"from_json(body, '{shape}') AS said"
    once = ", ".join(f'said."{name}"::{sql_type} AS "{name}"' for name, sql_type in columns.items())
    last = ", ".join(
        f'(arg_max(said."{name}", place) FILTER (WHERE said."{name}" IS NOT NULL))::{sql_type} AS "{name}"'
        for name, sql_type in columns.items()
    )
    return f"""
SELECT source || '/{kind}/' || record_id AS item_id, source, record_id AS id, {once},
  [ledger_index] AS ledger, observed_at AS first_at
FROM (SELECT raw.*, {said} FROM raw ANTI JOIN twice USING (source, record_id) WHERE record_type = '{kind}')
UNION ALL
SELECT source || '/{kind}/' || record_id, source, record_id, {last},
  list_sort(list_distinct(list(ledger_index))), min(observed_at)
FROM (
  SELECT raw.*, {said}, row_number() OVER (PARTITION BY source, record_id ORDER BY observed_at, body) AS place
  FROM raw SEMI JOIN twice USING (source, record_id) WHERE record_type = '{kind}'
)
GROUP BY source, record_id"""


def _json_shape(sql_type: str) -> object:
    """Return how JSON is read: whole numbers so wide that one beyond 64 bits is an error later, and never a gap."""
    if sql_type == "BIGINT":
        return "HUGEINT"
    return [sql_type[:-2]] if sql_type.endswith("[]") else sql_type
