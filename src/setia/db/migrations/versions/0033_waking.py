"""After a version that moves time members are woken in chunks: how far a program is. Reviews that are open, by index.

Revision: 0033
Follows: 0032
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE program ADD COLUMN wakes_at timestamptz, ADD COLUMN wakes_after uuid,
    ADD CONSTRAINT ck_program_wakes CHECK ((wakes_at IS NULL) = (wakes_after IS NULL));
CREATE INDEX ix_velocity_review_open ON velocity_review (program_id, id) WHERE state = 'open';
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP INDEX ix_velocity_review_open;
UPDATE member_state m SET due_at = p.wakes_at FROM program p
WHERE p.id = m.program_id AND m.member_id > p.wakes_after AND (m.due_at IS NULL OR m.due_at > p.wakes_at);
ALTER TABLE program DROP COLUMN wakes_at, DROP COLUMN wakes_after;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
