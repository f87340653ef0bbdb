"""The database that the settings name, ready to be used, and all that works with it.

Imported late where a start must be quick. Called by the roles, by ``tower up`` and ``tower db``.
"""

import asyncio
import logging

from bus.base import Bus
from history.database import Database
from history.errors import DatabaseUnavailable, WrongSchema
from history.history import History
from history.kept import Kept
from history.recorder import Recorder
from history.store import Store
from tower.setting import SettingsError
from tower.settings import Settings

log = logging.getLogger(__name__)

RETRY_S = 1.0


class Opened:
    """One database with its recorder and its readers."""

    def __init__(self, database: Database, bus: Bus, settings: Settings, flush_s: float) -> None:
        self.database = database
        self.history = History(database)
        self.kept = Kept(self.history, bus)
        self.store = Store(database)
        self.recorder = Recorder(bus, self.store, flush_s)
        self.recorder.retain_days = settings["retain_days"]
        self.recorder.audit_days = settings["audit_days"]


def make_database(settings: Settings, *, default: bool = True) -> Database:
    """The database of the settings, else the one in the data folder; raises SettingsError."""
    url = settings["database_url"]
    if not url and not default:
        raise SettingsError(
            "database_url: this role needs TOWER_DATABASE_URL, such as postgresql://host/tower"
        )
    try:
        return Database(url or f"sqlite:///{settings.history_path}")
    except ValueError as error:
        raise SettingsError(f"database_url: {error}") from error


async def prepare(database: Database, *, migrate: bool) -> None:
    """Wait for the database and, where ``migrate``, bring its tables up to date.

    Else somebody else does, and is waited for as well.
    """
    while True:
        try:
            await (database.upgrade() if migrate else database.check())
        except (DatabaseUnavailable, WrongSchema) as error:
            log.warning("the database is not ready: %s", error)
            await asyncio.sleep(RETRY_S)
        else:
            return
