"""Which test left a connection open is told by its name.

asyncio complains when the garbage is collected, which is during some other test, often minutes
later, and only sometimes: a connection that a server of a test accepts in the loop's last turn has
nobody to close it. Must name nothing that is still in use. Asked by the hooks of conftest.
"""

import gc
import warnings
import weakref
from asyncio import selector_events
from typing import Any

_Transport = selector_events._SelectorTransport  # type: ignore[attr-defined]
_made: "weakref.WeakSet[Any]" = weakref.WeakSet()


def watch() -> None:
    """From now on every transport of asyncio's own loop is known while it lives."""
    begin = _Transport.__init__

    def begun(self: Any, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        _made.add(self)

    _Transport.__init__ = begun


def left() -> list[str]:
    """Those that are open although their loop is closed, so that nothing can close them.

    They are closed, and what would complain of them later is collected in silence.
    """
    told = []
    for each in list(_made):
        if each._sock is not None and each._loop.is_closed():
            told.append(f"{each._sock} of {each._protocol}")
            each._sock.close()
            each._sock = None
            each._closing = True
    if told:
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()  # clients of Redis complain of their own besides
    return told
