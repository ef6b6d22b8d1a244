"""How Alembic runs our migrations: on the connection of whoever calls it, in that caller's transaction."""

from __future__ import annotations

from alembic import context

from projections.columns import METADATA

connection = context.config.attributes["connection"]
on_sqlite = connection.dialect.name == "sqlite"
context.configure(
    connection=connection,
    target_metadata=METADATA,
    include_schemas=not on_sqlite,
    version_table="projections_version",
    version_table_schema=None if on_sqlite else "reference",
)
context.run_migrations()
