"""Whether a person gave the use of a coupon back, who withdrew one, and lists of coupons by promotion and batch.

Revision: 0032
Follows: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE coupon_use ADD COLUMN by_hand boolean DEFAULT false NOT NULL;
ALTER TABLE coupon ADD COLUMN voided_by text;
CREATE INDEX ix_coupon_campaign ON coupon (program_id, campaign, id);
CREATE INDEX ix_coupon_batch ON coupon (program_id, batch, id) WHERE batch IS NOT NULL;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_coupon_batch;
DROP INDEX ix_coupon_campaign;
ALTER TABLE coupon DROP COLUMN voided_by;
ALTER TABLE coupon_use DROP COLUMN by_hand;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
