# SPDX-License-Identifier: Apache-2.0

"""A pack that withholds fields holds none of their values, says what it withholds, and has the same bytes again."""

import io
import json
import stat
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import pikepdf
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import CheckFailed, InvalidInput, UsageError
from app.packs import layout
from app.packs.assemble import Draft, sign_pack
from app.packs.pdf import render_report
from app.packs.values import columns_of
from app.packs.withholding.apply import Withheld, WithholdingRequest
from app.packs.withholding.commitments import MARK, Place, mark, pack_key, salt_of
from app.packs.withholding.conceal import rewrite
from app.packs.withholding.disclosures import Disclosure, read_header, read_lines, select
from app.packs.withholding.fields import FIELDS as CAN_BE
from app.packs.withholding.fields import check_names
from app.packs.withholding.secret import KEY_FILE, load_or_create_secret
from app.records.model import Identity, Session
from app.signing.keys import SigningIdentity
from app.trails.populations import POPULATIONS
from app.verification.pdf_text import text_of
from tests.packs.small import SIGNED_AT, records
from tests.packs.withheld import FIELDS, PLANTED, REQUEST, planted_records, replace, withheld_draft

Made = tuple[Draft, Withheld, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> Made:
    return withheld_draft(tmp_path_factory.mktemp("withheld"), identity)


def files_of(draft: Draft) -> dict[str, bytes]:
    return {name: b"".join(content.chunks()) for name, content in draft.members.items()}


def everything_in(name: str, data: bytes) -> list[bytes]:
    """Return a file's bytes, and what a reader of its format would find in them."""
    found = [data]
    if name.endswith(".parquet"):
        table = pq.read_table(io.BytesIO(data))
        statistics = pq.ParquetFile(io.BytesIO(data)).metadata
        found += [json.dumps(table.to_pylist(), ensure_ascii=False).encode(), repr(statistics.to_dict()).encode()]
    if name.endswith(".pdf"):
        with pikepdf.open(io.BytesIO(data)) as document:
            streams = [item for item in document.objects if isinstance(item, pikepdf.Stream)]
            found += [stream.read_bytes() for stream in streams]
            found.append(text_of(document).encode())
    return found


def lines_of(path: Path) -> list[Disclosure]:
    with path.open("rb") as file:
        read_header(file.readline(), where=path.name)
        return list(read_lines(file, where=path.name))


def test_no_byte_of_any_file_shows_a_value(tmp_path: Path, identity: SigningIdentity) -> None:
    draft, _, opened = withheld_draft(tmp_path, identity, render=render_report)
    signed = {name: b"".join(each.chunks()) for name, each in sign_pack(draft, identity, SIGNED_AT).items()}
    forms = [PLANTED.encode(), PLANTED.encode("utf-16-be"), PLANTED.encode().hex().encode()]
    for name, data in signed.items():
        for part in everything_in(name, data):
            assert not any(form in part for form in forms), name
    text = everything_in("report.pdf", signed["report.pdf"])[-1]
    assert b"GDPR Art. 5" in text
    assert text.count(b"events.text_sha256") == 1
    salts = {line.salt for line in lines_of(opened)}
    assert not any(salt.encode() in data for salt in salts for data in signed.values())
    assert PLANTED.encode() in opened.read_bytes()  # The word was there to be found.


def test_the_words_are_found_where_nothing_is_withheld(tmp_path: Path, identity: SigningIdentity) -> None:
    other = replace(REQUEST, fields=("session.delegator",))
    draft, _, _ = withheld_draft(tmp_path, identity, request=other)
    shown = [name for name, data in files_of(draft).items() if PLANTED.encode() in data]
    assert f"{layout.POPULATIONS}/session_event.csv" in shown
    parquet = files_of(draft)[next(name for name in draft.members if name.startswith("populations/session_event/"))]
    assert any(PLANTED.encode() in part for part in everything_in("x.parquet", parquet))


def test_the_pack_says_what_it_withholds_and_why(made: Made) -> None:
    draft, found, opened = made
    stated = draft.report.withheld
    assert stated == found.stated
    assert stated is not None
    assert (stated.fields, stated.reason, stated.by) == (FIELDS, REQUEST.reason, REQUEST.by)
    assert stated.values == len(lines_of(opened))
    assert {"IDN-05", "RSK-03"} & {test.test_id for test in draft.report.evaluation.tests} == set(stated.tests)
    files = files_of(draft)
    for name in (layout.README, layout.VERIFY, layout.REPORT_JSON):
        text = files[name].decode()
        assert "GDPR Art. 5" in text, name
        assert all(field in text for field in FIELDS), name
        assert all(test in text for test in stated.tests), name


def test_an_absent_value_looks_like_any_other(made: Made) -> None:
    draft, _, opened = made
    cells = [
        row["event"]["text"]
        for name, data in files_of(draft).items()
        if name.startswith("populations/session_event/")
        for row in pq.read_table(io.BytesIO(data)).to_pylist()
    ]
    assert len(cells) == len({*cells}) == 3
    assert all(MARK.fullmatch(cell) for cell in cells)
    texts = [line.value for line in lines_of(opened) if line.path == "event.text"]
    assert texts.count(None) == 1


def test_every_commitment_is_opened_by_its_line(made: Made) -> None:
    draft, _, opened = made
    files = files_of(draft)
    singles = [line for line in lines_of(opened) if "[" not in line.path]
    assert any(listed(line) for line in singles)
    for line in singles:
        rows = [
            row
            for name, data in files.items()
            if name.startswith(f"populations/{line.population}/")
            for row in pq.read_table(io.BytesIO(data)).to_pylist()
            if row["item_id"] == line.item_id
        ]
        assert [reduce(dict.__getitem__, line.path.split("."), row) for row in rows] == [line.mark]
        assert listed(line) == (line.mark.encode() in files[f"populations/{line.population}.csv"])


def listed(line: Disclosure) -> bool:
    return line.path in {column.name for column in columns_of(POPULATIONS[line.population])}


def test_outcomes_are_those_of_the_whole_rows(made: Made, tmp_path: Path, identity: SigningIdentity) -> None:
    draft, _, _ = made
    whole, _, _ = withheld_draft(tmp_path, identity, request=replace(REQUEST, fields=("session.delegator",)))
    assert draft.report.evaluation.tests == whole.report.evaluation.tests
    assert draft.report.evaluation.segments != whole.report.evaluation.segments


def test_a_metric_that_reads_a_withheld_field_has_no_number(made: Made) -> None:
    draft, _, _ = made
    stated = draft.report.withheld
    assert stated is not None
    assert stated.metrics == ("MR-10",)
    metric = next(metric for metric in draft.report.metrics if metric.metric_id == "MR-10")
    assert metric.figures is None
    assert metric.reasons == ("it reads what this pack withholds: event.text",)


def test_a_breakdown_by_a_withheld_field_is_left_out(tmp_path: Path, identity: SigningIdentity) -> None:
    draft, _, _ = withheld_draft(tmp_path, identity, request=replace(REQUEST, fields=("workflow.name",)))
    paths = {group.path for metric in draft.report.metrics for group in metric.breakdowns}
    assert "session.protocol" in paths
    assert "workflow.name" not in paths
    assert b"Database care" not in b"".join(files_of(draft).values())


def test_equal_inputs_give_equal_bytes(made: Made, tmp_path: Path, identity: SigningIdentity) -> None:
    draft, _, opened = made
    again, _, opened_again = withheld_draft(tmp_path, identity)
    assert files_of(again) == files_of(draft)
    assert opened_again.read_bytes() == opened.read_bytes()


def test_sizes_do_not_depend_on_the_values(made: Made, tmp_path: Path, identity: SigningIdentity) -> None:
    draft, _, _ = made
    longer = [
        replace(record, display=record.display * 40) if isinstance(record, Identity) else record
        for record in planted_records()
    ]
    other, _, _ = withheld_draft(tmp_path, identity, stated=longer)
    mine, theirs = files_of(draft), files_of(other)
    texts = {name for name in mine if name.endswith((".csv", ".json")) and not name.startswith("ledger/")}
    assert texts
    assert {name: len(mine[name]) for name in texts} == {name: len(theirs[name]) for name in texts}


def test_a_value_that_stands_elsewhere_too_is_refused(tmp_path: Path, identity: SigningIdentity) -> None:
    stated = [
        replace(record, client_address="db-admin-7") if isinstance(record, Session) else record for record in records()
    ]
    stated = [replace(record, run_as="db-admin-7") if isinstance(record, Session) else record for record in stated]
    asked = replace(REQUEST, fields=("session.client_address",))
    with pytest.raises(CheckFailed, match=r"session session\.run_as \(3\)"):
        withheld_draft(tmp_path / "a", identity, request=asked, stated=stated)
    _, found, _ = withheld_draft(tmp_path / "b", identity, request=replace(asked, partly=True), stated=stated)
    assert found.remaining["session session.run_as"] == 3
    both = replace(asked, fields=("session.client_address", "session.run_as"))
    _, found, _ = withheld_draft(tmp_path / "c", identity, request=both, stated=stated)
    assert found.remaining == {}


def test_an_id_with_a_withheld_value_is_told(tmp_path: Path, identity: SigningIdentity) -> None:
    stated = [replace(record, display="carla.x") if isinstance(record, Identity) else record for record in records()]
    stated += [Identity(id="carla.x", kind="human", display="carla.x", person_id="p-carla", status="active")]
    with pytest.raises(CheckFailed, match=r"identity item_id \(1\)"):
        withheld_draft(tmp_path, identity, request=replace(REQUEST, fields=("identity.display",)), stated=stated)


@pytest.mark.parametrize("name", ["item_id", "identity.id", "event.flags", "event.text_sha256", "session.status", "x"])
def test_what_holds_a_pack_together_cannot_be_withheld(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        WithholdingRequest(fields=(name,), reason="because")
    assert all(can in str(caught.value) for can in CAN_BE)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "reason", "by"),
    [((), "a", ""), (FIELDS, " ", ""), (FIELDS, "a\nb", ""), (FIELDS, "a" * 301, ""), (FIELDS, "a", "b\x1b")],
)
def test_a_request_needs_fields_and_a_reason(fields: tuple[str, ...], reason: str, by: str) -> None:
    with pytest.raises(UsageError):
        WithholdingRequest(fields=fields, reason=reason, by=by)


