"""The tables of velocity. What they mean: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# The key is what is asked for: the uses of one subject of one rule around a moment. Its index holds the amounts too.
velocity_use = sa.Table(
    "velocity_use",
    metadata,
    sa.Column("at", _MOMENT, primary_key=True),
    sa.Column("entry_id", sa.Uuid, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("program_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.CheckConstraint("amount >= 0", name="amount"),
)

# `seq` is that of the journal entry whose points wait, `decided_seq` that of the entry by which they were decided.
velocity_review = sa.Table(
    "velocity_review",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("opened_at", _MOMENT, nullable=False),
    sa.Column("occurred_at", _MOMENT, nullable=False),
    sa.Column("decide_by", _MOMENT),
    sa.Column("decided_at", _MOMENT),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("decided_seq", sa.BigInteger),
    sa.Column("counted", sa.BigInteger, nullable=False),
    sa.Column("most", sa.BigInteger, nullable=False),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("program_version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("per", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("watched", sa.Text, nullable=False),
    sa.Column("otherwise", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("points", JSON, nullable=False),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("state IN ('open', 'approved', 'voided')", name="state"),
    sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    sa.Index("ix_velocity_review_program_id_id", "program_id", "id"),
    sa.Index("ix_velocity_review_open", "program_id", "id", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_velocity_review_member_id_seq", "member_id", "seq"),
    sa.Index("ix_velocity_review_decide_by", "decide_by", postgresql_where=sa.text("state = 'open'")),
)
