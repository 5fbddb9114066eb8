# SPDX-License-Identifier: Apache-2.0

"""Create the looks at watched periods and what moved, append-only by trigger."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("watch_look", "watch_change")


def upgrade() -> None:
    op.create_table(
        "watch_look",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("framework", sa.String(), nullable=False),
        sa.Column("period_start", sa.BigInteger(), nullable=False),
        sa.Column("period_end", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("ledger_size", sa.BigInteger(), nullable=False),
        sa.Column("controls_sha256", sa.String(), nullable=False),
        sa.Column("controls_changed", sa.Boolean(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
    )
    op.create_index("ix_watch_look_framework", "watch_look", ["framework"])
    op.create_table(
        "watch_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("look_id", sa.Integer(), sa.ForeignKey("watch_look.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("old", sa.String()),
        sa.Column("new", sa.String()),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
    )
    op.create_index("ix_watch_change_look_id", "watch_change", ["look_id"])
    for table in TABLES:
        for statement in guards(op.get_bind().dialect.name, table):
            op.execute(statement)


def guards(dialect: str, table: str) -> list[str]:
    """Return the statements that make the database itself refuse to change or remove rows of a table."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'what moved is only ever added to'); END"
            for verb in ("update", "delete")
        ]
    function = (
        "CREATE OR REPLACE FUNCTION watching_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what moved is only ever added to'; END $$"
    )
    trigger = (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION watching_is_append_only()"
    )
    return [function, trigger]
