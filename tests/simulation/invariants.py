"""What must hold: at every frame, after every step, and once nothing happens any more.

Names I1 to I13 as in the list of invariants. Whatever a client shows is held against the fold of
the log, never against what a worker believes.
"""

from collections.abc import Iterable
from typing import Any

from hub.live.attention import ATTENTION
from hub.live.outbox import SMALL_BYTES, Bundle, Outbox
from hub.live.switchboard import Switchboard
from hub.live.wire import Frame as Written
from locustfiles.reference_client import Frame, Opened
from session.state import TOKEN_NAMES, Session, item_view, summary
from tests.hub.made import plain
from tests.simulation.clients import Link
from tests.simulation.log import Log, State
from tests.simulation.workers import Worker

ATTENTION_MS_MAX = 2_000
WORDS_BYTES_MAX = 16_384  # evictions, stale marks and pongs, which are told to everybody


class Broken(AssertionError):
    """An invariant does not hold."""


def demand(held: bool, complaint: str, *told: Any) -> None:
    """Raise Broken unless ``held``."""
    if not held:
        raise Broken(f"{complaint}: {', '.join(str(each)[:400] for each in told)}")


# At every frame.


def check_frame(link: Link, frame: Frame, log: Log, now_ms: int) -> None:
    """I2, I3 and I6 for the session that a frame speaks of; others it leaves alone (I5)."""
    session = frame.get("session") or ""
    held = link.model.opened.get(session)
    if held is None:
        return
    if frame["type"] == "session.snapshot" and frame["live"]:
        link.torn.discard(session)
        link.tab.torn.discard(session)
        is_sure = not link.tab.loss  # else an eviction may have been lost
        demand(not is_sure or _opened_count(link) <= link.tab.cap, "I6 above the cap", session)
    elif frame["type"] == "session.patch":
        # Values come before the cursor that they are of, which the last piece tells.
        (link.torn.add if frame["from"] == frame["cursor"] else link.torn.discard)(session)
    if held.cursor is None or held.stale or session in link.torn:
        return
    if session not in link.tab.torn:
        check_opened(link.tab.workspace, session, held, log)
    _check_order(link, session, held.cursor, now_ms)


def _opened_count(link: Link) -> int:
    """How many sessions the client believes to be open; what it only asked for counts not."""
    return sum(each.cursor is not None and not each.evicted for each in link.model.opened.values())


def check_opened(workspace: str, session: str, held: Opened, log: Log) -> None:
    """I3: what is shown and not marked stale is the fold at its cursor."""
    state = log.truth.state((workspace, session), held.cursor or ":0")
    demand(state is not None, "I3 nobody can hold that cursor", session, held.cursor)
    assert state is not None
    compare(session, held.cursor or "", held.detail, list(_in_order(held)), state)


def _in_order(held: Opened) -> Iterable[Frame]:
    return (held.timeline[seq] for seq in sorted(held.timeline))


def compare(session: str, cursor: str, detail: Frame, timeline: list[Frame], state: State) -> None:
    """Every name, map and series; of a timeline told to be partial the newest part."""
    is_partial = detail["timeline_partial"]
    told, true = dict(detail), dict(state.detail)
    errors, true_errors = told.pop("errors_list"), true.pop("errors_list")
    demand(is_partial or not true["timeline_partial"], "I3 not said to be partial", session)
    true["timeline_partial"] = is_partial
    differing = {
        name: (told.get(name), each) for name, each in true.items() if told.get(name) != each
    }
    demand(told == true, f"I3 {session} at {cursor} is another", differing)
    seqs = [entry["seq"] for entry in timeline]
    dense = list(range(seqs[0], seqs[0] + len(seqs))) if seqs else []
    demand(seqs == dense, f"I2 {session} at {cursor} has a timeline with a gap", seqs)
    ring = state.timeline
    common = min(len(timeline), len(ring)) if is_partial else len(ring)
    demand(
        timeline[len(timeline) - common :] == ring[len(ring) - common :],
        f"I3 {session} at {cursor} has another timeline",
        timeline[len(timeline) - common :],
        ring[len(ring) - common :],
    )
    common = min(len(errors), len(true_errors)) if is_partial else len(true_errors)
    newest = true_errors[len(true_errors) - common :]
    demand(errors == newest, f"I3 {session} at {cursor} has other errors", errors, true_errors)


