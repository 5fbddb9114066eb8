# SPDX-License-Identifier: Apache-2.0

"""Describe access records as JSON Schema, for whoever writes them without us.

In:  the record classes. Out: the schema published as docs/reference/access-record.schema.json.
Never differs from what ``app.connectors.records`` takes; tests/records/test_schema.py compares them.
"""

from typing import Any

import msgspec

from app.records.model import RECORD_CLASSES, RecordType
from app.records.times import LAST_INSTANT

SCHEMA_ID = "https://proofroom.dev/schemas/access-record.schema.json"

_INSTANT: dict[str, Any] = {
    "description": "An instant: RFC 3339 with a zone, or epoch milliseconds, UTC.",
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 0, "maximum": LAST_INSTANT},
        {"type": "null"},
    ],
}


def _instants(record_type: RecordType) -> frozenset[str]:
    names = (field.name for field in msgspec.structs.fields(RECORD_CLASSES[record_type]))
    return frozenset(name for name in names if name in ("at", "approved_until") or name.endswith("_at"))


INSTANT_FIELDS: dict[RecordType, frozenset[str]] = {each: _instants(each) for each in RecordType}
"""The fields of each record type that hold an instant."""


def access_record_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a records file.

    Besides the fields of the record, a line may have ``observed_at``: the instant for which it is true.
    """
    _, definitions = msgspec.json.schema_components(RECORD_CLASSES.values(), ref_template="#/$defs/{name}")
    for record_type, record_class in RECORD_CLASSES.items():
        definition = definitions[record_class.__name__]
        properties = definition["properties"]
        for name in INSTANT_FIELDS[record_type]:
            properties[name] = dict(_INSTANT)
        properties["observed_at"] = dict(_INSTANT)
        properties["id"] = {"type": "string", "minLength": 1, "maxLength": 512}
        definition["required"] = ["type", "id"]
        for described in properties.values():
            described.pop("default", None)  # A field left out says nothing; it has no value by default.
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "AccessRecord",
        "description": "One line of a file for 'proofroom import --as records'. A field left out says nothing.",
        "oneOf": [{"$ref": f"#/$defs/{RECORD_CLASSES[each].__name__}"} for each in RecordType],
        "$defs": dict(sorted(definitions.items())),
    }
