"""Events as they came in, events kept for strangers, and budgets over all members.

Revision: 0003
Follows: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE event (
    id uuid NOT NULL,
    member_id uuid,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    program_id integer NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    digest bytea NOT NULL,
    body json NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (id),
    CONSTRAINT uq_event_program_id_source_external_id UNIQUE (program_id, source, external_id),
    CONSTRAINT ck_event_status CHECK (status IN ('decided', 'kept', 'guest')),
    CONSTRAINT ck_event_member CHECK ((member_id IS NOT NULL) = (status = 'decided'))
);

CREATE TABLE kept_event (
    program_id integer NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT pk_kept_event PRIMARY KEY (program_id, kind, value, event_id),
    CONSTRAINT fk_kept_event_event_id_event FOREIGN KEY (event_id) REFERENCES event (id)
);
CREATE INDEX ix_kept_event_event_id ON kept_event (event_id);

CREATE TABLE budget (
    program_id integer NOT NULL,
    key text NOT NULL,
    period text NOT NULL,
    used bigint NOT NULL,
    CONSTRAINT pk_budget PRIMARY KEY (program_id, key, period),
    CONSTRAINT ck_budget_used CHECK (used >= 0)
) WITH (fillfactor = 50);
"""

_APPEND_ONLY = """
CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % is not allowed', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_append_only();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_APPEND_ONLY)


def downgrade() -> None:
    op.execute("DROP TABLE budget, kept_event, event")
    op.execute("DROP FUNCTION event_append_only()")
