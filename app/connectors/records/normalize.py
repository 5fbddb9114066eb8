# SPDX-License-Identifier: Apache-2.0

"""Decode Proofroom's own records.

In:  one object with ``type``, ``id`` and the fields of that type; instants as RFC 3339 text or epoch milliseconds.
Out: the access record. ``observed_at`` may say as of when it is true; otherwise its latest past instant does.
Never lets an unknown field pass: a misspelt one would silently say nothing.
"""

import msgspec

from app.connectors.base import SourceRecord
from app.connectors.strictjson import JsonObject
from app.connectors.values import LONGEST_ID, as_identifier, command_text, load
from app.errors import RecordRejected
from app.records.model import RECORD_CLASSES, AccessRecord, RecordType, SessionEvent
from app.records.redaction import sha256_text
from app.records.schema import INSTANT_FIELDS
from app.records.times import LAST_INSTANT, parse_instant

_AHEAD = frozenset({"expires_at", "due_at", "approved_until", "employment_end_at"})
"""Instants that a record may name while they are still to come; they do not tell when it was true."""
_PAST = {kind: tuple(sorted(INSTANT_FIELDS[kind] - _AHEAD)) for kind in RecordType}
_KINDS = {kind.value: kind for kind in RecordType}
_LONGEST_SHOWN = 120
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the one access record of a line.

    Raises:
        RecordRejected: it is not a record of the schema; the message names the field.
    """
    value = load(record.raw)
    kind = _kind(value)
    as_identifier(value.get("id"), "id")
    observed_at = value.pop("observed_at", None)
    if observed_at is not None:
        _instant(observed_at, "observed_at")
    problem = _checked(value, INSTANT_FIELDS[kind])
    try:
        decoded = msgspec.convert(value, RECORD_CLASSES[kind])
    except msgspec.ValidationError as error:
        raise RecordRejected(_readable(error)) from None
    if b"\\u0000" in record.raw and _holds_nul(value):
        raise RecordRejected("a text holds a NUL character")
    if problem is not None:
        raise RecordRejected(problem)
    return (_redacted(decoded),)


def kind_text(value: JsonObject) -> str:
    """Return what a record calls its type, which need not be one of ours.

    Raises:
        RecordRejected: it cannot serve as an id.
    """
    found = value.get("type")
    return found if type(found) is str and found in _KINDS else as_identifier(found, "type")


def as_of(value: JsonObject) -> tuple[int | None, object]:
    """Return the instant for which a record is stated, and how it is spelled.

    Raises:
        RecordRejected: the type is unknown, or an instant is not one.
    """
    observed_at = value.get("observed_at")
    if observed_at is not None:
        return _instant(observed_at, "observed_at"), observed_at
    latest, spelled = None, None
    for name in _PAST[_kind(value)]:
        found = value.get(name)
        if found is not None:
            instant = _instant(found, name)
            if latest is None or instant >= latest:
                latest, spelled = instant, found
    return latest, spelled


def _kind(value: JsonObject) -> RecordType:
    kind = _KINDS.get(str(value.get("type")))
    if kind is None:
        raise RecordRejected("'type' is not a record type", hint="docs/reference/access-record.schema.json lists them")
    return kind


def _instant(found: object, name: str) -> int:
    if type(found) is int and 0 <= found <= LAST_INSTANT:
        return found
    if type(found) is str:
        try:
            return parse_instant(found)
        except RecordRejected as error:
            raise RecordRejected(f"'{name}': {error.what}", hint=error.hint) from None
    raise RecordRejected(f"'{name}' is neither an RFC 3339 text nor epoch milliseconds")


def _checked(value: JsonObject, instants: frozenset[str]) -> str | None:
    """Read an object's instants in place, and return what else a database could not hold: long numbers, endless ids.

    Raises:
        RecordRejected: an instant is not one.
    """
    problem = None
    for name, inner in value.items():
        kind = type(inner)
        if name in instants:
            if inner is not None and not (kind is int and 0 <= inner <= LAST_INSTANT):
                value[name] = _instant(inner, name)
        elif kind is int:
            if not _SMALLEST <= inner <= _LARGEST:
                problem = problem or f"'{name}' does not fit in 64 bits"
        elif kind is str and len(inner) > LONGEST_ID and name.endswith("_id"):
            problem = problem or f"'{name}' is longer than {LONGEST_ID} characters"
    return problem


def _holds_nul(value: object) -> bool:
    match value:
        case dict():
            return any(map(_holds_nul, value.values()))
        case list():
            return any(map(_holds_nul, value))
        case _:
            return type(value) is str and "\x00" in value


def _redacted(record: AccessRecord) -> AccessRecord:
    """Redact a command's text, whoever says that it already is, and keep the digest of what came in."""
    if not isinstance(record, SessionEvent) or record.text is None:
        return record
    digest = record.text_sha256 or sha256_text(record.text)
    return msgspec.structs.replace(record, text=command_text(record.text), text_sha256=digest)


def _readable(error: msgspec.ValidationError) -> str:
    """Turn msgspec's message into ours: ``'aliases[0].source': expected str, got int``."""
    message, _, path = str(error).replace("`", "'").partition(" - at '$.")
    if "unknown field" in message:
        return f"there is no field {_shown(message.rpartition(' field ')[2])}"
    # msgspec repeats the value here, which may be long and is not ours.
    message = "this value is not one of those allowed" if message.startswith("Invalid enum") else message
    place = path.rstrip("'")
    message = _shown(message[:1].lower() + message[1:])
    return f"'{_shown(place)}': {message}" if place else message


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_SHOWN])
