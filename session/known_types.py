"""Types made known to msgspec by whoever imports them, and not by whoever first meets a value.

What it knows of a type it makes when it is first asked, and the process crashes where two threads
ask at once. Called at the end of modules whose types threads convert to.
"""

from typing import Any

import msgspec


def make_known(*types: Any) -> None:
    """Everything in them as well."""
    for each in types:
        msgspec.msgpack.Decoder(each)
