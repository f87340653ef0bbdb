"""The tables of history, the same on SQLite and PostgreSQL. Names are those of the session's state.

Only the shape is here: no query and no connection. The migrations make them, and a test compares
both. The full-text index is the migrations' own, for each system has another one.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key_type() -> TypeEngine[int]:
    """A key of its own for short rows elsewhere; SQLite counts up only an INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")


def session_key(*, primary_key: bool = False) -> Column[int]:
    """Whose row it is; it goes with its session."""
    return Column(
        "session_pk", key_type(), ForeignKey("sessions.pk", ondelete="CASCADE"),
        primary_key=primary_key, nullable=False,
    )  # fmt: skip


LISTED = (
    "workspace", "updated_at", "id", "archived", "status", "agent", "project", "user", "branch",
    "started_at",
)  # fmt: skip
"""What lists filter by, so that a count reads no row. On SQLite alone: PostgreSQL bounds the size
of an entry, and these are texts of an agent. So it is with those by project, user and agent, which
give their order to sums: sorting takes longer than adding up."""

SUMMED = (
    "workspace", "day", "model", "session_pk", "input", "output", "cache_read", "cache_write",
    "cost_usd", "calls", "unpriced",
)  # fmt: skip
"""All that is summed up by day, for rows lie by session."""

COSTLY = (
    "workspace", "cost_usd", "output", "input", "cache_read", "cache_write", "calls", "unpriced",
)  # fmt: skip
"""All that is summed up by session, the costliest at the end."""

BY_MODEL = ("workspace", "model", "session_pk", "day", *SUMMED[4:])
"""The same in the order of models, so that nothing is sorted to sum up by them."""

