"""Alembic's entry point: runs the migrations on the connection that `Database.upgrade` hands over."""

from alembic import context
from sqlmodel import SQLModel

from agent.store import tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
context.run_migrations()
