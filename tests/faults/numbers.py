"""What was seen in a run, as numbers for the table: how fresh, how soon back, how often refused.

Judges nothing; the checker does.
"""

from collections.abc import Iterator
from typing import Any

from tests.end_to_end.cluster_check import spread
from tests.faults.evidence import Evidence
from tests.faults.items import told_after
from tests.faults.scene import Scene

Json = dict[str, Any]
FRESH_MS = 1_500
UNHARMED = 1.5  # times the age of before
UNHARMED_S = 0.25  # or what a client at 5 Hz may have to wait anyway


def numbers(scene: Scene, found: Evidence) -> Json:
    """All of them."""
    hurt, healed, ended = (found.when(kind) for kind in ("hurt", "healed", "ended"))
    notes = [note for recording in found.recordings.values() for note in recording]
    story = scene.story
    return {
        "acknowledged": len(found.acknowledged), "on_the_log": len(found.deltas),
        "lost_by_redis": found.lost_count, "refused": story.refused,
        "unanswered": story.unanswered, "slowest_answer_s": round(story.slowest_s, 2),
        "hurt_for_s": round(healed - hurt, 1),
        "fresh_before_s": _ages(notes, 0.0, hurt), "fresh_hurt_s": _ages(notes, hurt, healed),
        "fresh_after_s": _ages(notes, healed, ended),
        "live_again_s": spread(live_again(found, healed)),
        "attention": told_after(found),
        "reconnects": sum(note["kind"] == "lost" for note in notes),
        "stale": sum(note["kind"] == "session.stale" for note in notes),
        "counters": {name: each for name, each in found.counters.items() if each},
        **scene.seen,
    }  # fmt: skip


def _ages(notes: list[Json], start: float, end: float) -> Json:
    """How old the newest change of a row was when its frame arrived."""
    ages = [
        note["age_ms"] / 1000
        for note in notes
        if note["kind"] == "overview.patch" and start <= note["t"] <= end
    ]
    return spread(ages)


def harmed(seen: Json) -> Iterator[str]:
    """I8: whoever was not hurt was told as soon as before."""
    before, hurt = seen["fresh_before_s"].get("p99"), seen["fresh_hurt_s"].get("p99")
    if hurt is None:
        yield "I8 nobody was told anything meanwhile"
    elif hurt > max(UNHARMED * (before or 0.0), UNHARMED_S):
        yield f"I8 the 99th percentile of ages was {before} s before and {hurt} s meanwhile"


def live_again(found: Evidence, healed: float) -> list[float]:
    """Per watcher: from the healing until it got a change that was fresh."""
    told = []
    for recording in found.recordings.values():
        fresh = (
            note["t"] - healed
            for note in recording
            if note["kind"] == "overview.patch" and note["t"] >= healed
            if note["age_ms"] <= FRESH_MS
        )
        told.append(next(fresh, float("inf")))
    return told
