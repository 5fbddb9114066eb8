# SPDX-License-Identifier: Apache-2.0

"""Writes Teleport audit events, one JSON object a line, as the events log and the event handler deliver them.

In:  accesses through the doors ``teleport_ssh``, ``teleport_db`` and ``teleport_kube``. Out: lines ordered by time.
Field names and event codes: Teleport ``api/proto/teleport/legacy/types/events/events.proto``, ``lib/events/codes.go``.
The dots in ``addr.local`` belong to the key.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from app.demo.model import Access, Decision, Use
from app.demo.organisation import person, system
from app.demo.times import MINUTE, SECOND, moment, ragged, stable_int, stable_uuid

CLUSTER = "access.larkfield.example"
AUTO_REVIEWER = "@teleport-access-approval-bot"
_USER_KIND = {"human": 1, "vendor": 1, "service": 2}
_KIND = {"teleport_ssh": "node", "teleport_db": "db", "teleport_kube": "kube_cluster"}

Event = dict[str, Any]


def write(accesses: Iterable[Access]) -> bytes:
    """Return the events of these accesses as JSON lines."""
    events = [event for access in accesses for event in _events(access)]
    events.sort(key=lambda each: (each["time"], each.get("sid", ""), each["ei"], each["uid"]))
    return b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events)


def request_id(access: Access) -> str:
    """Return the id of an access request."""
    return stable_uuid("teleport", "request", access.key)


def session_id(use: Use) -> str:
    """Return the ``sid`` of a session."""
    return stable_uuid("teleport", "session", use.key)


def command_id(access: Access, use: Use, number: int) -> str:
    """Return the id of the numbered command, from 1, of a session on a server or in a database."""
    event = "db.session.query" if access.door == "teleport_db" else "session.command"
    return stable_uuid("teleport", event, str(_spread(use, number)), use.key, str(number))


def host_id(target: str) -> str:
    """Return the ``server_id`` of a node or of the service in front of a database or cluster."""
    return stable_uuid("teleport", "host", target)


def _events(access: Access) -> Iterator[Event]:
    if access.asked:
        yield from _request(access)
    for use in access.uses:
        match access.door:
            case "teleport_ssh":
                yield from _ssh(access, use)
            case "teleport_db":
                yield from _database(access, use)
            case "teleport_kube":
                yield from _kube(access, use)
            case "hoop" | "openbao" | "openbao_ssh" | "sudo":
                raise ValueError(access.key)


def _request(access: Access) -> Iterator[Event]:
    asked = {
        "id": request_id(access),
        "roles": [access.role],
        "resource_ids": [{"cluster": CLUSTER, "kind": _KIND[access.door], "name": _resource(access)}],
        "max_duration": _time(access.approved_until or access.expires),
        "expires": _time(access.approved_until or access.expires),
    }
    reason = f"{access.ticket} {access.purpose}" if access.ticket else access.purpose
    yield _event("access_request.create", "T5000I", access.requested, access.key) | asked | {
        "state": "PENDING", "user": person(access.person).email, "reason": reason, "user_kind": 1,
    }  # fmt: skip
    for decision in access.decisions:
        yield _review(access, decision)
    if access.decisions:
        last = access.decisions[-1]
        yield _event("access_request.update", "T5001I", last.at, access.key, "update") | {
            "id": request_id(access),
            "expires": _time(access.expires),
            "max_duration": _time(access.expires),
            "state": "APPROVED" if last.approved else "DENIED",
            "updated_by": decision_login(last),
        }
    if access.ended is None and access.removed is not None and access.decisions:
        yield _event("access_request.expire", "T5005I", access.removed, access.key, "expire") | {
            "id": request_id(access),
            "expires": _time(access.expires),
            "expiry": _time(access.expires),
        }
    if access.ended is not None:
        yield _event("access_request.delete", "T5003I", access.ended, access.key, "delete") | {
            "id": request_id(access), "updated_by": person(access.person).email,
        }  # fmt: skip


def _review(access: Access, decision: Decision) -> Event:
    fields: Event = {
        "id": request_id(access),
        "proposed_state": "APPROVED" if decision.approved else "DENIED",
        "state": "APPROVED" if decision.approved else "DENIED",
        "reviewer": decision_login(decision),
        "expires": _time(access.approved_until or access.expires),
        "max_duration": _time(access.approved_until or access.expires),
    }
    if decision.policy is not None:
        fields |= {"reason": f"access monitoring rule {decision.policy}", "annotations": {"rule": [decision.policy]}}
    return _event("access_request.review", "T5002I", decision.at, access.key, "review") | fields


def decision_login(decision: Decision) -> str:
    """Return the reviewer as Teleport names it: a user, or its own approval bot."""
    if decision.policy is not None:
        return AUTO_REVIEWER
    return decision.login or person(decision.approver).email


def _ssh(access: Access, use: Use) -> Iterator[Event]:
    common = _session(access, use)
    server = {
        "login": use.run_as,
        "namespace": "default",
        "server_id": host_id(access.target),
        "server_hostname": access.target,
        "server_addr": "[::]:3022",
        "server_labels": {"env": system(access.target).env, "hostname": access.target},
    }
    yield _at("session.start", "T2000I", use.started, use, 0) | common | server | {
        "addr.remote": _address(access), "proto": "ssh", "size": "120:40", "session_recording": _mode(use),
    }  # fmt: skip
    for number, command in enumerate(use.commands, start=1):
        yield _bpf_command(use, number, command) | common | server
    if use.ended is not None:
        yield (
            _at("session.end", "T2004I", use.ended, use, len(use.commands) + 1) | common | server | _ended(access, use)
        )
    yield from _upload(use)


def _bpf_command(use: Use, number: int, command: str) -> Event:
    path, *argv = command.split(" ")
    return _at("session.command", "T4000I", _spread(use, number), use, number) | {
        "pid": 20_000 + stable_int(use.key, str(number), below=9_000),
        "ppid": 19_000 + stable_int(use.key, below=900),
        "cgroup_id": 4_294_967_000 + stable_int(use.key, "cgroup", below=900),
        "program": path.rsplit("/", 1)[-1],
        "path": path,
        "argv": argv,
        "return_code": 0,
    }


def _database(access: Access, use: Use) -> Iterator[Event]:
    common = _session(access, use) | {
        "db_service": access.target,
        "db_protocol": "postgres",
        "db_uri": f"{access.target}.db.larkfield.example:5432",
        "db_name": "warehouse",
        "db_user": use.run_as,
        "db_type": "self-hosted",
        "server_id": host_id(access.target),
        "namespace": "default",
    }
    yield _at("db.session.start", "TDB00I", use.started, use, 0) | common | {"success": True}
    for number, query in enumerate(use.commands, start=1):
        yield _at("db.session.query", "TDB02I", _spread(use, number), use, number) | common | {
            "db_query": query, "success": True,
        }  # fmt: skip
    if use.ended is not None:
        yield _at("db.session.end", "TDB01I", use.ended, use, len(use.commands) + 1) | common | {
            "session_start": _time(use.started), "session_stop": _time(use.ended), "session_recording": _mode(use),
        }  # fmt: skip
    yield from _upload(use)


def _kube(access: Access, use: Use) -> Iterator[Event]:
    common = _session(access, use) | {
        "kubernetes_cluster": access.target,
        "kubernetes_users": [use.run_as],
        "kubernetes_groups": ["ops"],
        "kubernetes_pod_namespace": "portal",
        "kubernetes_pod_name": f"portal-{stable_uuid('pod', use.key)[:8]}",
        "kubernetes_container_name": "portal",
        "login": use.run_as,
        "namespace": "default",
        "proto": "kube",
        "server_id": host_id(access.target),
    }
    yield _at("session.start", "T2000I", use.started, use, 0) | common | {
        "addr.remote": _address(access), "size": "120:40", "initial_command": ["/bin/sh"],
        "session_recording": _mode(use),
    }  # fmt: skip
    for number, command in enumerate(use.commands[:1], start=1):
        yield _at("exec", "T3002I", _spread(use, number), use, number) | common | {"command": command, "exitCode": "0"}
    if use.ended is not None:
        yield _at("session.end", "T2004I", use.ended, use, len(use.commands) + 1) | common | _ended(access, use)
    yield from _upload(use)


def _session(access: Access, use: Use) -> Event:
    who = person(access.person)
    fields: Event = {
        "sid": session_id(use),
        "user": who.email,
        "user_kind": _USER_KIND[who.kind],
        "user_roles": ["employee" if who.kind == "human" else who.kind, access.role],
        "user_origin": 2,
        "private_key_policy": "none",
    }
    if use.mfa:
        fields["with_mfa"] = stable_uuid("teleport", "mfa device", who.key)
    if use.linked and access.asked:
        fields["access_requests"] = [request_id(access)]
    return fields


def _ended(access: Access, use: Use) -> Event:
    return {
        "interactive": True,
        "enhanced_recording": access.door == "teleport_ssh",
        "participants": [person(access.person).email],
        "session_start": _time(use.started),
        "session_stop": _time(use.ended or use.started),
        "session_recording": _mode(use),
    }


def _upload(use: Use) -> Iterator[Event]:
    if use.recording == "on" and use.ended is not None:
        yield _at("session.upload", "T2005I", use.ended + 20 * SECOND, use, 2_147_483_646) | {
            "sid": session_id(use),
            "url": f"s3://larkfield-session-records/{session_id(use)}.tar?region=eu-north-1",
        }


def _mode(use: Use) -> str:
    return "off" if use.recording == "off" else "node"


def _spread(use: Use, number: int) -> int:
    """Place the numbered command evenly into its session."""
    length = (use.ended or use.started + 10 * MINUTE) - use.started
    return use.started + length * number // (len(use.commands) + 1) // SECOND * SECOND


def _address(access: Access) -> str:
    """Return the workstation of the person, in the network reserved for documentation (RFC 5737)."""
    return f"192.0.2.{10 + stable_int(access.person, below=200)}:{40_000 + stable_int(access.key, below=20_000)}"


def _resource(access: Access) -> str:
    return host_id(access.target) if access.door == "teleport_ssh" else access.target


def _at(event: str, code: str, at: int, use: Use, number: int) -> Event:
    return _event(event, code, at, use.key, str(number)) | {"ei": number}


def _event(event: str, code: str, at: int, *about: str) -> Event:
    return {
        "ei": 0,
        "event": event,
        "uid": stable_uuid("teleport", event, str(at), *about),
        "code": code,
        "time": _time(at),
        "cluster_name": CLUSTER,
    }


def _time(at: int) -> str:
    """Return the instant as Teleport spells it: RFC 3339 with milliseconds and Z."""
    return moment(ragged(at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
