"""The tables of rewards. What they mean: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# `seq` is that of the journal entry that took or held the points. `parts` are the points by lot, as long as they are
# held or redeemed; `cost` what one unit of quantity costs; `stock_keys` where the redemption is counted; `event_id` the
# purchase that it was redeemed with, `draw_id` the draw that its raffle tickets were in.
redemption = sa.Table(
    "redemption",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("event_id", sa.Uuid),
    sa.Column("draw_id", sa.Uuid),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("hold_until", _MOMENT),
    sa.Column("confirmed_at", _MOMENT),
    sa.Column("ended_at", _MOMENT),
    sa.Column("valid_from", _MOMENT),
    sa.Column("valid_until", _MOMENT),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("confirmed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("money", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("worth", sa.BigInteger),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("program_version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reward", sa.Text, nullable=False),
    sa.Column("date", sa.Text),
    sa.Column("fulfilment", sa.Text),
    sa.Column("till", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("stock_keys", ARRAY(sa.Text), nullable=False),
    sa.Column("cost", JSON, nullable=False),
    sa.Column("parts", JSON, nullable=False),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.Index(
        "uq_redemption_program_id_till_reference",
        *("program_id", "till", "reference"),
        unique=True,
        postgresql_where=sa.text("reference IS NOT NULL"),
    ),
    sa.Index(
        "uq_redemption_program_id_idempotency_key",
        *("program_id", "idempotency_key"),
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    ),
    sa.Index("ix_redemption_member_id_reward_created_at", "member_id", "reward", "created_at"),
    sa.Index("ix_redemption_draw_id", "draw_id", postgresql_where=sa.text("draw_id IS NOT NULL")),
    sa.Index("ix_redemption_hold_until", "hold_until", postgresql_where=sa.text("state = 'held'")),
    sa.Index("ix_redemption_program_id_reward", "program_id", "reward", postgresql_where=sa.text("draw_id IS NULL")),
)

# How many are taken of each reward, in all or in a period. Its few rows change often: most of a page is left free, so
# that no change touches an index.
reward_stock = sa.Table(
    "reward_stock",
    metadata,
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("reward", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.CheckConstraint("used >= 0", name="used"),
)

# A code is known again by its keyed hash. `sealed` is an imported one that can still be handed out.
reward_code = sa.Table(
    "reward_code",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("redemption_id", sa.ForeignKey("redemption.id"), index=True),
    sa.Column("link_id", sa.ForeignKey("reward_link.id")),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("valid_from", _MOMENT),
    sa.Column("valid_until", _MOMENT),
    sa.Column("voided_at", _MOMENT),
    sa.Column("uses", sa.BigInteger),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("worth", sa.BigInteger),
    sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("reward", sa.Text),
    sa.Column("pool", sa.Text),
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.UniqueConstraint("program_id", "hash"),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    sa.CheckConstraint("used >= 0 AND (uses IS NULL OR used <= uses)", name="used"),
    sa.CheckConstraint("spent >= 0 AND (worth IS NULL OR spent <= worth)", name="spent"),
    sa.CheckConstraint("link_id IS NULL OR redemption_id IS NULL", name="one_owner"),
    sa.Index("ix_reward_code_link_id", "link_id", postgresql_where=sa.text("link_id IS NOT NULL")),
    sa.Index(
        "ix_reward_code_free",
        *("program_id", "pool", "id"),
        postgresql_where=sa.text("pool IS NOT NULL AND redemption_id IS NULL AND link_id IS NULL"),
    ),
)

# How many codes a pool has had: to count them all again for whoever looks would read every row of them. How many are
# left is counted, by an index: a counter would let all who take one of a pool wait for each other.
code_pool = sa.Table(
    "code_pool",
    metadata,
    sa.Column("codes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.ForeignKey("program.id"), primary_key=True, autoincrement=False),
    sa.Column("pool", sa.Text, primary_key=True),
    sa.CheckConstraint("codes >= 0", name="codes"),
)

# One use of a code at a till, known again by the till's own reference.
code_use = sa.Table(
    "code_use",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code_id", sa.ForeignKey("reward_code.id"), nullable=False, index=True),
    sa.Column("redeemed_at", _MOMENT, nullable=False),
    sa.Column("released_at", _MOMENT),
    sa.Column("amount", sa.BigInteger),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("till", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.UniqueConstraint("program_id", "till", "reference"),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
)

# A draw of a raffle. `sealed` is its seed, which is told when it is drawn; `won` are the redemptions that won.
raffle_draw = sa.Table(
    "raffle_draw",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("promised_at", _MOMENT, nullable=False),
    sa.Column("drawn_at", _MOMENT),
    sa.Column("tickets", sa.BigInteger),
    sa.Column("winners", sa.Integer),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("reward", sa.Text, nullable=False),
    sa.Column("promise", sa.Text, nullable=False),
    sa.Column("seed", sa.Text),
    sa.Column("digest", sa.Text),
    sa.Column("entropy", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("won", JSON),
    sa.CheckConstraint("num_nonnulls(drawn_at, tickets, winners, seed, digest, entropy, won) IN (0, 7)", name="drawn"),
    sa.Index(
        "uq_raffle_draw_program_id_reward",
        *("program_id", "reward"),
        unique=True,
        postgresql_where=sa.text("drawn_at IS NULL"),
    ),
)

# One use of an entitlement at a till or a door, known again by its own reference.
entitlement_use = sa.Table(
    "entitlement_use",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("redemption_id", sa.ForeignKey("redemption.id"), nullable=False, index=True),
    sa.Column("used_at", _MOMENT, nullable=False),
    sa.Column("released_at", _MOMENT),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("till", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.UniqueConstraint("program_id", "till", "reference"),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
)
