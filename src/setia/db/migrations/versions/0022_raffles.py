"""Draws of raffles, and the redemptions whose tickets took part.

Revision: 0022
Follows: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE raffle_draw (
    id uuid NOT NULL,
    promised_at timestamptz NOT NULL,
    drawn_at timestamptz,
    tickets bigint,
    winners integer,
    program_id integer NOT NULL,
    reward text NOT NULL,
    promise text NOT NULL,
    seed text,
    digest text,
    entropy text,
    actor text NOT NULL,
    sealed bytea NOT NULL,
    won json,
    CONSTRAINT pk_raffle_draw PRIMARY KEY (id),
    CONSTRAINT fk_raffle_draw_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT ck_raffle_draw_drawn CHECK (
        num_nonnulls(drawn_at, tickets, winners, seed, digest, entropy, won) IN (0, 7)
    )
);
CREATE UNIQUE INDEX uq_raffle_draw_program_id_reward ON raffle_draw (program_id, reward) WHERE drawn_at IS NULL;
ALTER TABLE redemption ADD COLUMN draw_id uuid;
CREATE INDEX ix_redemption_draw_id ON redemption (draw_id) WHERE draw_id IS NOT NULL;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE redemption DROP COLUMN draw_id;
DROP TABLE raffle_draw;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
