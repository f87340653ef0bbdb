"""The first shape: sessions and their timelines, usage, budgets, and how far the log is recorded.

Never edited once released: what changes is a step of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON()
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table, and the index of all words."""
    _sessions()
    _budgets()
    _checkpoints()
    _reader_offsets()
    _documents()
    _entry_texts()
    _session_events()
    _session_states()
    _session_tools()
    _usage()
    _usage_copies()
    _usage_days()
    if op.get_bind().dialect.name == "sqlite":
        _index_lists_sqlite()
        _index_words_sqlite()
    else:
        _index_words_postgresql()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("pk", KEY, autoincrement=True, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("project_path", sa.Text(), nullable=True),
        sa.Column("cwd", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_since", sa.BigInteger(), nullable=True),
        sa.Column("current_tool", sa.Text(), nullable=True),
        sa.Column("attention", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("tokens", JSON, nullable=True),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("cost_state", sa.Text(), nullable=False),
        sa.Column("context_tokens", sa.BigInteger(), nullable=True),
        sa.Column("messages", sa.BigInteger(), nullable=True),
        sa.Column("tool_calls", sa.BigInteger(), nullable=False),
        sa.Column("tool_errors", sa.BigInteger(), nullable=False),
        sa.Column("objectives", JSON, nullable=True),
        sa.Column("subagents", JSON, nullable=True),
        sa.Column("budget_usd", sa.Float(precision=53), nullable=True),
        sa.Column("sources", JSON, nullable=False),
        sa.Column("usage_family", sa.Text(), nullable=True),
        sa.Column("past", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=("pk_sessions")),
        sa.UniqueConstraint("workspace", "id", name=("uq_sessions_workspace_id")),
    )
    op.create_index("ix_sessions_cost", "sessions", ["workspace", "cost_usd", "id"], unique=False)
    op.create_index(
        "ix_sessions_started", "sessions", ["workspace", "started_at", "id"], unique=False
    )
    op.create_index(
        "ix_sessions_updated", "sessions", ["workspace", "updated_at", "id"], unique=False
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("limit_usd", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "scope", name=("pk_budgets")),
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("numbering", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=("pk_checkpoints")),
    )


def _reader_offsets() -> None:
    op.create_table(
        "reader_offsets",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=("pk_reader_offsets")),
    )
    op.create_index(
        "ix_reader_offsets_session", "reader_offsets", ["workspace", "session"], unique=False
    )


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("number", KEY, nullable=False),
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["sessions.pk"], name=("fk_documents_session_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=("pk_documents")),
    )
    op.create_index("ix_documents_session", "documents", ["session_pk"], unique=False)


def _entry_texts() -> None:
    op.create_table(
        "entry_texts",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["sessions.pk"], name=("fk_entry_texts_session_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_pk", "entry_id", name=("pk_entry_texts")),
        sqlite_with_rowid=False,
    )


def _session_events() -> None:
    op.create_table(
        "session_events",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"],
            ["sessions.pk"],
            name=("fk_session_events_session_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_pk", "seq", name=("pk_session_events")),
        sa.UniqueConstraint(
            "session_pk", "entry_id", name=("uq_session_events_session_pk_entry_id")
        ),
        sqlite_with_rowid=False,
    )


def _session_states() -> None:
    op.create_table(
        "session_states",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("numbering", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("errors_list", JSON, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"],
            ["sessions.pk"],
            name=("fk_session_states_session_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_pk", name=("pk_session_states")),
    )


def _session_tools() -> None:
    op.create_table(
        "session_tools",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"],
            ["sessions.pk"],
            name=("fk_session_tools_session_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_pk", "tool", name=("pk_session_tools")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_session_tools_tool",
        "session_tools",
        ["tool", "session_pk", "calls", "errors", "total_ms"],
        unique=False,
    )


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("forked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["sessions.pk"], name=("fk_usage_session_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "agent", "message_id", name=("pk_usage")),
    )
    op.create_index("ix_usage_session_day", "usage", ["session_pk", "day"], unique=False)


def _usage_copies() -> None:
    op.create_table(
        "usage_copies",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("forked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["sessions.pk"], name=("fk_usage_copies_session_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "workspace", "agent", "message_id", "session_pk", name=("pk_usage_copies")
        ),
    )
    op.create_index("ix_usage_copies_session", "usage_copies", ["session_pk"], unique=False)


def _usage_days() -> None:
    op.create_table(
        "usage_days",
        sa.Column("session_pk", KEY, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["sessions.pk"], name=("fk_usage_days_session_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_pk", "day", "model", name=("pk_usage_days")),
    )
    op.create_index(
        "ix_usage_days_workspace_day",
        "usage_days",
        [
            "workspace", "day", "model", "session_pk", "input", "output", "cache_read",
            "cache_write", "cost_usd", "calls", "unpriced",
        ],
        unique=False,
    )  # fmt: skip


def _index_lists_sqlite() -> None:
    """What lists filter by, so that a count reads no row."""
    op.create_index(
        "ix_sessions_listed",
        "sessions",
        [
            "workspace", "updated_at", "id", "archived", "status", "agent", "project", "user",
            "branch", "started_at",
        ],
        unique=False,
    )  # fmt: skip


def _index_words_sqlite() -> None:
    """FTS5 beside ``documents``, which holds the texts; triggers keep them together."""
    op.execute(
        "CREATE VIRTUAL TABLE document_words USING fts5("
        "text, content='documents', content_rowid='number',"
        ' tokenize="unicode61 remove_diacritics 2")'
    )
    op.execute(
        "CREATE TRIGGER documents_added AFTER INSERT ON documents BEGIN "
        "INSERT INTO document_words(rowid, text) VALUES (new.number, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER documents_gone AFTER DELETE ON documents BEGIN "
        "INSERT INTO document_words(document_words, rowid, text) "
        "VALUES ('delete', old.number, old.text); END"
    )


def _index_words_postgresql() -> None:
    """A column of lexemes as they stand: prompts and paths are of no one language.

    Marks are spaces, or a path would be one word. Those of ASCII are enough for that.
    """
    marks = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())
    quoted = marks.replace("'", "''")
    op.execute(
        "ALTER TABLE documents ADD COLUMN words tsvector GENERATED ALWAYS AS "
        f"(to_tsvector('simple', translate(text, '{quoted}', repeat(' ', {len(marks)})))) STORED"
    )
    op.execute("CREATE INDEX ix_documents_words ON documents USING gin (words)")
