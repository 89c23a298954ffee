"""The ledger's tables. What they mean and who may write them: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)
_REMAINING = "granted - burned - expired - reversed"

# The one row that is locked per member. `updated_at` is when the member's newest journal entry was booked.
member_state = sa.Table(
    "member_state",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tracking", sa.Text, nullable=False, server_default=""),
    sa.Column("counters", JSON, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("updated_at", _MOMENT, nullable=False),
    # Nothing of the member ends or becomes available before it; a lower bound, so that earning more keeps it as it is.
    sa.Column("due_at", _MOMENT),
    sa.Index("ix_member_state_due", "program_id", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("seq >= 0", name="seq"),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("program_version", sa.Integer),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("event_id", sa.Uuid),
    sa.Column("occurred_at", _MOMENT, nullable=False),
    sa.Column("booked_at", _MOMENT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("input_digest", sa.LargeBinary),
    sa.Column("opens", JSON(none_as_null=True)),
    sa.Column("outcome", JSON, nullable=False),
    sa.Column("explanation", JSON, nullable=False),
    sa.Index(
        "uq_journal_program_id_idempotency_key",
        "program_id",
        "idempotency_key",
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    ),
)

# The columns with a fixed width come first: the order saves padding in the table that grows fastest.
posting = sa.Table(
    "posting",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("lot_seq", sa.BigInteger),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("lot_line", sa.SmallInteger),
    sa.Column("available_at", _MOMENT),
    sa.Column("expires_at", _MOMENT),
    sa.Column("earned_at", _MOMENT),
    sa.Column("point_type", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("campaign", sa.Text),
)

wallet = sa.Table(
    "wallet",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("available", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("pending", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("floor", sa.BigInteger, server_default="0"),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("point_type", sa.Text, primary_key=True),
    sa.CheckConstraint("floor IS NULL OR available >= floor", name="floor"),
    sa.CheckConstraint("pending >= 0", name="pending"),
    sa.CheckConstraint("held >= 0", name="held"),
)

# `is_open` and not `remaining` selects the rows of the index: it changes once in a lot's life, so that taking a part of
# a lot touches no index.
lot = sa.Table(
    "lot",
    metadata,
    sa.Column("member_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("granted", sa.BigInteger, nullable=False),
    sa.Column("burned", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expired", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("reversed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("remaining", sa.BigInteger, sa.Computed(_REMAINING, persisted=True), nullable=False),
    sa.Column("available_at", _MOMENT),
    sa.Column("expires_at", _MOMENT),
    sa.Column("earned_at", _MOMENT, nullable=False),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Column(
        "is_open", sa.Boolean, sa.Computed("granted > burned + expired + reversed", persisted=True), nullable=False
    ),
    sa.Column("point_type", sa.Text, nullable=False),
    sa.Column("campaign", sa.Text),
    sa.CheckConstraint(f"{_REMAINING} >= 0", name="remaining"),
    sa.Index("ix_lot_open", "member_id", "point_type", postgresql_where=sa.text("is_open")),
)
