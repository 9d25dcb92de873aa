"""Alembic's entry: runs on the connection that `store.schema` hands over."""

from alembic import context
from sqlmodel import SQLModel

from reana_bridge.store import tables

assert tables  # the import registers the tables  # noqa: S101

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
if connection.in_transaction():
    connection.commit()
