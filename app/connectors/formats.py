# SPDX-License-Identifier: Apache-2.0

"""Recognise a file's format from its first objects, so that a wrong ``--as`` is an error and not an empty import.

In:  the first items of a file. Out: nothing, or an InvalidInput that names the file, what it seems to hold, and the
connector that fits. Never judges a single record: one that lacks what it needs is rejected on its own, later.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from app.connectors.base import Reject
from app.connectors.jsonreading import Found, JsonReader, Position, open_file, read_members
from app.connectors.strictjson import JsonObject
from app.errors import InvalidInput
from app.records.model import RecordType

SNIFFED = 20
"""How many items are looked at."""

_RECORD_TYPES = frozenset(map(str, RecordType))
_SUDO_EVENTS = frozenset({"accept", "reject", "exit", "alert"})
_MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "ZIP", b"(\xb5/\xfd": "Zstandard", b"PAR1": "Parquet"}


def _is_hoop(value: JsonObject) -> bool:
    return "id" in value and ("connection" in value or "role_name" in value) and "event" not in value


def _is_teleport(value: JsonObject) -> bool:
    return isinstance(value.get("event"), str) and "time" in value and ("code" in value or "uid" in value)


def _is_openbao(value: JsonObject) -> bool:
    return value.get("type") in ("request", "response") and "time" in value and ("request" in value or "auth" in value)


def _is_postgresql(value: JsonObject) -> bool:
    return "session_id" in value and "timestamp" in value and ("line_num" in value or "error_severity" in value)


def _is_sudo(value: JsonObject) -> bool:
    inner = value.get("sudo", value)
    return isinstance(inner, dict) and any(isinstance(inner.get(name), dict) for name in _SUDO_EVENTS)


def _is_records(value: JsonObject) -> bool:
    return value.get("type") in _RECORD_TYPES and "id" in value and "connection" not in value


FORMATS: dict[str, Callable[[JsonObject], bool]] = {
    "hoop": _is_hoop,
    "openbao": _is_openbao,
    "postgresql": _is_postgresql,
    "records": _is_records,
    "sudo": _is_sudo,
    "teleport": _is_teleport,
}
"""Connector name to a test of one object. The order settles what several tests accept."""


def guess_format(value: JsonObject) -> str | None:
    """Return the connector that an object seems to be for, when one is recognised."""
    return next((name for name, recognises in FORMATS.items() if recognises(value)), None)


def check_format(connector: str, path: Path, items: Sequence[Found | Reject]) -> None:
    """Refuse a file whose first objects are of another format; an empty file is of any.

    Raises:
        InvalidInput: the file is not for this connector.
    """
    if not items or any(FORMATS[connector](value) for value in _objects(items)):
        return
    objects = _objects(items) + _read_otherwise(path)
    if any(FORMATS[connector](value) for value in objects):
        return
    if objects:
        raise InvalidInput(
            f"this is not a file for {connector}: {_found(objects)}", where=path.name, hint=_hint(objects)
        )
    if not _looks_like_json(path):
        raise InvalidInput(f"this is not a file for {connector}: {_kind_of(path)}", where=path.name, hint=_NOT_JSON)


_NOT_JSON = "Export it as JSON; 'proofroom connectors list' says what each connector reads"


def _read_otherwise(path: Path) -> list[JsonObject]:
    """Return the first objects that the other ways of reading find: in a list inside an object, or as members."""
    listed, members = (
        _objects([step.item for step in islice(reader(path, Position()), SNIFFED)])
        for reader in (JsonReader(members=("data", "events")), read_members)
    )
    return listed + [value for value in members if guess_format(value)]


def _objects(items: Sequence[Found | Reject]) -> list[JsonObject]:
    """Return the objects among items, each with the name it stood under put back around it."""
    found = [item for item in items if isinstance(item, Found)]
    return [item.value if item.name is None else {item.name: item.value} for item in found]


def _found(objects: Sequence[JsonObject]) -> str:
    names = [name for name in objects[0] if name.isprintable() and len(name) <= 40][:6]  # noqa: PLR2004
    return "its objects have " + ", ".join(names) if names else "its objects have no member we know"


def _hint(objects: Sequence[JsonObject]) -> str:
    guesses = {guess for value in objects if (guess := guess_format(value))}
    if len(guesses) == 1:
        return f"It looks like --as {guesses.pop()}"
    if any({"timestamp"} == value.keys() or {"runargv", "submituser"} <= value.keys() for value in objects):
        return "It looks like the log.json of one sudo I/O log; --as sudo reads the event log instead"
    return "Name the connector that fits with --as; the choices are " + ", ".join(sorted(FORMATS))


def _looks_like_json(path: Path) -> bool:
    return _head(path).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _kind_of(path: Path) -> str:
    head = _head(path)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return f"it is a {kind} file"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is text in UTF-16, not UTF-8"
    return "it is not JSON"


def _head(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(1024)
