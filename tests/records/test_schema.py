# SPDX-License-Identifier: Apache-2.0

"""The published JSON Schema: it is valid, up to date, and takes what the records connector takes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from app.connectors.registry import open_files
from app.errors import RecordRejected
from app.records.model import RECORD_CLASSES, RecordType
from app.records.schema import INSTANT_FIELDS, access_record_schema
from tests.connectors.reading import DATA, FIXTURES, stated_by

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "reference" / "access-record.schema.json"


def test_the_published_schema_is_this_one():
    assert json.loads(PUBLISHED.read_text()) == access_record_schema()


def test_it_is_a_valid_schema():
    Draft202012Validator.check_schema(access_record_schema())


def test_every_instant_of_every_record_is_known():
    assert INSTANT_FIELDS[RecordType.SESSION] == {"started_at", "ended_at", "mfa_at"}
    assert INSTANT_FIELDS[RecordType.APPROVAL] == {"requested_at", "decided_at", "approved_until"}
    assert "at" in INSTANT_FIELDS[RecordType.ACCESS_EVENT]


@pytest.mark.parametrize("line", (DATA / FIXTURES["records"]).read_text().splitlines())
def test_takes_what_the_connector_takes(line):
    Draft202012Validator(access_record_schema()).validate(json.loads(line))


@pytest.mark.parametrize(
    "value",
    [
        {"type": "session"},
        {"id": "x"},
        {"type": "sesion", "id": "x"},
        {"type": "session", "id": ""},
        {"type": "session", "id": "x", "subjekt": "ana"},
        {"type": "session", "id": "x", "started_at": -1},
        {"type": "session", "id": "x", "status": "finished"},
        {"type": "approval", "id": "x", "mode": "magic"},
        {"type": "session", "id": "x", "grant_ids": [1]},
    ],
)
def test_refuses_what_the_connector_refuses(value):
    assert not Draft202012Validator(access_record_schema()).is_valid(value)
    with pytest.raises(RecordRejected):
        stated_by("records", value)


def test_every_field_of_every_record_is_described():
    definitions = access_record_schema()["$defs"]
    for record_type, record_class in RECORD_CLASSES.items():
        properties = definitions[record_class.__name__]["properties"]
        assert set(properties) == {"type", "observed_at", *record_class.__struct_fields__}
        assert properties["type"] == {"enum": [record_type.value]}
    assert open_files("records", [DATA]).record_types == set(RecordType)
