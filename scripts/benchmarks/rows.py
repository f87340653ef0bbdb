"""The rows of the fan-out: each measures one thing and gives lines of the table.

What is compared is run in one round, one after the other, and only ratios within a round count;
of several rounds the median is told. Started by ``fanout.py``.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ids import session_id
from processes import Bench, Result, Server

KIB = 1024
WAYS = ("sequential", "gather", "gather-timeout", "broadcast")
SCENARIOS = ((5, 2, 1), (10, 3, 1), (15, 5, 1), (10, 3, 3), (20, 5, 5))
MODERATE_HZ = 10
ASKS_EVERY = 200  # at 2 events/s each session asks a person about every two minutes
UNREAD_MAX = 0.25  # of the frames; heartbeats are among them, more is the load client misreading
RATES: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("1000 Hz", {"rate_hz": 1000}, 3.0),
    ("the default rate", {}, 25.0),
)


class Line(NamedTuple):
    """One measured value; ``most`` is the target where there is one."""

    what: str
    value: float | None
    unit: str
    most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, where there is one and a value."""
        return None if self.most is None or self.value is None else self.value <= self.most


def median(values: Sequence[float | None]) -> float | None:
    """The median of the rounds that gave a value."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def us_per_send(result: Result) -> float:
    """Microseconds of the server's CPU for each frame that arrived."""
    return float(result["server_cpu_seconds"]) * 1e6 / max(1, int(result["frames"]))


def share(result: Result) -> float:
    """The share of a core that the server took, in percent."""
    return 100 * float(result["server_cpu_seconds"]) / float(result["seconds"])


def shown_ms(result: Result) -> float | None:
    """How old what a client shows may be: the worse of what arrives and of what stands there."""
    ages = (result["lanes"]["overview"]["p99_ms"], result["freshness"]["p99_ms"])
    return max((float(age) for age in ages if age is not None), default=None)


def board_frames(result: Result, clients: int) -> float:
    """Frames of the board a second that a client was sent."""
    frames = int(result["lanes"]["overview"]["frames"])
    return frames / float(result["seconds"]) / clients


# The send path.


def send_path(bench: Bench) -> list[Line]:
    """CPU for each send, all clients in step, against a loop that only calls send()."""
    lines: list[Line] = []
    for size, most in ((KIB, 1.45), (10 * KIB, 1.15)) if not bench.quick else ((KIB, 1.45),):
        lines += _sends(bench, size, 0, most)
        if not bench.quick:
            lines += _sends(bench, size, MODERATE_HZ, None)
    return lines


def _sends(bench: Bench, size: int, rate: int, most: float | None) -> list[Line]:
    clients, seconds = bench.scaled(1_000), bench.seconds(3)
    costs: dict[str, list[float]] = {}
    sends: dict[str, list[float]] = {}
    for _ in range(bench.rounds):
        for name, result in _sends_of_a_round(bench, size, rate, clients, seconds).items():
            costs.setdefault(name, []).append(us_per_send(result))
            sends.setdefault(name, []).append(result["frames"] / result["seconds"])
    at = f"{size // KIB} KB to {clients:,}, " + (f"{rate} frames/s" if rate else "saturation")
    alone = costs.pop("alone", None)
    lines = []
    if alone is not None:
        # What one client costs is above all the frame: its events, their fold and their encoding.
        pairs = zip(costs["ours"], alone, strict=True)
        costs["ours without making the frame"] = [
            (clients * all_of_them - one) / (clients - 1) for all_of_them, one in pairs
        ]
    for name, each in costs.items():
        ratios = [mine / floor for mine, floor in zip(each, costs["floor"], strict=True) if floor]
        if name != "floor":
            limit = most if name == "ours without making the frame" else None
            lines.append(Line(f"{at}: {name} / floor", median(ratios), "×", limit))
        lines.append(Line(f"{at}: {name}, CPU for a send", median(each), "µs"))
        if not rate and name in sends:
            lines.append(Line(f"{at}: {name}", median(sends[name]), "sends/s"))
    return lines


