"""Referrals are looked at when they are due, by index: what friends do makes them due, as it is booked.

Revision: 0028
Follows: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Rows are locked in the order of their ids. Whoever else changes the row of a friend holds the friend's lock, as those
# do whose writing fires these triggers.
_UP = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE referral_terms (
    program_id integer NOT NULL,
    version integer NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT pk_referral_terms PRIMARY KEY (program_id),
    CONSTRAINT fk_referral_terms_program_id_program FOREIGN KEY (program_id) REFERENCES program (id)
);
DROP INDEX ix_referral_due_at;
CREATE INDEX ix_referral_program_id_due_at_id ON referral (program_id, due_at, id) WHERE due_at IS NOT NULL;
-- What friends have done since they were looked at is not known any more: each is looked at once.
UPDATE referral SET due_at = joined_at WHERE friend_id IS NOT NULL AND ended_at IS NULL;
ALTER TABLE referral DROP COLUMN seen;

CREATE FUNCTION referral_wake(program integer, friends uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE referral r SET due_at = least(r.due_at, coalesce(p.clock, now()))
    FROM program p, (
        SELECT id FROM referral
        WHERE program_id = program AND friend_id = ANY (friends) AND ended_at IS NULL ORDER BY id FOR UPDATE
    ) w WHERE r.id = w.id AND p.id = program;
END $$;

CREATE FUNCTION referral_heed_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bought record;
BEGIN
    FOR bought IN
        SELECT program_id, array_agg(DISTINCT member_id) AS members FROM fresh
        WHERE type IN ('purchase', 'return', 'cancel') AND member_id IS NOT NULL GROUP BY program_id
    LOOP
        PERFORM referral_wake(
            bought.program_id,
            bought.members || ARRAY(SELECT id FROM member WHERE merged_into = ANY (bought.members))
        );
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER referral_heed AFTER INSERT ON event REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION referral_heed_events();

CREATE FUNCTION referral_heed_merges() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mains uuid[] := ARRAY[NEW.merged_into, OLD.merged_into];
BEGIN
    PERFORM referral_wake(
        NEW.program_id, mains || NEW.id || ARRAY(SELECT id FROM member WHERE merged_into = ANY (mains))
    );
    RETURN NULL;
END $$;
CREATE TRIGGER referral_heed AFTER UPDATE OF merged_into ON member
    FOR EACH ROW WHEN (OLD.merged_into IS DISTINCT FROM NEW.merged_into) EXECUTE FUNCTION referral_heed_merges();
"""
_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TRIGGER referral_heed ON member;
DROP TRIGGER referral_heed ON event;
DROP FUNCTION referral_heed_merges, referral_heed_events, referral_wake;
ALTER TABLE referral ADD COLUMN seen bigint DEFAULT 0 NOT NULL;
DROP INDEX ix_referral_program_id_due_at_id;
CREATE INDEX ix_referral_due_at ON referral (due_at) WHERE due_at IS NOT NULL;
DROP TABLE referral_terms;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute(_DOWN)
