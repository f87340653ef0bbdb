"""The verdict on a run, offline: the invariants I1 to I15 over what the run left.

Each check gives its complaints as texts that begin with the invariant. Where Redis has lost
entries there is no one truth any more: then clients must agree with each other and with both
hubs, and hold nothing that neither the log nor SQL holds. Talks to no process.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.end_to_end.cluster_check import Truth, Verdict
from tests.faults.evidence import Evidence
from tests.faults.items import late_items
from tests.history.told import Told

Json = dict[str, Any]
Check = Callable[[Evidence], Iterator[str]]

CAP = 4
GROWTH_MB_MAX = 64.0
OF_SERIES = {"timeline_partial", "errors_list"}  # of a snapshot that says that it is not whole
DESCRIPTORS_MAX = 16  # more than before the first client: pools and connections that come and go
NAMES = {
    "I1": "convergence", "I2": "no gap, no duplicate, order", "I3": "stale honesty",
    "I4": "attention", "I5": "cursor isolation", "I6": "opened sessions", "I7": "bounded memory",
    "I8": "isolation", "I9": "liveness", "I10": "history exactly once", "I11": "declared loss",
    "I12": "an acknowledgement means it", "I13": "workers agree", "I14": "fail-safe input",
    "I15": "shutdown",
}  # fmt: skip
SHOWN_MAX = 12


def judge(found: Evidence, *, may_lose: bool = False) -> list[str]:
    """Every complaint; ``may_lose`` where the injury takes acknowledged entries from Redis."""
    checks = [recordings, opened, attention, memory, descriptors, agreement, counted]
    checks += [declared] if may_lose else [acknowledged, history]
    truth = None if found.lost_count else Truth(found.deltas)
    told = [text for check in checks for text in check(found)]
    for name, recording in found.recordings.items():
        told += Verdict(name, recording, truth).violations
    return told


def recordings(found: Evidence) -> Iterator[str]:
    """I1: whoever watched is there at the end, and has seen something."""
    if not found.recordings:
        yield "I1 nobody has watched"
    for name, recording in found.recordings.items():
        if not recording[-1].get("frames"):
            yield f"I1 {name} has seen nothing"


def acknowledged(found: Evidence) -> Iterator[str]:
    """I12: what was answered by 200 is on the log, and once; and nothing else is lost."""
    if missing := found.missing:
        yield f"I12 {len(missing)} acknowledged events are not on the log: {missing[:5]}"
    if found.duplicates:
        yield f"I12 {found.duplicates} events are on the log twice"
    if found.gaps:
        yield f"I2 the log has {found.gaps} holes"
    if found.lost:
        yield f"I11 Redis lost {len(found.lost)} entries that it had taken"


def history(found: Evidence) -> Iterator[str]:
    """I10: every row of SQL is what one fold of the whole log tells, and is there once."""
    if found.rows_wrong:
        yield f"I10 {found.rows_wrong}"


def declared(found: Evidence) -> Iterator[str]:
    """I10 and I11: what the log holds is recorded, and nobody shows what nothing holds."""
    told = Told()
    for delta in found.deltas:
        told.fold(delta)
    durable: dict[str, set[str]] = defaultdict(set)
    for (_, session), by_id in told.entries.items():
        entries = set(by_id)
        durable[session] |= entries
        if missing := entries - set(found.entries.get(session, ())):
            yield f"I10 {session}: {len(missing)} entries of the log have no row"
    for session, ids in found.entries.items():
        durable[session] |= set(ids)
        if len(set(ids)) != len(ids):
            yield f"I10 {session} has {len(ids) - len(set(ids))} rows twice"
    for name, session, entries in _shown(found):
        if phantoms := entries - durable[session]:
            some = sorted(phantoms)[:3]
            yield f"I11 {name} shows entries of {session} that nothing holds: {some}"


def _shown(found: Evidence) -> Iterator[tuple[str, str, set[str]]]:
    """Who shows which entries of which session at the end."""
    for name, recording in found.recordings.items():
        for session, opened in recording[-1]["opened"].items():
            if not opened["stale"]:
                yield name, session, {each["id"] for each in opened["timeline"]}
    for name, board in found.boards.items():
        for session, told in board.items():
            yield name, session, {each["id"] for each in told.get("timeline", ())}


def opened(found: Evidence) -> Iterator[str]:
    """I6: never more than the cap, and nothing of what was evicted until it is opened again."""
    for name, recording in found.recordings.items():
        held: set[str] = set()
        asked: Counter[str] = Counter()  # each eviction ends one opening
        for note in recording:
            kind, session = note["kind"], note.get("session", "")
            if kind == "connect":
                held, asked = set(), Counter(each["session"] for each in note["resume"])
            elif kind == "subscribe":
                asked[session] += 1
            elif kind == "session.evicted":
                held.discard(session)
                asked[session] -= 1
            elif kind in ("session.snapshot", "session.patch"):
                held.add(session)
                if asked[session] <= 0:
                    yield f"I6 {name}: a {kind} of {session}, which was evicted"
            if len(held) > CAP:
                yield f"I6 {name} has {len(held)} sessions open"
                held = set()


def attention(found: Evidence) -> Iterator[str]:
    """I4: what was open for 5 s was shown to everybody who was there within 2 s."""
    for complaint in late_items(found) if found.is_timed else ():
        yield f"I4 {complaint}"


def memory(found: Evidence) -> Iterator[str]:
    """I7: no process that lived through it has grown much."""
    for name, after in found.after.items():
        before = found.before.get(name)
        if before and before["pid"] == after["pid"]:
            grown_mb = after["rss_mb"] - before["rss_mb"]
            if grown_mb > GROWTH_MB_MAX:
                yield f"I7 {name} has grown by {grown_mb:.0f} MB"


def descriptors(found: Evidence) -> Iterator[str]:
    """I9: when all clients have left, what was held for them is given back."""
    for name, after in found.after.items():
        before = found.before.get(name)
        if before and before["pid"] == after["pid"]:
            more = after["descriptors"] - before["descriptors"]
            if more > DESCRIPTORS_MAX:
                yield f"I9 {name} holds {more} descriptors more than before"


def agreement(found: Evidence) -> Iterator[str]:
    """I13: all hubs and all clients tell the same of a session at the same cursor."""
    seen: dict[tuple[str, str], tuple[str, Json]] = {}
    for name, session, cursor, detail in _told(found):
        who, known = seen.setdefault((session, cursor), (name, detail))
        wrong = {key for key in detail if detail[key] != known.get(key)}
        if detail.get("timeline_partial") or known.get("timeline_partial"):
            wrong -= OF_SERIES
        if wrong:
            yield f"I13 {who} and {name} differ in {session} at {cursor}: {sorted(wrong)}"
    cursors: dict[str, set[str]] = defaultdict(set)
    for board in found.boards.values():
        for session, told in board.items():
            cursors[session].add(_of_all(str(told.get("cursor", told.get("status")))))
    apart = {session: each for session, each in cursors.items() if len(each) > 1}
    if apart:
        yield f"I13 the hubs stand apart in {len(apart)} sessions: {dict(list(apart.items())[:3])}"


def _told(found: Evidence) -> Iterator[tuple[str, str, str, Json]]:
    for name, board in found.boards.items():
        for session, told in board.items():
            if "detail" in told:
                yield name, session, _of_all(told["cursor"]), told["detail"]
    for name, recording in found.recordings.items():
        for session, opened in recording[-1]["opened"].items():
            if not opened["stale"]:
                yield name, session, _of_all(opened["cursor"]), opened["detail"]


def _of_all(cursor: str) -> str:
    """Without what one hub alone gives to the epoch of a session that it brought back."""
    epoch, _, number = cursor.rpartition(":")
    return f"{epoch.partition('.')[0]}:{number}"


def counted(found: Evidence) -> Iterator[str]:
    """I10 and I14: the recorder lost and rejected nothing that nobody has declared."""
    for name, counters in found.counters.items():
        if counters.get("tower_recorder_rejected_sessions_total"):
            yield f"I14 {name} has rejected sessions"
