# SPDX-License-Identifier: Apache-2.0

"""What the connector tests share: their fixtures, and short ways to read one."""

import json
from pathlib import Path
from typing import Any

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.registry import open_files
from app.records.model import AccessRecord

DATA = Path(__file__).parent / "data"

FIXTURES = {
    "hoop": "hoop-sessions.json",
    "openbao": "openbao-audit.jsonl",
    "postgresql": "postgresql.jsonl",
    "records": "records.jsonl",
    "sudo": "sudo-events.json",
    "teleport": "teleport.jsonl",
}


def pages_of(name: str, *paths: Path, cursor: str | None = None) -> list[Page]:
    """Return the pages of some files."""
    return list(open_files(name, paths).fetch(Window(), cursor))


def records_of(name: str, *paths: Path) -> list[SourceRecord]:
    """Return the source records of some files."""
    return [record for page in pages_of(name, *paths) for record in page.records]


def stated_by(name: str, value: Any, kind: str | None = None) -> tuple[AccessRecord, ...]:
    """Return what one JSON value states; ``kind`` where it does not stand in the value itself."""
    record = SourceRecord(
        kind=kind or value.get("event") or value.get("type") or "x",
        key="k",
        raw=json.dumps(value).encode(),
        occurred_at=None,
        occurred_at_text=None,
        locator="test:1",
    )
    return open_files(name, [DATA]).normalize(record)


def all_stated(name: str, *paths: Path) -> list[AccessRecord]:
    """Return everything that some files state."""
    connector = open_files(name, paths)
    return [each for record in records_of(name, *paths) for each in connector.normalize(record)]


def of(kind: type[Any], records: Any) -> Any:
    """Return the only record of a class."""
    found = [each for each in records if type(each) is kind]
    assert len(found) == 1, f"{len(found)} records of {kind.__name__}"
    return found[0]
