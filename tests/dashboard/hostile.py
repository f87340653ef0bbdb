"""Texts that an agent may send to harm who looks at it, by name, and sessions that consist of them.

Each would set ``window.harmed`` if it ever ran. Used by every test that shows text of an agent.
"""

import time
from typing import Any

from tests.dashboard.towers import Tower
from tests.session.made import assistant, line, prompt, tool_use

NAME_MAX = 200
MUCH_MAX = 100_000
HARM = "window.harmed=1"
ELSEWHERE = "http://elsewhere.invalid"
NEIGHBOUR = "neighbour"

TEXTS = {
    "script": f"<script>{HARM}</script><script src={ELSEWHERE}/x.js></script>",
    "image": f'<img src="{ELSEWHERE}/x.png" onerror="{HARM}">',
    "vector": f"<svg/onload={HARM}><animate onbegin={HARM} attributeName=x dur=1s>",
    "frame": (
        f"<iframe srcdoc=\"<script>parent.harmed=1</script>\"></iframe><base href='{ELSEWHERE}/'>"
    ),
    "style": f"<style>*{{display:none}}</style><link rel=stylesheet href={ELSEWHERE}/x.css>",
    "attribute": f"\"' autofocus onfocus={HARM} onmouseover={HARM} x=`",
    "closing": f"</title></textarea></script></pre></style>--><script>{HARM}</script>",
    "refresh": f'<meta http-equiv=refresh content="0;url={ELSEWHERE}/">',
    "entities": "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &#x3c;script&#x3e; &nbsp;",
    "template": "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {{constructor.constructor('window.harmed=1')()}}",
    "override": "\u202d\u202b evil \u202egnp.elif",
    "isolates": "\u2067\u2066\u2068 open \u2069\u2069\u2069\u202e after all are closed",
    "right": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd (1) [2]",
    "invisible": "a\u200bd\u200cm\u200di\u2060n\ufeff\u00ad\u180e\u3164",
    "stacked": "Z" + "\u0351\u036b\u0343\u036a\u0302\u0324" * 12 + " stack",
    "terminal": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H\x9b31m",
    "control": "a\x00b\x01c\x08\x0b\x0c\x7f\x85\u2028\u2029d",
    "surrogate": "\ud800 alone \udfff",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏿🇪🇺" * 8,
    "newlines": "first" + "\n" * 10_000 + "last",
    "long_word": "W" * 5_000,
    "megabyte": "a long line " * 87_500,
    "prototype": "__proto__",
    "constructor": "constructor",
    "sql": "'; DROP TABLE sessions; -- \" OR NEAR(",
}

LINKS = {
    "code": f"javascript:{HARM}",
    "code_in_capitals": f"\x01JaVaScRiPt:{HARM}",
    "code_with_a_tab": f"java\tscript:{HARM}//http://x",
    "data": f"data:text/html,<script>{HARM}</script>",
    "no_scheme": "//elsewhere.invalid/x",
    "file": "file:///etc/passwd",
    "quoted": f'https://elsewhere.invalid/"onmouseover="{HARM}',
    "plain": "https://elsewhere.invalid/run/1",
}


def name(text: str) -> str:
    """As much of a text as a name may hold."""
    return text[:NAME_MAX]


def tell(tower: Tower, session: str, agent: str, kind: str, **fields: Any) -> None:
    """One native event."""
    told = {"id": f"{kind}{time.monotonic_ns()}", "session": session, "agent": agent, **fields}
    tower.post("/v1/events", {**told, "kind": kind})


def native(tower: Tower, session: str, text: str) -> None:
    """A session that is ``text`` wherever a native event can say something."""
    short, much = name(text), text[:MUCH_MAX]
    common = {
        "title": much, "cwd": f"/{much}", "branch": much, "model": much, "phase": much,
        "event_id": much, "host": much, "user": much,
    }  # fmt: skip

    def say(kind: str, **fields: Any) -> None:
        tell(tower, session, short[:100], kind, **fields)

    say("prompt", text=text, **common)
    say("objectives", objectives={short: {"text": text, "status": "in_progress"}})
    say("tool_start", call=f"1{short[1:]}", tool=short, text=text)
    say("tool_end", call=f"1{short[1:]}", tool=short, text=text, status="error")
    say("tool_start", call=f"2{short[1:]}", tool=short, text=text)
    say("subagent_start", agent_id=short, agent_type=text)
    say("usage", model=short, input=10, cost_usd=0.01)
    say("message", text=text)
    say("error", text=text)
    say("failure", text=text)
    asked = {"text": text, "tool": short, "request": {short: text, "command": text}}
    say("permission", call=f"2{short[1:]}", **asked)
    say("question", **asked)
    say("plan", **asked)