sessions = Table(
    "sessions",
    metadata,
    Column("pk", key_type(), primary_key=True, autoincrement=True),
    Column("workspace", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("host", Text),
    Column("user", Text),
    Column("project", Text),
    Column("project_path", Text),  # where it was opened; cwd moves with the agent
    Column("cwd", Text),
    Column("branch", Text),
    Column("title", Text),
    Column("model", Text),
    Column("phase", Text),
    Column("event_id", Text),
    Column("status", Text, nullable=False),
    Column("status_since", BigInteger),
    Column("current_tool", Text),
    Column("attention", Integer, nullable=False),
    Column("started_at", BigInteger),
    Column("updated_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("archived", Boolean, nullable=False),
    Column("tokens", JSON),
    Column("cost_usd", Float(53)),
    Column("cost_state", Text, nullable=False),
    Column("context_tokens", BigInteger),
    Column("messages", BigInteger),
    Column("tool_calls", BigInteger, nullable=False),
    Column("tool_errors", BigInteger, nullable=False),
    Column("objectives", JSON),
    Column("subagents", JSON),
    Column("budget_usd", Float(53)),
    Column("sources", JSON, nullable=False),
    Column("usage_family", Text),  # whose calls count
    Column("past", Boolean, nullable=False),
    UniqueConstraint("workspace", "id"),
    Index("ix_sessions_updated", "workspace", "updated_at", "id"),
    Index("ix_sessions_listed", *LISTED).ddl_if(dialect="sqlite"),
    Index("ix_sessions_project", "workspace", "project", "archived").ddl_if(dialect="sqlite"),
    Index("ix_sessions_user", "workspace", "user", "archived").ddl_if(dialect="sqlite"),
    Index("ix_sessions_agent", "workspace", "agent", "archived").ddl_if(dialect="sqlite"),
    Index("ix_sessions_started", "workspace", "started_at", "id"),
    Index("ix_sessions_cost", "workspace", "cost_usd", "id"),
)

session_states = Table(
    "session_states",  # what the fold goes on from; apart, for these rows are large
    metadata,
    session_key(primary_key=True),
    Column("number", BigInteger, nullable=False),  # of the last delta that was folded
    Column("numbering", Text, nullable=False),  # which count of the log that number is of
    Column("state", LargeBinary, nullable=False),
    Column("errors_list", JSON, nullable=False),
    Column("documents", Integer, nullable=False),  # how many there are for the search
)

session_events = Table(
    "session_events",
    metadata,
    session_key(primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger),
    Column("kind", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("data", JSON, nullable=False),  # what else the entry has
    UniqueConstraint("session_pk", "entry_id"),
    sqlite_with_rowid=False,
)

entry_texts = Table(
    "entry_texts",  # of entries whose text is longer than a timeline carries
    metadata,
    session_key(primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)


def usage_columns() -> list[Column[object]]:
    """One API call as one session tells it."""
    return [
        Column("source", Text, nullable=False),
        Column("family", Text, nullable=False),  # transcript, otlp, native: never added up
        Column("request_id", Text),
        Column("model", Text, nullable=False),
        Column("at", BigInteger),
        Column("day", Text, nullable=False),  # of ``at``, UTC; empty where no time is known
        Column("input", BigInteger, nullable=False),
        Column("output", BigInteger, nullable=False),
        Column("cache_read", BigInteger, nullable=False),
        Column("cache_write", BigInteger, nullable=False),
        Column("cache_write_1h", BigInteger, nullable=False),
        Column("cost_usd", Float(53)),
        Column("forked", Boolean, nullable=False),
    ]


usage = Table(
    "usage",  # each API call once, at the session that owns it
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    session_key(),
    *usage_columns(),
    Index("ix_usage_session_day", "session_pk", "day"),
)

usage_copies = Table(
    "usage_copies",  # what other sessions tell of a call that is not theirs
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    session_key(primary_key=True),
    *usage_columns(),
    Index("ix_usage_copies_session", "session_pk"),
)


def sum_columns() -> list[Column[object]]:
    """Whose calls are summed up, and their sums."""
    return [
        Column("workspace", Text, nullable=False),
        Column("input", BigInteger, nullable=False),
        Column("output", BigInteger, nullable=False),
        Column("cache_read", BigInteger, nullable=False),
        Column("cache_write", BigInteger, nullable=False),
        Column("cost_usd", Float(53)),
        Column("calls", BigInteger, nullable=False),
        Column("unpriced", BigInteger, nullable=False),
    ]


usage_days = Table(
    "usage_days",  # sums of usage
    metadata,
    session_key(primary_key=True),
    Column("day", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    *sum_columns(),
    Index("ix_usage_days_workspace_day", *SUMMED),
    Index("ix_usage_days_workspace_model", *BY_MODEL),
)

usage_sessions = Table(
    "usage_sessions",  # sums of usage_days, of all days and models: sums of all time read them
    metadata,
    session_key(primary_key=True),
    *sum_columns(),
    Index("ix_usage_sessions_cost", *COSTLY),
)

session_tools = Table(
    "session_tools",
    metadata,
    session_key(primary_key=True),
    Column("tool", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    Index("ix_session_tools_tool", "tool", "session_pk", "calls", "errors", "total_ms"),
    sqlite_with_rowid=False,
)

tool_blocks = Table(
    "tool_blocks",  # sums of session_tools by blocks of sessions: session_pk / 2^6
    metadata,
    Column("block", key_type(), primary_key=True, autoincrement=False),
    Column("workspace", Text, primary_key=True),
    Column("tool", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    Column("sessions", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",  # texts to search in; the number tells the session: session_pk × 2^20 + n
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    session_key(),
    Column("text", Text, nullable=False),
    Index("ix_documents_session", "session_pk"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("scope", Text, primary_key=True),  # day, month, or session: for each of them
    Column("limit_usd", Float(53), nullable=False),
)

reader_offsets = Table(
    "reader_offsets",  # files as far as what they say is recorded
    metadata,
    Column("path", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Index("ix_reader_offsets_session", "workspace", "session"),
)

checkpoints = Table(
    "checkpoints",  # how far the log is recorded; whoever records moves it on in each transaction
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("numbering", Text, nullable=False),
)

tokens = Table(
    "tokens",  # of each only its hash
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    UniqueConstraint("hash"),
)

logouts = Table(
    "logouts",  # sign-ins that were ended before their time
    metadata,
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",  # who did what: rows are added, and never changed
    metadata,
    Column("pk", key_type(), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("session", Text),
    Column("address", Text, nullable=False),
    Column("detail", Text),
    Index("ix_audit_workspace_pk", "workspace", "pk"),
    Index("ix_audit_at", "at"),
)
