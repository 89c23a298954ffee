"""Velocity: what is counted against rules, and the reviews that wait for a person.

Revision: 0019
Follows: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE velocity_use (
    at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    amount bigint NOT NULL,
    program_id integer NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    CONSTRAINT pk_velocity_use PRIMARY KEY (program_id, rule, subject, at, entry_id) INCLUDE (amount),
    CONSTRAINT ck_velocity_use_amount CHECK (amount >= 0)
);

CREATE TABLE velocity_review (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    decide_by timestamptz,
    decided_at timestamptz,
    seq bigint NOT NULL,
    decided_seq bigint,
    counted bigint NOT NULL,
    most bigint NOT NULL,
    program_id integer NOT NULL,
    program_version integer NOT NULL,
    state text NOT NULL,
    rule text NOT NULL,
    per text NOT NULL,
    subject text NOT NULL,
    watched text NOT NULL,
    otherwise text NOT NULL,
    actor text NOT NULL,
    decided_by text,
    reason text,
    points json NOT NULL,
    CONSTRAINT pk_velocity_review PRIMARY KEY (id),
    CONSTRAINT uq_velocity_review_entry_id UNIQUE (entry_id),
    CONSTRAINT fk_velocity_review_program_id_member_id FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_velocity_review_state CHECK (state IN ('open', 'approved', 'voided')),
    CONSTRAINT ck_velocity_review_decided CHECK ((state = 'open') = (decided_at IS NULL))
);
CREATE INDEX ix_velocity_review_program_id_id ON velocity_review (program_id, id);
CREATE INDEX ix_velocity_review_member_id_seq ON velocity_review (member_id, seq);
CREATE INDEX ix_velocity_review_decide_by ON velocity_review (decide_by) WHERE state = 'open';
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE velocity_review;
DROP TABLE velocity_use;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
