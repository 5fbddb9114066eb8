# SPDX-License-Identifier: Apache-2.0

"""Read what OpenBao hands out, and what becomes of it: leased logins, signed certificates, root tokens.

In:  response entries. Out: Grants; and Credentials that say when a lease began and ended.
"""

from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, child, instant, items, text
from app.records.model import AccessRecord, Credential, Grant

_SIGNERS = frozenset({"ssh", "pki"})
_LEASE_END = frozenset({"sys/leases/revoke", "sys/revoke"})


def lease_of(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a lease: under a control group, the second response with the same ``request.id``.

    The leased user name is logged as an HMAC and is kept as ``credential_ref``. The entry does not say how long the
    lease lives.
    """
    request, response = child(value, "request"), child(value, "response")
    request_id, path = text(request, "id"), text(request, "path")
    if request_id is None or text(child(response, "secret"), "lease_id") is None:
        return ()
    return (_grant(value, request_id, path, "lease", at, text(child(response, "data"), "username")),)


def certificate_of(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a signed SSH or TLS certificate. There is no lease, and the validity is inside the HMAC'd certificate."""
    request = child(value, "request")
    request_id, path = text(request, "id"), text(request, "path")
    serial = text(child(child(value, "response"), "data"), "serial_number")
    if request_id is None or serial is None or text(request, "mount_type") not in _SIGNERS:
        return ()
    return (_grant(value, request_id, path, "certificate", at, serial),)


def lease_state_of(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a look-up or a revocation of a lease.

    Both name the lease by the HMAC of its id only, while the entry that made it has the id in clear. The two can be
    joined by whoever holds the salt, so what is said here stands on its own: a credential that ends at the revocation.
    """
    request = child(value, "request")
    path = text(request, "path") or ""
    lease = text(child(request, "data"), "lease_id")
    if lease is None:
        return ()
    name = as_identifier(lease, "lease_id")
    if path in _LEASE_END:
        return (Credential(id=name, kind="lease", expires_at=at),)
    data = child(child(value, "response"), "data")
    issued, expires = instant(data, "issue_time"), instant(data, "expire_time")
    if path != "sys/leases/lookup" or issued is None:
        return ()
    return (Credential(id=name, kind="lease", issued_at=issued, expires_at=expires),)


def root_grant_of(value: JsonObject) -> Grant | None:
    """Return the right that a root token gives, for any use of one from outside: it bypasses every policy.

    A root token belongs to no entity. Its uses are one grant, named by the HMAC of the token's accessor, so an auditor
    sees one emergency right that existed and the entries that used it.
    """
    auth, request = child(value, "auth"), child(value, "request")
    accessor = text(auth, "accessor")
    is_root = "root" in items(auth, "policies") and text(auth, "entity_id") is None
    if not is_root or accessor is None or text(request, "remote_address") is None:
        return None
    return Grant(
        id=as_identifier(f"root-token:{accessor}", "auth.accessor"),
        subject=text(auth, "display_name"),
        role="root",
        basis="break_glass",
        privileged=True,
        starts_at=instant(auth, "token_issue_time"),
        state="active",
        scope_level="global",
        wildcard=True,
        credential_ref=accessor,
    )


def requester_of(value: JsonObject) -> str | None:
    """Return who acted: the display name, such as ``userpass-alice``, or else the entity."""
    auth = child(value, "auth")
    return text(auth, "display_name") or text(auth, "entity_id")


def role_of(path: str | None) -> str | None:
    """Return the last segment of a path such as ``database/creds/billing-ro``, which is the role."""
    return (path or "").rstrip("/").rpartition("/")[2] or None


def _grant(value: JsonObject, request_id: str, path: str | None, kind: str, at: int, credential: str | None) -> Grant:
    subject = requester_of(value)
    return Grant(
        id=as_identifier(request_id, "request.id"),
        subject=subject,
        requester=subject,
        role=role_of(path),
        targets=(path,) if path else None,
        basis="certificate" if kind == "certificate" else "lease",
        starts_at=at,
        state="active",
        scope_level="resource",
        credential_ref=credential,
    )
