"""Sums of sessions, and of tools by blocks of sessions: sums of all time read few rows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make both tables from what is recorded, and indexes in the order of sums."""
    _usage_sessions()
    _tool_blocks()
    if op.get_bind().dialect.name == "sqlite":
        for name in ("project", "user", "agent"):
            columns = ["workspace", name, "archived"]
            op.create_index(f"ix_sessions_{name}", "sessions", columns, unique=False)
    op.create_index(
        "ix_usage_days_workspace_model",
        "usage_days",
        [
            "workspace", "model", "session_pk", "day", "input", "output", "cache_read",
            "cache_write", "cost_usd", "calls", "unpriced",
        ],
        unique=False,
    )  # fmt: skip


def _usage_sessions() -> None:
    op.create_table(
        "usage_sessions",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"],
            ["sessions.pk"],
            name=("fk_usage_sessions_session_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_pk", name=("pk_usage_sessions")),
    )
    op.execute(
        "INSERT INTO usage_sessions (session_pk, workspace, input, output, cache_read, "
        "cache_write, cost_usd, calls, unpriced) "
        "SELECT session_pk, workspace, sum(input), sum(output), sum(cache_read), "
        "sum(cache_write), sum(cost_usd), sum(calls), sum(unpriced) "
        "FROM usage_days GROUP BY session_pk, workspace"
    )
    op.create_index(
        "ix_usage_sessions_cost",
        "usage_sessions",
        [
            "workspace", "cost_usd", "output", "input", "cache_read", "cache_write", "calls",
            "unpriced",
        ],
        unique=False,
    )  # fmt: skip


def _tool_blocks() -> None:
    op.create_table(
        "tool_blocks",
        sa.Column("block", KEY, autoincrement=False, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block", "workspace", "tool", name=("pk_tool_blocks")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO tool_blocks (block, workspace, tool, calls, errors, total_ms, sessions) "
        "SELECT session_pk >> 6, workspace, tool, sum(calls), sum(errors), sum(total_ms), count(*) "
        "FROM session_tools JOIN sessions ON sessions.pk = session_tools.session_pk "
        "GROUP BY session_pk >> 6, workspace, tool"
    )
