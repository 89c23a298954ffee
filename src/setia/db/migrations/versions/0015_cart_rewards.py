"""Redemptions that come with a purchase name it.

Revision: 0015
Follows: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Nothing is filled in, and every row there has a name of its own: the table is locked for a moment only.
_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE redemption ADD COLUMN event_id uuid;
ALTER TABLE redemption DROP CONSTRAINT ck_redemption_named;
ALTER TABLE redemption ADD CONSTRAINT ck_redemption_named CHECK (
    reference IS NOT NULL OR idempotency_key IS NOT NULL OR event_id IS NOT NULL
) NOT VALID;
ALTER TABLE redemption VALIDATE CONSTRAINT ck_redemption_named;
"""
# Redemptions of purchases have no other name: the older constraint is for what comes after it.
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE redemption DROP CONSTRAINT ck_redemption_named;
ALTER TABLE redemption ADD CONSTRAINT ck_redemption_named CHECK (
    reference IS NOT NULL OR idempotency_key IS NOT NULL
) NOT VALID;
ALTER TABLE redemption DROP COLUMN event_id;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
