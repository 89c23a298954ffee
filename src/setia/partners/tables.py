"""The table of deliveries by partners. What it means: README.md beside this file."""

import sqlalchemy as sa

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# One message about one redemption, the same at every try. `due_at` is the next try; `begun_at` since when one is under
# way of which nothing is written down; `why` what the last one came to.
# `sealed` is the code that the partner answered, under this row's id.
partner_delivery = sa.Table(
    "partner_delivery",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("redemption_id", sa.ForeignKey("redemption.id"), nullable=False, unique=True),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("due_at", _MOMENT),
    sa.Column("begun_at", _MOMENT),
    sa.Column("ended_at", _MOMENT),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("signed_by", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("reward", sa.Text, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("why", sa.Text),
    sa.Column("sealed", sa.LargeBinary),
    sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL AND ended_at IS NULL)", name="state"),
    sa.CheckConstraint("sealed IS NULL OR state = 'delivered'", name="sealed"),
    sa.Index("ix_partner_delivery_program_id_state_id", "program_id", "state", "id"),
    sa.Index("ix_partner_delivery_url_due_at", "url", "due_at", postgresql_where=sa.text("state = 'waiting'")),
)
