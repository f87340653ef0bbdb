"""Every Redis key in one place. One hash tag per partition, so that a script touches one slot.

Called by the Redis engine, and by tests that look inside.
"""


def deltas(partition: int) -> str:
    """The stream."""
    return f"tower:{{{partition}}}:deltas"


def meta(partition: int) -> str:
    """The hash of epoch, lineage, counts and the sessions' numbers."""
    return f"tower:{{{partition}}}:meta"


def seen(partition: int, workspace: str, session: str, delta_id: str) -> str:
    """The key that remembers one delta's id. An id counts within its session."""
    return f"tower:{{{partition}}}:seen:{_path(workspace, session)}:{_escaped(delta_id)}"


def number_field(workspace: str, session: str) -> str:
    """The field of ``meta`` with the last number of a session."""
    return f"number:{_path(workspace, session)}"


def checkpoint(partition: int) -> str:
    """The hash of the stored state."""
    return f"tower:{{{partition}}}:checkpoint"


def lease(name: str) -> str:
    """Who holds a lease. What is shared lies in the slot of the first partition."""
    return f"tower:{{0}}:lease:{name}"


def secret(name: str) -> str:
    """A secret of all processes."""
    return f"tower:{{0}}:secret:{name}"


def table(name: str) -> str:
    """The hash of a table that all processes read."""
    return f"tower:{{0}}:table:{name}"


def signal(topic: str) -> str:
    """A pub/sub channel, which lies in no slot."""
    return f"tower:signal:{topic}"


def notes(topic: str) -> str:
    """The hash of what is noted on a topic."""
    return f"tower:{{0}}:notes:{topic}"


def notes_end(topic: str) -> str:
    """The sorted set of when each of them is forgotten."""
    return f"tower:{{0}}:notes:{topic}:end"


def _path(workspace: str, session: str) -> str:
    return f"{_escaped(workspace)}:{_escaped(session)}"


def _escaped(text: str) -> str:
    """Without a colon, so that no two different names make one key."""
    return text.replace("%", "%25").replace(":", "%3A")
