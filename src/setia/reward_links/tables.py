"""The table of reward links. What it means: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# A link is known again by the keyed hash of its token. It ends once: chosen or withdrawn; that its time has passed is
# judged whenever it is looked at. `stock_keys`: where what was chosen is counted, as of a redemption.
reward_link = sa.Table(
    "reward_link",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sa.Column("opened_at", _MOMENT),
    sa.Column("chosen_at", _MOMENT),
    sa.Column("withdrawn_at", _MOMENT),
    sa.Column("member_id", sa.Uuid),
    sa.Column("card_id", sa.ForeignKey("gift_card.id")),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("program_version", sa.Integer),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("reward", sa.Text),
    sa.Column("fulfilment", sa.Text),
    sa.Column("stock_keys", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.CheckConstraint(
        "chosen_at IS NULL OR withdrawn_at IS NULL AND reward IS NOT NULL AND opened_at IS NOT NULL", name="chosen"
    ),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.Index("ix_reward_link_program_id_id", "program_id", "id"),
)
