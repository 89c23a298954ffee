"""Members. Personal data lives here and nowhere else (law 10)."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from setia.db.metadata import metadata

member = sa.Table(
    "member",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("program_id", sa.ForeignKey("program.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("attributes", JSONB, nullable=False, server_default=sa.text("'{}'")),
    # Attribute -> when its value was set, where that was after the enrolment: a birthday counts from its registration.
    sa.Column("attributes_at", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("locale", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    # The member that this one turned out to be: its requests and events are that member's now.
    sa.Column("merged_into", sa.Uuid),
    sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
    sa.CheckConstraint("merged_into <> id", name="merged_into"),
    sa.ForeignKeyConstraint(["program_id", "merged_into"], ["member.program_id", "member.id"]),
    sa.Index("ix_member_merged_into", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
    # Pages of the member list are cut along it, and rows elsewhere that name a member name its program too.
    sa.UniqueConstraint("program_id", "id"),
)

member_identifier = sa.Table(
    "member_identifier",
    metadata,
    sa.Column("program_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("member_id", sa.Uuid, nullable=False, index=True),
    # By program and member: an identifier cannot lead into another program. Checked at commit, because identifiers are
    # claimed before their members are inserted: who loses a race is found out without breaking the transaction.
    sa.ForeignKeyConstraint(
        ["program_id", "member_id"], ["member.program_id", "member.id"], deferrable=True, initially="DEFERRED"
    ),
    sa.CheckConstraint("kind IN ('external_id', 'card', 'phone', 'email')", name="kind"),
    sa.CheckConstraint("value <> ''", name="value"),
)

# Not append-only: a reason is a person's words about a person, and must go with the member when the member is erased.
member_status_change = sa.Table(
    "member_status_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

# What was moved with a merge, so that undoing it gives exactly that back; `seq` is the entry of the member who stays.
member_merge = sa.Table(
    "member_merge",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("main_id", sa.Uuid, nullable=False, index=True),
    sa.Column("duplicate_id", sa.Uuid, nullable=False, index=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("undone_at", sa.DateTime(timezone=True)),
    sa.Column("undone_by", sa.Text),
    sa.Column("undone_reason", sa.Text),
    # Identifiers as [kind, value]; attributes and tags that the member who stays did not have; coupons that moved.
    sa.Column("identifiers", JSONB, nullable=False),
    sa.Column("attributes", JSONB, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    sa.Column("coupons", ARRAY(sa.Uuid), nullable=False),
    sa.ForeignKeyConstraint(["program_id", "main_id"], ["member.program_id", "member.id"]),
    sa.ForeignKeyConstraint(["program_id", "duplicate_id"], ["member.program_id", "member.id"]),
    sa.CheckConstraint("main_id <> duplicate_id", name="sides"),
    sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
    sa.Index(
        "uq_member_merge_duplicate_id", "duplicate_id", unique=True, postgresql_where=sa.text("undone_at IS NULL")
    ),
)
