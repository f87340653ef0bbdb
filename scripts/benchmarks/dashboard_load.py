"""A made-up fleet that tells a tower by native events what it does, at a steady rate.

A process of its own, so that neither the tower nor the browser pays for it: every session is put
on the board, a line is printed, and changes follow until it is ended. Seeded. Started by the
benchmark of the dashboard.
"""

import argparse
import http.client
import itertools
import json
import random
import time
from typing import Any

TOOLS = ("Bash", "Read", "Edit", "Grep", "Write")
WORDS = ("flaky login test", "slow search page", "broken export", "new price table", "dark theme")
MODELS = ("claude-opus-4-6", "claude-sonnet-4-6")
CALLS_PER_TURN = 25
ASKED_SHARE = 0.01  # of all sessions: so many wait for a person at a time
USAGE_EVERY = 8
ASK_EVERY = 100  # changes, as far as they are no part of a call; there comes an answer as well
GRAIN_S = 0.01  # agents tell each for themselves: more often than a screen is drawn
BATCH = 500
JSON = {"Content-Type": "application/json"}
FULL, FULL_S = 503, 0.2
# What the fleet is like at the start; the rest runs.
SILENT = (("session_end", 0.15), ("stop", 0.40), ("failure", 0.02))

Event = dict[str, Any]


class Agent:
    """One session: in a call or between two, asked or not, and how far it is in its turn."""

    def __init__(self, index: int) -> None:
        self.id = f"made-up-{index:05}"
        self.calls = index % CALLS_PER_TURN
        self.tool = ""
        self.is_asked = False
        self.title = f"Fix the {WORDS[index % len(WORDS)]} {index}"
        self.cwd = f"/home/made-up/project-{index % 17}"


class Fleet:
    """So many agents, of which some are silent from the start on."""

    def __init__(self, sessions: int) -> None:
        self.agents = [Agent(index) for index in range(sessions)]
        self._busy: list[Agent] = []
        self._asked: list[Agent] = []
        self._made = 0
        self._numbers = itertools.count()
        self._random = random.Random(7)  # noqa: S311 - a load, not a secret

    def begin(self) -> list[Event]:
        """Puts every session on the board."""
        events = []
        for agent in self.agents:
            about = {"title": agent.title, "cwd": agent.cwd, "branch": "main"}
            events.append(self._event(agent, "prompt", text=f"Please: {agent.title}", **about))
            events.append(self._usage(agent))
            chance = self._random.random()
            for kind, share in SILENT:
                chance -= share
                if chance < 0:
                    told = {"text": "The API said no"} if kind == "failure" else {}
                    events.append(self._event(agent, kind, **told))
                    break
            else:
                self._busy.append(agent)
        return events

    def next(self) -> Event:
        """What happens next, somewhere."""
        self._made += 1
        agent = self._random.choice(self._busy)
        if self._made % USAGE_EVERY == 0:
            return self._usage(agent)
        if agent.is_asked:
            return self._event(agent, "update")
        if agent.tool:
            return self._end(agent)
        if self._made % ASK_EVERY == 1:
            return self._ask_or_answer(agent)
        agent.calls += 1
        if agent.calls % CALLS_PER_TURN == 0:
            return self._event(agent, "stop")
        if agent.calls % CALLS_PER_TURN == 1:
            return self._event(agent, "prompt", text=f"And now look at place {agent.calls}.")
        agent.tool = self._random.choice(TOOLS)
        text = f"src/module_{agent.calls % 40}/thing.py"
        return self._event(
            agent, "tool_start", call=f"call-{agent.calls}", tool=agent.tool, text=text
        )

    def _ask_or_answer(self, agent: Agent) -> Event:
        if len(self._asked) >= ASKED_SHARE * len(self.agents):
            agent = self._asked.pop(0)
            agent.is_asked = False
            return self._event(agent, "resolved", call=f"ask-{agent.calls}")
        self._asked.append(agent)
        agent.is_asked = True
        agent.calls += 1
        call = f"ask-{agent.calls}"
        return self._event(agent, "permission", call=call, tool="Bash", text="git push origin main")

    def _end(self, agent: Agent) -> Event:
        tool, agent.tool = agent.tool, ""
        return self._event(
            agent, "tool_end", call=f"call-{agent.calls}", tool=tool, status="ok",
            text="done " * 20, duration_ms=self._random.randrange(2_000),
        )  # fmt: skip

    def _usage(self, agent: Agent) -> Event:
        model = MODELS[int(agent.id[-1]) % len(MODELS)]
        tokens = {"input": self._random.randrange(900), "output": self._random.randrange(400)}
        return self._event(agent, "usage", model=model, cache_read=20_000, **tokens)

    def _event(self, agent: Agent, kind: str, **told: Any) -> Event:
        number = f"e{next(self._numbers)}"
        return {"id": number, "session": agent.id, "agent": "made-up", "kind": kind, **told}


class Board:
    """Where the events go: one connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, events: list[Event]) -> None:
        """Sends a list, again while the log is full; raises SystemExit where it is refused."""
        body = json.dumps(events).encode()
        while True:
            self._connection.request("POST", "/v1/events", body, JSON)
            answer = self._connection.getresponse()
            told = answer.read()
            if answer.status == 200:
                return
            if answer.status != FULL:
                raise SystemExit(f"{answer.status}: {told[:300]!r}")
            time.sleep(FULL_S)


def drive(board: Board, fleet: Fleet, rate: float) -> None:
    """Sends so many changes a second until this process is ended; what is late is caught up."""
    began, sent = time.monotonic(), 0
    while True:
        time.sleep(GRAIN_S)
        due = min(int((time.monotonic() - began) * rate) - sent, BATCH)
        if due > 0:
            board.post([fleet.next() for _ in range(due)])
            sent += due


def main() -> None:
    """Fill the board, say so, and go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    told = parser.parse_args()
    board, fleet = Board(told.port), Fleet(told.sessions)
    events = fleet.begin()
    for at in range(0, len(events), BATCH):
        board.post(events[at : at + BATCH])
    print("filled", flush=True)
    input()  # the word to go on
    drive(board, fleet, told.rate)


if __name__ == "__main__":
    main()
