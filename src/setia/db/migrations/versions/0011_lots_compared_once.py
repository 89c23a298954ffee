"""A booking compares the lots it moved with the lots it should have moved only when their numbers differ.

Revision: 0011
Follows: 0010
"""

from alembic import op

from setia.db.engine import driver_connection

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# One by one, each was looked for among all the others: with a thousand postings in a statement that was half of its
# time. Their numbers say the same, except which one it was.
_ALWAYS = """
    SELECT json_build_object('member_id', m.member_id, 'point_type', m.point_type, 'lot_seq', m.lot_seq,
                             'lot_line', m.lot_line, 'wanted', m.wanted, 'remaining', l.remaining) INTO fault
    FROM missed m LEFT JOIN lot l ON l.member_id = m.member_id AND l.seq = m.lot_seq AND l.line = m.lot_line;
    IF FOUND THEN"""
_WHEN_NEEDED = """
    SELECT CASE WHEN (SELECT count(*) FROM moved) <> (SELECT count(*) FROM changed) THEN (
        SELECT json_build_object('member_id', m.member_id, 'point_type', m.point_type, 'lot_seq', m.lot_seq,
                                 'lot_line', m.lot_line, 'wanted', m.wanted, 'remaining', l.remaining)
        FROM missed m LEFT JOIN lot l ON l.member_id = m.member_id AND l.seq = m.lot_seq AND l.line = m.lot_line
    ) END INTO fault;
    IF fault IS NOT NULL THEN"""


def _replace(old: str, new: str) -> None:
    # In the function as it stands, with its owner's rights and its settings, which are part of what is read.
    connection = driver_connection(op.get_bind())
    connection.execute("SET LOCAL lock_timeout = '5s'")
    [(text,)] = connection.execute("SELECT pg_get_functiondef('ledger_apply_postings'::regproc)").fetchall()
    if text.count(old) != 1:
        message = "ledger_apply_postings is not what the migrations made; put it back, and migrate again"
        raise RuntimeError(message)
    connection.execute(text.replace(old, new).encode())


def upgrade() -> None:
    _replace(_ALWAYS, _WHEN_NEEDED)


def downgrade() -> None:
    _replace(_WHEN_NEEDED, _ALWAYS)
