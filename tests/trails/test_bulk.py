# SPDX-License-Identifier: Apache-2.0

"""Linking as set operations gives the very bytes that linking one record at a time gives."""

import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput, UsageError
from app.records.columns import OBSERVATIONS, batches_of
from app.records.folding import fold
from app.records.model import (
    RECORD_CLASSES,
    AccessRecord,
    Alias,
    Identity,
    Observation,
    Session,
    Waiver,
)
from app.trails.bulk import chunks, rows
from app.trails.bulk.freeze import freeze_in_bulk
from app.trails.bulk.model import Keep
from app.trails.linking import build_populations
from app.trails.segments import freeze, read_rows
from tests.trails.freezing import Words, differences, freeze_continued, other_tables, sources_of

DAY = 86_400_000
SOURCES = ("a", "b")
NAMES = ("x", "y", "X@E.example", "db", "a/session/x", "b/grant/y", "a/session_event/x", "a/ticket/CHG-1", "CHG-1", "")
IDS = tuple(name for name in NAMES if name)
INSTANTS = (None, 0, DAY, DAY + 60_000, DAY + 130_000, 2 * DAY, 3 * DAY, 9 * DAY, 10 * DAY)
TEXTS = {"purpose": ("see CHG-1 and x-1", "none", None), "text": ("drop it", "look", None)}


def values(name: str, hint: object) -> st.SearchStrategy[object]:  # noqa: PLR0911  One answer per kind of field.
    """Return values for a field: few, so that records often name each other, and often none."""
    options = [each for each in typing.get_args(hint) or (hint,) if each is not type(None)]
    (kind,) = options if len(options) == 1 else (hint,)
    if name in TEXTS:
        return st.sampled_from(TEXTS[name])
    if typing.get_origin(kind) is typing.Literal:
        return st.sampled_from([None, *typing.get_args(kind)])
    if typing.get_origin(kind) is tuple:
        element = typing.get_args(kind)[0]
        if element is Alias:
            alias = st.builds(Alias, source=st.sampled_from([*SOURCES, "*"]), subject=st.sampled_from(IDS))
            return st.lists(alias, max_size=2).map(tuple)
        if typing.get_origin(element) is typing.Literal:
            return st.none() | st.lists(st.sampled_from(typing.get_args(element)), max_size=2).map(tuple)
        several = st.lists(st.sampled_from(IDS), max_size=3).map(tuple)
        return several if name == "aliases" else st.none() | several
    if kind is bool:
        return st.sampled_from([None, True, False])
    if kind is float:
        return st.sampled_from([None, 0.5])
    if kind is int:
        return st.sampled_from(INSTANTS)
    return st.sampled_from([None, *NAMES])


def records(record_class: type[AccessRecord]) -> st.SearchStrategy[AccessRecord]:
    """Return records of one type."""
    hints = typing.get_type_hints(record_class)
    fields = {name: values(name, hint) for name, hint in hints.items() if name != "id"}
    return st.fixed_dictionaries({"id": st.sampled_from(IDS), **fields}).map(lambda given: record_class(**given))


EVERYTHING = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.sampled_from([0, DAY, 5 * DAY]),
        st.sampled_from(list(RECORD_CLASSES.values())).flatmap(records),
    ),
    min_size=5,
    max_size=40,
)


CHUNKS = st.sampled_from([1, chunks.CHUNK_ITEMS])
"""Items in a chunk: a day is one of its own, or all days are in one."""


