# SPDX-License-Identifier: Apache-2.0

"""Parse the CSV inside a pgaudit message.

In:  the text after ``AUDIT: ``. Out: its fields, or None when it is not pgaudit's.
Source: pgaudit README, "Format": AUDIT_TYPE, STATEMENT_ID, SUBSTATEMENT_ID, CLASS, COMMAND, OBJECT_TYPE, OBJECT_NAME,
STATEMENT, PARAMETER, and ROWS where ``pgaudit.log_rows`` is on. Statements may run over lines and hold quotes.
"""

import re

import msgspec

_FIELD = re.compile(r'(?:"([^"]*+(?:""[^"]*+)*+)"|([^,"\n\r]*+))(,|\Z)')
_FIELDS = 9
_NOT_LOGGED = frozenset({"<not logged>", "<previously logged>", "<none>"})


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One audited statement. ``statement`` is None where pgaudit was told not to log it, or not again."""

    statement_id: int
    substatement_id: int
    statement_class: str
    command: str
    object_type: str
    object_name: str
    statement: str | None
    rows: int | None


def parse_audit(text: str) -> AuditEntry | None:
    """Parse one message; None where it has not at least the nine fields that pgaudit always writes."""
    fields = _split(text)
    if fields is None or len(fields) < _FIELDS or fields[0] not in ("SESSION", "OBJECT"):
        return None
    statement_id, substatement_id = _number(fields[1]), _number(fields[2])
    if statement_id is None or substatement_id is None:
        return None
    return AuditEntry(
        statement_id=statement_id,
        substatement_id=substatement_id,
        statement_class=fields[3],
        command=fields[4],
        object_type=fields[5],
        object_name=fields[6],
        statement=None if fields[7] in _NOT_LOGGED else fields[7],
        rows=_number(fields[9]) if len(fields) > _FIELDS else None,
    )


def _split(text: str) -> list[str] | None:
    fields: list[str] = []
    at = 0
    while True:
        found = _FIELD.match(text, at)
        if found is None:
            return None
        quoted, plain, end = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return fields
        at = found.end()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004
