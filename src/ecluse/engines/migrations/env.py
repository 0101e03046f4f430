"""What Alembic runs for every command: the connection is given by `ecluse.engines.schema`, and so is its transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
