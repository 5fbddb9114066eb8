# SPDX-License-Identifier: Apache-2.0

"""Read why a credential was asked for, where the caller said so in a request header that OpenBao audits.

In:  an audit entry's ``request``. Out: ticket keys and purpose, or None.
Headers appear only when an operator lists them under ``sys/config/auditing/request-headers``, in clear with
``hmac=false``; OpenBao has no field of its own for either.
"""

from app.connectors.strictjson import JsonObject
from app.connectors.values import child, command_text, texts

TICKET_HEADER = "x-ticket"
PURPOSE_HEADER = "x-purpose"
_HASHED = "hmac-sha256:"


def tickets_of(request: JsonObject) -> tuple[str, ...] | None:
    """Return the keys of the tickets that the caller named."""
    keys = tuple(key.strip() for key in _header(request, TICKET_HEADER) if key.strip())
    return keys or None


def purpose_of(request: JsonObject) -> str | None:
    """Return what the caller wrote as purpose, redacted like all text that people write."""
    words = " ".join(_header(request, PURPOSE_HEADER)).strip()
    return command_text(words) if words else None


def _header(request: JsonObject, name: str) -> tuple[str, ...]:
    """Return a header's values; a hashed value says nothing, so it counts as not given."""
    return tuple(value for value in texts(child(request, "headers"), name) if not value.startswith(_HASHED))
