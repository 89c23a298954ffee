"""The tables of moving points. What they mean: README.md beside this file."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# `giver_seq` and `receiver_seq` are the two journal entries. `parts` tells for each lot of the giver into which lot of
# the receiver it went, how much, and how much of that came back; `reversed` is the sum of what came back.
transfer = sa.Table(
    "transfer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("giver_id", sa.Uuid, nullable=False),
    sa.Column("receiver_id", sa.Uuid, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("giver_seq", sa.BigInteger, nullable=False),
    sa.Column("receiver_seq", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("reversed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("gift", sa.Boolean, nullable=False),
    sa.Column("points", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("parts", JSON, nullable=False),
    sa.ForeignKeyConstraint(["program_id", "giver_id"], ["member.program_id", "member.id"]),
    sa.ForeignKeyConstraint(["program_id", "receiver_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("amount > 0 AND reversed >= 0 AND reversed <= amount", name="amount"),
    sa.CheckConstraint("giver_id <> receiver_id", name="sides"),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
    sa.Index(
        "uq_transfer_program_id_source_reference",
        *("program_id", "source", "reference"),
        unique=True,
        postgresql_where=sa.text("reference IS NOT NULL"),
    ),
    sa.Index("ix_transfer_giver_id_points_created_at", "giver_id", "points", "created_at"),
    sa.Index("ix_transfer_receiver_id_points_created_at", "receiver_id", "points", "created_at"),
)

# `given` are smallest units of the point type that was given, `got` of the one that came for it; `seq` is the entry.
exchange = sa.Table(
    "exchange",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("given", sa.BigInteger, nullable=False),
    sa.Column("got", sa.BigInteger, nullable=False),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("exchange", sa.Text, nullable=False),
    sa.Column("given_points", sa.Text, nullable=False),
    sa.Column("got_points", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("given > 0 AND got > 0", name="amounts"),
    sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
    sa.Index(
        "uq_exchange_program_id_source_reference",
        *("program_id", "source", "reference"),
        unique=True,
        postgresql_where=sa.text("reference IS NOT NULL"),
    ),
    sa.Index("ix_exchange_member_id_exchange_created_at", "member_id", "exchange", "created_at"),
)
