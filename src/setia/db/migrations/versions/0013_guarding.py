"""Entries for points that are frozen, bought, or drawn from a household.

Revision: 0013
Follows: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind CHECK (kind IN (
    'event', 'adjustment', 'expiry', 'release', 'review', 'level', 'redemption', 'transfer', 'exchange', 'merge',
    'freeze', 'sale', 'household'
)) NOT VALID;
ALTER TABLE journal VALIDATE CONSTRAINT ck_journal_kind;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind CHECK (kind IN (
    'event', 'adjustment', 'expiry', 'release', 'review', 'level', 'redemption', 'transfer', 'exchange', 'merge'
)) NOT VALID;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
