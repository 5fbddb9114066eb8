# SPDX-License-Identifier: Apache-2.0

"""Writes the event log of ``sudo_logsrvd`` 1.9.13 (``log_format = json``): one object with repeated keys.

In:  accesses through the door ``sudo``. Out: the document, with a key ``accept`` or ``exit`` for each event.
A plain JSON parser keeps the last of each key only; that trap is the product's, and it is kept. Each session is a root
shell; what is typed in it is an ``accept`` of its own (``log_subcmds``) with the shell's ``iolog_path``.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.demo.model import Access, Use
from app.demo.organisation import person
from app.demo.times import SECOND, moment, ragged, stable_hex, stable_int

Event = tuple[int, str, dict[str, Any]]
_SHELL = "/bin/bash"
_SERVER = "192.0.2.30"
HOSTS = ("app-01", "app-02", "app-stg-01", "integration-01")
"""The hosts that send their events; an account is known as ``name@host``."""


def write(accesses: Iterable[Access]) -> bytes:
    """Return the events of these accesses as one document."""
    events = sorted(
        (event for access in accesses for use in access.uses for event in _events(access, use)),
        key=lambda each: (each[0], each[1], each[2]["uuid"]),
    )
    members = ",\n".join(f'    "{name}": {_indented(body)}' for _, name, body in events)
    return f"{{\n{members}\n}}\n".encode()


def session_id(use: Use) -> str:
    """Return what the events of a session share: its I/O log on the server, or without one the shell's ``uuid``."""
    path = _recording(use).get("iolog_path")
    return _uuid("shell", use.key) if path is None else f"{_SERVER}:{path}"


def command_id(use: Use, number: int) -> str:
    """Return the id of the numbered command of a shell, from 1."""
    return _uuid("command", use.key, str(number))


def _events(access: Access, use: Use) -> Iterator[Event]:
    yield use.started, "accept", _accept(access, use, _uuid("shell", use.key), use.started, (_SHELL,))
    for number, command in enumerate(use.commands, start=1):
        at = use.started + ((use.ended or use.started + 600 * SECOND) - use.started) * number // (len(use.commands) + 1)
        body = _accept(access, use, _uuid("command", use.key, str(number)), at // SECOND * SECOND, command.split(" "))
        if use.recording == "on":
            body["iolog_offset"] = {"seconds": (at - use.started) // SECOND, "nanoseconds": 120_000_000}
        yield at, "accept", body
    if use.ended is not None:
        yield use.ended, "exit", _exit(use, use.ended)


def _accept(access: Access, use: Use, identifier: str, at: int, argv: Iterable[str]) -> dict[str, Any]:
    who, words = person(access.person), list(argv)
    return {
        "uuid": identifier,
        "server_time": _time(ragged(at) + 3),
        "submit_time": _time(ragged(at)),
        "peeraddr": _SERVER,
        **_recording(use),
        "columns": 120,
        "command": words[0],
        "lines": 40,
        "runargv": words,
        "runenv": [
            "TERM=xterm-256color",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            f"LOGNAME={use.run_as}",
            f"USER={use.run_as}",
            "HOME=/root" if use.run_as == "root" else f"HOME=/home/{use.run_as}",
            "SHELL=/bin/bash",
            f"SUDO_COMMAND={' '.join(words)}",
            f"SUDO_USER={who.unix}",
        ],
        "runuid": 0 if use.run_as == "root" else 990,
        "runuser": use.run_as,
        "submitcwd": f"/home/{who.unix}",
        "submithost": access.target,
        "submituser": who.unix,
        "ttyname": f"/dev/pts/{stable_int(use.key, 'tty', below=8)}",
    }


def _exit(use: Use, at: int) -> dict[str, Any]:
    span = ragged(at) - ragged(use.started)
    return {
        "uuid": _uuid("shell", use.key),
        "server_time": _time(ragged(at) + 3),
        "exit_time": _time(ragged(at)),
        "run_time": {"seconds": span // SECOND, "nanoseconds": span % SECOND * 1_000_000},
        "exit_value": 0,
        "peeraddr": _SERVER,
        **_recording(use),
    }


def _recording(use: Use) -> dict[str, str]:
    if use.recording == "off":
        return {}
    digits = stable_hex("sudo", "iolog", use.key, length=6).upper()
    return {"iolog_path": f"/var/log/sudo-io/{digits[:2]}/{digits[2:4]}/{digits[4:]}"}


def _time(at: int) -> dict[str, Any]:
    when = moment(at)
    return {
        "seconds": at // SECOND,
        "nanoseconds": at % SECOND * 1_000_000 + stable_int("sudo", str(at), below=1_000_000),
        "iso8601": when.strftime("%Y%m%d%H%M%SZ"),
        "localtime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _uuid(*about: str) -> str:
    digits = stable_hex("sudo", *about, length=32)
    return "-".join((digits[:10], digits[10:14], digits[14:18], digits[18:22], digits[22:]))


def _indented(body: dict[str, Any]) -> str:
    """Return the object with sudo's four spaces, one level in."""
    return json.dumps(body, indent=4).replace("\n", "\n    ")
