# SPDX-License-Identifier: Apache-2.0

"""The small pieces of SQL: quoted names and texts, constants, paths, guards.

Nothing from outside becomes SQL text unquoted: names come from the row structs and are quoted, so are texts; numbers
are printed from numbers.
"""

from app.cel.ast import Expr, Literal, Path, Root, Select, Variable
from app.cel.schema import ViewType


def quote_text(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Return a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_sql(path: Path) -> str:
    """Return the SQL of a path: a column, a struct field of it, or the variable of a lambda."""
    match path:
        case Root():
            return quote_name(path.name)
        case Variable():
            return path.key
        case Select():
            return f"{path_sql(path.base)}.{quote_name(path.name)}"


def literal_sql(node: Literal) -> str:
    """Return a constant; numbers carry their type, or DuckDB would take the smallest."""
    match node.value:
        case bool():
            return "true" if node.value else "false"
        case int():
            return f"({node.value})::BIGINT"
        case float():
            return f"({node.value!r})::DOUBLE"
        case str():
            return quote_text(node.value)


def witness_sql(path: Path) -> str:
    """Return a scalar that is NULL exactly when the path is; to look at a whole struct would read all its columns."""
    if isinstance(path.type, ViewType) and path.type.witness is not None:
        return f"{path_sql(path)}.{quote_name(path.type.witness)}"
    return path_sql(path)


def breakable_way(node: Expr) -> list[Path]:
    """Return the innermost view on the way to a field if the way can break; it is NULL if any view before it is."""
    if not isinstance(node, Select):
        return []
    here: Path = node.base
    while isinstance(here, Select) and not here.nullable:
        here = here.base
    return [node.base] if not isinstance(here, Variable) and here.nullable else []


def unless(errs: list[str], sql: str) -> str:
    """Return ``sql``, or NULL if any of the conditions holds; none of them may be NULL itself."""
    if not errs:
        return sql
    return f"(CASE WHEN NOT ({' OR '.join(dict.fromkeys(errs))}) THEN {sql} END)"
