# SPDX-License-Identifier: Apache-2.0

"""Writes PostgreSQL's ``jsonlog`` with pgaudit's lines, for the sessions of leased users.

In:  accesses through the door ``openbao`` that have sessions. Out: JSON lines ordered by time.
``session_id`` and ``line_num`` number each session's lines without a gap (PostgreSQL 15 and later); pgaudit's message
is CSV: class of audit, statement, substatement, class, command, object type, object, statement text, parameters.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from app.demo.model import Access, Use
from app.demo.times import SECOND, moment, ragged, stable_int
from app.demo.writers.openbao import leased_user

Line = dict[str, Any]
_CLASSES = {"select": "READ", "insert": "WRITE", "update": "WRITE", "delete": "WRITE", "create": "DDL"}


def write(accesses: Iterable[Access]) -> bytes:
    """Return the log of the sessions of these accesses as JSON lines."""
    lines = [line for access in accesses for use in access.uses for line in _session(access, use)]
    lines.sort(key=lambda each: (each["timestamp"], each["session_id"], each["line_num"]))
    return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


def session_id(use: Use) -> str:
    """Return PostgreSQL's session id: start time and process number, both hexadecimal."""
    return f"{use.started // SECOND:x}.{_pid(use):x}"


def _session(access: Access, use: Use) -> Iterator[Line]:
    user, database, port = leased_user(access), access.target.removesuffix("-db"), _port(use)
    received = f"connection received: host=192.0.2.40 port={port}"
    yield _line(use, 1, use.started, "", {"error_severity": "LOG", "message": received})
    who = {"user": user, "dbname": database}
    authorized = f"connection authorized: user={user} database={database} application_name=psql"
    yield who | _line(use, 2, use.started, "authentication", {"error_severity": "LOG", "message": authorized})
    for number, statement in enumerate(use.commands, start=1):
        yield who | _audit(use, number, statement)
    if use.ended is not None:
        length = _length(use.ended - use.started)
        gone = f"disconnection: session time: {length} user={user} database={database} host=192.0.2.40 port={port}"
        yield who | _line(use, len(use.commands) + 3, use.ended, "idle", {"error_severity": "LOG", "message": gone})


def _audit(use: Use, number: int, statement: str) -> Line:
    verb = statement.split(" ", 1)[0]
    fields = ("SESSION", number, 1, _CLASSES.get(verb, "MISC"), verb.upper(), "", "", statement, "<none>")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    at = use.started + ((use.ended or use.started + 600 * SECOND) - use.started) * number // (len(use.commands) + 1)
    body = {"error_severity": "LOG", "message": f"AUDIT: {text.getvalue()}", "application_name": "psql"}
    return _line(use, number + 2, at // SECOND * SECOND, verb.upper(), body)


def _line(use: Use, number: int, at: int, status: str, body: Line) -> Line:
    stamp = ragged(at) + (1 if number == 2 else 0)  # noqa: PLR2004 - the second line follows the first at once.
    return {
        "timestamp": moment(stamp).strftime("%Y-%m-%d %H:%M:%S.") + f"{stamp % SECOND:03} UTC",
        "pid": _pid(use),
        "remote_host": "192.0.2.40",
        "remote_port": _port(use),
        "session_id": session_id(use),
        "line_num": number,
        "ps": status,
        "session_start": moment(use.started).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "txid": 0,
        **body,
        "backend_type": "not initialized" if number == 1 else "client backend",
        "query_id": 0,
    }


def _pid(use: Use) -> int:
    return 20_000 + stable_int("postgresql", "pid", use.key, below=12_000)


def _port(use: Use) -> int:
    return 40_000 + stable_int("postgresql", "port", use.key, below=20_000)


def _length(span: int) -> str:
    seconds = span // SECOND
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.000"
