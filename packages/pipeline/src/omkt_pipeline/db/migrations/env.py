"""Alembic's entry: runs on the connection that db.migrate hands over."""

from alembic import context
from sqlmodel import SQLModel

from omkt_pipeline.db.tables import wire  # noqa: F401 - fills the metadata, with all of its package

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
