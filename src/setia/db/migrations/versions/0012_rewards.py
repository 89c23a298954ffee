"""Redemptions, the stock they take from, and the codes that are handed out for them.

Revision: 0012
Follows: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE redemption (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    hold_until timestamptz,
    confirmed_at timestamptz,
    ended_at timestamptz,
    valid_from timestamptz,
    valid_until timestamptz,
    seq bigint NOT NULL,
    quantity bigint NOT NULL,
    confirmed bigint DEFAULT 0 NOT NULL,
    money bigint DEFAULT 0 NOT NULL,
    worth bigint,
    program_id integer NOT NULL,
    program_version integer NOT NULL,
    state text NOT NULL,
    reward text NOT NULL,
    date text,
    fulfilment text,
    till text NOT NULL,
    reference text,
    idempotency_key text,
    digest bytea NOT NULL,
    actor text NOT NULL,
    stock_keys text[] NOT NULL,
    cost json NOT NULL,
    parts json NOT NULL,
    CONSTRAINT pk_redemption PRIMARY KEY (id),
    CONSTRAINT fk_redemption_program_id_member_id_member FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_redemption_state CHECK (
        state IN ('held', 'confirmed', 'partly', 'cancelled', 'expired', 'refunded')
    ),
    CONSTRAINT ck_redemption_quantity CHECK (quantity > 0 AND confirmed >= 0 AND confirmed <= quantity),
    CONSTRAINT ck_redemption_confirmed CHECK (
        CASE state WHEN 'confirmed' THEN confirmed = quantity
                   WHEN 'partly' THEN confirmed > 0 AND confirmed < quantity
                   WHEN 'refunded' THEN confirmed > 0
                   ELSE confirmed = 0 END
    ),
    CONSTRAINT ck_redemption_money CHECK (money >= 0),
    CONSTRAINT ck_redemption_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT ck_redemption_named CHECK (reference IS NOT NULL OR idempotency_key IS NOT NULL)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX uq_redemption_program_id_till_reference ON redemption (program_id, till, reference)
    WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX uq_redemption_program_id_idempotency_key ON redemption (program_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX ix_redemption_member_id_reward_created_at ON redemption (member_id, reward, created_at);
CREATE INDEX ix_redemption_hold_until ON redemption (hold_until) WHERE state = 'held';

CREATE TABLE reward_stock (
    used bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    reward text NOT NULL,
    key text NOT NULL,
    CONSTRAINT pk_reward_stock PRIMARY KEY (program_id, reward, key),
    CONSTRAINT fk_reward_stock_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT ck_reward_stock_used CHECK (used >= 0)
) WITH (fillfactor = 20);

CREATE TABLE reward_code (
    id uuid NOT NULL,
    redemption_id uuid,
    created_at timestamptz NOT NULL,
    valid_from timestamptz,
    valid_until timestamptz,
    voided_at timestamptz,
    uses bigint,
    used bigint DEFAULT 0 NOT NULL,
    worth bigint,
    spent bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    reward text,
    pool text,
    hint text NOT NULL,
    hash bytea NOT NULL,
    sealed bytea,
    CONSTRAINT pk_reward_code PRIMARY KEY (id),
    CONSTRAINT fk_reward_code_redemption_id_redemption FOREIGN KEY (redemption_id) REFERENCES redemption (id),
    CONSTRAINT fk_reward_code_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT uq_reward_code_program_id_hash UNIQUE (program_id, hash),
    CONSTRAINT ck_reward_code_hash CHECK (octet_length(hash) = 32),
    CONSTRAINT ck_reward_code_used CHECK (used >= 0 AND (uses IS NULL OR used <= uses)),
    CONSTRAINT ck_reward_code_spent CHECK (spent >= 0 AND (worth IS NULL OR spent <= worth)),
    CONSTRAINT ck_reward_code_origin CHECK (
        (pool IS NULL) = (sealed IS NULL) AND (pool IS NOT NULL OR redemption_id IS NOT NULL)
    )
) WITH (fillfactor = 85);
CREATE INDEX ix_reward_code_redemption_id ON reward_code (redemption_id);
CREATE INDEX ix_reward_code_free ON reward_code (program_id, pool, id) WHERE redemption_id IS NULL;

CREATE TABLE code_use (
    id uuid NOT NULL,
    code_id uuid NOT NULL,
    redeemed_at timestamptz NOT NULL,
    released_at timestamptz,
    amount bigint,
    program_id integer NOT NULL,
    till text NOT NULL,
    reference text NOT NULL,
    digest bytea NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_code_use PRIMARY KEY (id),
    CONSTRAINT fk_code_use_code_id_reward_code FOREIGN KEY (code_id) REFERENCES reward_code (id),
    CONSTRAINT uq_code_use_program_id_till_reference UNIQUE (program_id, till, reference),
    CONSTRAINT ck_code_use_amount CHECK (amount IS NULL OR amount >= 0),
    CONSTRAINT ck_code_use_digest CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_code_use_code_id ON code_use (code_id);

CREATE TABLE code_guess (
    hour timestamptz NOT NULL,
    failures integer NOT NULL,
    program_id integer NOT NULL,
    who text NOT NULL,
    CONSTRAINT pk_code_guess PRIMARY KEY (program_id, who, hour),
    CONSTRAINT fk_code_guess_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT ck_code_guess_failures CHECK (failures > 0)
);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE code_guess;
DROP TABLE code_use;
DROP TABLE reward_code;
DROP TABLE reward_stock;
DROP TABLE redemption;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
