"""When something is next due for a member: points that end, or that become available.

Revision: 0004
Follows: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Existing members are due at once: whoever locks one next, or the job, finds out when it really is.
_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE member_state ADD COLUMN due_at timestamptz;
UPDATE member_state m SET due_at = m.updated_at
WHERE EXISTS (
    SELECT FROM lot l WHERE l.member_id = m.member_id AND l.is_open AND (l.pending OR l.expires_at IS NOT NULL)
);
CREATE INDEX ix_member_state_due ON member_state (program_id, due_at) WHERE due_at IS NOT NULL;
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind CHECK (kind IN ('event', 'adjustment', 'expiry', 'release'));
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_member_state_due;
ALTER TABLE member_state DROP COLUMN due_at;
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind CHECK (kind IN ('event', 'adjustment')) NOT VALID;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
