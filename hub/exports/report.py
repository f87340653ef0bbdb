"""A report that is one file: sums, spending and sessions; it needs no script and nothing else.

Good to be printed, light and dark as the reader's system is. Pure; called by the stream.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hub.exports import charts
from hub.exports.html import cards, count, duration, moment, money, table, text
from hub.exports.section import STATES, section
from hub.openapi.style import COLOURS
from session.state import TOKEN_NAMES

if TYPE_CHECKING:  # a hub imports no SQL
    from history.queries.usage import Usage

__all__ = ["POLICY", "Sums", "head", "section", "tail"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = f"""{COLOURS}
body{{max-width:960px;margin:0 auto;padding:32px;overflow-wrap:anywhere}}
.cards{{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px;
margin:12px 0}}
.cards div{{background:var(--panel);border:1px solid var(--line);border-radius:8px;
padding:10px 12px}}
dt{{color:var(--muted);font-size:12px}}dd{{margin:0;font-size:18px;overflow-wrap:anywhere}}
.n{{text-align:right;white-space:nowrap}}td.n{{padding-left:12px}}
.unknown,.muted{{color:var(--muted)}}.error{{color:var(--bad)}}
h3{{margin-top:20px}}section{{margin:40px 0 0;border-top:1px solid var(--line);padding-top:8px}}
svg{{width:100%;height:auto;display:block;margin:8px 0}}
svg text{{fill:var(--muted);font:11px var(--sans)}}
.bar{{fill:var(--s1)}}.area{{fill:var(--s1);fill-opacity:.35;stroke:var(--s1)}}
.axis{{stroke:var(--line)}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}}
@media screen and (max-width:720px){{body{{padding:12px}}table{{display:block;overflow-x:auto}}}}
@page{{margin:14mm 12mm}}
@media print{{:root{{--ground:#fff;--panel:#fff;--line:#ccc;--text:#000;--muted:#444}}
body{{padding:0;max-width:none;font-size:11px}}section{{break-before:page}}
section:first-of-type{{break-before:auto}}h2,h3{{break-after:avoid}}
tr,.cards div,svg{{break-inside:avoid}}thead{{display:table-header-group}}}}
"""


class Sums:
    """What all exported sessions come to. A session without a price adds none, and is counted."""

    def __init__(self) -> None:
        self.sessions = 0
        self.tokens: dict[str, int] = {}
        self.cost_usd: float | None = None
        self.without_price = 0
        self.messages: int | None = None
        self.tool_calls = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """One summary more."""
        self.sessions += 1
        self.tool_calls += row["tool_calls"]
        for name, value in (row["tokens"] or {}).items():
            self.tokens[name] = self.tokens.get(name, 0) + value
        if row["messages"] is not None:
            self.messages = (self.messages or 0) + row["messages"]
        if row["cost_usd"] is not None:
            self.cost_usd = (self.cost_usd or 0.0) + row["cost_usd"]
        self.without_price += row["cost_state"] in ("partial", "unpriced")


def head(sums: Sums, spent: Mapping[str, "Usage"], now_ms: int) -> str:
    """The page's beginning: sums, and what was spent where that is told."""
    title = f"Agent Tower: sessions, {moment(now_ms)} UTC"
    told = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>",
        cards(
            [
                ("Sessions", count(sums.sessions)),
                ("Cost", money(sums.cost_usd)),
                *((_words(name), count(sums.tokens.get(name))) for name in TOKEN_NAMES),
                ("Messages", count(sums.messages)),
                ("Tool calls", count(sums.tool_calls)),
            ]
        ),
    ]
    if sums.without_price:
        sessions = "session" if sums.without_price == 1 else "sessions"
        told.append(
            f'<p class="muted">{count(sums.without_price)} {sessions} used models without a known '
            "price: what those cost is not in the sum.</p>"
        )
    return "".join([*told, *_spending(spent)])


def _spending(spent: Mapping[str, "Usage"]) -> Iterable[str]:
    if not spent:
        return
    days = charts.every_day({row["key"] or "": row["cost_usd"] for row in spent["day"].rows})
    yield "<section><h2>Cost by day (UTC)</h2>"
    yield charts.bars(days, "${:,.2f}") or '<p class="muted">None.</p>'
    for name in ("model", "project"):
        yield f"<h2>By {name}</h2>{_usage(name, spent[name])}"
    prices = spent["day"].prices
    yield f'<p class="muted">Prices: {text(" ".join(map(str, prices.values())))}. '
    yield "Every API call is counted once, at the session that owns it.</p></section>"


def _usage(name: str, usage: "Usage") -> str:
    rows = (
        [
            text(row["key"]), *(count(row[token]) for token in TOKEN_NAMES),
            count(row["calls"]), money(row["cost_usd"]), STATES[row["cost_state"]],
        ]
        for row in usage.rows
    )  # fmt: skip
    return table(
        [name, *(each.replace("_", " ") for each in TOKEN_NAMES), "calls", "cost", ""], rows, 7
    )


def _words(name: str) -> str:
    return f"{name.replace('_', ' ').capitalize()} tokens"


def tail(rows: Iterable[Mapping[str, Any]], total: int) -> str:
    """The table of sessions, and the end."""
    shown = list(rows)
    told = table(
        ["Session", "Project", "Status", "Started (UTC)", "Took", "Output tokens", "Cost"],
        (_row(row) for row in shown),
        3,
    )
    more = ""
    if len(shown) < total:
        more = f'<p class="muted">{count(total - len(shown))} more are not shown.</p>'
    return f"<section><h2>Sessions</h2>{told}{more}</section></body></html>\n"


def _row(row: Mapping[str, Any]) -> list[str]:
    tokens = row["tokens"] or {}
    return [
        f"{text(row['title'] or row['id'])}<br><small>{text(row['id'])}</small>",
        text(row["project"]), text(row["status"]), moment(row["started_at"]),
        duration(_took_ms(row)), count(tokens.get("output")), money(row["cost_usd"]),
    ]  # fmt: skip


def _took_ms(row: Mapping[str, Any]) -> int | None:
    started_at, updated_at = row["started_at"], row["updated_at"]
    if started_at is None or updated_at is None:
        return None
    return max(0, int(updated_at) - int(started_at))
