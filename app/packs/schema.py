# SPDX-License-Identifier: Apache-2.0

"""Describe a pack's JSON files as JSON Schema, for whoever reads them without us.

In:  the structs that are written. Out: the schemas published as docs/reference/report.schema.json and
docs/reference/manifest.schema.json (draft 2020-12).
They take what a pack holds and nothing beside it: every field is there, and there is no other.
"""

from typing import Any

import msgspec

from app.packs import layout
from app.packs.model import ReportData
from app.signing.dsse import STATEMENT_TYPE

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://proofroom.dev/schemas/"
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_REF = "#/$defs/{name}"


def report_schema() -> dict[str, Any]:
    """Return the schema of ``report.json``."""
    (reference,), definitions = msgspec.json.schema_components([ReportData], ref_template=_REF)
    return _whole("report", "Everything that a pack's report says.", definitions) | reference


def manifest_schema() -> dict[str, Any]:
    """Return the schema of ``manifest.json``: an in-toto Statement v1 with our predicate."""
    (reference,), definitions = msgspec.json.schema_components([layout.Predicate], ref_template=_REF)
    subject = _closed({"name": {"type": "string", "minLength": 1}, "digest": _closed({"sha256": _DIGEST})})
    statement = {
        "_type": {"const": STATEMENT_TYPE},
        "subject": {"type": "array", "items": subject, "minItems": 1},
        "predicateType": {"const": layout.PREDICATE_TYPE},
        "predicate": reference,
    }
    return _whole("manifest", "The signed statement about all files of a pack.", definitions) | _closed(statement)


def _whole(name: str, description: str, definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "$id": f"{BASE}{name}.schema.json",
        "title": name,
        "description": description,
        "$defs": {each: _strict(definitions[each]) for each in sorted(definitions)},
    }


def _strict(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that requires every field and takes no other, with digests spelled out."""
    properties: dict[str, Any] | None = definition.get("properties")
    if properties is None:
        return definition
    for name, value in properties.items():
        value.pop("default", None)  # Files are written with every field.
        if name.lower().endswith("sha256") and value.get("type") == "string":
            value.update(_DIGEST)
    return definition | _closed(properties)


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }
