"""Entries for levels: judged at a review, or given by hand.

Revision: 0008
Follows: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind
    CHECK (kind IN ('event', 'adjustment', 'expiry', 'release', 'review', 'level')) NOT VALID;
ALTER TABLE journal VALIDATE CONSTRAINT ck_journal_kind;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind
    CHECK (kind IN ('event', 'adjustment', 'expiry', 'release')) NOT VALID;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
