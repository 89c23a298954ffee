"""Pools know how many codes they have had, raffles find their tickets, and links the version they were sent under.

Revision: 0030
Follows: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE code_pool (
    codes bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    pool text NOT NULL,
    CONSTRAINT pk_code_pool PRIMARY KEY (program_id, pool),
    CONSTRAINT fk_code_pool_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT ck_code_pool_codes CHECK (codes >= 0)
);
INSERT INTO code_pool (program_id, pool, codes)
SELECT program_id, pool, count(*) FROM reward_code WHERE pool IS NOT NULL GROUP BY program_id, pool;
DROP INDEX ix_reward_code_free;
CREATE INDEX ix_reward_code_free ON reward_code (program_id, pool, id)
WHERE pool IS NOT NULL AND redemption_id IS NULL AND link_id IS NULL;
CREATE INDEX ix_redemption_program_id_reward ON redemption (program_id, reward) WHERE draw_id IS NULL;
ALTER TABLE reward_link ADD COLUMN program_version integer;
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE reward_link DROP COLUMN program_version;
DROP INDEX ix_redemption_program_id_reward;
DROP INDEX ix_reward_code_free;
CREATE INDEX ix_reward_code_free ON reward_code (program_id, pool, id) WHERE redemption_id IS NULL;
DROP TABLE code_pool;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
