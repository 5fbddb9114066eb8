# SPDX-License-Identifier: Apache-2.0

"""Every file connector keeps the contract; and the check itself notices when one does not."""

import json
import random

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connectors import files
from app.connectors.base import Page, Window
from app.connectors.registry import FILE_CONNECTORS, open_files
from app.connectors.teleport.connector import TeleportFile
from app.connectors.testing import check_access_record, connector_conformance, mutate
from app.errors import RecordRejected
from app.records.model import RecordType, Session
from tests.connectors.reading import DATA, FIXTURES, all_stated, records_of


def test_every_connector_has_a_fixture():
    assert FIXTURES.keys() == FILE_CONNECTORS.keys()


@pytest.mark.parametrize("name", sorted(FIXTURES))
@pytest.mark.parametrize("page_records", [1, 3, 1000])
def test_keeps_the_contract(name, page_records, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PAGE_RECORDS", page_records)
    connector_conformance(FILE_CONNECTORS[name], [DATA / FIXTURES[name]], tmp_path)


def test_keeps_the_contract_for_compact_sudo_logs(tmp_path):
    connector_conformance(FILE_CONNECTORS["sudo"], [DATA / "sudo-compact.jsonl"], tmp_path)


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_keeps_the_contract_over_two_files(name, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PAGE_RECORDS", 2)
    copy = tmp_path / f"again-{FIXTURES[name]}"
    copy.write_bytes((DATA / FIXTURES[name]).read_bytes())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    connector_conformance(FILE_CONNECTORS[name], [DATA / FIXTURES[name], copy], scratch, mutations=1)


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _hostile_variants(draw, values):
    """Take a real record and put any JSON at any place in it."""
    value = draw(st.sampled_from(values))
    path, holder = [], value
    while isinstance(holder, (dict, list)) and holder and draw(st.booleans() if path else st.just(value=True)):
        step = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        path.append(step)
        holder = holder[step]
    changed = json.loads(json.dumps(value))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = draw(_ANY_JSON)
    return changed


@pytest.mark.parametrize("name", sorted(FIXTURES))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_only_rejects_hostile_records(name, data):
    records = records_of(name, DATA / FIXTURES[name])
    kinds = {record.raw: record for record in records}
    values = [orjson.loads(raw) for raw in kinds]
    record = data.draw(st.sampled_from(records))
    value = data.draw(_hostile_variants(values))
    hostile = msgspec.structs.replace(record, raw=json.dumps(value).encode())
    try:
        stated = open_files(name, [DATA]).normalize(hostile)
    except RecordRejected:
        return
    for each in stated:
        check_access_record(each)


@pytest.mark.parametrize("name", sorted(FIXTURES))
@settings(max_examples=30, deadline=None)
@given(raw=st.binary(max_size=200))
def test_only_rejects_any_bytes(name, raw):
    record = msgspec.structs.replace(records_of(name, DATA / FIXTURES[name])[0], raw=raw)
    try:
        open_files(name, [DATA]).normalize(record)
    except RecordRejected:
        return


def test_a_mutation_changes_a_record():
    value = {"a": [1, {"b": "c"}], "d": None}
    assert any(mutate(value, random.Random(seed)) != value for seed in range(5))  # noqa: S311


class _Impure(TeleportFile):
    calls = 0

    def normalize(self, record):  # noqa: ARG002
        type(self).calls += 1
        return (Session(id=str(self.calls)),)


class _Undeclared(TeleportFile):
    record_types = frozenset({RecordType.TICKET})


class _Skipping(TeleportFile):
    def fetch(self, window, cursor):
        yield from super().fetch(window, None if cursor is None else "0:0:0")


class _Raising(TeleportFile):
    def normalize(self, record):
        return super().normalize(record) if b'"uid"' in record.raw else (Session(id={}["id"]),)


class _Unpaged(TeleportFile):
    def fetch(self, window, cursor):  # noqa: ARG002
        yield Page(records=(), cursor="more")


@pytest.mark.parametrize("broken", [_Impure, _Undeclared, _Skipping, _Raising, _Unpaged])
def test_the_check_notices(broken, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PAGE_RECORDS", 4)
    with pytest.raises((AssertionError, KeyError)):
        connector_conformance(broken, [DATA / FIXTURES["teleport"]], tmp_path)


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_no_secret_of_a_fixture_gets_out_of_normalize(name):
    text = repr(all_stated(name, DATA / FIXTURES[name]))
    assert "hunter2" not in text


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_tells_its_inputs_without_their_folders(name):
    connector = open_files(name, [DATA / FIXTURES[name]])
    (file,) = connector.inputs
    assert (file.name, file.size) == (FIXTURES[name], (DATA / FIXTURES[name]).stat().st_size)
    assert str(DATA) not in connector.query
    assert connector.record_types
    assert next(iter(connector.fetch(Window(start=0, end=1), None))).records
