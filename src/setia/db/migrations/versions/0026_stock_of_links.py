"""What reward links hand out counts against the stock of the reward.

Revision: 0026
Follows: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_link ADD COLUMN stock_keys text[] NOT NULL DEFAULT '{}';
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_link DROP COLUMN stock_keys;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