def _check_order(link: Link, session: str, cursor: str, now_ms: int) -> None:
    """I13: within an epoch nobody goes back, whichever worker it came to.

    Unless it asked anew, or the worker took longer to catch up than it may.
    """
    epoch, _, number = cursor.rpartition(":")
    epoch_before, _, before = link.tab.seen.get(session, cursor).rpartition(":")
    limits = link.worker.board.limits
    may_return = session in link.asked or now_ms - link.since_ms >= limits.catch_up_ms
    goes_back = epoch == epoch_before and int(number) < int(before)
    demand(may_return or not goes_back, "I13 taken back", session, cursor, before)
    link.tab.seen[session] = cursor


# After every step.


def check_board(worker: Worker, log: Log) -> None:
    """I13: a worker's sessions are the fold at their cursors."""
    if worker.is_refolding or not worker.is_ready:
        return
    for key, held in worker.board.cache.held.items():
        session = held.session
        state = log.truth.state(key, held.cursor)
        demand(state is not None, "I13 nobody can hold that cursor", key, held.cursor)
        assert state is not None
        demand(plain(summary(session)) == _row(state), "I13 another row", key, held.cursor)
        timeline, true = plain(list(session.timeline)), state.timeline
        if not held.has_ring:
            true = true[len(true) - len(timeline) :] if timeline else []
        demand(timeline == true, "I13 another timeline", key, held.cursor)


def _row(state: State) -> Frame:
    names = summary(Session(id="", workspace=""))
    return {name: state.detail[name] for name in names}


def check_uses(board: Switchboard) -> None:
    """Whoever is in a room is connected, and nothing is kept for nobody."""
    opened = sum(len(each.subscriptions) for each in board.clients.values())
    demand(sum(board.cache.pinned.values()) == opened, "pins", board.cache.pinned)
    in_groups = sum(len(each.members) for each in board.rooms.groups.values())
    demand(in_groups == len(board.clients), "each client is in one group", in_groups)
    in_channels = sum(len(each.members) for each in board.rooms.channels.values())
    demand(in_channels == opened, "each opened session has its channel", in_channels)
    behind = {each.connection for each in board.patience.behind}
    demand(behind <= set(board.clients), "only clients are behind", behind)
    missing = {name for name, each in board.clients.items() if each.missed}
    demand(missing <= behind, "whoever missed something is behind", missing)


def check_bounds(link: Link) -> None:
    """I7: queues stay below their limits, but for the one bundle that fills them up, and words."""
    outbox = link.client.outbox
    if outbox.waits or outbox.queued_bytes:
        _check_queue(outbox)
    alarms = sum(map(_size, outbox._attention))
    demand(alarms == outbox.attention_bytes, "attention bytes", alarms)
    if alarms > outbox.attention_bytes_max:
        whole = sum(len(str(item_view(each))) + 64 for each in _items(link.worker.board, link))
        room = outbox.attention_bytes_max + whole + WORDS_BYTES_MAX
        demand(alarms <= room, "I7 too much attention is queued", alarms, room)
    if outbox.in_flight_bytes > outbox.in_flight_bytes_max:
        unread = link.transport.waiting_bytes if link.transport is not None else 0
        frame_bytes = link.worker.board.limits.frame_bytes_max
        room = outbox.in_flight_bytes_max + frame_bytes + link.said + unread
        demand(outbox.in_flight_bytes <= room, "I7 too much in flight", outbox.in_flight_bytes)


def _check_queue(outbox: Outbox) -> None:
    waiting = [*outbox._answers, *outbox._overview, *outbox._notices]
    waiting += [bundle for lane in outbox._sessions.values() for bundle in lane]
    sizes = [_size(each) for each in (*waiting, Bundle(list(outbox._current)))]
    words = sum(size for size in sizes if size < SMALL_BYTES)
    demand(sum(sizes) == outbox.queued_bytes, "queued bytes", sizes, outbox.queued_bytes)
    demand(words <= WORDS_BYTES_MAX, "too many words wait", words)
    room = outbox.queued_bytes_max + max(sizes)
    demand(sum(sizes) - words <= room, "I7 too much is queued", sum(sizes), room)


def _size(bundle: Bundle) -> int:
    return sum(len(each) for each in bundle.frames if isinstance(each, Written))