def _sends_of_a_round(
    bench: Bench, size: int, rate: int, clients: int, seconds: float
) -> dict[str, Result]:
    results = {"ours": _our_sends(bench, size, rate, clients, seconds)}
    same = max(64, round(results["ours"]["payload_bytes"] / max(1, results["ours"]["frames"])))
    with bench.floor(size=same, rate=rate) as server:
        results["floor"] = bench.load(server, clients, seconds, examine=50)
    for way in WAYS[-1:] if bench.quick else WAYS:
        with bench.baseline(way, size=same, rate=rate) as server:
            results[way] = bench.load(server, clients, seconds, examine=50)
    if not rate:
        results["alone"] = _our_sends(bench, size, rate, 1, min(seconds, 1.0))
    return results


def _our_sends(bench: Bench, size: int, rate: int, clients: int, seconds: float) -> Result:
    saturate = None if rate else clients
    with bench.ours(sessions=2, wide_bytes=size, rate=rate, saturate=saturate) as server:
        return bench.load(
            server, clients, seconds, hello={"rate_hz": 1000}, examine=50, ack_bytes=96 * KIB,
            warm=1.2 if bench.quick else 2.5,
        )  # fmt: skip


# A busy hub.


def busy_hub(bench: Bench) -> list[Line]:
    """1,000 sessions × 2 events/s, 1,000 clients at the default rate, one worker on one core."""
    sessions, clients = bench.scaled(1_000), bench.scaled(1_000)
    views: tuple[tuple[str, dict[str, Any]], ...] = (("200 rows", {}),)
    if not bench.quick:
        views += ((f"all {sessions:,} rows", {"view": {"limit": sessions}}),)
    lines: list[Line] = []
    for name, hello in views:
        runs = [_busy(bench, sessions, clients, hello) for _ in range(bench.rounds)]
        limits = (250.0, 60.0) if hello == {} else (None, None)
        attention = [run["lanes"]["attention"]["p99_ms"] for run in runs]
        frames = [board_frames(run, clients) for run in runs]
        gaps = float(sum(run["gaps"] for run in runs))
        lines += [
            Line(f"{name}: freshness p99", median([shown_ms(r) for r in runs]), "ms", limits[0]),
            Line(f"{name}: of the core", median([share(r) for r in runs]), "%", limits[1]),
            Line(f"{name}: attention p99", median(attention), "ms"),
            Line(f"{name}: frames to a client", median(frames), "/s"),
            Line(f"{name}: gaps in the chain of cursors", gaps, "", 0.0),
        ]
    if bench.quick:
        return lines
    alone = _busy(bench, sessions, 1, {})
    return [*lines, Line("the same with one client: of the core", share(alone), "%")]


