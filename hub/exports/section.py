"""One session in a report: figures, tokens over time, what it did, and its latest words. Pure."""

from collections.abc import Iterator
from typing import Any

from hub.exports import charts
from hub.exports.html import cards, count, duration, moment, money, table, text
from session.state import Session, token_series
from session.timeline import TimelineEntry

ENTRIES_MAX = 200
STATES = {
    "priced": "every call has a price",
    "partial": "some calls have no known price",
    "unpriced": "no call has a known price",
    "unknown": "no call is known",
}
_TOKENS = ("input", "output", "cache_read", "cache_write")


def section(session: Session) -> str:
    """Everything of one session, its timeline as far as it is at hand."""
    return f"<section>{''.join(_parts(session))}</section>"


def _parts(session: Session) -> Iterator[str]:
    yield f"<h2>{text(session.title or session.id)}</h2><p>{_place(session)}</p>"
    yield cards(_figures(session))
    yield f'<p class="muted">Cost: {STATES[session.cost_state]}.</p>'
    yield _tokens(session)
    yield f"<h3>Models</h3>{_models(session)}"
    yield f"<h3>Tools</h3>{_tools(session)}"
    yield f"<h3>Objectives</h3>{_objectives(session)}"
    yield f"<h3>Subagents</h3>{_subagents(session)}"
    yield f"<h3>Errors</h3>{_errors(session)}"
    yield f"<h3>Timeline</h3>{_timeline(list(session.timeline))}"


def _place(session: Session) -> str:
    told = (
        ("id", session.id), ("agent", session.agent), ("host", session.host),
        ("user", session.user), ("folder", session.cwd), ("branch", session.branch),
        ("model", session.model), ("phase", session.phase),
    )  # fmt: skip
    return " · ".join(f"{name} {text(value)}" for name, value in told if value)


def _figures(session: Session) -> list[tuple[str, str]]:
    tokens = session.tokens or {}
    started_at, updated_at = session.started_at, session.updated_at
    took_ms = None if started_at is None or updated_at is None else updated_at - started_at
    return [
        ("Status", text(session.status)),
        ("Started (UTC)", moment(session.started_at)),
        ("Took", duration(took_ms)),
        ("Cost", money(session.cost_usd)),
        ("Budget", "–" if session.budget_usd is None else money(session.budget_usd)),
        *(
            (f"{name.replace('_', ' ').capitalize()} tokens", count(tokens.get(name)))
            for name in _TOKENS
        ),
        ("Context tokens", count(session.context_tokens)),
        ("Messages", count(session.messages)),
        ("Tool calls", count(session.tool_calls)),
        ("Errors", count(session.tool_errors)),
    ]


def _tokens(session: Session) -> str:
    buckets = token_series(session)
    points = [(each["at"], sum(each[name] or 0 for name in _TOKENS)) for each in buckets]
    if len(points) < 2:
        return ""
    first, last = (f"{moment(points[at][0])}" for at in (0, -1))
    told = charts.curve(points, first, last, "{:,.0f} tokens")
    return f"<h3>Tokens over time, cache included</h3>{told}" if told else ""


def _models(session: Session) -> str:
    rows = (
        [
            text(name), *(count(each["tokens"][token]) for token in _TOKENS),
            count(each["calls"]), money(each["cost_usd"]), count(each["unpriced"]),
        ]
        for name, each in sorted(session.models.items())
    )  # fmt: skip
    heads = ["model", *(name.replace("_", " ") for name in _TOKENS)]
    return table([*heads, "calls", "cost", "without a price"], rows, 7)


def _tools(session: Session) -> str:
    order = sorted(session.tools.items(), key=lambda pair: (-pair[1]["calls"], pair[0]))
    rows = (
        [text(name), count(each["calls"]), count(each["errors"]), duration(each["total_ms"])]
        for name, each in order
    )
    return table(["tool", "calls", "errors", "took"], rows, 3)


def _objectives(session: Session) -> str:
    rows = (
        [text(each["text"]), text(each["status"]), moment(each["at"])]
        for each in session.objectives_list.values()
    )
    return table(["objective", "status", "since (UTC)"], rows)


def _subagents(session: Session) -> str:
    rows = (
        [
            text(agent_id), text(each["type"]), text(each["status"]),
            count((each["tokens"] or {}).get("output")), money(each["cost_usd"]),
        ]
        for agent_id, each in session.subagents_tree.items()
    )  # fmt: skip
    return table(["subagent", "type", "status", "output tokens", "cost"], rows, 2)


def _errors(session: Session) -> str:
    rows = ([moment(each["at"]), text(each["tool"]), text(each["text"])] for each in session.errors)
    return table(["at (UTC)", "tool", "error"], rows)


def _timeline(entries: list[TimelineEntry]) -> str:
    shown = entries[-ENTRIES_MAX:]
    told = table(["at (UTC)", "what", "text"], (_entry(each) for each in shown))
    older = shown[0].seq - 1 if shown else 0
    return told + (
        f'<p class="muted">{count(older)} older entries are not shown.</p>' * (older > 0)
    )


def _entry(entry: TimelineEntry) -> list[str]:
    what: list[Any] = [entry.kind, entry.tool, entry.status]
    return [
        moment(entry.at),
        text(" ".join(str(each) for each in what if each)),
        f"<pre>{text(entry.text)}</pre>",
    ]
