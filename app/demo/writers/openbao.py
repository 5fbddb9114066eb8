# SPDX-License-Identifier: Apache-2.0

"""Writes an OpenBao file audit device's log: control-group request, approval, lease or signed key, revocation.

In:  accesses through the doors ``openbao`` and ``openbao_ssh``. Out: JSON lines ordered by time.
The shape follows OpenBao 2.7's ``internal/audit/format.go``: strings in ``data`` are HMACs under the device's salt, the
lease id of a response and the times of a look-up are not. ``x-ticket`` and ``x-purpose`` are audited request headers.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from app.demo.model import Access, Decision
from app.demo.organisation import person
from app.demo.times import HOUR, SECOND, moment, ragged, stable_hex, stable_int, stable_uuid

Entry = dict[str, Any]
_CREDS = "database/creds/"
BILLING_PATH = f"{_CREDS}billing-ro"
"""The path that hands out logins to the billing database, which is how OpenBao names that target."""
SIGNING_PATH = "ssh/sign/imaging-host"
"""The path that signs SSH keys for the imaging gateway."""
_GROUP = "sys/control-group/authorize"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def write(accesses: Iterable[Access]) -> bytes:
    """Return the audit entries of these accesses as JSON lines."""
    entries = [entry for access in accesses for entry in _entries(access)]
    entries.sort(key=lambda each: (each["time"], each["type"], each["request"]["id"]))
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def request_id(access: Access) -> str:
    """Return the ``request.id`` that ties the request, its approval and its lease together."""
    return stable_uuid("openbao", "request", access.key)


def lease_id(access: Access) -> str:
    """Return the lease id, in clear."""
    return f"{_CREDS}{access.role}/{_random(24, 'lease', access.key)}"


def leased_user(access: Access) -> str:
    """Return the database user of the lease, spelled as OpenBao's default template for PostgreSQL spells it."""
    tail = _random(20, "user", access.key)
    return f"v-{display_name(access.person)[:8]}-{access.role[:8]}-{tail}-{issued_at(access) // SECOND}"


def audit_hash(text: str) -> str:
    """Return what ``sys/audit-hash`` answers for a string: its HMAC under the salt of this device."""
    return f"hmac-sha256:{stable_hex('openbao', 'device salt', text)}"


def display_name(key: str) -> str:
    """Return a person's display name on tokens: the mount they logged in through, and their login."""
    return f"oidc-{person(key).email}"


def entity_id(key: str) -> str:
    """Return a person's entity id."""
    return stable_uuid("openbao", "entity", key)


def issued_at(access: Access) -> int:
    """Return when the credentials were taken."""
    return access.starts + 8 * SECOND


def _entries(access: Access) -> Iterator[Entry]:
    wrap = audit_hash(f"wrap/{access.key}")
    wanted = _wanted(access)
    yield from _pair(access.requested, access.person, wanted, _wrapped(access, wrap))
    for decision in access.decisions:
        yield from _authorize(access, decision, wrap)
    issued = issued_at(access)
    answer = _signed(access) if access.door == "openbao_ssh" else _leased(access)
    yield _entry("request", issued, access.person, wanted) | {"forwarded_from": "unwrap-deferred"}
    yield _entry("response", issued, access.person, wanted, answer) | {"forwarded": True}
    if access.door == "openbao_ssh":
        return  # Signing leaves no lease: the certificate ends by itself, and nothing in the log says when.
    yield from _lookup(access, issued + SECOND)
    if access.ended is not None:
        yield from _revoke(access, access.ended)


def _wanted(access: Access) -> Entry:
    """Return the request that the control group holds back, with the reason in its audited headers."""
    path, kind = _path(access)
    operation = "update" if kind == "ssh" else "read"
    wanted = _request(access, request_id(access), path, operation, access.person) | {
        "mount_point": f"{kind}/",
        "mount_type": kind,
        "headers": {"x-ticket": [access.ticket], "x-purpose": [access.purpose]},
    }
    if kind == "ssh":
        wanted["data"] = {"public_key": audit_hash(f"key/{access.person}"), "valid_principals": audit_hash("field")}
    return wanted


def _path(access: Access) -> tuple[str, str]:
    """Return the path that gives the right, and the type of its mount."""
    return (SIGNING_PATH, "ssh") if access.door == "openbao_ssh" else (f"{_CREDS}{access.role}", "database")


def _wrapped(access: Access, wrap: str) -> Entry:
    path, kind = _path(access)
    return _mount(kind) | {
        "wrap_info": {
            "ttl": HOUR // SECOND,
            "token": audit_hash(f"token/{access.key}"),
            "accessor": wrap,
            "creation_time": _time(access.requested),
            "creation_path": path,
        }
    }


