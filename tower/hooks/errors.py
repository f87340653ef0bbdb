"""What keeps hooks from being written."""


class HooksError(Exception):
    """The text says what is wrong, where, and what to do. Nothing was written."""
