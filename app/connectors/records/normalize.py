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
    for name in INSTANT_FIELDS[kind] & value.keys():
        if value[name] is not None:
            value[name] = _instant(value[name], name)
    try:
        decoded = msgspec.convert(value, RECORD_CLASSES[kind])
    except msgspec.ValidationError as error:
        raise RecordRejected(_readable(error)) from None
    _check_values(value, record.raw)
    return (_redacted(decoded),)


def as_of(value: JsonObject) -> tuple[int | None, object]:
    """Return the instant for which a record is stated, and how it is spelled.

    Raises:
        RecordRejected: the type is unknown, or an instant is not one.
    """
    observed_at = value.get("observed_at")
    if observed_at is not None:
        return _instant(observed_at, "observed_at"), observed_at
    past = INSTANT_FIELDS[_kind(value)] - _AHEAD
    known = [(_instant(value[name], name), name) for name in past & value.keys() if value[name] is not None]
    instant, name = max(known, default=(None, ""))
    return instant, value.get(name)


def _kind(value: JsonObject) -> RecordType:
    try:
        return RecordType(str(value.get("type")))
    except ValueError:
        raise RecordRejected(
            "'type' is not a record type", hint="docs/reference/access-record.schema.json lists them"
        ) from None


def _instant(found: object, name: str) -> int:
    if type(found) is str:
        try:
            return parse_instant(found)
        except RecordRejected as error:
            raise RecordRejected(f"'{name}': {error.what}", hint=error.hint) from None
    if type(found) is int and 0 <= found <= LAST_INSTANT:
        return found
    raise RecordRejected(f"'{name}' is neither an RFC 3339 text nor epoch milliseconds")


def _check_values(value: JsonObject, raw: bytes) -> None:
    """Refuse what a database could not hold: NUL, numbers over 64 bits, endless ids."""
    if b"\\u0000" in raw and _holds_nul(value):
        raise RecordRejected("a text holds a NUL character")
    for name, inner in value.items():
        if type(inner) is int and not _SMALLEST <= inner <= _LARGEST:
            raise RecordRejected(f"'{name}' does not fit in 64 bits")
        if type(inner) is str and len(inner) > LONGEST_ID and name.endswith("_id"):
            raise RecordRejected(f"'{name}' is longer than {LONGEST_ID} characters")


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
