"""How Alembic runs a migration: on the connection it is given, each revision in a transaction of its own."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    # A long upgrade that fails keeps what it finished, and holds the locks of one revision only.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
