"""The tables of households. What they mean: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

household = sa.Table(
    "household",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("closed_at", _MOMENT),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("digest", sa.LargeBinary),
    sa.Index(
        "uq_household_program_id_idempotency_key",
        *("program_id", "idempotency_key"),
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    ),
)

# One stay of a member. `earned` is what the member had ever earned when it began: point type -> smallest units;
# `taken_in` the same of who was merged into it since: merge -> point type -> smallest units.
household_member = sa.Table(
    "household_member",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("household_id", sa.ForeignKey("household.id"), nullable=False, index=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("joined_at", _MOMENT, nullable=False),
    sa.Column("left_at", _MOMENT),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("earned", JSON, nullable=False),
    sa.Column("taken_in", JSON, nullable=False, server_default="{}"),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("role IN ('owner', 'adult', 'child')", name="role"),
    # A member is in one household at a time, whoever lets it into another one at this moment.
    sa.Index("uq_household_member_member_id", "member_id", unique=True, postgresql_where=sa.text("left_at IS NULL")),
    # For `rejoin_after`: when a member has left one last.
    sa.Index("ix_household_member_left", "member_id", "left_at", postgresql_where=sa.text("left_at IS NOT NULL")),
)

# What raised or lowered what a member's stay has in the pool, beside earning: append-only. `entry_id` is the journal
# entry of the member by which points were moved, where any were.
household_move = sa.Table(
    "household_move",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("stay_id", sa.ForeignKey("household_member.id"), nullable=False),
    sa.Column("entry_id", sa.Uuid),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("points", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.CheckConstraint("kind IN ('given', 'drawn', 'spent', 'left')", name="kind"),
    sa.CheckConstraint("amount <> 0", name="amount"),
    sa.Index("ix_household_move_stay_id_points", "stay_id", "points"),
)
