"""What clients, sessions and events cost, fitted to measured points; and the plan from it. Pure.

CPU is told in cores, so that 1e-6 of it is a microsecond a second. Every figure of the plan comes
from the fit and from the assumptions that stand here by name.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from capacity_points import Point
from fit import Fit, least_squares

BUSY_MAX = 0.6  # of a core: beyond, waits grow
EVENTS_OF_A_VIEWER = 0.5  # a second: each has one session at work, with an event every 2 s
SESSIONS_OF_A_VIEWER = 1.0
CONNECTIONS_MAX, SESSIONS_MAX = 20_000, 50_000  # of one worker, by hub/limits.py
WORKSPACE_VIEWERS = 200  # people who look at the same board
COPIES = 2  # workers that hold a workspace, so that one may die
MORE_WORKERS = "more workers behind the balancer, which works today"
VIEWERS = (1_000, 10_000, 100_000, 1_000_000)


class Model(NamedTuple):
    """The fits, and how often and how much a viewer is sent where many watch."""

    cpu: Fit
    memory: Fit
    redis: Fit  # by appended and by read entries
    ingest_event: float  # cores for an event a second
    recorder_event: float
    viewer_frames: float
    viewer_mb: float

    @property
    def viewer_cpu(self) -> float:
        """Of a hub, for one viewer."""
        _, _, _, frame, mb, client = self.cpu.costs
        return client + self.viewer_frames * frame + self.viewer_mb * mb

    @property
    def event_cpu(self) -> float:
        """Of each hub that folds it, for one event a second."""
        return self.cpu.costs[1]


def cpu_row(p: Point) -> tuple[float, ...]:
    """The factors of CPU: a process, events, flushes of the board, frames, MB, clients."""
    return (1.0, p.events, p.frames / p.clients, p.frames, p.wire_mb, float(p.clients))


def memory_row(p: Point) -> tuple[float, ...]:
    """The factors of memory: a process, sessions, clients."""
    return (1.0, float(p.sessions), float(p.clients))


def fitted_points(points: Sequence[Point]) -> list[Point]:
    """Those of one worker at which the machine kept up."""
    return [each for each in points if each.axis != "workers" and each.keeps_up]


def fitted(points: Sequence[Point]) -> Model:
    """The model of all points. Raises ValueError where they are too few or too much alike."""
    single = fitted_points(points)
    several = [each for each in points if each.axis == "workers"]
    rows = [cpu_row(each) for each in single]
    cpu = [p.cpu for p in single]
    # Relative errors count, or the largest points would be all that is fitted.
    cpu_fit = least_squares(rows, cpu, [1 / max(each, 0.05) ** 2 for each in cpu])
    memory = [p.memory_mb for p in single]
    memory_fit = least_squares(
        [memory_row(each) for each in single], memory,
        [1 / max(each, 1.0) ** 2 for each in memory],
    )  # fmt: skip
    redis = least_squares(
        [(p.events, p.events * p.workers) for p in several], [p.redis_cpu for p in several]
    )
    many = max((p for p in single if p.axis == "clients"), key=lambda p: p.clients)
    events = sum(p.events for p in several) or 1.0
    return Model(
        cpu_fit, memory_fit, redis,
        sum(p.ingest_cpu for p in several) / events,
        sum(p.recorder_cpu for p in several) / events,
        many.frames / many.clients, many.wire_mb / many.clients,
    )  # fmt: skip


class Bound(NamedTuple):
    """A part of the design, the viewers at which it is full, and what comes next."""

    what: str
    viewers: float
    next: str

    @property
    def is_of_one_worker(self) -> bool:
        """Whether more workers are all that it takes."""
        return self.next == MORE_WORKERS


def bounds(model: Model) -> list[Bound]:
    """What breaks, the first one first, as the design is today: each worker folds everything."""
    events = EVENTS_OF_A_VIEWER
    append, read = model.redis.costs
    told = [
        Bound("one recorder leads, and records everything",
              _over(BUSY_MAX, model.recorder_event * events),
              "a lease for each partition: as many recorders lead as there are partitions"),
        Bound("each worker holds every session that is not past",
              SESSIONS_MAX / SESSIONS_OF_A_VIEWER,
              "workers that follow only the partitions of their workspaces"),
        Bound("each worker folds every event", _over(BUSY_MAX, model.event_cpu * events),
              "the same: a partition is a group of workspaces, not of sessions"),
        Bound("one Redis node takes every entry, and gives it to two workers",
              _over(BUSY_MAX, (append + 2 * read) * events),
              "Redis Cluster: the 8 partitions of today on up to 8 nodes, then more partitions"),
        Bound("connections of one worker", float(CONNECTIONS_MAX),
              MORE_WORKERS),
        Bound("frames and bytes to the viewers of one worker",
              _over(BUSY_MAX, model.viewer_cpu), MORE_WORKERS),
    ]  # fmt: skip
    return sorted((each for each in told if math.isfinite(each.viewers)), key=lambda b: b.viewers)


def _over(room: float, cost: float) -> float:
    return room / cost if cost > 0 else math.inf


class Plan(NamedTuple):
    """What so many viewers need, where workers follow only the partitions of their workspaces."""

    viewers: int
    events: float
    workers: int
    worker_mb: float
    ingests: int
    recorders: int
    redis_nodes: int
    partitions: int
    gbit: float


def planned(model: Model, viewers: int) -> Plan:
    """For a fleet whose workspaces are shared out; each is held by ``COPIES`` workers."""
    events = viewers * EVENTS_OF_A_VIEWER
    spent = viewers * model.viewer_cpu + COPIES * events * model.event_cpu
    room = BUSY_MAX - model.cpu.costs[0]
    workers = max(
        COPIES, math.ceil(spent / room), math.ceil(viewers / CONNECTIONS_MAX),
        math.ceil(COPIES * viewers * SESSIONS_OF_A_VIEWER / SESSIONS_MAX),
    )  # fmt: skip
    process, session, client = model.memory.costs
    held = COPIES * viewers * SESSIONS_OF_A_VIEWER / workers
    append, read = model.redis.costs
    nodes = max(1, math.ceil(events * (append + COPIES * read) / BUSY_MAX))
    recorders = max(1, math.ceil(events * model.recorder_event / BUSY_MAX))
    return Plan(
        viewers, events, workers, process + session * held + client * viewers / workers,
        max(1, math.ceil(events * model.ingest_event / BUSY_MAX)), recorders, nodes,
        max(8, 2 ** math.ceil(math.log2(max(nodes, recorders, 1)))),
        viewers * model.viewer_mb * 8 / 1_000,
    )  # fmt: skip
