"""The steps from one shape of the tables to the next, in order. Never edited once released."""

HEAD = "0003"
"""The newest step; a database that stands there needs no alembic at all."""
