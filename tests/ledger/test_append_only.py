# SPDX-License-Identifier: Apache-2.0

"""No statement in the source changes or removes what the ledger holds."""

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from app.connectors.base import SourceRecord
from app.db import Database
from app.ledger.service import Ledger
from app.signing.checkpoint_key import CheckpointKey

REPOSITORY = "ledger/repository.py"
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


def statements(source: str) -> list[str]:
    """Return what each statement that is executed begins with: the name at the root of the first argument."""
    tree = ast.parse(source)
    given: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, []).append(node.value)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    executed = [call.args[0] for call in calls if "exec" in call.func.attr]  # type: ignore[attr-defined]
    return [name for argument in executed for name in _roots(argument, given)]


def _roots(node: ast.AST, given: dict[str, list[ast.expr]]) -> list[str]:
    match node:
        case ast.Call():
            return _roots(node.func, given)
        case ast.Attribute():
            return _roots(node.value, given)
        case ast.IfExp():
            return _roots(node.body, given) + _roots(node.orelse, given)
        case ast.Name() if node.id in given:
            # What a name was given before is there already when it is given something made from itself.
            rest = {name: values for name, values in given.items() if name != node.id}
            return [root for value in given[node.id] for root in _roots(value, rest) if root != node.id]
    return [ast.unparse(node)]


def test_whatever_the_ledger_repository_executes_is_a_select() -> None:
    """Rows are inserted by ``bulk_insert`` alone; so no statement can be put together that changes any."""
    source = (APP / REPOSITORY).read_text()
    assert set(statements(source)) == {"select"}
    called = {name for node in ast.walk(ast.parse(source)) for name in _names_called(node)}
    assert called.isdisjoint({"text", "delete", "merge", "add", "exec_driver_sql", "on_conflict_do_update", "commit"})


@pytest.mark.parametrize(
    ("source", "roots"),
    [
        ("connection.execute(select(X.a).where(X.b))", ["select"]),
        ("connection.execute(update(LedgerEntryRow).values(key='x'))", ["update"]),
        ("connection.execute(text(f'DELETE FROM {table}'))", ["text"]),
        ("connection.exec_driver_sql(statement)", ["statement"]),
        ("s = select(X)\ns = s.where(X.b)\nconnection.execute(s if a else delete(X))", ["select", "delete"]),
        ("s = update(X)\nconnection.execute(s.where(X.b))", ["update"]),
        ("session.exec(LedgerEntryRow.__table__.delete())", ["LedgerEntryRow"]),
    ],
)
def test_the_root_of_a_statement_is_found(source: str, roots: list[str]) -> None:
    assert statements(source) == roots


def test_rows_are_inserted_and_never_replaced() -> None:
    (insert,) = [
        node
        for node in ast.walk(ast.parse((APP / "db.py").read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "bulk_insert"
    ]
    assert not re.search(r"REPLACE|CONFLICT|UPDATE|DELETE", ast.unparse(insert), re.IGNORECASE)


def test_no_statement_that_reaches_a_database_changes_the_ledger(database: Database) -> None:
    """What is sent while a ledger grows, signs, proves, exports and is checked; on SQLite and on PostgreSQL."""
    sent: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    ledger = Ledger(database, CheckpointKey.from_seed(bytes(32)))
    page = [
        SourceRecord(kind="s", key=f"{n % 7}", raw=b"x", occurred_at=n, occurred_at_text=None, locator="")
        for n in range(9)
    ]
    for run in ("one", "two"):
        ledger.append("src", run, 1, page)
        ledger.checkpoint()
    assert ledger.size() == 7
    assert ledger.prove_consistency(3)
    assert ledger.fsck() == []
    event.remove(Engine, "before_cursor_execute", note)
    about = [statement for statement in sent if re.search(TABLES, statement)]
    assert {statement.split()[0].upper() for statement in about} <= {"SELECT", "INSERT", "COPY"}
    assert len(about) > 10
    assert not [statement for statement in about if re.search(r"REPLACE|ON CONFLICT", statement, re.IGNORECASE)]


def _names_called(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call):
        return []
    return [node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)]