def both(world, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests of the segments by the pure linker and by the sets."""
    flagger, period = Words(), world.period
    linked = build_populations(fold(world.told), world.runs(), period, period.as_of, flagger=flagger)
    return freeze(linked, folder / "one"), freeze_in_bulk(sources_of(world), period, folder / "sets", flagger, "500MB")


@given(told=EVERYTHING, items=CHUNKS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_sets_give_the_bytes_of_the_pure_linker(told: list, items: int, new_world: Callable) -> None:
    world = new_world()
    for source, at, record in told:
        world.tell(source, record, at=at)
    together = {name: query._replace(together=items) for name, query in rows._QUERIES.items()}
    with (
        TemporaryDirectory() as folder,
        patch.object(chunks, "CHUNK_ITEMS", items),
        patch.dict(rows._QUERIES, together),
    ):
        one, sets = both(world, Path(folder))
        assert one == sets, "\n".join(differences(Path(folder), one, sets))


@given(told=EVERYTHING, splits=st.sets(st.integers(1, 40), max_size=3), late=st.booleans(), items=CHUNKS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_going_on_from_an_earlier_freeze_gives_what_all_from_the_beginning_gives(
    told: list, splits: set[int], late: bool, items: int, new_world: Callable
) -> None:
    """Some records are told, and frozen; then more. In the end the bytes are the same, and so is every kept table."""
    world, period = new_world(), new_world().period
    with TemporaryDirectory() as name, patch.object(chunks, "CHUNK_ITEMS", items):
        folder = Path(name)
        kept = Keep(file=folder / "kept", name="begun", made_for="test")
        for place, (source, at, record) in enumerate(told):
            if place in splits:
                kept = msgspec.structs.replace(kept, name=f"after-{place}")
                freeze_continued(sources_of(world), period, folder / kept.name, kept)
                period = msgspec.structs.replace(period, as_of=period.as_of + (DAY if late else 0))
            world.tell(source, record, at=at)
        sources = msgspec.structs.replace(sources_of(world), as_of=period.as_of)
        again = freeze_continued(sources, period, folder / "again", kept)
        anew = Keep(file=folder / "anew", name="full", made_for="test")
        full = freeze_in_bulk(sources, period, folder / "full", Words(), "500MB", anew)
        assert again == full, "\n".join(differences(folder, full, again, ("full", "again")))
        assert not list(other_tables(kept.file, anew.file))


def test_an_employment_may_end_with_the_first_instant_of_1970(world, tmp_path: Path) -> None:
    world.tell("tp", Identity(id="ana", employment_end_at=0), Session(id="s", subject="ana", started_at=DAY))
    one, sets = both(world, tmp_path)
    assert one == sets
    [row] = read_rows(tmp_path / "sets", "session")
    assert row.identity.status == "terminated"


def test_a_person_of_two_records_in_one_entry_is_not_taken_for_one_of_them(world, tmp_path: Path) -> None:
    """One line of a directory states both; one login names one of them, and the address names both."""
    one = Identity(
        id="ana", person_id="P", email="ana@x.example", status="active", aliases=(Alias(source="tp", subject="ana"),)
    )
    other = Identity(id="ana-admin", person_id="P", email="ana@x.example", status="suspended")
    world.told += [Observation(source="hr", ledger_index=0, observed_at=0, record=each) for each in (one, other)]
    world.told.append(Observation(source="hr", ledger_index=1, observed_at=0, record=Identity(id="ben")))
    for subject in ("ana", "ana@x.example"):
        world.tell("tp", Session(id=subject, subject=subject, started_at=DAY))
    expected, sets = both(world, tmp_path)
    assert {row.identity.status for row in read_rows(tmp_path / "one", "session")} == {"active", "suspended"}
    assert expected == sets


def test_days_before_1970_lose_nothing(world, tmp_path: Path) -> None:
    world.period = msgspec.structs.replace(world.period, start=-5 * DAY)
    world.tell("tp", *(Session(id=f"s{at}", started_at=at) for at in (-DAY - 1, -DAY, -1, 0)))
    one, sets = both(world, tmp_path)
    assert one == sets
    assert sum(name.startswith("session/19") for name in sets) == 3
    assert len(list(read_rows(tmp_path / "sets", "session"))) == 4


def test_a_waiver_is_found_by_every_kind_of_scope(world, tmp_path: Path) -> None:
    world.person("ana", tp="ana")
    session = Session(id="s", subject="ana", target="db", started_at=DAY)
    in_order = {"test_ids": ("SES-01",), "reason": "r", "risk_owner": "o", "approved_by": "boss"}
    dates = {"approved_at": 0, "expires_at": 50 * DAY}
    scopes = [{}, {"items": ("tp/session/s",)}, {"subjects": ("P-ana",)}, {"targets": ("db",)}, {"targets": ("other",)}]
    world.tell("tp", session, *(Waiver(id=f"w{n}", **in_order, **dates, **scope) for n, scope in enumerate(scopes)))
    one, sets = both(world, tmp_path)
    assert one == sets
    (row,) = read_rows(tmp_path / "sets", "session")
    assert [waiver.id for waiver in row.waivers] == ["w0", "w1", "w2", "w3"]


def test_a_number_beyond_64_bits_is_refused_and_not_lost(world, tmp_path: Path) -> None:
    world.tell("tp", Session(id="s", started_at=DAY, ended_at=1 << 70))
    with pytest.raises(InvalidInput):
        both(world, tmp_path)


def test_a_batch_says_of_what_type_each_observation_is() -> None:
    observation = Observation(source="a", ledger_index=0, observed_at=0, record=Session(id="s"))
    (batch,) = batches_of([observation])
    assert batch.schema == OBSERVATIONS
    assert batch.column("record_type").to_pylist() == ["session"]
    assert msgspec.json.decode(batch.column("body")[0].as_py()) == {"type": "session", "id": "s"}


@pytest.mark.parametrize("spoil", ["text", "other", "segments"])
def test_what_cannot_be_used_of_an_earlier_freeze_is_left_alone(world, tmp_path: Path, spoil: str) -> None:
    world.person("ana", tp="ana")
    world.tell("tp", Session(id="s", subject="ana", target="db", started_at=DAY))
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    before = freeze_in_bulk(sources_of(world), world.period, tmp_path / "before", Words(), "500MB", keep)
    match spoil:
        case "text":
            keep.file.write_text("no database")
        case "other":
            keep = msgspec.structs.replace(keep, made_for="another")
        case "segments":
            (tmp_path / "before").rename(tmp_path / "elsewhere")
    again = freeze_in_bulk(sources_of(world), world.period, tmp_path / "again", Words(), "500MB", keep)
    assert again == before
    taken = (tmp_path / "again" / "session" / "1970-01-02.parquet").stat().st_nlink
    assert taken == 1, "it was written, not taken over"


def frozen(world, tmp_path: Path, name: str, keep: Keep | None = None) -> dict[str, str]:
    """Freeze a world into a folder, with or without what an earlier freeze left."""
    return freeze_in_bulk(sources_of(world), world.period, tmp_path / name, Words(), "500MB", keep)


def test_a_ledger_that_was_exchanged_takes_nothing_over(world, new_world, tmp_path: Path) -> None:
    """A backup that was restored, and grew differently since, is longer than what was kept and still another ledger."""
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    world.tell("tp", Session(id="gone", subject="ana", target="db", started_at=DAY))
    frozen(world, tmp_path, "before", keep)
    other = new_world()
    other.tell("tp", *(Session(id=f"s{day}", subject="ben", target="db", started_at=day * DAY) for day in range(1, 4)))
    assert frozen(other, tmp_path, "again", keep) == frozen(other, tmp_path, "full")


def test_a_segment_that_was_changed_is_written_anew(world, tmp_path: Path) -> None:
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    world.tell("tp", *(Session(id=f"s{day}", started_at=day * DAY) for day in (1, 2)))
    before = frozen(world, tmp_path, "before", keep)
    folder = tmp_path / "before" / "session"
    (folder / "1970-01-02.parquet").write_bytes((folder / "1970-01-03.parquet").read_bytes())
    assert frozen(world, tmp_path, "again", keep) == before


def test_a_damaged_file_of_an_earlier_freeze_costs_time_only(world, tmp_path: Path) -> None:
    """The file can be opened, and what it says of itself can be read; some of the rest cannot."""
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    world.tell("tp", Session(id="s1", started_at=DAY))
    before = frozen(world, tmp_path, "before", keep)
    with duckdb.connect(str(keep.file)) as kept:
        kept.execute('ALTER TABLE "session" DROP COLUMN target')
    assert frozen(world, tmp_path, "again", keep) == before


@pytest.mark.parametrize("error", [UsageError("the database cannot be read"), KeyboardInterrupt()])
def test_a_source_that_breaks_off_is_not_taken_for_records_that_cannot_be_linked(
    world, tmp_path: Path, error: BaseException
) -> None:
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    world.tell("tp", Session(id="s1", started_at=DAY))
    frozen(world, tmp_path, "before", keep)
    asked = []

    def batches(since: int) -> Iterator[pa.RecordBatch]:
        asked.append(since)
        yield from world.batches(since)
        raise error

    sources = msgspec.structs.replace(sources_of(world), batches=batches)
    with pytest.raises(type(error)) as caught:
        freeze_in_bulk(sources, world.period, tmp_path / "again", Words(), "500MB", keep)
    assert caught.value is error
    assert asked == [1], "it did not begin again"


def test_freezing_into_a_folder_of_shared_segments_changes_no_other(world, tmp_path: Path) -> None:
    keep = Keep(file=tmp_path / "kept", name="before", made_for="test")
    world.tell("tp", Session(id="s1", started_at=DAY))
    before = frozen(world, tmp_path, "before", keep)
    assert frozen(world, tmp_path, "again", keep) == before
    shared = tmp_path / "again" / "session" / "1970-01-02.parquet"
    shared.unlink()
    shared.write_bytes(b"of somebody else")
    (tmp_path / "link").hardlink_to(shared)
    assert frozen(world, tmp_path, "again", keep) == before
    assert (tmp_path / "link").read_bytes() == b"of somebody else"
