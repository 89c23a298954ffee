"""Events as they came in. Who they are about stands beside them by a pseudonymous id only (law 10)."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from setia.db.metadata import metadata

_MOMENT = sa.DateTime(timezone=True)

# No foreign key to `member`: each would cost a lookup and a lock per event; `setia verify` checks the same.
event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member_id", sa.Uuid),
    sa.Column("occurred_at", _MOMENT, nullable=False),
    sa.Column("received_at", _MOMENT, nullable=False),
    sa.Column("program_id", sa.Integer, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.CheckConstraint("status IN ('decided', 'kept', 'guest')", name="status"),
    sa.CheckConstraint("(member_id IS NOT NULL) = (status = 'decided')", name="member"),
    sa.UniqueConstraint("program_id", "source", "external_id"),
)

# Events of somebody not yet known, by the identifier they gave. A row goes when its event is applied; what remains are
# people who never enrolled, and their data can be deleted without touching the events.
kept_event = sa.Table(
    "kept_event",
    metadata,
    sa.Column("program_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("event_id", sa.ForeignKey("event.id"), primary_key=True, index=True),
)

# What campaigns have used of their budgets over all members. The one row here that many members share: it is written
# last in a transaction, so that it is locked for no longer than a commit takes.
budget = sa.Table(
    "budget",
    metadata,
    sa.Column("program_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.CheckConstraint("used >= 0", name="used"),
)
