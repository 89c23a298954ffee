"""Entries for redemptions and for points that move between members; what is held is taken from its lot.

Revision: 0009
Follows: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Held points are nobody else's to take: they count as burned by their lot until they come back.
_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind CHECK (kind IN (
    'event', 'adjustment', 'expiry', 'release', 'review', 'level', 'redemption', 'transfer', 'exchange', 'merge'
)) NOT VALID;
ALTER TABLE journal VALIDATE CONSTRAINT ck_journal_kind;
CREATE OR REPLACE FUNCTION ledger_lot_figure(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE account
        WHEN 'redeemed' THEN 'burned' WHEN 'adjusted' THEN 'burned' WHEN 'transferred' THEN 'burned'
        WHEN 'held' THEN 'burned' WHEN 'expired' THEN 'expired' WHEN 'issued' THEN 'reversed' END
$$;
CREATE OR REPLACE FUNCTION ledger_taken(figure text, source text, destination text, amount bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE figure WHEN ledger_lot_figure(destination) THEN amount ELSE 0 END
         - CASE figure WHEN ledger_lot_figure(source) THEN amount ELSE 0 END
$$;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
CREATE OR REPLACE FUNCTION ledger_lot_figure(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE account
        WHEN 'redeemed' THEN 'burned' WHEN 'adjusted' THEN 'burned' WHEN 'transferred' THEN 'burned'
        WHEN 'expired' THEN 'expired' WHEN 'issued' THEN 'reversed' END
$$;
CREATE OR REPLACE FUNCTION ledger_taken(figure text, source text, destination text, amount bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE figure WHEN ledger_lot_figure(destination) THEN amount
                       WHEN ledger_lot_figure(source) THEN -amount ELSE 0 END
$$;
ALTER TABLE journal DROP CONSTRAINT ck_journal_kind;
ALTER TABLE journal ADD CONSTRAINT ck_journal_kind
    CHECK (kind IN ('event', 'adjustment', 'expiry', 'release', 'review', 'level')) NOT VALID;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
