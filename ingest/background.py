"""Processes of our own that work beside the live path, and let everybody else go first.

Such a process is not for the terminal's Ctrl-C: who started it ends it. Used by the reader and by
``tower up``; started by them: ``python -m ingest.background MODULE ARGUMENT…``.
"""

import os
import runpy
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio.subprocess import Process

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH120, PTH100 - quicker
_NICENESS = 19


async def start(module: str, *arguments: str, **more: Any) -> "Process":
    """Run one of our modules with what it is told on standard input; ``more`` as for a process."""
    import asyncio

    # It finds modules where this process does, and never in the folder that it is started in.
    path = os.pathsep.join([_HERE, *(each for each in sys.path if each)])
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "ingest.background", module, *arguments,
        stdin=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}, **more,
    )  # fmt: skip


def _main() -> None:
    """Step back before anything else: what the module imports takes the processor as well.

    In a session of its own it would be a group of tasks of its own for the scheduler of a desktop,
    and have as much of the processor as all of the others together.
    """
    os.setpgrp()
    os.nice(_NICENESS)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
