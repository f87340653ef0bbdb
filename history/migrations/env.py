"""What alembic runs: the steps, on the connection that it is given. Called by history.database."""

from alembic import context
from sqlalchemy import Connection

from history.tables import metadata

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
