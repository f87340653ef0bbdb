"""Settings of agents made up for tests, and hooks to put into them."""

import json
from typing import Any

from hypothesis import strategies as st

from tower.hooks.agents import CLAUDE_CODE
from tower.hooks.entries import Group, Options, wanted
from tower.hooks.target import Target

NEAR = Target("http://127.0.0.1:8787", True, False, "laptop", "ana")
FAR = Target("https://tower.example.org/team", False, True, "laptop", "ana")
OTHER = Target("http://127.0.0.1:9000", True, False, "laptop", "ana")

COMMANDS: dict[str, Group] = wanted(NEAR, CLAUDE_CODE, Options())
POSTS: dict[str, Group] = wanted(NEAR, CLAUDE_CODE, Options(http=True))
ELSEWHERE: dict[str, Group] = wanted(OTHER, CLAUDE_CODE, Options())

_words = st.text(max_size=8)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)
_handlers = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(["say done", "jq .", "./check.sh"])},
    optional={"timeout": st.integers(1, 60), "note": _values},
)
_groups = st.fixed_dictionaries(
    {"hooks": st.lists(_handlers, min_size=1, max_size=2)},
    optional={"matcher": st.sampled_from(["", "*", "Bash", "Edit|Write"])},
)
_events = st.sampled_from(["Stop", "PreToolUse", "SessionStart", "PreCompact", "Later"])
_hooks = st.dictionaries(_events, st.lists(_groups, min_size=1, max_size=2), min_size=1, max_size=3)
_others = st.dictionaries(_words.filter(lambda key: key != "hooks"), _values, max_size=3)


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """Somebody's settings, with hooks of their own among them or without."""
    values = draw(_others)
    if draw(st.booleans()):
        values["hooks"] = draw(_hooks)
    if draw(st.booleans()):
        values |= {f"z{key}": value for key, value in draw(_others).items()}
    return values


@st.composite
def texts(draw: st.DrawFn) -> str:
    """The same as somebody wrote them: on lines or on one, in any indent, with any ends."""
    indent = draw(st.sampled_from([None, 2, 4, "\t"]))
    colon = draw(st.sampled_from([":", ": "])) if indent is None else ": "
    comma = "," if indent is not None or colon == ":" else ", "
    text = json.dumps(
        draw(settings()), indent=indent, separators=(comma, colon), ensure_ascii=draw(st.booleans())
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text + draw(st.sampled_from(["", "\n", "\r\n", "\n\n"]))
