"""The tables of coupons. What they mean: README.md beside this file."""

import sqlalchemy as sa

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# Of a code that Setia made, `number` is the part by which it is found; of an imported one, its keyed hash. `event_id`
# is that of the event that granted it. No foreign keys to members and events: each would cost a lookup and a lock.
coupon = sa.Table(
    "coupon",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, index=True),
    sa.Column("event_id", sa.Uuid),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("starts", _MOMENT, nullable=False),
    sa.Column("ends", _MOMENT),
    sa.Column("voided_at", _MOMENT),
    sa.Column("voided_by", sa.Text),
    sa.Column("number", sa.BigInteger),
    sa.Column("worth", sa.BigInteger),
    sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("uses", sa.BigInteger),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("is_cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("campaign", sa.Text, nullable=False),
    sa.Column("granted_by", sa.Text),
    sa.Column("batch", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary),
    sa.UniqueConstraint("program_id", "number"),
    sa.UniqueConstraint("program_id", "hash"),
    sa.CheckConstraint("(number IS NULL) = (hash IS NOT NULL)", name="known"),
    sa.CheckConstraint("used >= 0 AND (uses IS NULL OR used <= uses)", name="used"),
    sa.CheckConstraint("spent >= 0 AND (worth IS NULL AND spent = 0 OR spent <= worth)", name="spent"),
    sa.Index("ix_coupon_event_id", "event_id", postgresql_where=sa.text("event_id IS NOT NULL")),
    sa.Index("ix_coupon_program_id_id", "program_id", "id"),
    sa.Index("ix_coupon_campaign", "program_id", "campaign", "id"),
    sa.Index("ix_coupon_batch", "program_id", "batch", "id", postgresql_where=sa.text("batch IS NOT NULL")),
)

# What an order used of a coupon: of the money it holds so much (none where it holds none), of which so much has come
# back. One row for a coupon and an order, for ever. `by_hand`: a person gave it back, and the order was left as it was.
coupon_use = sa.Table(
    "coupon_use",
    metadata,
    sa.Column("coupon_id", sa.ForeignKey("coupon.id"), primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("used_at", _MOMENT, nullable=False),
    sa.Column("amount", sa.BigInteger),
    sa.Column("restored", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("is_restored", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("restored >= 0 AND (amount IS NULL AND restored = 0 OR restored <= amount)", name="restored"),
    sa.Index("ix_coupon_use_event_id", "event_id"),
)
