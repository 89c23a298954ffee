"""The ledger: member states, journal, postings; wallets and lots as their snapshots, kept by triggers.

Revision: 0002
Follows: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Plain SQL, because most of this is what SQLAlchemy has no words for. setia/ledger/README.md says what it means.

_TABLES = """
CREATE TABLE member_state (
    member_id uuid NOT NULL,
    program_id integer NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    tracking text DEFAULT '' NOT NULL,
    counters json DEFAULT '{}' NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_member_state PRIMARY KEY (member_id),
    CONSTRAINT fk_member_state_program_id_member_id FOREIGN KEY (program_id, member_id)
        REFERENCES member (program_id, id),
    CONSTRAINT ck_member_state_seq CHECK (seq >= 0)
) WITH (fillfactor = 70);

CREATE TABLE journal (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    program_id integer NOT NULL,
    program_version integer,
    kind text NOT NULL,
    event_id uuid,
    occurred_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text,
    idempotency_key text,
    input_digest bytea,
    opens json,
    outcome json NOT NULL,
    explanation json NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (member_id, seq),
    CONSTRAINT uq_journal_id UNIQUE (id),
    CONSTRAINT ck_journal_seq CHECK (seq > 0),
    CONSTRAINT ck_journal_kind CHECK (kind IN ('event', 'adjustment')),
    CONSTRAINT ck_journal_event CHECK (
        CASE kind WHEN 'event' THEN event_id IS NOT DISTINCT FROM id ELSE event_id IS NULL END
    ),
    CONSTRAINT ck_journal_adjustment CHECK (
        kind <> 'adjustment' OR (reason IS NOT NULL AND idempotency_key IS NOT NULL AND input_digest IS NOT NULL)
    )
);
CREATE UNIQUE INDEX uq_journal_program_id_idempotency_key ON journal (program_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE posting (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    amount bigint NOT NULL,
    lot_seq bigint,
    program_id integer NOT NULL,
    line smallint NOT NULL,
    lot_line smallint,
    available_at timestamptz,
    expires_at timestamptz,
    earned_at timestamptz,
    point_type text NOT NULL,
    source text NOT NULL,
    destination text NOT NULL,
    campaign text,
    CONSTRAINT pk_posting PRIMARY KEY (member_id, seq, line),
    CONSTRAINT ck_posting_amount CHECK (amount > 0 AND amount < 1000000000000000),
    CONSTRAINT ck_posting_accounts CHECK (
        source <> destination
        AND source IN ('issued', 'redeemed', 'expired', 'adjusted', 'transferred', 'pending', 'available', 'held')
        AND destination IN ('issued', 'redeemed', 'expired', 'adjusted', 'transferred', 'pending', 'available', 'held')
        AND (source IN ('pending', 'available', 'held') OR destination IN ('pending', 'available', 'held'))
    ),
    CONSTRAINT ck_posting_lot CHECK (
        (lot_seq IS NULL) = (lot_line IS NULL)
        AND (lot_seq IS NULL OR lot_seq < seq OR (lot_seq = seq AND lot_line <= line))
    ),
    CONSTRAINT ck_posting_grant CHECK (
        CASE WHEN lot_seq IS NOT DISTINCT FROM seq AND lot_line IS NOT DISTINCT FROM line
        THEN source IN ('issued', 'adjusted', 'transferred') AND destination IN ('pending', 'available')
             AND earned_at IS NOT NULL
        ELSE expires_at IS NULL AND available_at IS NULL AND earned_at IS NULL END
    )
);

CREATE TABLE wallet (
    member_id uuid NOT NULL,
    available bigint DEFAULT 0 NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    floor bigint DEFAULT 0,
    program_id integer NOT NULL,
    point_type text NOT NULL,
    CONSTRAINT pk_wallet PRIMARY KEY (member_id, point_type),
    CONSTRAINT ck_wallet_floor CHECK (floor IS NULL OR available >= floor),
    CONSTRAINT ck_wallet_pending CHECK (pending >= 0),
    CONSTRAINT ck_wallet_held CHECK (held >= 0)
) WITH (fillfactor = 70);

CREATE TABLE lot (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    granted bigint NOT NULL,
    burned bigint DEFAULT 0 NOT NULL,
    expired bigint DEFAULT 0 NOT NULL,
    reversed bigint DEFAULT 0 NOT NULL,
    remaining bigint GENERATED ALWAYS AS (granted - burned - expired - reversed) STORED NOT NULL,
    available_at timestamptz,
    expires_at timestamptz,
    earned_at timestamptz NOT NULL,
    program_id integer NOT NULL,
    line smallint NOT NULL,
    pending boolean NOT NULL,
    is_open boolean GENERATED ALWAYS AS (granted > burned + expired + reversed) STORED NOT NULL,
    point_type text NOT NULL,
    campaign text,
    CONSTRAINT pk_lot PRIMARY KEY (member_id, seq, line),
    CONSTRAINT ck_lot_figures CHECK (granted > 0 AND burned >= 0 AND expired >= 0 AND reversed >= 0),
    CONSTRAINT ck_lot_remaining CHECK (granted - burned - expired - reversed >= 0)
) WITH (fillfactor = 85);
CREATE INDEX ix_lot_open ON lot (member_id, point_type) WHERE is_open;
"""

# What a posting adds to a bucket of a wallet, and what to a figure of the lot it takes from or gives back to. The
# planner writes both into the queries that use them.
_CHANGES = """
CREATE FUNCTION ledger_change(bucket text, source text, destination text, amount bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE bucket WHEN destination THEN amount WHEN source THEN -amount ELSE 0 END
$$;
CREATE FUNCTION ledger_lot_figure(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE account
        WHEN 'redeemed' THEN 'burned' WHEN 'adjusted' THEN 'burned' WHEN 'transferred' THEN 'burned'
        WHEN 'expired' THEN 'expired' WHEN 'issued' THEN 'reversed' END
$$;
CREATE FUNCTION ledger_taken(figure text, source text, destination text, amount bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE figure WHEN ledger_lot_figure(destination) THEN amount
                       WHEN ledger_lot_figure(source) THEN -amount ELSE 0 END
$$
"""

# The only writer of balances and lots. Its errors have SQLSTATEs of their own, and JSON as DETAIL, which
# setia/ledger/refusals.py reads: SL001 too few points, SL002 a lot that cannot give what a posting takes, SL003 a
# posting without its journal entry or wallet.
_APPLY = """
CREATE FUNCTION ledger_apply_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint;
    done bigint;
    fault json;
BEGIN
    SELECT json_build_object('member_id', p.member_id, 'seq', p.seq, 'line', p.line) INTO fault
    FROM posted p
    WHERE NOT EXISTS (
        SELECT FROM journal j WHERE j.member_id = p.member_id AND j.seq = p.seq AND j.program_id = p.program_id
    )
    ORDER BY p.member_id, p.seq, p.line LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a posting without its journal entry' USING ERRCODE = 'SL003', DETAIL = fault::text;
    END IF;

    WITH moved AS MATERIALIZED (
        SELECT p.member_id, p.point_type, p.program_id,
               sum(ledger_change('available', p.source, p.destination, p.amount))::bigint AS available,
               sum(ledger_change('pending', p.source, p.destination, p.amount))::bigint AS pending,
               sum(ledger_change('held', p.source, p.destination, p.amount))::bigint AS held
        FROM posted p GROUP BY p.member_id, p.point_type, p.program_id
    ), changed AS (
        UPDATE wallet w
        SET available = w.available + m.available, pending = w.pending + m.pending, held = w.held + m.held
        FROM moved m
        WHERE w.member_id = m.member_id AND w.point_type = m.point_type AND w.program_id = m.program_id
          AND (w.floor IS NULL OR w.available + m.available >= w.floor)
          AND w.pending + m.pending >= 0 AND w.held + m.held >= 0
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM changed) INTO wanted, done;
    IF done <> wanted THEN
        WITH moved AS (
            SELECT p.member_id, p.point_type, p.program_id,
                   sum(ledger_change('available', p.source, p.destination, p.amount)) AS available,
                   sum(ledger_change('pending', p.source, p.destination, p.amount)) AS pending,
                   sum(ledger_change('held', p.source, p.destination, p.amount)) AS held
            FROM posted p GROUP BY p.member_id, p.point_type, p.program_id
        )
        SELECT json_build_object(
            'member_id', m.member_id, 'point_type', m.point_type, 'exists', w.member_id IS NOT NULL,
            'available', w.available, 'pending', w.pending, 'held', w.held, 'floor', w.floor,
            'bucket', CASE WHEN w.available + m.available < w.floor THEN 'available'
                           WHEN w.pending + m.pending < 0 THEN 'pending' ELSE 'held' END,
            'change', CASE WHEN w.available + m.available < w.floor THEN m.available
                           WHEN w.pending + m.pending < 0 THEN m.pending ELSE m.held END) INTO fault
        FROM moved m
        LEFT JOIN wallet w ON w.member_id = m.member_id AND w.point_type = m.point_type AND w.program_id = m.program_id
        WHERE w.member_id IS NULL OR w.available + m.available < w.floor
           OR w.pending + m.pending < 0 OR w.held + m.held < 0
        -- A wallet that is not there first: those that are have been changed by now, and show balances of afterwards.
        ORDER BY w.member_id IS NOT NULL, m.member_id, m.point_type LIMIT 1;
        IF NOT (fault ->> 'exists')::boolean THEN
            RAISE EXCEPTION 'a posting without its wallet' USING ERRCODE = 'SL003', DETAIL = fault::text;
        END IF;
        RAISE EXCEPTION 'too few points' USING ERRCODE = 'SL001', DETAIL = fault::text;
    END IF;

    INSERT INTO lot (member_id, seq, line, program_id, point_type, campaign, granted, pending,
                     available_at, expires_at, earned_at)
    SELECT p.member_id, p.seq, p.line, p.program_id, p.point_type, p.campaign, p.amount, p.destination = 'pending',
           p.available_at, p.expires_at, p.earned_at
    FROM posted p WHERE p.lot_seq = p.seq AND p.lot_line = p.line;

    IF NOT EXISTS (SELECT FROM posted p WHERE p.lot_seq < p.seq OR p.lot_line < p.line) THEN
        RETURN NULL;
    END IF;
    WITH moved AS MATERIALIZED (
        SELECT p.member_id, p.lot_seq, p.lot_line, p.program_id, p.point_type,
               sum(ledger_taken('burned', p.source, p.destination, p.amount))::bigint AS burned,
               sum(ledger_taken('expired', p.source, p.destination, p.amount))::bigint AS expired,
               sum(ledger_taken('reversed', p.source, p.destination, p.amount))::bigint AS reversed,
               sum(p.amount) FILTER (WHERE p.source = 'pending' AND p.destination = 'available') AS released,
               bool_or(p.source = 'pending' OR p.destination = 'pending') AS takes_pending,
               bool_or(p.source = 'available') AS takes_available
        FROM posted p WHERE p.lot_seq < p.seq OR p.lot_line < p.line
        GROUP BY p.member_id, p.lot_seq, p.lot_line, p.program_id, p.point_type
    ), changed AS (
        UPDATE lot l
        SET burned = l.burned + m.burned, expired = l.expired + m.expired, reversed = l.reversed + m.reversed,
            pending = l.pending AND m.released IS NULL
        FROM moved m
        WHERE l.member_id = m.member_id AND l.seq = m.lot_seq AND l.line = m.lot_line
          AND l.program_id = m.program_id AND l.point_type = m.point_type
          -- A pending lot gives pending points, an available one available points; it is released as a whole.
          AND (l.pending OR NOT m.takes_pending)
          AND (NOT l.pending OR NOT m.takes_available OR m.released IS NOT NULL)
          AND (m.released IS NULL OR m.released = l.remaining)
          AND l.burned + m.burned >= 0 AND l.expired + m.expired >= 0 AND l.reversed + m.reversed >= 0
          AND l.remaining >= m.burned + m.expired + m.reversed
        RETURNING l.member_id, l.seq, l.line
    ), missed AS (
        SELECT m.member_id, m.lot_seq, m.lot_line, m.point_type, m.burned + m.expired + m.reversed AS wanted
        FROM moved m
        WHERE NOT EXISTS (
            SELECT FROM changed c WHERE c.member_id = m.member_id AND c.seq = m.lot_seq AND c.line = m.lot_line
        )
        ORDER BY m.member_id, m.lot_seq, m.lot_line LIMIT 1
    )
    SELECT json_build_object('member_id', m.member_id, 'point_type', m.point_type, 'lot_seq', m.lot_seq,
                             'lot_line', m.lot_line, 'wanted', m.wanted, 'remaining', l.remaining) INTO fault
    FROM missed m LEFT JOIN lot l ON l.member_id = m.member_id AND l.seq = m.lot_seq AND l.line = m.lot_line;
    IF FOUND THEN
        RAISE EXCEPTION 'a lot cannot give what a posting takes' USING ERRCODE = 'SL002', DETAIL = fault::text;
    END IF;
    RETURN NULL;
END
$$
"""

_REBUILD = """
CREATE FUNCTION ledger_rebuild(member uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM member_state s WHERE s.member_id = member FOR UPDATE;
    PERFORM set_config('setia.ledger_rebuild', 'on', true);
    DELETE FROM wallet w WHERE w.member_id = member;
    DELETE FROM lot l WHERE l.member_id = member;

    INSERT INTO wallet (member_id, point_type, program_id, floor, available, pending, held)
    SELECT member, o.point_type, o.program_id, o.floor,
           coalesce(b.available, 0), coalesce(b.pending, 0), coalesce(b.held, 0)
    FROM (
        SELECT DISTINCT ON (e.key) e.key AS point_type, j.program_id, (e.value #>> '{}')::bigint AS floor
        FROM journal j CROSS JOIN LATERAL json_each(j.opens) e
        WHERE j.member_id = member ORDER BY e.key, j.seq DESC
    ) o
    LEFT JOIN (
        SELECT p.point_type,
               sum(ledger_change('available', p.source, p.destination, p.amount)) AS available,
               sum(ledger_change('pending', p.source, p.destination, p.amount)) AS pending,
               sum(ledger_change('held', p.source, p.destination, p.amount)) AS held
        FROM posting p WHERE p.member_id = member GROUP BY p.point_type
    ) b USING (point_type);

    INSERT INTO lot (member_id, seq, line, program_id, point_type, campaign, granted, burned, expired, reversed,
                     pending, available_at, expires_at, earned_at)
    SELECT g.member_id, g.seq, g.line, g.program_id, g.point_type, g.campaign, g.amount,
           coalesce(t.burned, 0), coalesce(t.expired, 0), coalesce(t.reversed, 0),
           g.destination = 'pending' AND NOT coalesce(t.released, false), g.available_at, g.expires_at, g.earned_at
    FROM posting g
    LEFT JOIN (
        SELECT p.lot_seq, p.lot_line,
               sum(ledger_taken('burned', p.source, p.destination, p.amount)) AS burned,
               sum(ledger_taken('expired', p.source, p.destination, p.amount)) AS expired,
               sum(ledger_taken('reversed', p.source, p.destination, p.amount)) AS reversed,
               bool_or(p.source = 'pending' AND p.destination = 'available') AS released
        FROM posting p WHERE p.member_id = member AND (p.lot_seq < p.seq OR p.lot_line < p.line)
        GROUP BY p.lot_seq, p.lot_line
    ) t ON t.lot_seq = g.seq AND t.lot_line = g.line
    WHERE g.member_id = member AND g.lot_seq = g.seq AND g.lot_line = g.line;
    PERFORM set_config('setia.ledger_rebuild', 'off', true);
END
$$
"""

# Depth 1 is this trigger alone: somebody changes a snapshot by hand. From the trigger on posting it is 2.
_GUARD = """
CREATE FUNCTION ledger_guard_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE'
       OR (pg_trigger_depth() < 2 AND current_setting('setia.ledger_rebuild', true) IS DISTINCT FROM 'on') THEN
        RAISE EXCEPTION '% is kept by the postings: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation',
            HINT = 'Book an adjustment, or rebuild a member with ledger_rebuild(member_id).';
    END IF;
    RETURN CASE TG_LEVEL WHEN 'ROW' THEN NEW END;
END
$$
"""

_TRIGGERS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER apply AFTER INSERT ON posting REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON lot
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_snapshot();
-- An empty wallet may be opened and a floor be set by anybody; neither moves a point.
CREATE TRIGGER guard BEFORE DELETE OR TRUNCATE OR UPDATE OF member_id, point_type, program_id, available, pending, held
    ON wallet FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_snapshot();
CREATE TRIGGER guard_insert BEFORE INSERT ON wallet FOR EACH ROW
    WHEN (NEW.available <> 0 OR NEW.pending <> 0 OR NEW.held <> 0) EXECUTE FUNCTION ledger_guard_snapshot();
"""

# As its owner, so that a role which may only append to journal and postings needs no right to write the snapshots; a
# path that ends with pg_temp, so that nobody slips in a table of his own under a known name. And always by index: a
# session keeps the plan it makes first, and if it made it while the tables were small, it would read them whole later.
_APPLY_SETTINGS = """
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ledger_apply_postings() SECURITY DEFINER SET search_path = %I, pg_temp',
                   current_schema());
END
$$;
ALTER FUNCTION ledger_apply_postings() SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
"""

# Setia itself connects as the owner of the tables. An operator who wants the second lock of law 8 connects as a role in
# `setia_app`. Roles belong to the whole server: another database may have made it, and a hosted server may refuse to.
_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'setia_app') THEN
        BEGIN
            CREATE ROLE setia_app NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'no right to create the role setia_app: the ledger is guarded by its triggers alone';
                RETURN;
        END;
    END IF;
    GRANT SELECT, INSERT ON journal, posting TO setia_app;
    GRANT SELECT, INSERT, UPDATE ON member_state TO setia_app;
    GRANT SELECT, INSERT, UPDATE (floor) ON wallet TO setia_app;
    GRANT SELECT ON lot TO setia_app;
END
$$
"""


def upgrade() -> None:
    # A lock that is waited for blocks everybody who comes after it: give up early and try again instead.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_TABLES)
    op.execute(_CHANGES)
    op.execute(_APPLY)
    op.execute(_REBUILD)
    op.execute(_GUARD)
    op.execute(_TRIGGERS)
    op.execute(_APPLY_SETTINGS)
    op.execute(_ROLE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE lot, wallet, posting, journal, member_state")
    op.execute(
        "DROP FUNCTION ledger_apply_postings, ledger_rebuild, ledger_guard_snapshot, "
        "ledger_change, ledger_taken, ledger_lot_figure"
    )
