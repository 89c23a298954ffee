"""The tables of gift cards. What they mean: README.md beside this file."""

import sqlalchemy as sa

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# A card is known again by the keyed hash of its code. What follows from its entries (`seq` and all after it) a trigger
# keeps; whoever locks the row is alone with the card.
gift_card = sa.Table(
    "gift_card",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("balance", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expires_at", _MOMENT),
    sa.Column("member_id", sa.Uuid),
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("program_id", "hash"),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    sa.CheckConstraint("balance >= 0 AND held >= 0", name="balance"),
    sa.Index("ix_gift_card_program_id_id", "program_id", "id"),
    sa.Index("ix_gift_card_member_id", "member_id", postgresql_where=sa.text("member_id IS NOT NULL")),
    sa.Index("ix_gift_card_expires_at", "expires_at", postgresql_where=sa.text("balance > 0")),
)

# One use at a till: so much was authorised, then captured or given back. `held`, `captured`, `refunded` and `ended_at`
# follow from the entries.
gift_card_use = sa.Table(
    "gift_card_use",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("card_id", sa.ForeignKey("gift_card.id"), nullable=False, index=True),
    sa.Column("event_id", sa.Uuid),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("hold_until", _MOMENT),
    sa.Column("ended_at", _MOMENT),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("captured", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refunded", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("till", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.UniqueConstraint("program_id", "till", "reference"),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
    sa.CheckConstraint(
        "amount > 0 AND held >= 0 AND held + captured <= amount AND refunded >= 0 AND refunded <= captured",
        name="figures",
    ),
    sa.Index("ix_gift_card_use_hold_until", "hold_until", postgresql_where=sa.text("held > 0")),
    sa.Index("ix_gift_card_use_event_id", "event_id", postgresql_where=sa.text("event_id IS NOT NULL")),
)

# What happened to a card, numbered for each card without gaps: money moves from a source to a destination, one of which
# is the card's own. Each entry says how the card stands after it: its end, its member, and whether it is blocked.
gift_card_entry = sa.Table(
    "gift_card_entry",
    metadata,
    sa.Column("card_id", sa.ForeignKey("gift_card.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("use_id", sa.ForeignKey("gift_card_use.id")),
    sa.Column("other_card_id", sa.ForeignKey("gift_card.id")),
    sa.Column("redemption_id", sa.Uuid),
    sa.Column("booked_at", _MOMENT, nullable=False),
    sa.Column("amount", sa.BigInteger),
    sa.Column("expires_at", _MOMENT),
    sa.Column("member_id", sa.Uuid),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("blocked", sa.Boolean, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("destination", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index(
        "ix_gift_card_entry_redemption_id", "redemption_id", postgresql_where=sa.text("redemption_id IS NOT NULL")
    ),
)
