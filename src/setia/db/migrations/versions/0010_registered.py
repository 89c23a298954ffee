"""When each attribute of a member was set, where that was after the enrolment: a birthday counts from then.

Revision: 0010
Follows: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE member ADD COLUMN attributes_at jsonb DEFAULT '{}' NOT NULL;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE member DROP COLUMN attributes_at;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