def _items(board: Switchboard, link: Link) -> Iterable[Any]:
    for session in board.cache.sessions(link.tab.workspace):
        yield from session.items.values()


def check_subscriptions(link: Link) -> None:
    """I6: never more than the cap, and the active one stays as long as anything stays."""
    opened, evictions = link.client.subscriptions, link.worker.board.tally.evictions
    demand(len(opened) <= opened.cap, "I6 more open than the cap", link.opened)
    active = opened.active[1] if opened.active else None
    if active != link.active:
        is_lost = active is None and link.active not in link.opened
        spared = evictions["slow"] or evictions["deleted"]
        demand(is_lost and bool(spared), "I6 the active session was evicted", link.active, active)
        link.active = None


def check_doubted(link: Link) -> None:
    """I3: while a worker reads anew what the log lost, nobody takes what it showed for true."""
    for session, held in link.model.opened.items():
        is_doubted = (link.name, session) in link.worker.doubted
        demand(held.stale or not is_doubted, "I3 not told that it is doubtful", session)


def check_attention(link: Link, now_ms: int) -> None:
    """I4: who reads at once shows all that is open and nothing else, at once.

    Or as soon as its lane has room again.
    """
    if ATTENTION in link.client.missed:
        link.unalarmed_ms = link.unalarmed_ms or now_ms
        demand(now_ms - link.unalarmed_ms <= ATTENTION_MS_MAX, "I4 never told", link.name)
        return
    link.unalarmed_ms = 0
    expected = {view["id"]: view for view in map(_item, _items(link.worker.board, link))}
    demand(link.model.items == expected, "I4 other items", set(link.model.items) ^ set(expected))


def _item(item: Any) -> Frame:
    view: Frame = plain(item_view(item))
    return view


# Once nothing happens any more.


def check_rest(link: Link, log: Log) -> None:
    """I1, I4 and I5 for one client, against the log alone."""
    sessions = {
        key[1]: each for key, each in log.truth.sessions.items() if key[0] == link.tab.workspace
    }
    _check_rows(link, sessions)
    _check_totals(link, list(sessions.values()))
    items = [_item(item) for each in sessions.values() for item in each.items.values()]
    expected = {view["id"]: view for view in items}
    demand(link.model.items == expected, "I4 other items", set(link.model.items) ^ set(expected))
    opened = {name: each for name, each in link.model.opened.items() if not each.evicted}
    demand(set(opened) == set(link.opened), "I6 others are open", set(opened), link.opened)
    for name, each in opened.items():
        demand(not each.stale, "I1 stale for ever", name, each.cursor)
        cursor = log.cursor((link.tab.workspace, name))
        demand(each.cursor == cursor, "I1 behind for ever", name, each.cursor, cursor)
        check_opened(link.tab.workspace, name, each, log)
    demand(not link.client.missed, "I1 something missed", link.client.missed)


def _check_rows(link: Link, sessions: dict[str, Session]) -> None:
    view = link.client.view
    shown = sorted(filter(view.matches, sessions.values()), key=view.key)[: view.limit]
    pinned = [sessions[each] for each in link.client.pinned if each in sessions]
    expected = {each.id: plain(summary(each)) for each in (*shown, *pinned)}
    ids = set(link.model.rows), set(expected)
    demand(ids[0] == ids[1], "I1 other rows", *ids)
    for name, row in expected.items():
        demand(link.model.rows[name] == row, "I1 another row", link.model.rows[name], row)


def _check_totals(link: Link, sessions: list[Session]) -> None:
    told = link.model.totals or {}
    counts: dict[str, int] = {}
    for each in sessions:
        counts[each.status] = counts.get(each.status, 0) + 1
    used = [each.tokens for each in sessions if each.tokens]
    expected = {
        "sessions": len(sessions),
        "status": counts,
        "attention": sum(len(each.items) for each in sessions),
        "tokens": {name: sum(each[name] for each in used) for name in TOKEN_NAMES},
        "cost_usd": round(sum(each.cost_usd or 0 for each in sessions), 6),
        "watching": 0,
    }
    demand(told == expected, "I1 other totals", told, expected)


def check_isolation(link: Link) -> None:
    """I5: without any global frame every session cursor would be the same."""
    held, again = link.model.cursors, link.model.told_again()
    demand(held == again, "I5 a global frame moved a cursor", held, again)
