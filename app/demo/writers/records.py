# SPDX-License-Identifier: Apache-2.0

"""Writes Proofroom's own normalized records, one JSON object a line, one file a source.

In:  what a source tells. Out: lines in the order in which the source said them; broken lines are put in where they were
planted, in the middle of the file, so that a reader that stops at the first fault is noticed.
"""

from collections.abc import Iterable, Sequence

import msgspec
import orjson

from app.demo.model import Told
from app.records.times import format_instant

_INSTANTS = frozenset(
    {
        "employment_end_at", "created_at", "last_login_at", "rotated_at", "owner_assigned_at", "last_tested_at",
        "requested_at", "starts_at", "expires_at", "ended_at", "removed_at", "decided_at", "approved_until",
        "started_at", "opened_at", "closed_at", "due_at", "completed_at", "at", "raised_at", "acknowledged_at",
        "owner_confirmed_at", "approved_at", "issued_at", "last_used_at", "executed_at", "placed_at", "verified_at",
        "registered_at", "retrieved_at", "disposed_at", "mfa_at", "ends_at",
    }
)  # fmt: skip


def write(told: Iterable[Told], broken_lines: Sequence[str] = ()) -> bytes:
    """Return what one source tells as JSON lines."""
    lines = [_line(each) for each in sorted(told, key=_order)]
    middle = len(lines) // 2
    lines[middle:middle] = [line.encode() for line in broken_lines]
    return b"".join(line + b"\n" for line in lines)


def _order(each: Told) -> tuple[int, str, str]:
    return each.observed_at, str(each.record.__struct_config__.tag), each.record.id


def _line(each: Told) -> bytes:
    fields = msgspec.to_builtins(each.record)
    spelled = {name: format_instant(value) if name in _INSTANTS else value for name, value in fields.items()}
    return orjson.dumps(spelled | {"observed_at": format_instant(each.observed_at)})
