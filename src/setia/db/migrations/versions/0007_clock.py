"""The test clock: a program in test mode has a time of its own, and may stand beside the live one of the same id.

Revision: 0007
Follows: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A test program that is there already lived by the real time: its clock begins where it is.
_UP = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE program ADD COLUMN clock timestamptz;
UPDATE program SET clock = now() WHERE mode = 'test';
ALTER TABLE program ADD CONSTRAINT ck_program_clock CHECK ((clock IS NOT NULL) = (mode = 'test'));
ALTER TABLE program DROP CONSTRAINT uq_program_key;
ALTER TABLE program ADD CONSTRAINT uq_program_key_mode UNIQUE (key, mode);
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE program DROP CONSTRAINT uq_program_key_mode;
ALTER TABLE program ADD CONSTRAINT uq_program_key UNIQUE (key);
ALTER TABLE program DROP COLUMN clock;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
