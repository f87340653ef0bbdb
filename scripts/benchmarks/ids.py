"""Ids of the made-up sessions: the same in every run, known to the fleet and to its viewers."""


def session_id(index: int) -> str:
    """The id of a session."""
    return f"{index:08x}-5eed-4bad-9bee-{index * 2_654_435_761 % 2**48:012x}"
