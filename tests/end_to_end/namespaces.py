"""Two machines on one cable, as network namespaces; needs root and ``ip``."""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ADDRESSES = ("192.0.2.1", "192.0.2.2")  # of TEST-NET-1, seen by nobody else
CLONE_NEWNET = 0x4000_0000


def why_absent() -> str | None:
    """What this machine lacks for it."""
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [name for name in ("ip", "haproxy", "openssl", "curl") if not shutil.which(name)]
    return f"{', '.join(lacking)} is not on PATH" if lacking else None


class Machines:
    """``tower`` and ``laptop``, each a namespace with one end of the cable."""

    def __init__(self) -> None:
        self.tower, self.laptop = (f"tower{os.getpid()}{end}" for end in "ab")

    def there(self, *command: str) -> tuple[str, ...]:
        """A command on the machine of the tower."""
        return ("ip", "netns", "exec", self.tower, *command)

    def here(self, *command: str) -> tuple[str, ...]:
        """A command on the laptop."""
        return ("ip", "netns", "exec", self.laptop, *command)

    def cable(self, state: str) -> None:
        """Pull it (``down``) or put it in again (``up``)."""
        run(*self.there("ip", "link", "set", "cable", state))

    def make(self) -> None:
        """Both with a cable between them."""
        pair = (self.tower, self.laptop)
        for name in pair:
            run("ip", "netns", "add", name)
        run(
            "ip", "link", "add", "cable", "netns", self.tower, "type", "veth",
            "peer", "name", "cable", "netns", self.laptop,
        )  # fmt: skip
        for name, address in zip(pair, ADDRESSES, strict=True):
            run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "cable")
            for link in ("lo", "cable"):
                run("ip", "-n", name, "link", "set", link, "up")

    def unmake(self) -> None:
        """As if they had never been."""
        for name in (self.tower, self.laptop):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def join(name: str) -> None:
    """This thread, and whatever it starts from now on, is on that machine."""
    _set(Path("/run/netns") / name)


def _set(path: Path) -> None:
    with path.open() as opened:
        if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns failed", str(path))


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread is on that machine until the end of the block."""
    with Path("/proc/thread-self/ns/net").open() as before:
        join(name)
        try:
            yield
        finally:
            _set(Path(f"/proc/self/fd/{before.fileno()}"))


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Two of a test's own."""
    made = Machines()
    try:
        made.make()
        yield made
    finally:
        made.unmake()


def run(*command: str) -> None:
    """To its end, which must be a good one."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