def _authorize(access: Access, decision: Decision, wrap: str) -> Iterator[Entry]:
    request = _request(access, stable_uuid("openbao", "authorize", access.key), _GROUP, "update", decision.approver)
    answer = _mount("system") | {"data": {"approved": decision.approved}}
    yield from _pair(decision.at, decision.approver, request | {"data": {"accessor": wrap}}, answer)


def _leased(access: Access) -> Entry:
    return _mount("database") | {
        "mount_accessor": "database_7c21f0aa",
        "secret": {"lease_id": lease_id(access)},
        "data": {"username": audit_hash(leased_user(access)), "password": audit_hash(f"password/{access.key}")},
    }


def _signed(access: Access) -> Entry:
    serial = stable_hex("openbao", "serial", access.key, length=16)
    return _mount("ssh") | {
        "data": {
            "issuer_id": audit_hash("issuer"),
            "serial_number": audit_hash(serial),
            "signed_key": audit_hash(f"certificate/{access.key}"),
        }
    }


def _lookup(access: Access, at: int) -> Iterator[Entry]:
    lease = audit_hash(lease_id(access))
    request = _request(
        access, stable_uuid("openbao", "lookup", access.key), "sys/leases/lookup", "update", access.person
    )
    left = access.expires - at
    answer = _mount("system") | {
        "data": {
            "expire_time": _time(access.expires),
            "id": lease,
            "issue_time": _time(issued_at(access)),
            "last_renewal": None,
            "path": audit_hash(f"{_CREDS}{access.role}"),
            "renewable": False,
            "ttl": left // SECOND,
        }
    }
    yield from _pair(at, access.person, request | {"data": {"lease_id": lease}}, answer)


def _revoke(access: Access, at: int) -> Iterator[Entry]:
    request = _request(
        access, stable_uuid("openbao", "revoke", access.key), "sys/leases/revoke", "update", access.person
    )
    yield from _pair(
        at, access.person, request | {"data": {"lease_id": audit_hash(lease_id(access))}}, _mount("system")
    )


def _pair(at: int, who: str, request: Entry, answer: Entry) -> Iterator[Entry]:
    yield _entry("request", at, who, request)
    yield _entry("response", at, who, request, answer)


def _entry(kind: str, at: int, who: str, request: Entry, answer: Entry | None = None) -> Entry:
    """Return one audit entry; a response is stamped three milliseconds after its request."""
    entry: Entry = {
        "time": _time(at, 3 if kind == "response" else 0),
        "type": kind,
        "auth": _auth(at, who, request["path"]),
        "request": request,
    }
    return entry if answer is None else entry | {"response": answer}


def _auth(at: int, who: str, path: str) -> Entry:
    policy = "dba-approver" if path == _GROUP else "dba"
    return {
        "client_token": audit_hash(f"client token/{who}/{at // HOUR}"),
        "accessor": audit_hash(f"accessor/{who}/{at // HOUR}"),
        "display_name": display_name(who),
        "policies": ["default", policy],
        "token_policies": ["default"],
        "identity_policies": [policy],
        "policy_results": {
            "allowed": True,
            "granting_policies": [{"name": policy, "namespace_id": "root", "type": "acl"}],
        },
        "metadata": {"email": person(who).email, "role": "staff"},
        "entity_id": entity_id(who),
        "token_type": "service",
        "token_ttl": 1800,
        "token_issue_time": moment(at - 90 * SECOND).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _request(access: Access, identifier: str, path: str, operation: str, who: str) -> Entry:
    return {
        "id": identifier,
        "client_id": entity_id(who),
        "operation": operation,
        "mount_point": "sys/",
        "mount_type": "system",
        "mount_running_version": "v2.7.2+builtin.bao",
        "mount_class": "secret",
        "namespace": {"id": "root"},
        "path": path,
        "remote_address": f"192.0.2.{10 + stable_int(who, below=200)}",
        "remote_port": 40_000 + stable_int(identifier, access.key, below=20_000),
    }


def _mount(kind: str) -> Entry:
    point = "sys/" if kind == "system" else f"{kind}/"
    return {
        "mount_point": point,
        "mount_type": kind,
        "mount_running_plugin_version": "v2.7.2+builtin.bao",
        "mount_class": "secret",
    }


def _random(length: int, *about: str) -> str:
    return "".join(
        _ALPHABET[stable_int("openbao", *about, str(place), below=len(_ALPHABET))] for place in range(length)
    )


def _time(at: int, later: int = 0) -> str:
    """Return the instant with nanoseconds, as Go prints it."""
    exact = ragged(at) + later
    nanoseconds = stable_int("nanoseconds", str(exact), below=1_000_000)
    return f"{moment(exact).strftime('%Y-%m-%dT%H:%M:%S')}.{exact % SECOND:03}{nanoseconds:06}Z"
