# SPDX-License-Identifier: Apache-2.0

"""Say what an OpenBao audit entry states.

In:  one audit entry (openbao/openbao, ``internal/audit/format.go``), whose strings are HMACs with the device's salt.
Out: grants from leases, certificates and root tokens; approvals from control groups; the ends of leases.
Never guesses across salts: an HMAC joins only to the same HMAC, or to a credential record that an operator made with
``sys/audit-hash`` while the device lived (see README.md).
"""

from app.connectors.base import SourceRecord
from app.connectors.openbao.controlgroup import approval_of, request_of
from app.connectors.openbao.leases import certificate_of, lease_of, lease_state_of, root_grant_of
from app.connectors.values import child, load, required_instant, text
from app.records.model import AccessRecord, RecordType

RECORD_TYPES = frozenset({RecordType.GRANT, RecordType.APPROVAL, RecordType.CREDENTIAL})

_RESPONSE = "response"


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the access records of one audit entry.

    Only responses state anything: a request entry is written before the outcome is known, and an entry with an error
    had no effect, so a refused ``sys/control-group/authorize`` is no approval and no denial either.

    Raises:
        RecordRejected: the entry lacks its time, or a field is of another type than the format says.
    """
    value = load(record.raw)
    at = required_instant(value, "time")
    if text(value, "type") != _RESPONSE:
        return ()
    root = root_grant_of(value)
    if text(value, "error") is not None:
        return () if root is None else (root,)
    if text(child(value, "request"), "path") == "sys/control-group/authorize":
        stated = approval_of(value, at)
    else:
        stated = request_of(value, at) or lease_of(value, at) or certificate_of(value, at) or lease_state_of(value, at)
    return stated if root is None else (*stated, root)
