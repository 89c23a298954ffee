"""Coupons, and what orders have used of them.

Revision: 0016
Follows: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE coupon (
    id uuid NOT NULL,
    member_id uuid,
    event_id uuid,
    created_at timestamptz NOT NULL,
    starts timestamptz NOT NULL,
    ends timestamptz,
    voided_at timestamptz,
    number bigint,
    worth bigint,
    spent bigint DEFAULT 0 NOT NULL,
    uses bigint,
    used bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    is_cancelled boolean DEFAULT false NOT NULL,
    campaign text NOT NULL,
    granted_by text,
    batch text,
    actor text NOT NULL,
    hint text NOT NULL,
    hash bytea,
    CONSTRAINT pk_coupon PRIMARY KEY (id),
    CONSTRAINT fk_coupon_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT uq_coupon_program_id_number UNIQUE (program_id, number),
    CONSTRAINT uq_coupon_program_id_hash UNIQUE (program_id, hash),
    CONSTRAINT ck_coupon_known CHECK ((number IS NULL) = (hash IS NOT NULL)),
    CONSTRAINT ck_coupon_used CHECK (used >= 0 AND (uses IS NULL OR used <= uses)),
    CONSTRAINT ck_coupon_spent CHECK (spent >= 0 AND (worth IS NULL AND spent = 0 OR spent <= worth))
) WITH (fillfactor = 85);
CREATE INDEX ix_coupon_member_id ON coupon (member_id);
CREATE INDEX ix_coupon_event_id ON coupon (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX ix_coupon_program_id_id ON coupon (program_id, id);

CREATE TABLE coupon_use (
    coupon_id uuid NOT NULL,
    event_id uuid NOT NULL,
    member_id uuid NOT NULL,
    used_at timestamptz NOT NULL,
    amount bigint,
    restored bigint DEFAULT 0 NOT NULL,
    is_restored boolean DEFAULT false NOT NULL,
    CONSTRAINT pk_coupon_use PRIMARY KEY (coupon_id, event_id),
    CONSTRAINT fk_coupon_use_coupon_id_coupon FOREIGN KEY (coupon_id) REFERENCES coupon (id),
    CONSTRAINT ck_coupon_use_restored CHECK (
        restored >= 0 AND (amount IS NULL AND restored = 0 OR restored <= amount)
    )
) WITH (fillfactor = 85);
CREATE INDEX ix_coupon_use_event_id ON coupon_use (event_id);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE coupon_use;
DROP TABLE coupon;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