def test_names_are_sorted_and_each_once() -> None:
    assert check_names(["session.subject", "event.text", "session.subject"]) == ("event.text", "session.subject")


def test_a_salt_depends_on_everything() -> None:
    place = Place("session", "a/session/1", "session.subject")
    key = pack_key(bytes(32), ("soc2", 1))
    others = [
        salt_of(key, place, "b"),
        salt_of(key, place, None),
        salt_of(key, Place("grant", "a/session/1", "session.subject"), "a"),
        salt_of(key, Place("session", "a/session/2", "session.subject"), "a"),
        salt_of(key, Place("session", "a/session/1", "session.run_as"), "a"),
        salt_of(pack_key(bytes(32), ("soc2", 2)), place, "a"),
        salt_of(pack_key(b"1" * 32, ("soc2", 1)), place, "a"),
        salt_of(key, place, "a"),
    ]
    assert len(set(others)) == len(others)
    assert salt_of(key, place, "a") == others[-1]
    assert len(others[-1]) == 43


def test_the_commitment_is_the_one_the_page_describes() -> None:
    """By hand: printf '["proofroom.withheld.v1","c2FsdA",…,"ana"]' | openssl dgst -sha256 -binary | base64."""
    found = mark("c2FsdA", Place("session", "s/session/1", "session.subject"), "ana")
    assert found == "withheld:Hiy3wZJlgtWrabkVNI5U_gxg9uRuqZb8phnqvFV9psw"


