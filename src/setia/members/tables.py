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
    sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
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
