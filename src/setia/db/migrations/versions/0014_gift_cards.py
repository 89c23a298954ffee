"""Gift cards: money on codes, its entries, and its uses at tills.

Revision: 0014
Follows: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = """
SET LOCAL lock_timeout = '5s';
CREATE TABLE gift_card (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    program_id integer NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    hint text NOT NULL,
    hash bytea NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    balance bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    expires_at timestamptz,
    member_id uuid,
    blocked boolean DEFAULT false NOT NULL,
    CONSTRAINT pk_gift_card PRIMARY KEY (id),
    CONSTRAINT fk_gift_card_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT fk_gift_card_program_id_member_id_member FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT uq_gift_card_program_id_hash UNIQUE (program_id, hash),
    CONSTRAINT ck_gift_card_hash CHECK (octet_length(hash) = 32),
    CONSTRAINT ck_gift_card_balance CHECK (balance >= 0 AND held >= 0)
) WITH (fillfactor = 85);
CREATE INDEX ix_gift_card_program_id_id ON gift_card (program_id, id);
CREATE INDEX ix_gift_card_member_id ON gift_card (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX ix_gift_card_expires_at ON gift_card (expires_at) WHERE balance > 0;

CREATE TABLE gift_card_use (
    id uuid NOT NULL,
    card_id uuid NOT NULL,
    event_id uuid,
    created_at timestamptz NOT NULL,
    hold_until timestamptz,
    ended_at timestamptz,
    amount bigint NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    captured bigint DEFAULT 0 NOT NULL,
    refunded bigint DEFAULT 0 NOT NULL,
    program_id integer NOT NULL,
    till text NOT NULL,
    reference text NOT NULL,
    digest bytea NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_gift_card_use PRIMARY KEY (id),
    CONSTRAINT fk_gift_card_use_card_id_gift_card FOREIGN KEY (card_id) REFERENCES gift_card (id),
    CONSTRAINT fk_gift_card_use_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT uq_gift_card_use_program_id_till_reference UNIQUE (program_id, till, reference),
    CONSTRAINT ck_gift_card_use_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT ck_gift_card_use_figures CHECK (
        amount > 0 AND held >= 0 AND held + captured <= amount AND refunded >= 0 AND refunded <= captured
    )
) WITH (fillfactor = 85);
CREATE INDEX ix_gift_card_use_card_id ON gift_card_use (card_id);
CREATE INDEX ix_gift_card_use_hold_until ON gift_card_use (hold_until) WHERE held > 0;
CREATE INDEX ix_gift_card_use_event_id ON gift_card_use (event_id) WHERE event_id IS NOT NULL;

CREATE TABLE gift_card_entry (
    card_id uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    use_id uuid,
    other_card_id uuid,
    redemption_id uuid,
    booked_at timestamptz NOT NULL,
    amount bigint,
    expires_at timestamptz,
    member_id uuid,
    program_id integer NOT NULL,
    blocked boolean NOT NULL,
    kind text NOT NULL,
    source text,
    destination text,
    actor text NOT NULL,
    reason text,
    CONSTRAINT pk_gift_card_entry PRIMARY KEY (card_id, seq),
    CONSTRAINT fk_gift_card_entry_card_id_gift_card FOREIGN KEY (card_id) REFERENCES gift_card (id),
    CONSTRAINT fk_gift_card_entry_use_id_gift_card_use FOREIGN KEY (use_id) REFERENCES gift_card_use (id),
    CONSTRAINT fk_gift_card_entry_other_card_id_gift_card FOREIGN KEY (other_card_id) REFERENCES gift_card (id),
    CONSTRAINT fk_gift_card_entry_program_id_program FOREIGN KEY (program_id) REFERENCES program (id),
    CONSTRAINT uq_gift_card_entry_id UNIQUE (id),
    CONSTRAINT ck_gift_card_entry_kind CHECK (kind IN (
        'issued', 'loaded', 'redeemed', 'held', 'captured', 'released', 'refunded', 'sent', 'received', 'expired',
        'paid_out', 'taken_back', 'blocked', 'unblocked', 'assigned', 'extended'
    )),
    CONSTRAINT ck_gift_card_entry_amount CHECK (
        CASE WHEN amount IS NULL THEN source IS NULL AND destination IS NULL
             ELSE amount > 0 AND amount < 1000000000000000 END
    ),
    CONSTRAINT ck_gift_card_entry_accounts CHECK (
        amount IS NULL OR coalesce(
            source IN ('sold', 'granted', 'redeemed', 'transferred') AND destination = 'available'
            OR source = 'held' AND destination IN ('available', 'redeemed')
            OR source = 'available' AND destination IN (
                'held', 'redeemed', 'expired', 'paid_out', 'granted', 'transferred'
            ), false)
    )
);
CREATE INDEX ix_gift_card_entry_redemption_id ON gift_card_entry (redemption_id) WHERE redemption_id IS NOT NULL;
"""

# The only writer of what follows from entries. SL003, as in the ledger: something stands alone that may not.
_APPLY = """
CREATE FUNCTION gift_card_apply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved bigint := coalesce(NEW.amount, 0);
BEGIN
    UPDATE gift_card c
    SET balance = c.balance + ledger_change('available', NEW.source, NEW.destination, moved),
        held = c.held + ledger_change('held', NEW.source, NEW.destination, moved),
        seq = NEW.seq, expires_at = NEW.expires_at, member_id = NEW.member_id, blocked = NEW.blocked
    WHERE c.id = NEW.card_id AND c.program_id = NEW.program_id AND c.seq = NEW.seq - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an entry that does not follow the last one of its gift card' USING ERRCODE = 'SL003';
    END IF;
    IF NEW.use_id IS NOT NULL THEN
        UPDATE gift_card_use u
        SET held = u.held + ledger_change('held', NEW.source, NEW.destination, moved),
            captured = u.captured + CASE NEW.destination WHEN 'redeemed' THEN moved ELSE 0 END,
            refunded = u.refunded + CASE NEW.source WHEN 'redeemed' THEN moved ELSE 0 END,
            ended_at = CASE WHEN u.held + ledger_change('held', NEW.source, NEW.destination, moved) = 0
                            THEN coalesce(u.ended_at, NEW.booked_at) END
        WHERE u.id = NEW.use_id AND u.card_id = NEW.card_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an entry without the use of its gift card' USING ERRCODE = 'SL003';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER apply AFTER INSERT ON gift_card_entry FOR EACH ROW EXECUTE FUNCTION gift_card_apply();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_snapshot();
CREATE TRIGGER guard_insert BEFORE INSERT ON gift_card FOR EACH ROW
    WHEN (NEW.seq <> 0 OR NEW.balance <> 0 OR NEW.held <> 0 OR NEW.blocked OR NEW.expires_at IS NOT NULL
          OR NEW.member_id IS NOT NULL)
    EXECUTE FUNCTION ledger_guard_snapshot();
CREATE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card_use
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_snapshot();
CREATE TRIGGER guard_insert BEFORE INSERT ON gift_card_use FOR EACH ROW
    WHEN (NEW.held <> 0 OR NEW.captured <> 0 OR NEW.refunded <> 0 OR NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION ledger_guard_snapshot();
"""

_REBUILD = """
CREATE FUNCTION gift_card_rebuild(card uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM gift_card c WHERE c.id = card FOR UPDATE;
    PERFORM set_config('setia.ledger_rebuild', 'on', true);
    UPDATE gift_card c
    SET balance = s.balance, held = s.held, seq = l.seq, expires_at = l.expires_at, member_id = l.member_id,
        blocked = l.blocked
    FROM (
        SELECT coalesce(sum(ledger_change('available', e.source, e.destination, e.amount)), 0) AS balance,
               coalesce(sum(ledger_change('held', e.source, e.destination, e.amount)), 0) AS held
        FROM gift_card_entry e WHERE e.card_id = card
    ) s, (SELECT * FROM gift_card_entry e WHERE e.card_id = card ORDER BY e.seq DESC LIMIT 1) l
    WHERE c.id = card;
    UPDATE gift_card_use u
    SET held = s.held, captured = s.captured, refunded = s.refunded,
        ended_at = CASE WHEN s.held = 0 THEN s.ended_at END
    FROM (
        SELECT e.use_id, sum(ledger_change('held', e.source, e.destination, e.amount)) AS held,
               sum(CASE e.destination WHEN 'redeemed' THEN e.amount ELSE 0 END) AS captured,
               sum(CASE e.source WHEN 'redeemed' THEN e.amount ELSE 0 END) AS refunded,
               max(e.booked_at) FILTER (WHERE e.source IS DISTINCT FROM 'redeemed') AS ended_at
        FROM gift_card_entry e WHERE e.card_id = card AND e.use_id IS NOT NULL GROUP BY e.use_id
    ) s
    WHERE u.id = s.use_id;
    PERFORM set_config('setia.ledger_rebuild', 'off', true);
END
$$
"""

_ROLE = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'setia_app') THEN
        GRANT SELECT, INSERT ON gift_card_entry TO setia_app;
        GRANT SELECT, INSERT, UPDATE ON gift_card, gift_card_use TO setia_app;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'no right to grant to setia_app: gift cards are guarded by their triggers alone';
END
$$
"""

_DOWN = """
SET LOCAL lock_timeout = '5s';
DROP TABLE gift_card_entry, gift_card_use, gift_card;
DROP FUNCTION gift_card_apply, gift_card_rebuild;
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_APPLY)
    op.execute(_REBUILD)
    op.execute(_ROLE)


def downgrade() -> None:
    op.execute(_DOWN)
