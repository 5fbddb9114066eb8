# SPDX-License-Identifier: Apache-2.0

"""Reading files: nothing is lost silently, nothing hostile takes memory or time, and a wrong file is named."""

import hashlib
import json
import resource
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connectors import files
from app.connectors.base import MAX_RECORD_BYTES, Connector, HasInputs, Window
from app.connectors.formats import FORMATS, guess_format
from app.connectors.jsonreading import Found, JsonReader, Position
from app.connectors.registry import FILE_CONNECTORS, open_files
from app.connectors.strictjson import strict_object, strict_value
from app.connectors.values import host_of
from app.errors import InvalidInput, RecordRejected, UsageError
from tests.connectors.reading import DATA, FIXTURES, pages_of, records_of


def line(number=1, **members):
    return json.dumps({"type": "session", "id": f"s-{number}"} | members)


def rejects_of(path, name="records"):
    return [reject for page in pages_of(name, path) for reject in page.rejects]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"type":"session","id":"s-2"', "not JSON"),
        (b"hello", "not JSON"),
        (b'{"type":"session","id":"\xff"}', "byte 24 is not UTF-8"),
        (b'{"type":"session","id":"a","id":"b"}', "'id' stands twice"),
        (b'{"type":"session","id":"a","aliases":[{"x":1,"x":2}]}', "'x' stands twice"),
        (b'{"type":"session","id":"a","rows":NaN}', "NaN is not JSON"),
        (b'{"type":"session","id":"a","rows":-Infinity}', "-Infinity is not JSON"),
        (b'{"type":"session","id":"a","rows":1e999}', "too large"),
        (b'{"type":"session","id":"\\ud800"}', "not JSON"),
        (b'{"type":"session","id":"a\nb"}', "not JSON"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper"),
        (b"[1]", "not an object"),
        (b"null", "not an object"),
        (b'{"type":"session","id":%s}' % (b"9" * 5000), "not JSON"),
        (b'{"type":"session"}', "'id' is missing"),
        (b'{"id":"x"}', "'type' is missing"),
        (b"\x00\x00\x00", "not JSON"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_place_and_digest(tmp_path, bad, why):
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(1).encode() + b"\n" + bad + b"\n\n" + line(3).encode() + b"\n")
    assert [record.locator for record in records_of("records", path)][0::1][-1] == f"x.jsonl:{4 + bad.count(10)}"
    reject = rejects_of(path)[0]
    assert reject.locator == "x.jsonl:2"
    if not bad.count(10):
        assert why in reject.reason
        assert (reject.raw_sha256, reject.length) == (hashlib.sha256(bad).hexdigest(), len(bad))


def test_the_last_line_may_be_cut_off(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(line(1) + "\n" + line(2)[:-5])
    (page,) = pages_of("records", path)
    assert (len(page.records), page.rejects[0].reason) == (1, "the last line is cut off")


def test_a_last_line_without_its_end_is_whole(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(line(1) + "\r\n" + line(2))
    assert [record.raw.decode() for record in records_of("records", path)] == [line(1), line(2)]


@pytest.mark.parametrize("size", [MAX_RECORD_BYTES + 1, 10_000_000])
@pytest.mark.parametrize("last", [True, False])
def test_a_field_of_ten_megabytes_is_never_held(tmp_path, size, last):
    path = tmp_path / "x.jsonl"
    huge = line(2, subject="x")
    huge = huge.replace('"x"', '"' + "x" * (size - len(huge) + 1) + '"')
    assert len(huge) == size
    path.write_text(line(1) + "\n" + huge + ("" if last else "\n" + line(3) + "\n"))
    tracemalloc.start()
    (page,) = pages_of("records", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.key for record in page.records] == ["session/s-1"] + ([] if last else ["session/s-3"])
    (reject,) = page.rejects
    assert (reject.locator, reject.length) == ("x.jsonl:2", size)
    assert reject.raw_sha256 == hashlib.sha256(huge.encode()).hexdigest()
    assert "longer than" in reject.reason
    assert peak < 8 * MAX_RECORD_BYTES


def test_the_largest_record_is_taken(tmp_path):
    path = tmp_path / "x.jsonl"
    large = line(1, subject="x")
    large = large.replace('"x"', '"' + "x" * (MAX_RECORD_BYTES - len(large) + 1) + '"')
    path.write_text(large + "\n")
    assert len(records_of("records", path)[0].raw) == MAX_RECORD_BYTES


@pytest.mark.parametrize("indent", [None, 2])
def test_an_endless_item_of_a_document_is_never_held(tmp_path, indent):
    path = tmp_path / "x.json"
    items = [{"type": "session", "id": f"s-{number}"} for number in range(3)]
    items[1]["subject"] = "\\n" * 3_000_000
    path.write_text(json.dumps(items, indent=indent))
    (page,) = pages_of("records", path)
    assert [record.key for record in page.records] == ["session/s-0", "session/s-2"]
    assert page.rejects[0].length > 6_000_000


def test_equal_lines_are_both_handed_over(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text((line(1) + "\n") * 2)
    assert len(records_of("records", path)) == 2


def test_an_empty_file_is_an_empty_export(tmp_path):
    path = tmp_path / "x.jsonl"
    for content in ("", "\n\n", " "):
        path.write_text(content)
        (page,) = pages_of("hoop", path)
        assert (page.records, page.rejects, page.cursor) == ((), (), None)


@pytest.mark.parametrize("content", ['{"data": []}', "[]", '{"data": [], "total": 0, "has_next_page": false}'])
def test_an_empty_list_is_an_empty_export(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    (page,) = pages_of("hoop", path)
    assert (page.records, page.rejects) == ((), ())


@pytest.mark.parametrize(
    "broken",
    [
        '[{"type":"session","id":"s-1"}',
        '[{"type":"session","id":"s-1"},',
        '[{"type":"session","id":"s-1"} {"type":"session","id":"s-2"}]',
        '[{"type":"session","id":"s-1"}, ]x',
        '[{"type":"session","id":"s-1"},{"type":"session","id":"s-2',
        '[{"type":"session","id":"s-1"}] trailing',
    ],
)
def test_a_broken_document_keeps_what_came_before(tmp_path, broken):
    path = tmp_path / "x.json"
    path.write_text(broken)
    (page,) = pages_of("records", path)
    assert [record.key for record in page.records] == ["session/s-1"]
    assert len(page.rejects) == 1


@pytest.mark.parametrize("name", sorted(FIXTURES))
@pytest.mark.parametrize("other", sorted(FIXTURES))
def test_a_file_for_another_connector_is_refused_and_the_right_one_named(name, other):
    if name == other:
        assert pages_of(name, DATA / FIXTURES[other])
        return
    with pytest.raises(InvalidInput) as caught:
        pages_of(name, DATA / FIXTURES[other])
    assert caught.value.where == FIXTURES[other]
    assert str(caught.value.hint) == f"It looks like --as {other}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"time,user\n1,ana\n", "not JSON"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "ZIP"),
        ('{"type":"session"}\n'.encode("utf-16"), "UTF-16"),
        (b"\x00\x01\x02\x03", "not JSON"),
        (b'{"foo": 1, "bar": 2}\n', "foo, bar"),
        (b'{"timestamp": {"seconds": 1}, "command": "id", "runargv": ["id"], "submituser": "x"}', "I/O log"),
    ],
)
@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_a_file_of_no_known_format_is_refused(tmp_path, name, content, why):
    path = tmp_path / "x.log"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=why) as caught:
        pages_of(name, path)
    assert "x.log" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.hint


def test_names_a_file_that_is_missing_or_no_file(tmp_path):
    with pytest.raises(InvalidInput, match="no such file"):
        pages_of("hoop", tmp_path / "nothing.json")
    with pytest.raises(InvalidInput, match="not a regular file"):
        pages_of("hoop", tmp_path)


def test_a_cursor_of_other_files_is_refused():
    for cursor in ("", "1:2", "9:0:0", "a:b:c", "-1:0:0", "0:0:0:0", "0:0:٣"):
        with pytest.raises(UsageError):
            pages_of("records", DATA / FIXTURES["records"], cursor=cursor)


def test_pages_are_bounded_by_bytes_too(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PAGE_BYTES", 100)
    path = tmp_path / "x.jsonl"
    path.write_text("".join(line(number) + "\n" for number in range(20)))
    pages = pages_of("records", path)
    assert len(pages) > 4
    assert [page.position for page in pages][-1] == pages[0].size == path.stat().st_size


def test_opens_by_name():
    assert FILE_CONNECTORS.keys() == {"hoop", "openbao", "postgresql", "records", "sudo", "teleport"} == FORMATS.keys()
    for name in FILE_CONNECTORS:
        connector: Connector = open_files(name, [DATA / FIXTURES[name]])
        assert connector.name == name
        assert isinstance(connector, HasInputs)
    with pytest.raises(UsageError, match="The choices are hoop"):
        open_files("nagios", [DATA])
    with pytest.raises(UsageError, match="no file"):
        open_files("hoop", [])


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    connector = open_files("hoop", [tmp_path / "nothing.json"])
    assert isinstance(connector, HasInputs)
    assert connector.inputs == ()


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_a_fixture_is_recognised_as_its_own_format_only(name):
    (first, *_) = JsonReader(members=("data",))(DATA / FIXTURES[name], Position())
    if name == "sudo":  # Its repeated names are for its own reader.
        assert not isinstance(first.item, Found)
        return
    assert isinstance(first.item, Found)
    assert guess_format(first.item.value) == name


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=10,
    )
)
def test_strict_decoding_takes_all_ordinary_json(value):
    assert strict_value(json.dumps(value).encode()) == value


_NAMES = st.sampled_from(["a", "b", "", 'a":', ":", "\\", "ä", "a b"])
_LEAVES = (
    _NAMES
    | st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([1.5, -0.0, 1e5, 2.0**70, 2**64, 2**64 - 1, -(2**63) - 1])
    | st.lists(st.sampled_from(["x", 1, 2.0, 2**64, "{"]), max_size=2)
)


@st.composite
def _written(draw, depth=2):
    """Draw an object as somebody might write it, and what it says; None if a name stands twice."""
    space = st.sampled_from(["", "", " ", "\n", "\t"])
    members, value, clear = [], {}, True
    for name in draw(st.lists(_NAMES, max_size=4)):
        if depth and draw(st.booleans()):
            raw, inner = draw(_written(depth=depth - 1))
        else:
            inner = draw(_LEAVES)
            raw = json.dumps(inner, ensure_ascii=draw(st.booleans()))
        clear = clear and name not in value and inner is not _TWICE
        value[name] = inner
        members.append(f"{draw(space)}{json.dumps(name)}{draw(space)}:{draw(space)}{raw}{draw(space)}")
    return "{" + ",".join(members) + "}", value if clear else _TWICE


_TWICE = object()


@settings(max_examples=400, deadline=None)
@given(_written())
def test_strict_decoding_is_the_same_whatever_way_it_takes(drawn):
    raw, value = drawn
    if value is _TWICE:
        with pytest.raises(RecordRejected, match="stands twice"):
            strict_value(raw.encode())
    else:
        assert repr(strict_value(raw.encode())) == repr(value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_strict_decoding_only_rejects(raw):
    try:
        assert isinstance(strict_object(raw), dict)
    except RecordRejected as error:
        assert error.what.isprintable()  # noqa: PT017


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3), max_size=5))
def test_documents_and_lines_give_the_same_objects(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("shapes")
    lines, array, pretty = folder / "l", folder / "a", folder / "p"
    lines.write_text("".join(json.dumps(each) + "\n" for each in values))
    array.write_text(json.dumps(values))
    pretty.write_text(json.dumps({"data": values}, indent=3))
    for path in (lines, array, pretty):
        found = [step.item for step in JsonReader(members=("data",))(path, Position())]
        assert [item.value for item in found if isinstance(item, Found)] == values


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_to_their_end(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any-bytes"
    for head in (b"", b"[", b'{"data": [', b"{\n"):
        path.write_bytes(head + content)
        steps = list(JsonReader(members=("data",))(path, Position()))
        assert all(step.item.locator.startswith("any-bytes:") for step in steps)


def test_hostile_documents_take_no_more_time_or_memory(tmp_path):
    path = tmp_path / "x.json"
    before = resource.getrusage(resource.RUSAGE_SELF)
    for content in (b"[" * 2_000_000, b'["' + b"\\" * 2_000_001, b'[{"' * 500_000, b"[" + b" " * 5_000_000, b"[,,,"):
        path.write_bytes(content)
        steps = list(JsonReader()(path, Position()))
        assert len(steps) == 1
        assert not isinstance(steps[0].item, Found)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 10
    assert after.ru_maxrss - before.ru_maxrss < 200_000


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("198.51.100.7:22", "198.51.100.7"),
        ("[2001:db8::1]:22", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("web-1", "web-1"),
        ("web-1:x", "web-1:x"),
        ("[", None),
        (None, None),
    ],
)
def test_takes_the_host_from_an_address(address, host):
    assert host_of(address) == host


def test_a_connector_reads_several_files_in_order(tmp_path):
    paths = [tmp_path / name for name in ("b.jsonl", "a.jsonl")]
    for number, path in enumerate(paths):
        path.write_text(line(number) + "\n")
    connector = open_files("records", paths)
    keys = [record.key for page in connector.fetch(Window(), None) for record in page.records]
    assert keys == ["session/s-0", "session/s-1"]
    assert connector.query == "files: b.jsonl, a.jsonl"
