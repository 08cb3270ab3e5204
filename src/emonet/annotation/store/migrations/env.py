"""Run by alembic: applies the migrations in the transaction that `upgrade` passes in."""

from alembic import context

from emonet.annotation.store._tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
