# SPDX-License-Identifier: Apache-2.0

"""Read one source record: what does it state, in the form in which it is stored?

In:  a source record and the connector that knows its format.
Out: statements whose bodies are proved to read back, or RecordRejected with the reason.
A connector is code that meets hostile bytes: whatever it raises rejects this one record and never stops the run.
"""

from typing import Protocol

import msgspec

from app.connectors.base import SourceRecord
from app.errors import RecordRejected
from app.records.model import AccessRecord

MAX_ID_BYTES = 1024
"""A longer id is rejected; an index of PostgreSQL takes no more, and no source we know comes near."""

_encode = msgspec.json.Encoder().encode
decode_body = msgspec.json.Decoder(AccessRecord).decode
"""Read the body of a stored observation."""


class Normalizer(Protocol):
    """The pure half of a connector."""

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what access records a source record states; see ``app.connectors.base.Connector``."""
        ...


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What a source record states about one access record; ``body`` is that record as JSON."""

    record_type: str
    record_id: str
    body: str


def read(normalizer: Normalizer, record: SourceRecord) -> tuple[Statement, ...]:
    """Return what a source record states; nothing for kinds that state nothing.

    Raises:
        RecordRejected: the record cannot be used.
    """
    try:
        return tuple([_statement(stated) for stated in normalizer.normalize(record)])
    except RecordRejected:
        raise
    except Exception as error:
        raise RecordRejected(f"the connector cannot read it ({type(error).__name__})") from error


def _statement(stated: AccessRecord) -> Statement:
    body = _encode(stated)
    # Structs do not check their fields when they are made; a body that did not read back would stop every later reader.
    decode_body(body)
    size = len(stated.id) if stated.id.isascii() else len(stated.id.encode())
    if not 0 < size <= MAX_ID_BYTES or "\x00" in stated.id:
        raise RecordRejected("its id is empty, too long, or holds a zero byte")
    return Statement(str(stated.__struct_config__.tag), stated.id, body.decode())
