"""Who runs this process, for sessions that do not say whose they are."""

import getpass


def user_name() -> str:
    """The user's name; containers may run as a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
