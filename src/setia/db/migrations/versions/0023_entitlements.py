"""Uses of entitlements at tills and doors.

Revision: 0023
Follows: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE entitlement_use (
    id uuid NOT NULL,
    redemption_id uuid NOT NULL,
    used_at timestamptz NOT NULL,
    released_at timestamptz,
    program_id integer NOT NULL,
    till text NOT NULL,
    reference text NOT NULL,
    digest bytea NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_entitlement_use PRIMARY KEY (id),
    CONSTRAINT fk_entitlement_use_redemption_id_redemption FOREIGN KEY (redemption_id) REFERENCES redemption (id),
    CONSTRAINT uq_entitlement_use_program_id_till_reference UNIQUE (program_id, till, reference),
    CONSTRAINT ck_entitlement_use_digest CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_entitlement_use_redemption_id ON entitlement_use (redemption_id);
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("DROP TABLE entitlement_use")
