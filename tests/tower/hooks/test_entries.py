"""Which hooks are wanted, and which of those that stand there are ours."""

from typing import Any

import pytest

from ingest.adapters import claude_hooks, codex_hooks
from tests.tower.hooks.made import COMMANDS, FAR, NEAR, POSTS
from tower.hooks.agents import CLAUDE_CODE, CODEX
from tower.hooks.entries import Options, address_in, wanted
from tower.hooks.target import Target

FAR_COMMANDS = wanted(FAR, CLAUDE_CODE, Options())


def handlers(groups: dict[str, Any]) -> dict[str, Any]:
    """The one handler of each event."""
    return {event: group["hooks"][0] for event, group in groups.items()}


@pytest.mark.parametrize(
    ("agent", "readers"), [(CLAUDE_CODE, claude_hooks.READERS), (CODEX, codex_hooks.READERS)]
)
def test_the_events_are_those_that_the_board_uses(agent: Any, readers: Any) -> None:
    """No event costs an agent anything for nothing."""
    assert set(wanted(NEAR, agent, Options())) == {
        event for event, (kind, _) in readers.items() if kind != "other"
    }


@pytest.mark.parametrize("groups", [COMMANDS, FAR_COMMANDS])
def test_no_command_holds_the_agent(groups: dict[str, Any]) -> None:
    """All run beside it, but the one of its end, which would be ended with it."""
    for event, handler in handlers(groups).items():
        assert handler["type"] == "command"
        assert handler.get("async", False) is (event != "SessionEnd")
        assert ("sleep" in handler["command"]) is (event == "SessionEnd")


def test_posts_stand_wherever_the_agent_takes_them() -> None:
    """SessionStart alone takes commands only."""
    kinds = {event: handler["type"] for event, handler in handlers(POSTS).items()}
    assert {event for event, kind in kinds.items() if kind == "command"} == {"SessionStart"}


@pytest.mark.parametrize("groups", [COMMANDS, FAR_COMMANDS, POSTS])
def test_every_hook_ends_soon(groups: dict[str, Any]) -> None:
    """Within seconds, which is what the field counts; the end of a session has one and a half."""
    for event, handler in handlers(groups).items():
        assert 1 <= handler["timeout"] <= (1 if event == "SessionEnd" else 5)


def test_a_tower_of_this_machine_is_sent_no_token() -> None:
    """Neither an empty one nor one that may be another tower's."""
    for handler in [*handlers(COMMANDS).values(), *handlers(POSTS).values()]:
        assert "TOKEN" not in str(handler)


def test_the_token_is_named_and_never_told() -> None:
    """By the shell's variable, or by the one that the agent is allowed to read."""
    asking = Target("http://127.0.0.1:8787", True, True, "laptop", "ana")
    for handler in handlers(wanted(asking, CLAUDE_CODE, Options(http=True))).values():
        if handler["type"] == "http":
            assert handler["headers"]["Authorization"] == "Bearer $TOWER_TOKEN"
            assert handler["allowedEnvVars"] == ["TOWER_TOKEN"]
    for handler in handlers(FAR_COMMANDS).values():
        assert "Authorization: Bearer $TOWER_TOKEN" in handler["command"]


def test_a_post_says_whose_it_is() -> None:
    """Where a header can have the name; else the tower's own are taken."""
    assert POSTS["Stop"]["hooks"][0]["headers"] == {
        "X-Tower-Host": "laptop", "X-Tower-User": "ana",
    }  # fmt: skip
    odd = Target("http://127.0.0.1:8787", True, False, "büro", "$HOME")
    assert wanted(odd, CLAUDE_CODE, Options(http=True))["Stop"]["hooks"][0]["headers"] == {}


def test_codex_is_given_no_async_hooks() -> None:
    """Some of its versions pass those over, all of them."""
    for handler in handlers(wanted(FAR, CODEX, Options(http=True))).values():
        assert handler.keys() == {"type", "command", "timeout"}


@pytest.mark.parametrize(
    ("version", "events"),
    [((1, 0, 90), 8), ((2, 0, 76), 10), ((2, 1, 100), 10), ((2, 1, 101), 20), (None, 20)],
)
def test_an_old_claude_code_gets_what_it_knows(
    version: tuple[int, int, int] | None, events: int
) -> None:
    """For one event that it does not know it would drop the whole file."""
    assert len(wanted(NEAR, CLAUDE_CODE, Options(version=version))) == events


@pytest.mark.parametrize(
    ("handler", "address"),
    [
        ({"url": "http://localhost/v1/hooks/claude-code"}, "http://127.0.0.1:80"),
        ({"url": "https://t.example/a/v1/hooks/claude-code"}, "https://t.example:443/a"),
        ({"command": "curl http://[::1]:9/v1/hooks/claude-code -d @-"}, "http://[::1]:9"),
        ({"command": "curl 'http://h:9/v1/hooks/claude-code'"}, "http://h:9"),
        ({"url": "http://h:9/v1/hooks/claude-code-too"}, None),
        ({"url": "http://h:9/v1/hooks/claude-code/too"}, None),
        ({"url": "http://h:9/v1/hooks/codex"}, None),
        ({"url": "http://h:x/v1/hooks/claude-code"}, "http://h:x"),
        ({"command": "echo /v1/hooks/claude-code"}, None),
        ({"command": ["http://h:9/v1/hooks/claude-code"]}, None),
        ("http://h:9/v1/hooks/claude-code", None),
    ],
)
def test_ours_are_known_by_their_route(handler: Any, address: str | None) -> None:
    """Whatever host and port they go to, in a URL or within a command."""
    assert address_in(handler, CLAUDE_CODE) == address
