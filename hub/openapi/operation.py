"""One operation of the HTTP API as data: what it takes, what it answers, how it refuses.

Plain values and types; schemas are made of them by the document. Called by the table.
"""

from typing import Any

from msgspec import Struct

JSON = "application/json"


class Text(Struct, frozen=True):
    """An answer that is no JSON of ours: a page, a table, or a document of another format."""

    media: str
    description: str = ""


class Operation(Struct, frozen=True, kw_only=True):
    """A method of a path.

    ``answers``: status → type of the JSON body, a Text or None where there is none. ``query``: a
    type of which each field is a parameter. ``problems``: statuses of refusals besides those that
    every operation has. ``headers``: name → what it is for, of the request. ``path_values``: all
    that the path's parameter may be, where that is known.
    """

    id: str
    group: str
    method: str
    path: str
    summary: str
    description: str = ""
    path_values: tuple[str, ...] = ()
    answers: dict[int, Any]
    query: type[Struct] | None = None
    body: Any = None
    is_body_needed: bool = False
    headers: dict[str, str] = {}
    problems: tuple[int, ...] = ()
    is_open: bool = False

    @property
    def types(self) -> list[Any]:
        """Every type that a schema is needed for."""
        bodies = [each for each in self.answers.values() if each and not isinstance(each, Text)]
        return [*bodies, *([self.body] if self.body else []), *([self.query] if self.query else [])]
