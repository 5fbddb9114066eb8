# SPDX-License-Identifier: Apache-2.0

"""Frozen populations: one file a day or period, equal bytes for equal rows, the same rows when read again."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from app.errors import InvalidInput, NotFound
from app.records.model import Approval, Grant, Identity, Session, SessionEvent, Ticket
from app.trails.populations import DAILY, POPULATIONS
from app.trails.segments import PERIOD, freeze, read_period, read_rows
from app.trails.service import TrailService

DAY = 86_400_000


@pytest.fixture
def told(world: Any) -> Any:
    """Return a world with sessions on two days, one of them with everything nested."""
    world.person("ana", tp="ana")
    world.tell("jira", Ticket(id="CHG-1"))
    world.tell("tp", Grant(id="g", subject="ana", starts_at=5, targets=("db", "a"), ticket_keys=("CHG-1",)))
    world.tell("tp", Approval(id="a", grant_id="g", decision="approved", decided_at=4, approver="bo"))
    world.tell("tp", Session(id="b", subject="ana", started_at=7, grant_ids=("g",)), Session(id="a", started_at=8))
    world.tell("tp", Session(id="c", started_at=DAY, subject="=HYPERLINK(1)"))
    world.tell("tp", SessionEvent(id="e", session_id="b", seq=1, text="select 'ä\x00'"))
    return world


def test_files_are_named_by_day_and_digested(told: Any, tmp_path: Path) -> None:
    digests = freeze(told.populations(), tmp_path)
    assert list(digests) == sorted(digests)
    assert {name for name in digests if name.startswith("session/")} == {
        "session/1970-01-01.parquet",
        "session/1970-01-02.parquet",
    }
    assert "identity/period.parquet" in digests
    assert "access_event/empty.parquet" in digests
    assert {name.split("/")[0] for name in digests} == set(POPULATIONS)
    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.parquet")}
    assert files.keys() == digests.keys()
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digests[name]


def test_what_is_read_is_what_was_frozen(told: Any, tmp_path: Path) -> None:
    populations = told.populations()
    freeze(populations, tmp_path)
    for name, rows in populations.items():
        assert list(read_rows(tmp_path, name)) == rows


def test_equal_rows_give_equal_bytes_in_any_order(told: Any, tmp_path: Path) -> None:
    populations = told.populations()
    backwards = {name: rows[::-1] for name, rows in reversed(populations.items())}
    assert freeze(populations, tmp_path / "a") == freeze(backwards, tmp_path / "b")


def test_one_changed_record_changes_its_day_only(told: Any, tmp_path: Path) -> None:
    before = freeze(told.populations(), tmp_path / "a")
    told.tell("tp", Session(id="c", mfa=True), at=DAY)
    after = freeze(told.populations(), tmp_path / "b")
    changed = {name for name in before if before[name] != after[name]}
    assert "session/1970-01-02.parquet" in changed
    assert "session/1970-01-01.parquet" not in changed


def test_freezing_again_leaves_nothing_stale(told: Any, tmp_path: Path) -> None:
    freeze(told.populations(), tmp_path)
    digests = freeze({}, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")} == set(digests)
    assert set(digests) == {f"{name}/empty.parquet" for name in POPULATIONS}
    assert not list(read_rows(tmp_path, "session"))


def test_the_period_stands_beside_the_rows_and_comes_back_with_them(told: Any, tmp_path: Path) -> None:
    digests = freeze(told.populations(), tmp_path)
    assert read_period(tmp_path) == told.period
    later = structs.replace(told.period, as_of=told.period.as_of + DAY)
    rows = {name: [structs.replace(row, period=later) for row in each] for name, each in told.populations().items()}
    assert freeze(rows, tmp_path) == digests, "no row changes because time has passed"
    assert {row.period for row in read_rows(tmp_path, "session")} == {later}
    with pytest.raises(InvalidInput, match="several periods"):
        freeze({"session": [*rows["session"], *told.populations()["session"]]}, tmp_path)
    (tmp_path / PERIOD).write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no period"):
        list(read_rows(tmp_path, "session"))


def test_segments_say_nothing_of_machine_or_moment(told: Any, tmp_path: Path) -> None:
    freeze(told.populations(), tmp_path)
    metadata = pq.ParquetFile(tmp_path / "session" / "1970-01-01.parquet").metadata
    assert metadata.metadata is None
    assert metadata.created_by.startswith("parquet-cpp-arrow version ")
    assert [metadata.row_group(0).column(0).compression, metadata.num_row_groups] == ["ZSTD", 1]


def test_a_number_beyond_the_format_is_refused_by_name(world: Any, tmp_path: Path) -> None:
    world.tell("tp", Session(id="s", started_at=5, ended_at=2**63))
    with pytest.raises(InvalidInput, match=r"session/1970-01-01\.parquet"):
        freeze(world.populations(), tmp_path)


def test_what_was_not_frozen_is_not_found(tmp_path: Path) -> None:
    for name in ("session", "nonsense", "../session"):
        with pytest.raises(NotFound):
            list(read_rows(tmp_path, name))


def test_a_file_that_is_no_segment_is_refused(world: Any, tmp_path: Path) -> None:
    freeze(world.populations(), tmp_path)
    (tmp_path / "session" / "empty.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(InvalidInput):
        list(read_rows(tmp_path, "session"))
    world.tell("hr", Identity(id="1"))
    freeze(world.populations(), tmp_path)
    (tmp_path / "identity" / "period.parquet").replace(tmp_path / "session" / "empty.parquet")
    with pytest.raises(InvalidInput):
        list(read_rows(tmp_path, "session"))


def test_the_service_links_anew_only_after_a_collection(told: Any, tmp_path: Path) -> None:
    told.boxes = told.runs()
    service = TrailService(told)
    assert service.freeze(told.period, tmp_path) == 100 * DAY
    assert (tmp_path / "session" / "1970-01-02.parquet").is_file()
    assert len(service.trails(told.period)) == 3
    told.tell("tp", Session(id="late", started_at=9))
    assert len(service.trails(told.period)) == 3
    told.boxes = [*told.boxes, told.box("tp", finished_at=101 * DAY)]
    assert len(service.trails(told.period)) == 4
    assert service.as_of() == 101 * DAY
    assert service.trail("tp/session/late").row.session.id == "late"
    with pytest.raises(NotFound):
        service.trail("tp/session/none")


def test_nothing_collected_is_said_so(world: Any) -> None:
    with pytest.raises(InvalidInput, match="nothing was collected"):
        TrailService(world).populations(world.period)


def test_daily_populations_are_populations() -> None:
    assert set(POPULATIONS) > DAILY
