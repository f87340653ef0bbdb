"""The native events: one struct a kind. They are what is read and what the published schema says.

Holds no behaviour but the schema. Read by the native adapter; an unknown field is passed over.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from session.known_types import make_known

COUNT_MAX = 2**53 - 1
OBJECTIVES_MAX = 200

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Short = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(description="Cut to 2 KiB, with its whole size kept.")]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Dollars = Annotated[float, Meta(ge=0, le=COUNT_MAX)]
Moment = Annotated[
    int | str,
    Meta(
        description="Milliseconds since the Unix epoch, or ISO 8601 with an offset such as Z. "
        "Absent, and where it lies in the future: the time of arrival."
    ),
]
ObjectiveStatus = Literal["pending", "in_progress", "completed"]
CallStatus = Literal["ok", "error", "denied", "interrupted"]


class Objective(Struct, kw_only=True):
    """One objective; what is absent stays as it was."""

    text: str | None = None
    status: ObjectiveStatus | None = None


class Happening(Struct, kw_only=True, tag_field="kind"):
    """What every kind may carry. ``id`` is the event's own within its session, told once."""

    id: Name
    session: Name
    agent: Short
    at: Moment | None = None
    title: str | None = None
    cwd: str | None = None
    branch: str | None = None
    model: str | None = None
    phase: str | None = None
    event_id: str | None = None
    budget_usd: Dollars | None = None
    host: str | None = None
    user: str | None = None


class SessionStart(Happening, tag="session_start"):
    """The session is there, and idle."""


class SessionEnd(Happening, tag="session_end"):
    """The session is over; a later event opens it again."""

    reason: str | None = None


class Prompt(Happening, tag="prompt"):
    """The agent was asked for something: a turn begins, and what was open closes."""

    text: Text


class Message(Happening, tag="message"):
    """The agent said something; the turn goes on."""

    text: Text


class ToolStart(Happening, tag="tool_start"):
    """A call of a tool begins."""

    call: Name
    tool: Name
    text: Text | None = None


class ToolEnd(Happening, tag="tool_end"):
    """A call of a tool ended, and whatever was asked about it is closed."""

    call: Name
    tool: Name
    status: CallStatus
    text: Text | None = None
    duration_ms: Count | None = None


class Ask(Happening):
    """Somebody is waited for."""

    text: Text
    call: Name | None = None
    tool: Name | None = None
    request: dict[str, Any] | None = None


class Permission(Ask, tag="permission"):
    """A person has to allow something."""


class Question(Ask, tag="question"):
    """A person has to answer something."""


class Plan(Ask, tag="plan"):
    """A person has to agree to a plan."""


class Resolved(Happening, tag="resolved"):
    """A person answered. ``call`` is that of the asking event, or its ``id`` if it had none."""

    call: Name


class Stop(Happening, tag="stop"):
    """The turn is over and the agent waits for the next prompt."""


class Failure(Happening, tag="failure"):
    """The turn ended by an error, which is open until the next prompt."""

    text: Text


class Error(Happening, tag="error"):
    """Something went wrong and the agent goes on: an entry in the timeline."""

    text: Text


class Objectives(Happening, tag="objectives"):
    """Objectives by id, null removes one; with ``whole`` there are no others."""

    objectives: Annotated[dict[Name, Objective | None], Meta(max_length=OBJECTIVES_MAX)]
    whole: bool = False


class Subagent(Happening):
    """Something about a helper of the agent."""

    agent_id: Name
    agent_type: str | None = None


class SubagentStart(Subagent, tag="subagent_start"):
    """A helper of the agent began to work."""


class SubagentStop(Subagent, tag="subagent_stop"):
    """A helper of the agent is done."""


class Usage(Happening, tag="usage"):
    """One API call. ``input`` is without the cache; a call without a cost is priced here."""

    model: Name
    input: Count = 0
    output: Count = 0
    cache_read: Count = 0
    cache_write: Count = 0
    cost_usd: Dollars | None = None
    call: Name | None = None


class Update(Happening, tag="update"):
    """Nothing but what every kind may carry, and a sign of life."""


Native: TypeAlias = (
    SessionStart | SessionEnd | Prompt | Message | ToolStart | ToolEnd | Permission | Question
    | Plan | Resolved | Stop | Failure | Error | Objectives | SubagentStart | SubagentStop
    | Usage | Update
)  # fmt: skip
make_known(Native)


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a body: one event or a list of them."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Native events of Agent Tower",
        "description": "The body of POST /v1/events: one event, or a list of them.",
        **msgspec.json.schema(Native | list[Native]),
    }
