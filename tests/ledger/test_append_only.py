# SPDX-License-Identifier: Apache-2.0

"""No statement in the source changes or removes what the ledger holds."""

import re
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent.parent / "app"
TABLES = r"(?:ledger_(?:entry|raw|node|checkpoint)|Ledger(?:Entry|Raw|Node|Checkpoint)Row)"
FORBIDDEN = [
    re.compile(
        rf"\b(?:UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|REPLACE\s+INTO|DROP\s+TABLE)\s+[\"'`]?{TABLES}",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:update|delete|merge|drop_table)\(\s*[\"']?{TABLES}"),
    re.compile(rf"{TABLES}(?:\.__table__)?\.(?:update|delete)\("),
    re.compile(rf"INSERT\s+OR\s+REPLACE\s+INTO\s+{TABLES}", re.IGNORECASE),
]


def offences(source: str) -> list[str]:
    return [match.group() for pattern in FORBIDDEN for match in pattern.finditer(source)]


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda path: str(path.relative_to(APP)))
def test_no_statement_changes_the_ledger(path: Path) -> None:
    assert offences(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        'execute("UPDATE ledger_entry SET x = 1")',
        'execute("delete from ledger_raw")',
        "execute('DELETE\\n  FROM \"ledger_node\"')".replace("\\n", "\n"),
        "delete(LedgerCheckpointRow)",
        "update( LedgerEntryRow).where()",
        "LedgerEntryRow.__table__.delete()",
        "TRUNCATE TABLE ledger_entry",
        "INSERT OR REPLACE INTO ledger_entry",
        'op.drop_table("ledger_entry")',
    ],
)
def test_the_search_finds_such_statements(source: str) -> None:
    assert offences(source)


def test_only_the_ledger_repository_names_the_ledger_tables() -> None:
    speakers = {
        str(path.relative_to(APP))
        for path in APP.rglob("*.py")
        if re.search(TABLES, path.read_text()) and path.parent.name != "versions"
    }
    assert speakers == {"ledger/__init__.py", "ledger/repository.py", "ledger/tables.py"}
