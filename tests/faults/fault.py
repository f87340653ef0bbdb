"""What a fault is: a number, words, how it hurts, and the scene that it wants.

The table of them is ``tests/faults/matrix.py``.
"""

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.end_to_end import namespaces
from tests.faults.scene import SHIM, Scene, Shape

Make = Callable[[Path, contextlib.ExitStack], Shape]
DISK_MB = 24


def plain(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """The usual scene."""
    return Shape()


def forgetful(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """A Redis that keeps nothing on disk, as a replica's primary here."""
    return Shape(redis_options=())


def synced(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """A Redis that acknowledges nothing before it is on the disk."""
    return Shape(redis_options=("--appendonly", "yes", "--appendfsync", "always"))


def on_slow_disk(folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """Redis on a disk that needs most of each second; needs a C compiler."""
    library = folder / "slow_disk.so"
    source = SHIM / "slow_disk.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return Shape(redis_env={"LD_PRELOAD": str(library)})


def clocks_apart(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """One hub's clock is an hour ahead, the other's and the recorder's an hour behind."""
    ahead, behind = {"FAULT_AHEAD_S": "3600"}, {"FAULT_AHEAD_S": "-3600"}
    return Shape(shims={"hub-a": ahead, "hub-b": behind, "recorder": behind})


def may_be_held_up(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """A signal holds one hub's loop up for 40 s."""
    return Shape(shims={"hub-a": {"FAULT_HELD_S": "40"}})


def on_postgres(_folder: Path, _stack: contextlib.ExitStack) -> Shape:
    """History in PostgreSQL."""
    return Shape(on_postgres=True)


def on_small_disk(part: str) -> Make:
    """One part on a disk of its own; needs root, for it is mounted."""

    def make(folder: Path, stack: contextlib.ExitStack) -> Shape:
        place = folder / "disk"
        place.mkdir()
        options = f"size={DISK_MB}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tower", place], check=True)
        stack.callback(_unmount, place)
        return Shape(folders={part: place})

    return make


def on_two_machines(_folder: Path, stack: contextlib.ExitStack) -> Shape:
    """Hubs on one machine, clients on another, as network namespaces; needs root."""
    made = stack.enter_context(namespaces.machines())
    stack.enter_context(namespaces.inside(made.tower))
    return Shape(machines=made)


def _unmount(place: Path) -> None:
    """Also where something is still open."""
    subprocess.run(["umount", "-l", place], check=True)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One row. ``live_s``: so soon after it is healed every client gets fresh changes again."""

    number: str
    name: str
    injected: str
    must_hold: str
    hurt: Callable[[Scene], None]
    shape: Make = plain
    excused: tuple[str, ...] = ()  # invariants that it breaks, as declared
    may_lose: bool = False  # it takes acknowledged entries from Redis, as declared
    harms_nobody: bool = False  # other clients must be told as soon as before
    live_s: float = 6.0
    after_s: float = 8.0
    is_short: bool = False  # of the set that CI runs

    @property
    def command(self) -> str:
        """How to see it."""
        return f"python -m tests.faults {self.number}"
