"""Referrals: members' codes, friends, the steps that were booked for them, and what tells members apart.

Revision: 0018
Follows: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE referral_code (
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    program_id integer NOT NULL,
    code text NOT NULL,
    referral text NOT NULL,
    CONSTRAINT pk_referral_code PRIMARY KEY (program_id, code),
    CONSTRAINT fk_referral_code_program_id_member_id_member FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT uq_referral_code_program_id_member_id_referral UNIQUE (program_id, member_id, referral)
);

CREATE TABLE referral (
    id uuid NOT NULL,
    referrer_id uuid NOT NULL,
    friend_id uuid,
    created_at timestamptz NOT NULL,
    joined_at timestamptz,
    qualified_at timestamptz,
    due_at timestamptz,
    ended_at timestamptz,
    order_id uuid,
    amount bigint,
    seen bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    welcomed boolean DEFAULT false NOT NULL,
    referral text NOT NULL,
    state text NOT NULL,
    reason text,
    contact bytea,
    CONSTRAINT pk_referral PRIMARY KEY (id),
    CONSTRAINT fk_referral_program_id_referrer_id_member FOREIGN KEY (program_id, referrer_id)
        REFERENCES member (program_id, id),
    CONSTRAINT fk_referral_program_id_friend_id_member FOREIGN KEY (program_id, friend_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_referral_state CHECK (
        CASE state WHEN 'invited' THEN friend_id IS NULL AND contact IS NOT NULL AND reason IS NULL AND ended_at IS NULL
                   WHEN 'joined' THEN friend_id IS NOT NULL AND reason IS NULL AND ended_at IS NULL
                   WHEN 'qualified' THEN friend_id IS NOT NULL AND reason IS NULL AND qualified_at IS NOT NULL
                                         AND due_at IS NOT NULL AND ended_at IS NULL
                   WHEN 'won' THEN friend_id IS NOT NULL AND reason IS NULL AND ended_at IS NOT NULL
                   WHEN 'capped' THEN friend_id IS NOT NULL AND reason IS NULL AND ended_at IS NOT NULL
                   WHEN 'void' THEN reason IS NOT NULL AND (ended_at IS NOT NULL OR due_at IS NOT NULL)
                   WHEN 'blocked' THEN reason IS NOT NULL AND ended_at IS NOT NULL
                   ELSE false END
    ),
    CONSTRAINT ck_referral_ended CHECK (ended_at IS NULL OR due_at IS NULL),
    CONSTRAINT ck_referral_joined CHECK ((friend_id IS NULL) = (joined_at IS NULL)),
    CONSTRAINT ck_referral_oneself CHECK (friend_id <> referrer_id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX uq_referral_program_id_friend_id ON referral (program_id, friend_id) WHERE friend_id IS NOT NULL;
CREATE UNIQUE INDEX uq_referral_program_id_contact_referrer_id_referral
    ON referral (program_id, contact, referrer_id, referral) WHERE contact IS NOT NULL;
CREATE INDEX ix_referral_program_id_id ON referral (program_id, id);
CREATE INDEX ix_referral_referrer_id_id ON referral (referrer_id, id);
CREATE INDEX ix_referral_due_at ON referral (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_referral_open ON referral (program_id, id) WHERE friend_id IS NOT NULL AND ended_at IS NULL;

CREATE TABLE referral_step (
    referral_id uuid NOT NULL,
    event_id uuid NOT NULL,
    member_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    level smallint NOT NULL,
    type text NOT NULL,
    points json NOT NULL,
    CONSTRAINT pk_referral_step PRIMARY KEY (referral_id, level, type),
    CONSTRAINT fk_referral_step_referral_id_referral FOREIGN KEY (referral_id) REFERENCES referral (id),
    CONSTRAINT uq_referral_step_event_id UNIQUE (event_id)
);
CREATE INDEX ix_referral_step_member_id_type_occurred_at ON referral_step (member_id, type, occurred_at);

CREATE TABLE member_fingerprint (
    member_id uuid NOT NULL,
    kind text NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_member_fingerprint PRIMARY KEY (member_id, kind, hash),
    CONSTRAINT fk_member_fingerprint_member_id_member FOREIGN KEY (member_id) REFERENCES member (id),
    CONSTRAINT ck_member_fingerprint_hash CHECK (octet_length(hash) = 32)
);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE member_fingerprint;
DROP TABLE referral_step;
DROP TABLE referral;
DROP TABLE referral_code;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
