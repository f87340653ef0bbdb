"""Sessions that come to a board otherwise than by a delta: restored, or read anew from the log.

Whoever looks at one of them hears that it is stale and gets a snapshot; no cursor of before is
continued. Pure; called by the worker.
"""

from collections.abc import Callable, Iterable

from hub.live.cache import Held, Key, refill
from hub.live.switchboard import Switchboard
from session.state import Session

Owns = Callable[[Key], bool]


def restore(
    board: Switchboard, session: Session, epoch: str, now_ms: int, *, has_ring: bool = True
) -> None:
    """Take in a session that was let go, or give a held one its timeline back."""
    held = board.cache.get(session.key)
    if held is not None:
        if has_ring and not held.has_ring:
            refill(held, list(session.timeline), session.errors)
            board.rooms.renew(held, "gap")
            board.deliver()
        return
    session.removed_number = -1
    if not session.number:
        # What it is at no number of the log is this worker's own: no other may be taken for it.
        board.restored += 1
        epoch = f"{epoch}.{board.worker}.{board.restored}"
    has_ring = has_ring or not session.timeline.seq
    board.cache.put(Held(session, epoch, now_ms, has_ring=has_ring))
    board.lane(session.workspace).adopt(session)
    board.rooms.note_row(session.key, set(), is_new=True, received_ms=now_ms)
    board.deliver()


def change_epoch(board: Switchboard, owns: Owns, epoch: str) -> None:
    """The log goes on under another name: cursors of before are no longer to be resumed."""
    for key, held in board.cache.held.items():
        if owns(key):
            held.epoch = epoch
            board.rooms.renew(held, "epoch")
    board.deliver()


def lose(board: Switchboard, owns: Owns, reason: str) -> None:
    """What is held may never have been: whoever looks at it hears that it is stale."""
    for key, held in board.cache.held.items():
        if owns(key):
            board.rooms.renew(held, reason)
            held.is_lost = True
    board.deliver()


def replace(board: Switchboard, owns: Owns, anew: Iterable[Held], reason: str, now_ms: int) -> None:
    """Take sessions over that were folded aside; those that are not among them are gone.

    Subscribers get a snapshot; ``reason`` is empty where nobody can have seen anything.
    """
    fresh = {held.session.key: held for held in anew}
    for key in [key for key in board.cache.held if owns(key) and key not in fresh]:
        board.remove(key)
    for key, held in fresh.items():
        held.changed_ms = now_ms
        before = board.cache.get(key)
        board.lane(key[0]).swap(before.session if before is not None else None, held.session)
        board.cache.put(held)
        board.rooms.note_row(key, set(), is_new=True, received_ms=now_ms)
        if reason:
            board.rooms.renew(held, reason)
    for workspace in {key[0] for key in fresh}:
        board.lane(workspace).send_all(board.cache)
    board.let_go()
    board.deliver()