def test_the_secret_is_made_once_and_is_for_its_owner(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path / "keys")
    path = tmp_path / "keys" / KEY_FILE
    assert load_or_create_secret(tmp_path / "keys") == secret
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("00")
    with pytest.raises(InvalidInput):
        load_or_create_secret(tmp_path / "keys")


SPOILT = [lambda table: table.drop_columns("item_id"), lambda table: table.append_column("more", table["item_id"])]


@pytest.mark.parametrize("spoil", SPOILT, ids=["a column less", "a column more"])
def test_only_a_segment_is_written_again(made: Made, tmp_path: Path, spoil: Callable[[pa.Table], pa.Table]) -> None:
    segment = next(data for name, data in files_of(made[0]).items() if name.startswith("populations/grant/"))
    changes = {"grant.purpose": lambda _item, _where, value: value}
    file, again = tmp_path / "grant" / "2026-07-01.parquet", tmp_path / "again"
    file.parent.mkdir()
    file.write_bytes(segment)
    rewrite(tmp_path, again, "grant", changes)
    assert (again / "grant" / file.name).read_bytes() == segment
    pq.write_table(spoil(pq.read_table(file)), file)
    with pytest.raises(InvalidInput, match="no segment of the population"):
        rewrite(tmp_path, again, "grant", changes)


def test_a_part_of_the_disclosures_can_be_handed_out(made: Made, tmp_path: Path) -> None:
    _, _, opened = made
    part = tmp_path / "part.jsonl"
    item = "broker/session_event/e1"
    count = select(opened, part, lambda one: one.item_id == item and one.field == "event.text")
    assert count == len(lines_of(part)) == 2
    assert {line.path for line in lines_of(part)} == {"event.text", "event.text_sha256"}
    assert stat.S_IMODE(part.stat().st_mode) == stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert part.read_bytes().splitlines()[0] == opened.read_bytes().splitlines()[0]
    with pytest.raises(InvalidInput, match="nothing that was withheld"):
        select(opened, tmp_path / "none.jsonl", lambda _: False)
    whole = opened.read_bytes()
    with pytest.raises(UsageError, match="written over"):
        select(opened, opened.parent / "." / opened.name, lambda one: one.item_id == item)
    assert opened.read_bytes() == whole
    (tmp_path / "other.jsonl").write_bytes(b"{}\n")
    with pytest.raises(InvalidInput, match="no file of disclosures"):
        select(tmp_path / "other.jsonl", part, lambda _: True)


def test_the_pdf_reader_of_these_tests_sees_compressed_text(tmp_path: Path) -> None:
    document = pikepdf.new()
    document.add_blank_page().obj.Contents = document.make_stream(f"({PLANTED})".encode())
    output = io.BytesIO()
    document.save(output, compress_streams=True, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert PLANTED.encode() not in output.getvalue()
    assert any(PLANTED.encode() in part for part in everything_in("x.pdf", output.getvalue()))
