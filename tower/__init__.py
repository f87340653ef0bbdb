"""The commands: everything is put together here, and nobody imports it."""
