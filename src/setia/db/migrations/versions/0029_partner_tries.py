"""Which try of a delivery is under way, deliveries listed by their state, and claimed address by address.

Revision: 0029
Follows: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE partner_delivery ADD COLUMN begun_at timestamptz;
CREATE INDEX ix_partner_delivery_program_id_state_id ON partner_delivery (program_id, state, id);
DROP INDEX ix_partner_delivery_due_at;
CREATE INDEX ix_partner_delivery_url_due_at ON partner_delivery (url, due_at) WHERE state = 'waiting';
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_partner_delivery_url_due_at;
CREATE INDEX ix_partner_delivery_due_at ON partner_delivery (due_at) WHERE state = 'waiting';
DROP INDEX ix_partner_delivery_program_id_state_id;
ALTER TABLE partner_delivery DROP COLUMN begun_at;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
