# SPDX-License-Identifier: Apache-2.0

"""Collection over real databases, with a connector of its own: counts, idempotence, rejects, failures, rebuilding."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.clock import FixedClock
from app.collection.model import CollectionRun
from app.collection.service import CollectionService, connector_of
from app.connectors.base import MAX_RECORD_BYTES, InputFile, Page, Reject, SequenceGap, SourceRecord, Window
from app.db import Database
from app.errors import InvalidInput, RecordRejected, SourceUnavailable, UsageError
from app.ledger.entry import RUN_KIND
from app.ledger.note import open_checkpoint
from app.ledger.service import Ledger
from app.records.model import AccessRecord, Alert, Observation, RecordType, Session, Ticket
from app.signing.checkpoint_key import CheckpointKey

KEY = CheckpointKey.from_seed(bytes(range(32)))
NOW = 1_700_000_000_000


class Lines:
    """A whole connector: each record's raw bytes are words that say what it is.

    ``session ID``, ``both ID`` (a session and a ticket), ``nothing ID``, ``bad ID`` (rejected), ``crash ID`` (the
    connector has a defect), ``mistyped ID`` (a struct with a value of a wrong type).
    """

    name: ClassVar[str] = "lines"
    title: ClassVar[str] = "Lines of words"
    record_types: ClassVar[frozenset[RecordType]] = frozenset({RecordType.SESSION, RecordType.TICKET})
    query = "all lines"

    def __init__(self, *pages: Page | Exception) -> None:
        self._pages = pages
        self.inputs = (InputFile(name="lines.txt", size=3, sha256="00"),)

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:
        del window, cursor
        for page in self._pages:
            if isinstance(page, Exception):
                raise page
            yield page

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        word, _, name = record.raw.decode().partition(" ")
        match word:
            case "session":
                return (Session(id=name, subject=f"ana of {name}"),)
            case "both":
                return (Session(id=name, ticket_keys=(f"T-{name}",)), Ticket(id=f"T-{name}"))
            case "bad":
                raise RecordRejected("the line is bad", where=name)
            case "crash":
                return (Session(id={}[name]),)
            case "mistyped":
                return (Session(id=name, started_at="soon"),)  # type: ignore[arg-type]
            case "undeclared":
                return (Alert(id=name),)
            case _:
                return ()


def line(raw: str, at: int | None = None, *, kind: str = "line") -> SourceRecord:
    name = raw.partition(" ")[2] or raw
    return SourceRecord(
        kind=kind, key=name, raw=raw.encode(), occurred_at=at, occurred_at_text=None, locator=f"lines.txt:{name}"
    )


def page(*records: SourceRecord, **more: object) -> Page:
    return Page(records=records, **more)  # type: ignore[arg-type]


GOOD = (
    page(line("session a", 2_000), line("both b", 1_000), position=2, size=5),
    page(line("nothing c", 3_000, kind="noise"), line("session a", 2_000), line("session d"), position=5, size=5),
)


def service(database: Database, instant: int = NOW) -> CollectionService:
    return CollectionService(
        database, Ledger(database, KEY), FixedClock(instant), lambda name: {"lines": Lines()}[name]
    )


def dump(database: Database) -> list[list[tuple[object, ...]]]:
    """Return all rows of what is derived."""
    with database.read() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in ("observation", "collection_run")
        ]


def test_a_run_counts_everything_and_keeps_what_it_states(database: Database) -> None:
    collection = service(database)
    seen: list[tuple[int, int | None]] = []
    run = collection.collect(
        Lines(*GOOD), "src", Window(start=1, end=None), progress=lambda position, size: seen.append((position, size))
    )
    assert run == CollectionRun(
        id=run.id,
        source="src",
        connector="lines",
        query="all lines",
        started_at=NOW,
        finished_at=NOW,
        asked=Window(start=1, end=None),
        covered=Window(start=1_000, end=3_001),
        covered_basis="observed",
        inputs=(InputFile(name="lines.txt", size=3, sha256="00"),),
        received=5,
        accepted=4,
        duplicates=1,
        unused={"noise": 1},
        produced={"session": 3, "ticket": 1},
        ledger_first=0,
        ledger_last=3,
    )
    assert run.is_complete
    assert seen == [(5, 5)]
    assert list(collection.observations()) == [
        Observation(source="src", ledger_index=0, observed_at=2_000, record=Session(id="a", subject="ana of a")),
        Observation(source="src", ledger_index=1, observed_at=1_000, record=Session(id="b", ticket_keys=("T-b",))),
        Observation(source="src", ledger_index=1, observed_at=1_000, record=Ticket(id="T-b")),
        # The source states no instant, so it is the one at which we got it.
        Observation(source="src", ledger_index=3, observed_at=NOW, record=Session(id="d", subject="ana of d")),
    ]
    assert [one.record.id for one in collection.observations([RecordType.TICKET])] == ["T-b"]
    assert list(collection.observations([])) == []
    assert collection.runs() == [run]


def test_the_box_is_evidence_too_and_a_checkpoint_follows(database: Database) -> None:
    run = service(database).collect(Lines(*GOOD), "src", Window())
    ledger = Ledger(database, KEY)
    ((entry, raw),) = ledger.scan(kind=RUN_KIND)
    assert (entry.index, entry.source, entry.key, entry.run_id) == (4, "src", run.id, run.id)
    assert msgspec.json.decode(raw, type=CollectionRun) == run
    ((size, note),) = ledger.checkpoints()
    assert size == open_checkpoint(note, [ledger.verifier_key]).size == 5
    assert ledger.fsck() == []


def test_importing_again_is_a_run_of_duplicates(database: Database) -> None:
    collection = service(database)
    first = collection.collect(Lines(*GOOD), "src", Window())
    again = collection.collect(Lines(*GOOD), "src", Window())
    assert (again.received, again.accepted, again.duplicates, again.rejected) == (5, 0, 5, 0)
    assert again.id != first.id
    assert (again.covered, again.produced, again.ledger_first) == (first.covered, {}, None)
    assert len(list(collection.observations())) == 4
    assert collection.runs() == [first, again]


def test_other_bytes_under_the_same_key_are_a_version(database: Database) -> None:
    collection = service(database)
    collection.collect(Lines(page(line("session a", 2_000))), "src", Window())
    collection.collect(Lines(page(line("both a", 1_000))), "src", Window())
    collection.collect(Lines(page(line("session a", 2_000))), "other", Window())
    versions = collection.versions("src", RecordType.SESSION, "a")
    assert [(one.observed_at, one.ledger_index) for one in versions] == [(1_000, 2), (2_000, 0)]
    assert [one.source for one in collection.versions("other", RecordType.SESSION, "a")] == ["other"]
    assert collection.versions("src", RecordType.GRANT, "a") == []


def test_observations_are_found_by_ledger_index_and_page_by_page(database: Database) -> None:
    collection = service(database)
    collection.collect(Lines(*GOOD), "src", Window())
    everything = list(collection.observations())
    assert collection.observations_at([3, 1, 1, 99]) == everything[1:]
    paged, place = [], (-1, -1)
    while found := collection.page(None, after=place, limit=2):
        paged += [one for _, one in found]
        place = found[-1][0]
    assert paged == everything
    assert [one.record.id for _, one in collection.page([RecordType.SESSION], limit=9)] == ["a", "b", "d"]


def test_pages_beyond_one_batch_are_all_kept_even_if_the_source_fails(database: Database) -> None:
    pages = [page(*(line(f"session {n}-{m}") for m in range(1_900)), position=n) for n in range(12)]
    seen: list[int] = []
    run = service(database).collect(
        Lines(*pages, SourceUnavailable("gone")), "src", Window(), None, lambda position, _: seen.append(position)
    )
    assert (run.accepted, run.problem) == (22_800, "gone")
    assert seen == [10, 11]
    assert Ledger(database, KEY).fsck() == []


def test_large_records_make_small_batches(database: Database) -> None:
    large = [msgspec.structs.replace(line(f"nothing {n}"), raw=b"x" * 1_000_000) for n in range(20)]
    seen: list[int] = []
    run = service(database).collect(
        Lines(*(page(record, position=n) for n, record in enumerate(large))),
        "src",
        Window(),
        None,
        lambda position, _: seen.append(position),
    )
    assert (run.accepted, seen) == (20, [16, 19])


def test_what_cannot_be_used_is_counted_shown_and_kept(database: Database) -> None:
    collection = service(database)
    records = [line("bad e", 9_000), line("session f", 4_000), line("crash g"), line("mistyped h"), line("bad i")]
    unread = Reject(locator="lines.txt:9", reason="no UTF-8", raw_sha256="ff", length=4)
    run = collection.collect(Lines(page(*records, rejects=(unread,))), "src", Window())
    assert (run.received, run.accepted, run.duplicates, run.rejected) == (6, 1, 0, 5)
    assert run.reject_reasons == {
        "no UTF-8": 1,
        "the line is bad": 2,
        "the connector cannot read it (KeyError)": 1,
        "the connector cannot read it (ValidationError)": 1,
    }
    assert [reject.locator for reject in run.rejects] == [
        "lines.txt:9", "lines.txt:e", "lines.txt:g", "lines.txt:h", "lines.txt:i",
    ]  # fmt: skip
    assert run.rejects[1].raw_sha256 == records[0].raw_sha256
    assert not run.is_complete
    assert run.covered == Window(start=4_000, end=4_001)
    # The records themselves are evidence, read or not; what never was a record has left only its digest.
    assert (run.ledger_first, run.ledger_last) == (0, 4)
    assert Ledger(database, KEY).raw(0) == b"bad e"
    assert [one.record.id for one in collection.observations()] == ["f"]


def test_what_is_rejected_stays_rejected_when_it_is_imported_again(database: Database) -> None:
    collection = service(database)
    collection.collect(Lines(page(line("bad e"), line("session f"))), "src", Window())
    again = collection.collect(Lines(page(line("bad e"), line("session f"))), "src", Window())
    assert (again.received, again.accepted, again.duplicates, again.rejected) == (2, 0, 1, 1)
    assert not again.is_complete


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": RUN_KIND}, "the kind is reserved for collection runs"),
        ({"key": "a\x00b"}, "its key holds a zero byte"),
        ({"kind": "\ud800"}, "its kind is not valid Unicode"),
        ({"raw": b"session " + b"x" * MAX_RECORD_BYTES}, f"the record is larger than {MAX_RECORD_BYTES} bytes"),
        ({"raw": b"session " + b"x" * 1025}, "its id is empty, too long, or holds a zero byte"),
        ({"raw": b"session "}, "its id is empty, too long, or holds a zero byte"),
        ({"raw": b"session a\x00"}, "its id is empty, too long, or holds a zero byte"),
        ({"raw": b"\xff"}, "the connector cannot read it (UnicodeDecodeError)"),
    ],
)
def test_hostile_records_are_rejected_one_by_one(database: Database, changes: dict[str, object], reason: str) -> None:
    hostile = msgspec.structs.replace(line("session a"), **changes)
    run = service(database).collect(Lines(page(line("session b"), hostile, line("session c"))), "src", Window())
    assert (run.received, run.accepted, run.rejected) == (3, 2, 1)
    assert run.reject_reasons == {reason: 1}
    assert Ledger(database, KEY).fsck() == []


def test_a_source_cannot_blow_up_the_box(database: Database) -> None:
    long = "x" * 9_999
    rejects = tuple(
        Reject(locator=f"\x1b[31m\ud800 {n} " + long, reason=f"é\n{n}" + long, raw_sha256="", length=1 << 60)
        for n in range(1_000)
    )
    gaps = tuple(SequenceGap(what="line\x00", first_missing=-(1 << 80), last_missing=1 << 80) for _ in range(5_000))
    kinds = [line(f"nothing {n}", kind=f"kind {n}") for n in range(500)]
    run = service(database).collect(
        Lines(page(*kinds, rejects=rejects, gaps=gaps, source_count=1 << 80)), "src", Window()
    )
    assert (run.received, run.rejected, len(run.rejects), len(run.gaps)) == (1_500, 1_000, 100, 1_000)
    assert sum(run.reject_reasons.values()) == 1_000
    assert sum(run.unused.values()) == 500
    assert run.unused["(others)"] == 300
    assert all(reject.locator.isprintable() and len(reject.locator) <= 300 for reject in run.rejects)
    assert service(database).runs() == [run]


@pytest.mark.parametrize(
    ("source_count", "gaps", "complete"),
    [
        (None, (), True),
        (2, (), True),
        (3, (), False),
        (2, (SequenceGap(what="n", first_missing=3, last_missing=4),), False),
    ],
)
def test_completeness_is_what_the_source_says_against_what_came(
    database: Database, source_count: int | None, gaps: tuple[SequenceGap, ...], complete: bool
) -> None:
    pages = (page(line("session a")), page(line("session b"), source_count=source_count, gaps=gaps))
    run = service(database).collect(Lines(*pages), "src", Window())
    assert run.is_complete is complete
    assert (run.source_count, run.gaps) == (source_count, gaps)


def test_a_declared_window_is_kept_as_declared(database: Database) -> None:
    declared = Window(start=0, end=10)
    run = service(database).collect(Lines(*GOOD), "src", declared, declared)
    assert (run.covered, run.covered_basis) == (declared, "declared")


def test_a_run_without_any_record_covers_no_time(database: Database) -> None:
    run = service(database).collect(Lines(), "src", Window())
    assert run.covered == Window(start=NOW, end=NOW)
    assert run.covered_basis == "observed"


def test_a_source_that_fails_on_the_way_leaves_whole_pages_and_says_so(database: Database) -> None:
    collection = service(database)
    run = collection.collect(Lines(GOOD[0], SourceUnavailable("the source hung up"), GOOD[1]), "src", Window())
    assert run.problem == "the source hung up"
    assert (run.received, run.accepted) == (2, 2)
    assert not run.is_complete
    assert len(list(collection.observations())) == 3


def test_a_source_that_never_answers_leaves_a_box(database: Database) -> None:
    run = service(database).collect(Lines(SourceUnavailable("no answer")), "src", Window())
    assert (run.received, run.problem) == (0, "no answer")


def test_a_file_of_a_wrong_format_leaves_nothing(database: Database) -> None:
    with pytest.raises(InvalidInput, match="not lines"):
        service(database).collect(Lines(InvalidInput("these are not lines")), "src", Window())
    assert Ledger(database, KEY).size() == 0
    assert service(database).runs() == []


def test_a_file_that_turns_wrong_half_way_leaves_a_box(database: Database) -> None:
    run = service(database).collect(Lines(GOOD[0], InvalidInput("the rest is not lines")), "src", Window())
    assert (run.accepted, run.problem) == (2, "the rest is not lines")


def test_a_defect_is_raised_and_leaves_a_box(database: Database) -> None:
    collection = service(database)
    with pytest.raises(ZeroDivisionError):
        collection.collect(Lines(GOOD[0], ZeroDivisionError("secret")), "src", Window())
    (run,) = collection.runs()
    assert (run.accepted, run.problem) == (2, "the run broke off (ZeroDivisionError)")


def test_a_kind_that_the_connector_does_not_declare_is_a_problem(database: Database) -> None:
    run = service(database).collect(Lines(page(line("undeclared x"))), "src", Window())
    assert run.problem == "the connector stated kinds it does not declare: alert"


@pytest.mark.parametrize("name", ["", "a/b", "-a", "a b", "a\n", "é", "x" * 65])
def test_a_source_has_a_plain_name(database: Database, name: str) -> None:
    with pytest.raises(UsageError, match="source"):
        service(database).collect(Lines(), name, Window())


def test_equal_imports_give_equal_ledgers_runs_and_checkpoints(new_database: Callable[[], Database]) -> None:
    results = []
    for split in (1, 2, 5):
        database = new_database()
        records = [record for one in GOOD for record in one.records]
        pages = [page(*records[at : at + split]) for at in range(0, len(records), split)]
        collection = service(database)
        runs = [collection.collect(Lines(*pages), "src", Window()) for _ in range(2)]
        results.append((runs, Ledger(database, KEY).checkpoint(), dump(database)))
    assert results[0] == results[1] == results[2]


def test_another_question_is_another_run(new_database: Callable[[], Database]) -> None:
    def run_id(source: str, window: Window) -> str:
        return service(new_database()).collect(Lines(), source, window).id

    assert len({run_id("src", Window()), run_id("other", Window()), run_id("src", Window(start=1))}) == 3
    assert connector_of(run_id("src", Window())) == "lines"


def test_rebuilding_gives_the_same_rows_from_the_ledger_alone(database: Database) -> None:
    collection = service(database)
    collection.collect(Lines(*GOOD), "src", Window())
    collection.collect(Lines(page(line("bad e"), line("session a", 5_000), line("both a", 6_000))), "src", Window())
    collection.collect(Lines(*GOOD, SourceUnavailable("gone")), "other", Window())
    before = dump(database)
    root = Ledger(database, KEY).root()
    with database.write() as connection:
        connection.execute(text("UPDATE observation SET body = '{}', observed_at = 0"))
        connection.execute(text("DELETE FROM collection_run"))
    assert dump(database) != before
    assert service(database, NOW + 999).rebuild() == len(before[0])
    assert dump(database) == before
    assert Ledger(database, KEY).root() == root


def test_a_rebuild_that_fails_changes_nothing(database: Database) -> None:
    collection = service(database)
    collection.collect(Lines(*GOOD), "src", Window())
    before = dump(database)
    lost = CollectionService(database, Ledger(database, KEY), FixedClock(NOW), lambda name: {}[name])
    with pytest.raises(KeyError):
        lost.rebuild()
    assert dump(database) == before


class TwoAtOnce(Lines):
    """While it is read, the same is asked of the same source by somebody else."""

    def __init__(self, collection: CollectionService) -> None:
        super().__init__()
        self._collection = collection

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:
        del cursor
        self._collection.collect(Lines(*GOOD), "src", window)
        yield from GOOD


def test_two_equal_runs_at_once_are_not_mixed_up(database: Database) -> None:
    collection = service(database)
    with pytest.raises(Exception, match="same time"):
        collection.collect(TwoAtOnce(collection), "src", Window())
    (run,) = collection.runs()
    assert (run.accepted, run.duplicates) == (4, 1)
    assert Ledger(database, KEY).fsck() == []


words = st.sampled_from(["session", "both", "nothing", "bad", "crash", "mistyped"])
raws = st.builds(lambda word, number: f"{word} {number}", words, st.integers(0, 4))


@settings(max_examples=30)
@given(st.lists(st.lists(raws, max_size=5), max_size=5))
def test_nothing_received_is_lost_from_the_count(
    tmp_path_factory: pytest.TempPathFactory, raw: Sequence[Sequence[str]]
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('counts') / 'p.db'}")
    database.migrate()
    collection = service(database)
    run = collection.collect(Lines(*(page(*map(line, one)) for one in raw)), "src", Window())
    everything = [one for some in raw for one in some]
    assert run.received == len(everything) == run.accepted + run.duplicates + run.rejected
    assert run.rejected == sum(one.split()[0] in {"bad", "crash", "mistyped"} for one in everything)
    # Every different record is in the ledger, used or not, and then the box.
    assert Ledger(database, KEY).size() == len(set(everything)) + 1
    assert sum(run.produced.values()) == len(list(collection.observations()))
    database.close()


def test_a_connector_without_files_has_no_inputs(database: Database) -> None:
    class Live(Lines):
        def __init__(self) -> None:
            super().__init__(*GOOD)
            del self.inputs

    assert service(database).collect(Live(), "src", Window()).inputs == ()
