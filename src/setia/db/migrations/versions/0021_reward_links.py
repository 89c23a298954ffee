"""Reward links, and the codes of pools that they hand out.

Revision: 0021
Follows: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE reward_link (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    opened_at timestamptz,
    chosen_at timestamptz,
    withdrawn_at timestamptz,
    member_id uuid,
    card_id uuid,
    amount bigint NOT NULL,
    program_id integer NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    reason text,
    reward text,
    fulfilment text,
    actor text NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_reward_link PRIMARY KEY (id),
    CONSTRAINT fk_reward_link_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT fk_reward_link_program_id_member_id_member FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT fk_reward_link_card_id_gift_card FOREIGN KEY (card_id) REFERENCES gift_card (id),
    CONSTRAINT uq_reward_link_hash UNIQUE (hash),
    CONSTRAINT ck_reward_link_hash CHECK (octet_length(hash) = 32),
    CONSTRAINT ck_reward_link_amount CHECK (amount > 0),
    CONSTRAINT ck_reward_link_chosen CHECK (
        chosen_at IS NULL OR withdrawn_at IS NULL AND reward IS NOT NULL AND opened_at IS NOT NULL
    )
) WITH (fillfactor = 85);
CREATE INDEX ix_reward_link_program_id_id ON reward_link (program_id, id);
ALTER TABLE reward_code ADD COLUMN link_id uuid;
ALTER TABLE reward_code ADD CONSTRAINT fk_reward_code_link_id_reward_link
    FOREIGN KEY (link_id) REFERENCES reward_link (id);
ALTER TABLE reward_code ADD CONSTRAINT ck_reward_code_one_owner CHECK (link_id IS NULL OR redemption_id IS NULL);
CREATE INDEX ix_reward_code_link_id ON reward_code (link_id) WHERE link_id IS NOT NULL;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_code DROP COLUMN link_id;
DROP TABLE reward_link;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
