"""What the dashboards show, as data: each panel a title, a unit and its queries.

Every query names metrics of docs/reference.md, which a test holds it to. Read by generate.py.
"""

from typing import NamedTuple


class Panel(NamedTuple):
    """One picture: ``series``, ``stacked`` or a ``stat``. ``queries`` are (PromQL, legend)."""

    title: str
    unit: str
    queries: list[tuple[str, str]]
    kind: str = "series"
    words: str = ""
    width: int = 12


class Board(NamedTuple):
    """One dashboard: its rows, each a title and panels."""

    name: str
    title: str
    words: str
    rows: dict[str, list[Panel]]


def quantiles(metric: str, by: str = "", legend: str = "") -> list[tuple[str, str]]:
    """The middle and the end of a histogram, over all processes or by one label."""
    labels, name = (f"le, {by}", f"{legend} ") if by else ("le", "")
    rate = f"sum by ({labels}) (rate({metric}_bucket[$__rate_interval]))"
    return [
        (f"histogram_quantile({part}, {rate})", f"{name}p{round(part * 100)}")
        for part in (0.5, 0.99)
    ]


def per_second(metric: str, by: str, selector: str = "") -> tuple[str, str]:
    """A counter's rate by labels."""
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))", legend


FLEET = Board(
    "fleet",
    "Agent Tower: fleet",
    "What the agents do, what they use, and what waits for a person.",
    {
        "Now": [
            Panel(
                "Running",
                "short",
                [('max(tower_hub_sessions{status="running"})', "")],
                "stat",
                "Sessions at work, as the hubs have them.",
                4,
            ),
            Panel(
                "Waiting for a person",
                "short",
                [("max(sum by (instance) (tower_hub_attention_items))", "")],
                "stat",
                "Open permissions, questions, plans, failures and budgets.",
                4,
            ),
            Panel(
                "Failed", "short", [('max(tower_hub_sessions{status="failed"})', "")], "stat", "", 4
            ),
            Panel(
                "Cost in this time",
                "currencyUSD",
                [("sum(increase(tower_cost_usd_total[$__range]))", "")],
                "stat",
                "Of the calls recorded in it, old transcripts included.",
                4,
            ),
            Panel(
                "Output tokens in this time",
                "short",
                [('sum(increase(tower_tokens_total{type="output"}[$__range]))', "")],
                "stat",
                "",
                4,
            ),
            Panel("People watching", "short", [("max(tower_hub_watching)", "")], "stat", "", 4),
        ],
        "Sessions": [
            Panel(
                "Sessions by status",
                "short",
                [("max by (status) (tower_hub_sessions)", "{{status}}")],
                "stacked",
                "Every hub holds the same board: one of them is shown.",
            ),
            Panel(
                "What waits for a person, by kind",
                "short",
                [("max by (kind) (tower_hub_attention_items)", "{{kind}}")],
                "stacked",
            ),
        ],
        "Tokens and cost": [
            Panel(
                "Tokens a minute, by type",
                "short",
                [("60 * sum by (type) (rate(tower_tokens_total[$__rate_interval]))", "{{type}}")],
            ),
            Panel(
                "Cost an hour",
                "currencyUSD",
                [("3600 * sum(rate(tower_cost_usd_total[$__rate_interval]))", "USD an hour")],
                words="Calls without a price are not in it.",
            ),
            Panel(
                "Calls without a price",
                "short",
                [("sum(increase(tower_unpriced_calls_total[$__rate_interval]))", "calls")],
                words="Their cost is unknown, and shown so; History by model says whose they are.",
            ),
            Panel(
                "Events a second, by source",
                "ops",
                [per_second("tower_ingest_events_total", "source")],
            ),
        ],
    },
)

