"""Members to buy: a few are enrolled and buy through the real way in, and the many are their twins.

A twin has every row its original has, in all tables of members, events and ledger, under ids of its own. That is what
booking the same events for it would have left behind, in seconds instead of minutes; `setia verify` proves it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from bench.harness.purchases import baskets, card_text

from setia.db.engine import Database, driver_connection
from setia.db.migrate import upgrade
from setia.events.arrivals import draft
from setia.events.booking import Submission
from setia.events.clerk import Clerk
from setia.events.enrolling import EnrolWithEvent
from setia.events.live import LivePrograms
from setia.identity import service as identity
from setia.identity.scopes import Scope
from setia.members.member import NewMember
from setia.problems import Problem
from setia.program.templates import load_template
from setia.versions import service as versions

TEMPLATE = "coffee-stars"
_ACTOR = "user:bench"
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class House:
    """An installation with the program published: its number, and a key that may send events."""

    program_id: int
    key: str


def open_house(database: Database) -> House:
    """Make the tables, publish the template, make a key."""
    upgrade(database)
    with database.transaction() as tx:
        versions.publish(tx, load_template(TEMPLATE), _ACTOR)
        program = versions.find_program(tx, TEMPLATE)
        key = identity.create_key(tx, program.id, program.mode, [Scope.EVENTS_WRITE], label="bench")
    return House(program.id, str(key))


def enrol(database: Database, house: House, cards: range) -> None:
    """Enrol members, each with one card, as the API does it: with the event that gives them their first stars."""
    enrolling = EnrolWithEvent(database, LivePrograms(database))
    now = dt.datetime.now(dt.UTC)
    for card in cards:
        member = NewMember(identifiers=(("card", card_text(card)),), enrolled_at=now)
        enrolling(house.program_id, member, actor=_ACTOR, write=None)


def buy(database: Database, house: House, cards: range, each: int, source: str) -> None:
    """Let each member make `each` purchases, now, through the clerk."""
    now = dt.datetime.now(dt.UTC)
    several = baskets(source, now.isoformat())
    bodies = [(several[(number * 31 + card) % len(several)], card) for number in range(each) for card in cards]
    with Clerk(database, LivePrograms(database)) as clerk:
        for start in range(0, len(bodies), _TOGETHER):
            together = enumerate(bodies[start : start + _TOGETHER], start)
            drafts = [draft(basket.body(number, card), now) for number, (basket, card) in together]
            answers = clerk.book(house.program_id, [Submission(one, _ACTOR) for one in drafts])
            for answer in answers:
                if isinstance(answer, Problem):
                    raise answer


# Twins of members: who, the how-manieth, and the twin's id. Twins of entries: an event's entry has the event's id.
_TWINS = """
CREATE TEMPORARY TABLE twin ON COMMIT DROP AS
SELECT i.member_id AS original, k AS copy, uuidv7() AS twin, %s::int + k * %s::int + i.value::int - %s::int AS card
FROM generate_series(0, %s::int - 1) AS k, member_identifier i
WHERE i.kind = 'card' AND i.value::int >= %s AND i.value::int < %s
ORDER BY k, i.value
"""
# In the order of the journals, not member by member: in a real table a member's events lie far from each other.
_ENTRY_TWINS = """
CREATE TEMPORARY TABLE entry_twin ON COMMIT DROP AS
SELECT j.id AS original_entry, t.original, t.twin, t.copy, j.seq, uuidv7() AS entry
FROM journal j JOIN twin t ON t.original = j.member_id
ORDER BY j.seq, t.copy, t.twin
"""
_IDS_IN_BODY = """
replace(
    replace(
        replace(r.body::text, r.id::text, t.entry::text), replace(r.id::text, '-', ''), replace(t.entry::text, '-', '')
    ),
    '"external_id":"' || r.external_id || '"', '"external_id":"' || r.external_id || '-' || t.twin::text || '"'
)::json
"""
_BY_MEMBER = "twin t ON t.original = r.member_id"
_COPIES: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("member", "twin t ON t.original = r.id", {"id": "t.twin"}, "t.copy, r.id"),
    (
        "member_identifier",
        _BY_MEMBER,
        {"member_id": "t.twin", "value": "lpad(t.card::text, length(r.value), '0')"},
        "t.copy, r.member_id",
    ),
    ("member_state", _BY_MEMBER, {"member_id": "t.twin"}, "t.copy, r.member_id"),
    ("wallet", _BY_MEMBER, {"member_id": "t.twin"}, "t.copy, r.member_id"),
    (
        "event",
        "entry_twin t ON t.original_entry = r.id",
        {
            "id": "t.entry",
            "member_id": "t.twin",
            "external_id": "r.external_id || '-' || t.twin::text",
            "body": _IDS_IN_BODY,
        },
        "t.seq, t.copy, t.twin",
    ),
    (
        "journal",
        "entry_twin t ON t.original_entry = r.id",
        {"id": "t.entry", "event_id": "CASE WHEN r.kind = 'event' THEN t.entry END", "member_id": "t.twin"},
        "t.seq, t.copy, t.twin",
    ),
    ("posting", _BY_MEMBER, {"member_id": "t.twin"}, "r.seq, t.copy, t.twin, r.line"),
    ("lot", _BY_MEMBER, {"member_id": "t.twin"}, "r.seq, t.copy, t.twin, r.line"),
)
_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


def multiply(database: Database, cards: range, first_card: int, copies: int) -> range:
    """Give each of `cards`' members `copies` twins with cards from `first_card` on; gives the cards of the twins."""
    width = len(cards)
    with database.transaction() as tx:
        connection = driver_connection(tx)
        # Without triggers, which would book postings that are copied with what they did; and foreign keys hold anyway.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute(_TWINS, (first_card, width, cards.start, copies, cards.start, cards.stop))
        connection.execute("ANALYZE twin")
        connection.execute(_ENTRY_TWINS)
        connection.execute("ANALYZE entry_twin")
        for table, join, changed, order in _COPIES:
            _copy(connection, table, join, changed, order)
    with database.connect(autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("VACUUM (ANALYZE)")
    return range(first_card, first_card + copies * width)


def _copy(connection: psycopg.Connection[Any], table: str, join: str, changed: dict[str, str], order: str) -> None:
    columns = [row[0] for row in connection.execute(_COLUMNS, (table,))]
    values = [changed.get(column, f"r.{column}") for column in columns]
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} r JOIN {join} "
        f"ORDER BY {order}"
    )
