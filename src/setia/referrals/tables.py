"""The tables of referrals. What they mean: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# A member's code, which is no secret: it stands in links that are shared.
referral_code = sa.Table(
    "referral_code",
    metadata,
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("program_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("referral", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.UniqueConstraint("program_id", "member_id", "referral"),
)

# One friend of one member. `contact` is the keyed hash of the address that was invited; `due_at` when it
# has to be looked at: triggers bring it forward when the friend buys, brings something back, or is merged or parted.
# It is over when it has ended.
referral = sa.Table(
    "referral",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("referrer_id", sa.Uuid, nullable=False),
    sa.Column("friend_id", sa.Uuid),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("joined_at", _MOMENT),
    sa.Column("qualified_at", _MOMENT),
    sa.Column("due_at", _MOMENT),
    sa.Column("ended_at", _MOMENT),
    sa.Column("order_id", sa.Uuid),
    sa.Column("amount", sa.BigInteger),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("welcomed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("referral", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("contact", sa.LargeBinary),
    sa.ForeignKeyConstraint(["program_id", "referrer_id"], ["member.program_id", "member.id"]),
    sa.ForeignKeyConstraint(["program_id", "friend_id"], ["member.program_id", "member.id"]),
    sa.Index(
        "uq_referral_program_id_friend_id",
        *("program_id", "friend_id"),
        unique=True,
        postgresql_where=sa.text("friend_id IS NOT NULL"),
    ),
    sa.Index(
        "uq_referral_program_id_contact_referrer_id_referral",
        *("program_id", "contact", "referrer_id", "referral"),
        unique=True,
        postgresql_where=sa.text("contact IS NOT NULL"),
    ),
    sa.Index("ix_referral_program_id_id", "program_id", "id"),
    sa.Index("ix_referral_referrer_id_id", "referrer_id", "id"),
    sa.Index(
        "ix_referral_program_id_due_at_id",
        *("program_id", "due_at", "id"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_referral_open", "program_id", "id", postgresql_where=sa.text("friend_id IS NOT NULL AND ended_at IS NULL")
    ),
)

# By which version the due moments of a program's referrals were worked out, and the digest of what it says of them.
referral_terms = sa.Table(
    "referral_terms",
    metadata,
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)

# An event that a referral made for one of its members, and the points it gave: what the funnel costs and caps count.
referral_step = sa.Table(
    "referral_step",
    metadata,
    sa.Column("referral_id", sa.ForeignKey("referral.id"), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("occurred_at", _MOMENT, nullable=False),
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("points", JSON, nullable=False),
    sa.Index("ix_referral_step_member_id_type_occurred_at", "member_id", "type", "occurred_at"),
)

# What a member has in common with nobody, by its keyed hash: cards, devices, means of payment, addresses.
member_fingerprint = sa.Table(
    "member_fingerprint",
    metadata,
    sa.Column("member_id", sa.ForeignKey("member.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("hash", sa.LargeBinary, primary_key=True),
)