HUB = Board(
    "hub",
    "Agent Tower: hubs",
    "How quickly what happens reaches the clients, and what it costs.",
    {
        "Latency": [
            Panel(
                "From ingest to clients, by lane",
                "s",
                quantiles("tower_hub_broadcast_latency_seconds", "lane", "{{lane}}"),
                words="From arrival at the ingest until queued for clients, at their own rates.",
            ),
            Panel(
                "One flush", "s", quantiles("tower_hub_flush_seconds", "instance", "{{instance}}")
            ),
            Panel(
                "How late the loop is",
                "s",
                quantiles("tower_hub_loop_lag_seconds", "instance", "{{instance}}"),
                words="Over 0.25 s a hub has more to do than it can.",
            ),
            Panel(
                "Entries of the log not folded yet",
                "short",
                [("tower_bus_lag_entries", "{{instance}}")],
                words="A gap: the log was away.",
            ),
        ],
        "Clients": [
            Panel(
                "Clients by state",
                "short",
                [("sum by (state) (tower_hub_clients)", "{{state}}")],
                "stacked",
            ),
            Panel(
                "Clients by hub",
                "short",
                [("sum by (instance) (tower_hub_clients)", "{{instance}}")],
                "stacked",
            ),
            Panel(
                "Opened sessions",
                "short",
                [("sum by (instance) (tower_hub_subscriptions)", "{{instance}}")],
            ),
            Panel(
                "Connections closed by us, by code",
                "ops",
                [per_second("tower_hub_closes_total", "code")],
            ),
        ],
        "Frames": [
            Panel(
                "Frames a second", "ops", [per_second("tower_hub_frames_total", "kind, sharing")]
            ),
            Panel("Bytes a second", "Bps", [per_second("tower_hub_sent_bytes_total", "instance")]),
            Panel(
                "Changes overtaken before they were sent",
                "ops",
                [per_second("tower_hub_conflated_updates_total", "instance")],
                words="The newest value was sent instead: nothing is lost by it.",
            ),
            Panel("Snapshots by cause", "ops", [per_second("tower_hub_snapshots_total", "reason")]),
            Panel("Evictions by cause", "ops", [per_second("tower_hub_evictions_total", "reason")]),
        ],
        "The log": [
            Panel(
                "Epochs, gaps and entries that cannot be read",
                "short",
                [
                    (
                        f"sum by (instance) (increase(tower_bus_{name}_total[$__rate_interval]))",
                        f"{words} {{{{instance}}}}",
                    )
                    for name, words in (
                        ("epoch_changes", "epochs"),
                        ("gaps", "gaps"),
                        ("poison_entries", "unread"),
                    )
                ],
            ),
        ],
    },
)

RECORDING = Board(
    "recording",
    "Agent Tower: ingest and recorder",
    "What comes in, and what is written of it.",
    {
        "Ingest": [
            Panel(
                "Events a second, by source and outcome",
                "ops",
                [per_second("tower_ingest_events_total", "source, outcome")],
            ),
            Panel(
                "A hook, from its arrival to its answer",
                "s",
                quantiles("tower_ingest_request_seconds", "instance", "{{instance}}"),
            ),
            Panel(
                "Hook events that wait for the log",
                "short",
                [("tower_ingest_queue_deltas", "{{instance}}")],
            ),
            Panel(
                "Transcript lines that could not be read",
                "short",
                [("sum by (instance) (tower_ingest_broken_lines)", "{{instance}}")],
            ),
        ],
        "Recorder": [
            Panel(
                "Lag of history",
                "s",
                [("tower_recorder_lag_seconds", "{{instance}}")],
                words="How old the oldest entry is that was read and is not written yet.",
            ),
            Panel(
                "Who leads",
                "short",
                [("tower_recorder_leading", "{{instance}}")],
                "stacked",
                "The sum must be 1.",
            ),
            Panel(
                "Rows a second, by table", "ops", [per_second("tower_recorder_rows_total", "table")]
            ),
            Panel("One transaction", "s", quantiles("tower_recorder_commit_seconds")),
            Panel(
                "What went wrong",
                "short",
                [
                    (f"sum(increase(tower_recorder_{name}_total[$__rate_interval]))", words)
                    for name, words in (
                        ("failures", "database away"),
                        ("lost_entries", "entries lost"),
                        ("rejected_sessions", "sessions refused"),
                        ("reclaimed", "entries delivered again"),
                    )
                ],
            ),
        ],
        "Checkpoints": [
            Panel("One checkpoint", "s", quantiles("tower_recorder_checkpoint_seconds")),
            Panel(
                "Size of all checkpoints",
                "bytes",
                [("tower_recorder_checkpoint_bytes", "{{instance}}")],
            ),
            Panel(
                "Entries dropped behind a checkpoint",
                "ops",
                [per_second("tower_recorder_trimmed_entries_total", "instance")],
            ),
        ],
    },
)

BOARDS = (FLEET, HUB, RECORDING)
