"""The first answers of writes, kept for ever beside their effect."""

import sqlalchemy as sa

from setia.db.metadata import metadata

idempotency_key = sa.Table(
    "idempotency_key",
    metadata,
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("endpoint", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    # Null only inside the transaction that makes the effect; nobody else ever sees such a row.
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
)
