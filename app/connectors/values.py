# SPDX-License-Identifier: Apache-2.0

"""Take values out of a source's JSON object without trusting it.

In:  an object decoded from hostile bytes. Out: a value of the type asked for, None where it is missing, null or empty.
Never raises anything but RecordRejected, and names the field when it does.
"""

import shlex
from typing import Any

import orjson

from app.connectors.strictjson import JsonObject
from app.errors import RecordRejected
from app.records.redaction import redact, sha256_text
from app.records.times import LAST_INSTANT, parse_instant, parse_optional_instant

LONGEST_TEXT = 8192
LONGEST_ID = 512
LONGEST_COMMAND = 8192
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


def load(raw: bytes) -> JsonObject:
    """Decode an object that the strict decoder has already accepted; fast, and safe on anything else.

    Raises:
        RecordRejected: the bytes are not a JSON object.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RecordRejected("it is not JSON") from None
    if type(value) is not dict:
        raise RecordRejected("it is JSON, but not an object")
    return value


def text(value: JsonObject, name: str) -> str | None:
    """Return a text; None where it is missing, null or empty. NUL, which PostgreSQL cannot store, is replaced.

    Raises:
        RecordRejected: it is not text, or longer than 8,192 characters.
    """
    found = value.get(name)
    if found is None or found == "":
        return None
    if type(found) is not str:
        raise RecordRejected(f"'{name}' is not text")
    if len(found) > LONGEST_TEXT:
        raise RecordRejected(f"'{name}' is longer than {LONGEST_TEXT} characters")
    return found.replace("\x00", "\ufffd")


def identifier(value: JsonObject, name: str) -> str:
    """Return a text that may serve as an id: present, at most 512 characters, all of them printable.

    Raises:
        RecordRejected: it is not such a text.
    """
    return as_identifier(value.get(name), name)


def as_identifier(found: object, name: str) -> str:
    """Return a value that may serve as an id; see ``identifier``.

    Raises:
        RecordRejected: it may not.
    """
    if type(found) is str and 0 < len(found) <= LONGEST_ID and found.isprintable() and not found.isspace():
        return found
    if type(found) is not str or not found.strip():
        raise RecordRejected(f"'{name}' is missing")
    raise RecordRejected(f"'{name}' cannot serve as an id")


def integer(value: JsonObject, name: str) -> int | None:
    """Return a whole number of at most 64 bits.

    Raises:
        RecordRejected: it is anything else.
    """
    found = value.get(name)
    if found is None:
        return None
    if type(found) is not int or not _SMALLEST <= found <= _LARGEST:
        raise RecordRejected(f"'{name}' is not a whole number")
    return found


def flag(value: JsonObject, name: str) -> bool | None:
    """Return true or false.

    Raises:
        RecordRejected: it is anything else.
    """
    found = value.get(name)
    if found is None or type(found) is bool:
        return found
    raise RecordRejected(f"'{name}' is neither true nor false")


def instant(value: JsonObject, name: str) -> int | None:
    """Return an instant from an RFC 3339 text; None where it is missing or a vendor's "never".

    Raises:
        RecordRejected: it is there, and is no instant.
    """
    try:
        return parse_optional_instant(text(value, name))
    except RecordRejected as error:
        raise _in_field(error, name) from None


def required_instant(value: JsonObject, name: str) -> int:
    """Return an instant that must be there.

    Raises:
        RecordRejected: it is missing, or is no instant.
    """
    found = text(value, name)
    if found is None:
        raise RecordRejected(f"'{name}' is missing")
    try:
        return parse_instant(found)
    except RecordRejected as error:
        raise _in_field(error, name) from None


def milliseconds(seconds: object, nanoseconds: object, name: str) -> int:
    """Return an instant or span given as whole seconds and nanoseconds.

    Raises:
        RecordRejected: the numbers are not whole, or out of range.
    """
    if type(seconds) is not int or type(nanoseconds) is not int or not 0 <= nanoseconds < 1_000_000_000:  # noqa: PLR2004
        raise RecordRejected(f"'{name}' is not a time")
    if not 0 <= seconds <= LAST_INSTANT // 1000:
        raise RecordRejected(f"'{name}' is not a time")
    return seconds * 1000 + nanoseconds // 1_000_000


def child(value: JsonObject, name: str) -> JsonObject:
    """Return an object inside an object; an empty one where it is missing or null.

    Raises:
        RecordRejected: it is not an object.
    """
    found = value.get(name)
    if found is None:
        return {}
    if type(found) is not dict:
        raise RecordRejected(f"'{name}' is not an object")
    return found


def items(value: JsonObject, name: str) -> list[Any]:
    """Return a list inside an object; an empty one where it is missing or null.

    Raises:
        RecordRejected: it is not a list.
    """
    found = value.get(name)
    if found is None:
        return []
    if type(found) is not list:
        raise RecordRejected(f"'{name}' is not a list")
    return found


def texts(value: JsonObject, name: str) -> tuple[str, ...]:
    """Return a list of texts, without empty ones.

    Raises:
        RecordRejected: it is not a list, or holds something that is not text.
    """
    return tuple(each for item in items(value, name) if (each := text({name: item}, name)))


def long_texts(value: JsonObject, name: str) -> list[str]:
    """Return a list of texts of any length, such as the words of a command, without empty ones.

    Raises:
        RecordRejected: it is not a list, or holds something that is not text.
    """
    found = items(value, name)
    if any(type(item) is not str for item in found):
        raise RecordRejected(f"'{name}' holds something that is not text")
    return [item for item in found if item]


def objects(value: JsonObject, name: str) -> list[JsonObject]:
    """Return a list of objects.

    Raises:
        RecordRejected: it is not a list, or holds something that is not an object.
    """
    found = items(value, name)
    if any(type(item) is not dict for item in found):
        raise RecordRejected(f"'{name}' holds something that is not an object")
    return found


def long_text(value: JsonObject, name: str) -> str | None:
    """Return a text of any length, as it is; None where it is missing, null or empty.

    Raises:
        RecordRejected: it is not text.
    """
    found = value.get(name)
    if found is None or found == "":
        return None
    if type(found) is not str:
        raise RecordRejected(f"'{name}' is not text")
    return found


def command_text(original: str) -> str:
    """Return the text of a command as it may be shown: redacted, without NUL, cut after 8,192 characters."""
    shown = redact(original).replace("\x00", "\ufffd")
    if len(shown) <= LONGEST_COMMAND:
        return shown
    return f"{shown[:LONGEST_COMMAND]} [{len(shown) - LONGEST_COMMAND} more characters]"


def command_line(words: list[str]) -> tuple[str, str]:
    """Return a command's words as one line to show, and the digest of the line as it was.

    Words are redacted before they are quoted as well: quoting breaks up what the patterns look for.
    """
    return command_text(shlex.join(map(redact, words))), sha256_text(shlex.join(words))


def host_of(address: str | None) -> str | None:
    """Return the host of ``host:port``, ``[v6]:port`` or a bare host."""
    if address is None:
        return None
    if address.startswith("["):
        return address[1:].partition("]")[0] or None
    host, _, port = address.rpartition(":")
    return host if host and ":" not in host and port.isdigit() else address


def _in_field(error: RecordRejected, name: str) -> RecordRejected:
    return RecordRejected(f"'{name}': {error.what}", hint=error.hint)
