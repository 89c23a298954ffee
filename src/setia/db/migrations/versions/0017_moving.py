"""Transfers and exchanges of points, and members who were merged into others.

Revision: 0017
Follows: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE transfer (
    id uuid NOT NULL,
    giver_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    giver_seq bigint NOT NULL,
    receiver_seq bigint NOT NULL,
    amount bigint NOT NULL,
    reversed bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    gift boolean NOT NULL,
    points text NOT NULL,
    source text NOT NULL,
    reference text,
    actor text NOT NULL,
    digest bytea NOT NULL,
    parts json NOT NULL,
    CONSTRAINT pk_transfer PRIMARY KEY (id),
    CONSTRAINT fk_transfer_program_id_giver_id_member FOREIGN KEY (program_id, giver_id)
        REFERENCES member (program_id, id),
    CONSTRAINT fk_transfer_program_id_receiver_id_member FOREIGN KEY (program_id, receiver_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_transfer_amount CHECK (amount > 0 AND reversed >= 0 AND reversed <= amount),
    CONSTRAINT ck_transfer_sides CHECK (giver_id <> receiver_id),
    CONSTRAINT ck_transfer_digest CHECK (octet_length(digest) = 32)
);
CREATE UNIQUE INDEX uq_transfer_program_id_source_reference ON transfer (program_id, source, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX ix_transfer_giver_id_points_created_at ON transfer (giver_id, points, created_at);
CREATE INDEX ix_transfer_receiver_id_points_created_at ON transfer (receiver_id, points, created_at);

CREATE TABLE exchange (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    seq bigint NOT NULL,
    given bigint NOT NULL,
    got bigint NOT NULL,
    program_id integer NOT NULL,
    exchange text NOT NULL,
    given_points text NOT NULL,
    got_points text NOT NULL,
    source text NOT NULL,
    reference text,
    actor text NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT pk_exchange PRIMARY KEY (id),
    CONSTRAINT fk_exchange_program_id_member_id_member FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_exchange_amounts CHECK (given > 0 AND got > 0),
    CONSTRAINT ck_exchange_digest CHECK (octet_length(digest) = 32)
);
CREATE UNIQUE INDEX uq_exchange_program_id_source_reference ON exchange (program_id, source, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX ix_exchange_member_id_exchange_created_at ON exchange (member_id, exchange, created_at);

ALTER TABLE member ADD COLUMN merged_into uuid;
ALTER TABLE member ADD CONSTRAINT fk_member_program_id_merged_into_member FOREIGN KEY (program_id, merged_into)
    REFERENCES member (program_id, id);
ALTER TABLE member ADD CONSTRAINT ck_member_merged_into CHECK (merged_into <> id);
CREATE INDEX ix_member_merged_into ON member (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE member_merge (
    id uuid NOT NULL,
    program_id integer NOT NULL,
    main_id uuid NOT NULL,
    duplicate_id uuid NOT NULL,
    seq bigint NOT NULL,
    merged_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    undone_at timestamptz,
    undone_by text,
    undone_reason text,
    identifiers jsonb NOT NULL,
    attributes jsonb NOT NULL,
    tags text[] NOT NULL,
    coupons uuid[] NOT NULL,
    CONSTRAINT pk_member_merge PRIMARY KEY (id),
    CONSTRAINT fk_member_merge_program_id_main_id_member FOREIGN KEY (program_id, main_id)
        REFERENCES member (program_id, id),
    CONSTRAINT fk_member_merge_program_id_duplicate_id_member FOREIGN KEY (program_id, duplicate_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_member_merge_sides CHECK (main_id <> duplicate_id),
    CONSTRAINT ck_member_merge_undone CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);
CREATE UNIQUE INDEX uq_member_merge_duplicate_id ON member_merge (duplicate_id) WHERE undone_at IS NULL;
CREATE INDEX ix_member_merge_main_id ON member_merge (main_id);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE member_merge;
ALTER TABLE member DROP COLUMN merged_into;
DROP TABLE exchange;
DROP TABLE transfer;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