def hooks(tower: Tower, session: str, text: str) -> None:
    """The same by hooks."""
    common = {
        "session_id": session, "cwd": f"/{text}", "session_title": text, "agent_type": text,
        "permission_mode": text, "transcript_path": text,
    }  # fmt: skip

    def say(event: str, **fields: Any) -> None:
        tower.hook(**common, hook_event_name=event, **fields)

    todos = [{"content": text, "status": "pending", "activeForm": text}]
    options = [{"label": text, "description": text}]
    asked = {"questions": [{"question": text, "header": text, "options": options}]}
    say("SessionStart", source=text, model=text)
    say("UserPromptSubmit", prompt=text)
    say("PreToolUse", tool_use_id="1", tool_name="TodoWrite", tool_input={"todos": todos})
    say("PostToolUse", tool_use_id="1", tool_name="TodoWrite", tool_input={"todos": todos})
    say("PreToolUse", tool_use_id="2", tool_name=text, tool_input={"command": text, text: text})
    say("PostToolUseFailure", tool_use_id="2", tool_name=text, error=text)
    say("SubagentStart", agent_id=text)
    say("PreToolUse", tool_use_id="3", tool_name="AskUserQuestion", tool_input=asked)
    say("PreToolUse", tool_use_id="4", tool_name="ExitPlanMode", tool_input={"plan": text})
    call = {"tool_name": text, "tool_input": {"command": text}}
    say("PreToolUse", tool_use_id="5", **call)
    say("PermissionRequest", **call)
    say("Elicitation", mcp_server_name=text, message=text, elicitation_id=text)


def transcript(tower: Tower, stem: str, text: str) -> None:
    """The same by a transcript in the agent's home."""
    at = int(time.time() * 1000) - 60_000
    common = {"cwd": f"/{text}", "gitBranch": text, "version": text, "sessionId": stem}
    todos = [{"content": text, "status": "pending", "activeForm": text}]
    failed = {"type": "tool_result", "tool_use_id": "c1", "content": text, "is_error": True}
    calls = [
        {"type": "text", "text": text},
        tool_use("c1", text, command=text),
        tool_use("c2", "TodoWrite", todos=todos),
        tool_use("c3", "Task", description=text, prompt=text, subagent_type=text),
    ]
    lines = [
        prompt(text, at=at, **common),
        assistant("m1", *calls, at=at, model=text, **common),
        line("user", at, message={"role": "user", "content": [failed]}, **common),
        line("custom-title", at, customTitle=text, sessionId=stem),
    ]
    path = tower.home / "projects" / "-made-up" / f"{stem}.jsonl"
    path.write_bytes(b"".join(lines))


def bent(tower: Tower, session: str, field: str, text: str) -> None:
    """A session whose one field is ``text``, and all around it is the word ``neighbour``."""
    names = ("title", "branch", "model", "phase", "event_id", "host", "user")
    common = {**dict.fromkeys(names, NEIGHBOUR), "cwd": f"/made/{NEIGHBOUR}"}
    if field in common:
        common[field] = text
    said = text if field == "text" else f"{NEIGHBOUR} here"
    tool = text if field == "tool" else NEIGHBOUR
    tell(tower, session, NEIGHBOUR, "prompt", text=said, **common)
    tell(tower, session, NEIGHBOUR, "tool_start", call="1", tool=tool, text=said)
    tell(tower, session, NEIGHBOUR, "permission", call="1", tool=tool, text=said)


BENT_FIELDS = (
    "title", "cwd", "branch", "model", "phase", "event_id", "host", "user", "tool", "text",
)  # fmt: skip