def _busy(bench: Bench, sessions: int, clients: int, hello: dict[str, Any], **more: Any) -> Result:
    with bench.ours(sessions=sessions, rate=2 * sessions, asks_every=ASKS_EVERY) as server:
        examine = max(1, clients // 20)
        warm = 0.2 if bench.quick else 4.0
        seconds = bench.seconds(8)
        return bench.load(server, clients, seconds, hello=hello, examine=examine, warm=warm, **more)


def cpu_per_client(bench: Bench) -> list[Line]:
    """At 5 Hz with every row in view, against broadcast() of each event at once."""
    sessions, clients, few = bench.scaled(1_000), bench.scaled(1_000), bench.scaled(30, 5)
    hello = {"rate_hz": 5, "view": {"limit": sessions}}
    ours = (("ours", False), ("ours, deflated", True))
    runs: dict[str, list[tuple[float, float | None, float]]] = {}
    for _ in range(bench.rounds):
        for name, deflate in ours[-1:] if bench.quick else ours:
            run = _busy(bench, sessions, clients, hello, deflate=deflate)
            unread = run["lanes"]["other"]["frames"] / run["frames"]
            if unread > UNREAD_MAX:
                raise SystemExit(f"{name}: {unread:.0%} of the frames could not be told apart")
            runs.setdefault(name, []).append(_of_each(run, clients))
        with bench.baseline(
            "broadcast", sessions=sessions, rate=2 * sessions, asks_every=ASKS_EVERY
        ) as server:
            run = bench.load(server, few, bench.seconds(8))
            runs.setdefault("broadcast", []).append(_of_each(run, few))
    lines = []
    for name, each in runs.items():
        title = f"{name}, {few if name == 'broadcast' else clients:,} clients"
        if name != "broadcast":
            ratios: list[float | None] = [
                mine / theirs if theirs else None
                for (mine, *_), (theirs, *_) in zip(each, runs["broadcast"], strict=True)
            ]
            lines.append(Line(f"{title} / broadcast", median(ratios), "×", 1 / 20))
        lines.append(Line(f"{title}: of the core, each", median([cpu for cpu, _, _ in each]), "%"))
        lines.append(Line(f"{title}: freshness p99", median([age for _, age, _ in each]), "ms"))
        frames = median([count for _, _, count in each])
        lines.append(Line(f"{title}: frames to a client", frames, "/s"))
    return lines


def _of_each(run: Result, clients: int) -> tuple[float, float | None, float]:
    """What a client costs in percent of a core, how old what it shows is, how often it is told."""
    return share(run) / clients, shown_ms(run), board_frames(run, clients)


# Memory.


def idle_memory(bench: Bench) -> list[Line]:
    """What a connection costs that nothing happens on."""
    clients = bench.scaled(2_000)
    user, kernel = [], []
    for _ in range(bench.rounds):
        with bench.ours(sessions=5) as server:
            bench.load(server, 20, 0.1, hello={}, warm=0.1)  # the first ones load code
            before, kernel_before = server.resident_bytes(), server.kernel_bytes()
            with bench.holding(server, clients, bench.seconds(1), hello={}):
                user.append((server.resident_bytes() - before) / clients / KIB)
                kernel.append(_growth(kernel_before, server.kernel_bytes(), clients))
    return [
        Line(f"{clients:,} connections: user memory of each", median(user), "KB", 40.0),
        Line(f"{clients:,} connections: kernel memory of each", median(kernel), "KB"),
    ]


def _growth(before: int | None, after: int | None, clients: int) -> float | None:
    return None if before is None or after is None else (after - before) / clients / KIB


def stalled_memory(bench: Bench) -> list[Line]:
    """What a client costs that says hello and never reads, beside ten that do."""
    stalled = bench.scaled(200)
    user, kernel = [], []
    for _ in range(bench.rounds):
        without = _memory_beside(bench, 0)
        beside = _memory_beside(bench, stalled)
        user.append(_growth(without[0], beside[0], stalled))
        kernel.append(_growth(without[1], beside[1], stalled))
    return [
        Line(f"{stalled} stalled: user memory of each", median(user), "KB", 128.0),
        Line(f"{stalled} stalled: kernel memory of each", median(kernel), "KB", 128.0),
    ]


def _memory_beside(bench: Bench, stalled: int) -> tuple[int, int | None]:
    """User and kernel memory of a busy hub with ten healthy clients and so many stalled ones."""
    sessions = bench.scaled(1_000)
    with bench.ours(sessions=sessions, rate=2 * sessions, asks_every=ASKS_EVERY) as server:
        bench.load(server, 10, 0.1, hello={}, warm=0.1)
        before = server.resident_bytes()
        with bench.holding(
            server, 10 + stalled, bench.seconds(7), hello={}, stalled=stalled, examine=10
        ):
            return server.resident_bytes() - before, server.kernel_bytes()


# One tab, and healthy clients beside stalled ones.


def tab_bytes(bench: Bench) -> list[Line]:
    """One tab at 60 Hz: a view of 200 rows and 4 opened sessions, among 1,000 at 500 events/s."""
    sessions = bench.scaled(1_000)
    resume = [{"session": session_id(index)} for index in range(4)]
    hello = {
        "rate_hz": 60, "subscriptions": 4, "view": {"limit": 200}, "resume": resume,
        "active": session_id(3),
    }  # fmt: skip
    lines = []
    with bench.ours(sessions=sessions, rate=500, no_stamps=True, asks_every=ASKS_EVERY) as server:
        for name, deflate in (("plain", False), ("deflated", True)):
            run = bench.load(server, 1, bench.seconds(10), hello=hello, deflate=deflate)
            seconds = run["seconds"]
            lines += [
                Line(f"{name}: on the wire", run["wire_bytes"] / seconds / 1000, "KB/s", 20.0),
                Line(f"{name}: text", run["text_bytes"] / seconds / 1000, "KB/s"),
                Line(f"{name}: frames", run["frames"] / seconds, "/s"),
                Line(f"{name}: deflated of them", 100 * run["deflated"] / run["frames"], "%"),
            ]
    return lines


def healthy_beside_stalled(bench: Bench) -> list[Line]:
    """The latency of 160 clients alone and with 40 stalled ones beside them."""
    everybody = bench.scaled(200)
    stalled = everybody // 5
    alone, beside, ratios = [], [], []
    for _ in range(bench.rounds):
        with bench.ours(sessions=200, rate=400, asks_every=ASKS_EVERY) as server:
            alone.append(_healthy_ms(bench, server, everybody - stalled, 0))
        with bench.ours(sessions=200, rate=400, asks_every=ASKS_EVERY) as server:
            beside.append(_healthy_ms(bench, server, everybody, stalled))
        first, second = alone[-1], beside[-1]
        ratios.append(second / first if first and second else None)
    return [
        Line(f"{everybody - stalled} alone: event → frame p99", median(alone), "ms"),
        Line(f"beside {stalled} stalled: event → frame p99", median(beside), "ms"),
        Line("beside / alone", median(ratios), "×", 1.5),
    ]


def _healthy_ms(bench: Bench, server: Server, clients: int, stalled: int) -> float | None:
    run = bench.load(server, clients, bench.seconds(7), hello={}, stalled=stalled, examine=4)
    age: float | None = run["lanes"]["overview"]["p99_ms"]
    return age


# The five scenarios.


def scenarios(bench: Bench) -> list[Line]:
    """Sessions × events/s × clients, ours at three rates and the naive servers."""
    lines: list[Line] = []
    for sessions, each, clients in SCENARIOS[-1:] if bench.quick else SCENARIOS:
        name = f"{sessions}×{each}×{clients}"
        load = {"sessions": sessions, "rate": sessions * each, "asks_every": 5}
        with bench.ours(**load) as server:
            lines += _our_scenario(bench, server, name, clients)
        for way in WAYS[:1] if bench.quick else WAYS:
            with bench.baseline(way, **load) as server:
                run = bench.load(server, clients, bench.seconds(10), warm=0.3)
            lane = run["lanes"]["overview"]
            lines.append(Line(f"{name}, {way}: event → frame p50", lane["p50_ms"], "ms"))
            lines.append(Line(f"{name}, {way}: event → frame p99", lane["p99_ms"], "ms"))
            frames = run["frames"] / run["seconds"] / clients
            lines.append(Line(f"{name}, {way}: frames to a client", frames, "/s"))
    return lines


def _our_scenario(bench: Bench, server: Server, name: str, clients: int) -> list[Line]:
    lines: list[Line] = []
    seconds = bench.seconds(10)
    gaps = 0
    for rate, hello, most in RATES:
        run = bench.load(server, clients, seconds, hello=hello, warm=0.5)
        lane, attention = run["lanes"]["overview"], run["lanes"]["attention"]
        gaps += run["gaps"]
        at = f"{name}, ours at {rate}"
        lines += [
            Line(f"{at}: event → frame p50", lane["p50_ms"], "ms"),
            Line(f"{at}: event → frame p99", lane["p99_ms"], "ms", most),
            Line(f"{at}: attention p99", attention["p99_ms"], "ms", 3.0),
        ]
    run = bench.load(server, clients, seconds, hello={"rate_hz": 5}, warm=0.5)
    gaps += run["gaps"]
    # One more may fall into a window that begins between two ticks.
    frames = max(0, run["lanes"]["overview"]["frames"] / clients - 1) / run["seconds"]
    return [
        *lines,
        Line(f"{name}, ours at 5 Hz: attention p99", run["lanes"]["attention"]["p99_ms"], "ms", 3),
        Line(f"{name}, ours at 5 Hz: frames to a client", frames, "/s", 5.0),
        Line(f"{name}, ours: gaps in the chain of cursors", float(gaps), "", 0.0),
    ]


ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "send-path": send_path,
    "busy-hub": busy_hub,
    "cpu-per-client": cpu_per_client,
    "idle-memory": idle_memory,
    "stalled-memory": stalled_memory,
    "tab-bytes": tab_bytes,
    "healthy-beside-stalled": healthy_beside_stalled,
    "scenarios": scenarios,
}
