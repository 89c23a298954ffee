"""A code that is everybody's belongs to its reward alone.

Revision: 0024
Follows: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_code DROP CONSTRAINT ck_reward_code_origin;
ALTER TABLE reward_code ADD CONSTRAINT ck_reward_code_origin CHECK (
    (pool IS NULL) = (sealed IS NULL) AND (pool IS NOT NULL OR redemption_id IS NOT NULL OR reward IS NOT NULL)
) NOT VALID;
ALTER TABLE reward_code VALIDATE CONSTRAINT ck_reward_code_origin;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_code DROP CONSTRAINT ck_reward_code_origin;
ALTER TABLE reward_code ADD CONSTRAINT ck_reward_code_origin CHECK (
    (pool IS NULL) = (sealed IS NULL) AND (pool IS NOT NULL OR redemption_id IS NOT NULL)
) NOT VALID;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
