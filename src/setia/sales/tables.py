"""The table of sales. What it means: README.md beside this file."""

import sqlalchemy as sa

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# `seq` is that of the entry by which they were bought, and the number of their lot; `refunded_seq` that of the refund,
# in the journal of `refunded_id`: of the member, or of who stood for it then.
point_sale = sa.Table(
    "point_sale",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False),
    sa.Column("bought_at", _MOMENT, nullable=False),
    sa.Column("refunded_at", _MOMENT),
    sa.Column("refunded_id", sa.Uuid),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("refunded_seq", sa.BigInteger),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("money", sa.BigInteger, nullable=False),
    sa.Column("refunded", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("money_back", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("program_version", sa.Integer, nullable=False),
    sa.Column("sale", sa.Text, nullable=False),
    sa.Column("points", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("refunded_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.ForeignKeyConstraint(["program_id", "member_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("amount > 0 AND money >= 0", name="amount"),
    sa.CheckConstraint("refunded BETWEEN 0 AND amount AND money_back BETWEEN 0 AND money", name="refunded"),
    sa.Index(
        "uq_point_sale_program_id_source_reference",
        *("program_id", "source", "reference"),
        unique=True,
        postgresql_where=sa.text("reference IS NOT NULL"),
    ),
    sa.Index(
        "uq_point_sale_program_id_idempotency_key",
        *("program_id", "idempotency_key"),
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    ),
    sa.Index("ix_point_sale_member_id_id", "member_id", "id"),
)
