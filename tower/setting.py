"""What one setting is: its kind, its bounds, and the names by which it is told.

Knows no setting's name and reads nothing. Called by the settings.
"""

import ipaddress
import os
from typing import Any

from msgspec import Struct

CONTENTS = ("none", "summary", "full")
LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A value that cannot be used; the text says which, from where, and what is expected."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting. ``kind`` is a key of the parsers below."""

    name: str
    kind: str
    default: Any
    help: str
    secret: bool = False
    bounds: tuple[int, int] | None = None

    @property
    def env(self) -> str:
        """The name of its environment variable."""
        return "TOWER_" + self.name.upper()

    @property
    def env_file(self) -> str | None:
        """The variable that names a file with a secret: containers are given theirs so."""
        return f"{self.env}_FILE" if self.secret else None

    @property
    def env_no(self) -> str | None:
        """The variable of its flag, where that one says no: ``--no-watch``."""
        return "TOWER_NO_" + self.name.upper() if self.kind == "bool" else None

    def parse(self, told: Any, origin: str) -> Any:
        """A value of the setting's kind; raises SettingsError."""
        try:
            value: Any = _PARSERS[self.kind](told)
        except (TypeError, ValueError) as error:
            raise SettingsError(f"{self.name} ({origin}): {error}") from error
        if self.bounds and not self.bounds[0] <= value <= self.bounds[1]:
            least, most = self.bounds
            raise SettingsError(f"{self.name} ({origin}): expected {least} to {most}")
        return value


class Value(Struct, frozen=True):
    """A setting's value and where it came from."""

    value: Any
    origin: str


def _parse_int(told: Any) -> int:
    if isinstance(told, bool) or not isinstance(told, int | str):
        raise TypeError("expected a whole number")
    return int(told)


def _parse_bool(told: Any) -> bool:
    if isinstance(told, bool):
        return told
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(told).casefold() not in words:
        raise ValueError("expected true or false")
    return words[str(told).casefold()]


def _parse_text(told: Any) -> str:
    if not isinstance(told, str) or not told:
        raise TypeError("expected a text that is not empty")
    return told


def _parse_level(told: Any) -> str:
    return _one_of(LEVELS, told)


def _parse_content(told: Any) -> str:
    return _one_of(CONTENTS, told)


def _one_of(words: tuple[str, ...], told: Any) -> str:
    word = _parse_text(told).casefold()
    if word not in words:
        raise ValueError(f"expected one of {', '.join(words)}")
    return word


def _parse_texts(told: Any) -> list[str]:
    if isinstance(told, str):
        return [each.strip() for each in told.split(",") if each.strip()]
    return [str(each) for each in told]


def _parse_networks(told: Any) -> list[str]:
    for each in (texts := _parse_texts(told)):
        try:
            ipaddress.ip_network(each)
        except ValueError:
            raise ValueError(f"{each!r}: expected such as 10.0.0.7 or 10.0.0.0/24") from None
    return texts


def _parse_paths(told: Any) -> list[str]:
    if isinstance(told, str):
        return [each for each in told.split(os.pathsep) if each]
    return [str(each) for each in told]


_PARSERS = {
    "int": _parse_int,
    "bool": _parse_bool,
    "text": _parse_text,
    "level": _parse_level,
    "content": _parse_content,
    "texts": _parse_texts,
    "paths": _parse_paths,
    "networks": _parse_networks,
}
