"""Who gave bought points back, where that one stands for the buyer; and what a member of a household has taken in.

Revision: 0031
Follows: 0030
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE point_sale ADD COLUMN refunded_id uuid;
UPDATE point_sale SET refunded_id = member_id WHERE refunded_at IS NOT NULL;
ALTER TABLE household_member ADD COLUMN taken_in json DEFAULT '{}' NOT NULL;
CREATE INDEX ix_member_merge_duplicate_id ON member_merge (duplicate_id);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_member_merge_duplicate_id;
ALTER TABLE household_member DROP COLUMN taken_in;
ALTER TABLE point_sale DROP COLUMN refunded_id;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
