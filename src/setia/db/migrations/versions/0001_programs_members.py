"""Programs and their versions, members, API keys, idempotency keys.

Revision: 0001
Follows: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$
"""


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable and not now, server_default=default)


def upgrade() -> None:
    # A lock that is waited for blocks everybody who comes after it: give up early and try again instead.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_APPEND_ONLY)
    _programs()
    _members()
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        _moment("created_at", now=True),
        _moment("expires_at"),
        _moment("revoked_at"),
        _moment("last_used_at"),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_api_key_hash")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_api_key_program_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_index(op.f("ix_api_key_program_id"), "api_key", ["program_id"])
    op.create_table(
        "idempotency_key",
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.Text()),
        _moment("created_at", now=True),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_idempotency_key_digest")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_idempotency_key_program_id")),
        sa.PrimaryKeyConstraint("program_id", "endpoint", "key", name=op.f("pk_idempotency_key")),
    )


def _programs() -> None:
    op.create_table(
        "program",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="live", nullable=False),
        sa.Column("live_version", sa.Integer()),
        _moment("created_at", now=True),
        sa.CheckConstraint("mode IN ('live', 'test')", name=op.f("ck_program_mode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
        sa.UniqueConstraint("key", name=op.f("uq_program_key")),
    )
    op.create_table(
        "program_version",
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        _moment("published_at", now=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_program_version_number")),
        sa.CheckConstraint("digest = sha256(convert_to(definition, 'UTF8'))", name=op.f("ck_program_version_digest")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_program_version_program_id")),
        sa.PrimaryKeyConstraint("program_id", "number", name=op.f("pk_program_version")),
    )
    op.create_foreign_key(
        op.f("fk_program_live_version"),
        "program",
        "program_version",
        ["id", "live_version"],
        ["program_id", "number"],
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON program_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _members() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        _moment("enrolled_at", nullable=False),
        sa.Column("attributes", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("locale", sa.Text()),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name=op.f("ck_member_status")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_member_program_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("program_id", "id", name=op.f("uq_member_program_id_id")),
    )
    op.create_table(
        "member_identifier",
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('external_id', 'card', 'phone', 'email')", name=op.f("ck_member_identifier_kind")),
        sa.CheckConstraint("value <> ''", name=op.f("ck_member_identifier_value")),
        sa.ForeignKeyConstraint(
            ["program_id", "member_id"],
            ["member.program_id", "member.id"],
            name=op.f("fk_member_identifier_program_id_member_id"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("program_id", "kind", "value", name=op.f("pk_member_identifier")),
    )
    op.create_index(op.f("ix_member_identifier_member_id"), "member_identifier", ["member_id"])
    op.create_table(
        "member_status_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _moment("at", now=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_status_change_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_status_change")),
    )
    op.create_index(op.f("ix_member_status_change_member_id"), "member_status_change", ["member_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("idempotency_key")
    op.drop_table("api_key")
    op.drop_table("member_status_change")
    op.drop_table("member_identifier")
    op.drop_table("member")
    op.drop_constraint(op.f("fk_program_live_version"), "program", type_="foreignkey")
    op.drop_table("program_version")
    op.drop_table("program")
    op.execute("DROP FUNCTION refuse_change()")
