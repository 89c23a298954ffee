"""Deliveries by partners: the outbox of signed messages, and what came of them.

Revision: 0025
Follows: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE partner_delivery (
    id uuid NOT NULL,
    redemption_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz,
    ended_at timestamptz,
    program_id integer NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    signed_by integer NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    reward text NOT NULL,
    partner text NOT NULL,
    url text NOT NULL,
    body text NOT NULL,
    why text,
    sealed bytea,
    CONSTRAINT pk_partner_delivery PRIMARY KEY (id),
    CONSTRAINT uq_partner_delivery_redemption_id UNIQUE (redemption_id),
    CONSTRAINT fk_partner_delivery_redemption_id_redemption FOREIGN KEY (redemption_id) REFERENCES redemption (id),
    CONSTRAINT fk_partner_delivery_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT ck_partner_delivery_state CHECK ((state = 'waiting') = (due_at IS NOT NULL AND ended_at IS NULL)),
    CONSTRAINT ck_partner_delivery_sealed CHECK (sealed IS NULL OR state = 'delivered')
);
CREATE INDEX ix_partner_delivery_due_at ON partner_delivery (due_at) WHERE state = 'waiting';
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE partner_delivery;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
