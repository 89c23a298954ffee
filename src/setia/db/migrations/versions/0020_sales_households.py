"""Points that are bought, and households that spend together.

Revision: 0020
Follows: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE point_sale (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    bought_at timestamptz NOT NULL,
    refunded_at timestamptz,
    seq bigint NOT NULL,
    refunded_seq bigint,
    amount bigint NOT NULL,
    money bigint NOT NULL,
    refunded bigint DEFAULT 0 NOT NULL,
    money_back bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    program_version integer NOT NULL,
    sale text NOT NULL,
    points text NOT NULL,
    source text NOT NULL,
    reference text,
    idempotency_key text,
    digest bytea NOT NULL,
    actor text NOT NULL,
    refunded_by text,
    reason text,
    CONSTRAINT pk_point_sale PRIMARY KEY (id),
    CONSTRAINT fk_point_sale_program_id_member_id FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_point_sale_amount CHECK (amount > 0 AND money >= 0),
    CONSTRAINT ck_point_sale_refunded CHECK (refunded BETWEEN 0 AND amount AND money_back BETWEEN 0 AND money)
);
CREATE UNIQUE INDEX uq_point_sale_program_id_source_reference ON point_sale (program_id, source, reference)
    WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX uq_point_sale_program_id_idempotency_key ON point_sale (program_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX ix_point_sale_member_id_id ON point_sale (member_id, id);

CREATE TABLE household (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    program_id integer NOT NULL,
    actor text NOT NULL,
    idempotency_key text,
    digest bytea,
    CONSTRAINT pk_household PRIMARY KEY (id),
    CONSTRAINT fk_household_program_id_program FOREIGN KEY (program_id) REFERENCES program (id)
);
CREATE UNIQUE INDEX uq_household_program_id_idempotency_key ON household (program_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE household_member (
    id uuid NOT NULL,
    household_id uuid NOT NULL,
    member_id uuid NOT NULL,
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    program_id integer NOT NULL,
    role text NOT NULL,
    earned json NOT NULL,
    CONSTRAINT pk_household_member PRIMARY KEY (id),
    CONSTRAINT fk_household_member_household_id_household FOREIGN KEY (household_id) REFERENCES household (id),
    CONSTRAINT fk_household_member_program_id_member_id FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_household_member_role CHECK (role IN ('owner', 'adult', 'child'))
);
CREATE INDEX ix_household_member_household_id ON household_member (household_id);
CREATE UNIQUE INDEX uq_household_member_member_id ON household_member (member_id) WHERE left_at IS NULL;

CREATE TABLE household_move (
    id uuid NOT NULL,
    stay_id uuid NOT NULL,
    entry_id uuid,
    at timestamptz NOT NULL,
    amount bigint NOT NULL,
    program_id integer NOT NULL,
    points text NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    reference text,
    CONSTRAINT pk_household_move PRIMARY KEY (id),
    CONSTRAINT fk_household_move_stay_id_household_member FOREIGN KEY (stay_id) REFERENCES household_member (id),
    CONSTRAINT ck_household_move_kind CHECK (kind IN ('given', 'drawn', 'spent', 'left')),
    CONSTRAINT ck_household_move_amount CHECK (amount <> 0)
);
CREATE INDEX ix_household_move_stay_id_points ON household_move (stay_id, points);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON household_move
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE household_move;
DROP TABLE household_member;
DROP TABLE household;
DROP TABLE point_sale;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
