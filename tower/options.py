"""Options that several commands have, and settling what they say. Exit code 2 for wrong usage.

Imports nothing that takes time. Called by the command line alone.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from tower import settings as settings_module
from tower.setting import SettingsError
from tower.settings import Settings

DataDir = Annotated[str | None, typer.Option(help="Folder for the service's own files.")]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="The database.  [default: the one in the data folder]")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
To = Annotated[str | None, typer.Option(help="URL of a tower.  [default: the local one]")]

T = TypeVar("T")


def load(**flags: Any) -> Settings:
    """Every setting, with these flags; wrong usage if one cannot be read."""
    try:
        return settings_module.load(flags)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def settled(run: Callable[[], T]) -> T:
    """What it gives; a setting that cannot be used is wrong usage."""
    try:
        return run()
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
