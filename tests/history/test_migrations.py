"""The steps make exactly the tables of this release, once, whoever is first."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from history import migrations
from history.database import Database
from history.errors import WrongSchema
from history.first_board import first_board
from history.history import History
from history.migrations import HEAD
from history.queries.usage import KINDS
from history.store import Store
from history.tables import LISTED, metadata
from session.delta import Usage
from tests.history.doors import make_token
from tests.history.looking import rows_of
from tests.history.recording import Recording
from tests.hub.made import NOW, report

ROOT = Path(__file__).resolve().parents[2]
RACE = """
import asyncio, os, sys
import alembic.command
from history.database import Database

async def upgrade():
    database = Database(sys.argv[1])
    await database.upgrade()
    await database.check()
    await database.close()

start, shot = os.pipe()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        os.close(shot)
        os.read(start, 1)  # until the parent closes the other end, for all at once
        asyncio.run(upgrade())
        os._exit(0)
    children.append(child)
os.close(shot)
sys.exit(sum(os.waitpid(child, 0)[1] for child in children) != 0)
"""


OF_SQLITE = {
    "ix_sessions_listed": list(LISTED),
    "ix_sessions_project": ["workspace", "project", "archived"],
    "ix_sessions_user": ["workspace", "user", "archived"],
    "ix_sessions_agent": ["workspace", "agent", "archived"],
}


def is_ours(_item: object, name: str | None, kind: str, *_: object) -> bool:
    """Whether it is in history.tables: each system keeps its index of words in its own way."""
    of_words = ("document_words", "ix_documents_words", "words")
    return kind not in ("table", "index", "column") or not (name or "").startswith(of_words)


def differences(connection: Connection) -> list[object]:
    """What a migration would still have to do."""
    is_sqlite = connection.dialect.name == "sqlite"

    def is_compared(item: object, name: str | None, kind: str, *more: object) -> bool:
        """Alembic does not know that an index is of one system alone."""
        return is_ours(item, name, kind) and (is_sqlite or name not in OF_SQLITE)

    options = {"include_object": is_compared, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


async def test_the_steps_make_the_tables_of_the_release(database: Database) -> None:
    """Column by column, index by index, on both systems."""
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
        names = await connection.run_sync(lambda each: inspect(each).get_table_names())
        indexes = await connection.run_sync(lambda each: inspect(each).get_indexes("sessions"))
    assert set(metadata.tables) <= set(names)
    found = {each["name"]: each["column_names"] for each in indexes if each["name"] in OF_SQLITE}
    assert found == (OF_SQLITE if database.is_sqlite else {})


async def test_a_difference_would_be_seen(database: Database) -> None:
    """A column and an index too many are told, so that none of them is no accident."""
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE budgets ADD COLUMN odd TEXT"))
        await connection.execute(text("CREATE INDEX ix_budgets_scope ON budgets (scope)"))
    async with database.read() as connection:
        found = await connection.run_sync(differences)
    assert len(found) == 2


def test_head_is_the_newest_step() -> None:
    """What says whether a database is up to date is what alembic would go to."""
    folder = Path(str(migrations.__file__)).parent
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


async def test_an_upgrade_of_what_is_up_to_date_does_nothing(empty_url: str) -> None:
    """Nothing at all is a wrong schema; afterwards it is right, and stays so."""
    database = Database(empty_url)
    with pytest.raises(WrongSchema):
        await database.check()
    for _ in range(2):
        await database.upgrade()
        await database.check()
    assert not database.is_sqlite or first_board(Path(str(database.url.database))) == []
    await database.close()


def test_processes_that_race_upgrade_once(empty_url: str) -> None:
    """Four begin at the same moment: one makes the tables, the others wait, none fails."""
    command = [sys.executable, "-c", RACE, empty_url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_sums_are_made_of_what_an_older_release_recorded(
    database: Database, history: History
) -> None:
    """All of time is answered as before, and what the recorder would write stands there."""
    await Recording(database).log(
        report("a", tools={"Bash": {"calls": 3, "errors": 1, "total_ms": 40}}),
        msgspec.structs.replace(report("b", cwd="/w/shop"), usage=[
            Usage(message_id="m1", model="opus", at=NOW, output=7, cost_usd=0.5),
            Usage(message_id="m2", model="haiku", at=NOW + 86_400_000, output=1),
        ]),
    )  # fmt: skip
    store = Store(database)
    before = [await rows_of(store, name) for name in ("usage_sessions", "tool_blocks")]
    answers = [await history.usage("default", by) for by in KINDS]
    async with database.write() as connection:
        await connection.run_sync(step_back)
    with pytest.raises(WrongSchema):
        await database.check()
    await database.upgrade()
    assert [await rows_of(store, name) for name in ("usage_sessions", "tool_blocks")] == before
    assert [await history.usage("default", by) for by in KINDS] == answers
    assert all(before)


async def test_a_tower_that_knew_no_tokens_gets_them_and_can_go_back(
    database: Database, history: History
) -> None:
    """The step down takes the door's tables away and nothing else; the step up makes them empty."""
    await Recording(database).log(report("a"))
    assert await history.keep_token(make_token("t-1"))
    async with database.write() as connection:
        await connection.run_sync(downgrade)
        names = await connection.run_sync(lambda each: inspect(each).get_table_names())
    assert not {"tokens", "logouts", "audit"} & set(names)
    with pytest.raises(WrongSchema):
        await database.check()
    await database.upgrade()
    assert await history.credentials() == ([], [])
    assert await history.session("default", "a") is not None


def downgrade(connection: Connection) -> None:
    """Alembic's own step down, to the release before there were tokens."""
    config = Config()
    config.set_main_option("script_location", "history:migrations")
    config.attributes["connection"] = connection
    command.downgrade(config, "0002")


def step_back(connection: Connection) -> None:
    """Leave the tables as the first step makes them."""
    is_sqlite = connection.dialect.name == "sqlite"
    for name in ("audit", "logouts", "tokens", "usage_sessions", "tool_blocks"):
        connection.execute(text(f"DROP TABLE {name}"))
    fresh = ["ix_sessions_project", "ix_sessions_user", "ix_sessions_agent"] if is_sqlite else []
    for name in ("ix_usage_days_workspace_model", *fresh):
        connection.execute(text(f"DROP INDEX {name}"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
