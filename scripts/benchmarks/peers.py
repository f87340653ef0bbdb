"""The same events to the same clients through what a user would pick instead, in rounds.

Servers are started one after the other on core 0; publisher, clients and Redis are on core 1.
What is not installed is named, with the command that installs it, and left out. A value that
misses its target says so; it is no failure. Started by ``scripts/bench peers``.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks_page import PAGE, write
from fanout import machine
from peer_figures import (
    BATCHED,
    BUSY,
    HALF,
    QUIET,
    TITLES,
    Figures,
    Round,
    figures,
    ratios,
    table,
)  # fmt: skip
from peer_servers import PEERS, Listening, Peer, tower_hub
from processes import CLIENT_CORE, HERE, Bench, Server, ToolFailed, compile_tools

HEADING = "## Beside other broadcasters"
NAIVE = ("gather", "broadcast")
EXAMINED = 20  # of the clients read every byte; the others count frames
HALF_A_CORE_PERCENT = 50.0


class Load(NamedTuple):
    """A stream, who looks at it, and whether its publisher collects events."""

    name: str
    sessions: int
    rate: int
    clients: int
    batch_ms: int = 0


LOADS = (
    Load(QUIET, 50, 100, 100),
    Load(BUSY, 1_000, 2_000, 30),
    Load(HALF, 1_000, 2_000, 0),
    Load(BATCHED, 1_000, 2_000, 300, batch_ms=200),
)


class Ours(NamedTuple):
    """Agent Tower at a rate, with every row in view; its clients are its only setting."""

    name: str
    load: Load
    rate_hz: int
    deflate: bool = False


OURS = (
    Ours("ours, 60 Hz", LOADS[0], 60),
    Ours("ours, 1000 Hz", LOADS[0], 1_000),
    Ours("ours, 10 Hz, few clients", LOADS[1], 10),
    Ours("ours, 10 Hz", LOADS[1]._replace(clients=300), 10),
    Ours("ours, 5 Hz, deflated", LOADS[2]._replace(clients=1_000), 5, deflate=True),
)


def parse() -> argparse.Namespace:
    """The words of the command line."""
    names = [each.name for each in PEERS]
    parser = argparse.ArgumentParser(prog="scripts/bench peers", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="so many more (3); 0 tells what is kept"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (3)")
    parser.add_argument(
        "--peer", action="append", choices=names, metavar="NAME",
        help=f"only this one beside ours, may be repeated; one of {', '.join(names)}",
    )  # fmt: skip
    parser.add_argument(
        "--json", type=Path, metavar="FILE",
        help="keep the rounds there; those that it holds already count as well",
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help=f"write the tables to {PAGE.name}")
    return parser.parse_args()


class Measuring:
    """One round after the other, with the same tools."""

    def __init__(self, bench: Bench, seconds: float) -> None:
        self.bench = bench
        self.seconds = seconds

    def round(self, peers: Sequence[Peer]) -> list[Figures]:
        """Ours, the naive servers and the peers, under every load."""
        made: list[Figures | None] = []
        for ours in OURS:
            made.append(self._ours(ours))
        for way in NAIVE:
            made += self._under_loads(lambda load, way=way: self._naive(way, load), LOADS[:3])
        for peer in peers:
            with peer.start(self.bench) as listening:
                made += self._under_loads(
                    lambda load, peer=peer, at=listening: self._peer(peer.name, at, load), LOADS
                )
        return [each for each in made if each is not None]

    @staticmethod
    def _under_loads(measure: Any, loads: Sequence[Load]) -> Iterator[Figures | None]:
        busy_percent = HALF_A_CORE_PERCENT
        for load in loads:
            if load.name == HALF:
                fitting = LOADS[1].clients * HALF_A_CORE_PERCENT / busy_percent
                load = load._replace(clients=max(3, min(1_000, round(fitting))))  # noqa: PLW2901
            done: Figures | None = measure(load)
            if done is not None and load.name == BUSY:
                busy_percent = done.cpu_percent
            yield done

    def _ours(self, ours: Ours) -> Figures | None:
        load = ours.load
        hello = {"rate_hz": ours.rate_hz, "view": {"limit": load.sessions}}
        with (
            tower_hub(self.bench) as listening,
            self._publisher(listening.publisher, load),
        ):
            warm = 2 + load.clients / 200  # all of them are shown everything first
            return self._measured(
                ours.name, load, listening.server, hello=hello, deflate=ours.deflate, warm=warm
            )

    def _naive(self, way: str, load: Load) -> Figures | None:
        with self.bench.baseline(way, sessions=load.sessions, rate=load.rate) as server:
            return self._measured(way, load, server)

    def _peer(self, name: str, listening: Listening, load: Load) -> Figures | None:
        with self._publisher(listening.publisher, load):
            return self._measured(
                name, load, listening.server, path=listening.path, greeting=listening.greeting
            )

    @contextlib.contextmanager
    def _publisher(self, way: list[str], load: Load) -> Iterator[None]:
        command = [sys.executable, str(HERE / "peer_publisher.py"), *way]
        command += ["--sessions", str(load.sessions), "--rate", str(load.rate)]
        command += ["--batch-ms", str(load.batch_ms)]
        with self.bench.server(command, CLIENT_CORE) as publisher:
            yield
            if not publisher.is_running():
                raise ToolFailed(f"the publisher of {way[0]} broke off under {load.name}")

    def _measured(self, name: str, load: Load, server: Server, **options: Any) -> Figures | None:
        """None where a server lost clients, for then it did less than was asked."""
        every = max(1, load.clients // EXAMINED)
        options = {"examine": every, "warm": 1.0, **options}
        result = self.bench.load(server, load.clients, self.seconds, **options)
        if result["closed"]:
            print(f"  {load.name}: {name} lost clients: left out", file=sys.stderr, flush=True)
            return None
        examined = -(-load.clients // every)
        done = figures(load.name, name, load.clients, examined, load.rate, result)
        print(f"  {load.name}: {name}, {done.cpu_percent:.0f} %", file=sys.stderr, flush=True)
        return done


def installed(wanted: Sequence[str] | None) -> tuple[list[Peer], list[str]]:
    """Those that can be started, and a sentence for each: its version, or how it is installed."""
    there, told = [], []
    for peer in PEERS:
        if wanted and peer.name not in wanted:
            continue
        version = peer.version()
        if version is not None:
            there.append(peer)
        told.append(f"{peer.name} {version}" if version else f"{peer.name} is not installed: "
                    f"`{peer.install}`")  # fmt: skip
    return there, told


def about(told: argparse.Namespace, rounds: int, versions: Sequence[str]) -> str:
    """What was asked, of whom and where, as a paragraph."""
    where = machine()
    return (
        "The same made-up fleet, as events of about 500 bytes, and the same clients through what "
        "a user would pick instead. Every other server is sent one message for each event, "
        "uncompressed, as fast as it takes them; ours is one `tower hub`, with every row in its "
        "clients' view. Publishers, and the Redis of ours and of the two on Node, are on the "
        "clients' core and not counted; `gather` (Starlette) and `broadcast` (websockets) make "
        "the events themselves. *Event → frame* is from the making of an event until a "
        "client has read the frame; of ours only the last value of a row arrives, and stands for "
        "those before it. *Events in a frame* is the size of the batch. "
        f"Measured by `scripts/bench peers --seconds {told.seconds:g}`, "
        f"{'one round' if rounds == 1 else f'the median of {rounds} rounds'}, on "
        f"{datetime.now(UTC):%Y-%m-%d}: {where['cpu']}, {where['cores']} cores shared with others, "
        f"Linux, Python {where['python']}; "
        f"{'; '.join(versions)}."
    )


def publish(told: argparse.Namespace, rounds: Sequence[Round], versions: Sequence[str]) -> None:
    """Put the tables on the page."""
    said = about(told, len(rounds), versions)
    lines = textwrap.wrap(said, 118, break_long_words=False, break_on_hyphens=False)
    write(HEADING, f"{HEADING}\n\n" + "\n".join(lines) + f"\n\n{ratios(rounds)}\n")
    for load, title in TITLES.items():
        write(title, f"{title}\n\n{SAID[load]}\n\n{table(rounds, load)}\n")


SAID = {
    QUIET: "50 sessions, 100 events a second in all.",
    BUSY: "1,000 sessions, 2,000 events a second in all.",
    HALF: "The same stream to as many clients as half of the core serves, by the last table.",
    BATCHED: "The same stream, of which the publisher collects 200 ms into one message.",
}


def kept(path: Path | None) -> list[Round]:
    """The rounds of a file, if there is one."""
    if path is None or not path.exists():
        return []
    return [[Figures(**each) for each in one] for one in json.loads(path.read_text())]


def keep(path: Path | None, rounds: Sequence[Round]) -> None:
    """Put them back, with those that were measured since."""
    if path is not None:
        document = [[each._asdict() for each in one] for one in rounds]
        path.write_text(json.dumps(document, indent=1) + "\n")


def measure(told: argparse.Namespace, peers: Sequence[Peer], rounds: list[Round]) -> None:
    """So many more rounds; each is kept as soon as it is done."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        compile_tools(Path(folder))
        measuring = Measuring(Bench(Path(folder), quick=False), told.seconds)
        for number in range(told.rounds):
            rounds.append(measuring.round(peers))
            keep(told.json, rounds)
            print(f"round {number + 1} of {told.rounds} is done", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print, keep, write; gives the exit code."""
    told = parse()
    peers, versions = installed(told.peer)
    print("\n".join(versions), file=sys.stderr)
    rounds = kept(told.json)
    try:
        if told.rounds:
            measure(told, peers, rounds)
    except ToolFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    for load, title in TITLES.items():
        print(f"{title}\n\n{table(rounds, load)}\n")
    print(ratios(rounds))
    if told.write:
        publish(told, rounds, versions)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
