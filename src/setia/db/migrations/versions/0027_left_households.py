"""When a member has left a household last is found without reading everybody's stays.

Revision: 0027
Follows: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE INDEX ix_household_member_left ON household_member (member_id, left_at) WHERE left_at IS NOT NULL;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_household_member_left;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
