"""Run the migrations on the connection that ``migrate`` passes in."""

from alembic import context

from archive_service.adapters.postgres.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
