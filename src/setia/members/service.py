"""Members: read them, list them, change what is said of them, and their status.

Every change locks the member's row of the ledger first, the one lock there is per member, so that it cannot come
between the reading and the booking of a decision.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from setia.db.columns import uuids
from setia.db.engine import driver_connection
from setia.db.exchange import Exchange
from setia.db.ids import new_id
from setia.ledger.states import lock_members, wake
from setia.members.attributes import check_attributes, merge
from setia.members.enrolment import by_kind
from setia.members.member import Facts, FactsChange, Member, Status
from setia.members.tables import member, member_identifier, member_status_change
from setia.problems import Conflict, NotFound
from setia.program.events import Members
from setia.versions.service import program_now

_FACTS = """
SELECT id, status, enrolled_at, attributes::text, tags, locale, attributes_at::text, merged_into
FROM member WHERE program_id = $1::int AND id = ANY ($2::uuid[])
"""
_IDENTIFIERS = "SELECT member_id, kind, value FROM member_identifier WHERE program_id = %b AND member_id = ANY (%b)"
_SAVE_FACTS = """
UPDATE member m SET attributes = w.attributes, tags = ARRAY(SELECT jsonb_array_elements_text(w.tags)),
       attributes_at = m.attributes_at || w.attributes_at, updated_at = w.at
  FROM unnest(%s::uuid[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::timestamptz[])
    AS w(id, attributes, tags, attributes_at, at)
 WHERE m.id = w.id AND m.program_id = %s
"""
# A decimal that a campaign computed is a number in JSON, too.
_encode = msgspec.json.Encoder(decimal_format="number").encode
_ALLOWED: dict[Status, tuple[Status, ...]] = {
    "active": ("suspended", "closed"),
    "suspended": ("active", "closed"),
    "closed": (),
}


class NoSuchMember(NotFound):
    """The program has no such member. Members of other programs are none either."""

    code = "member_not_found"
    title = "There is no such member"


class StatusConflict(Conflict):
    """From the present status there is no way to the wanted one."""

    code = "member_status_conflict"
    title = "The member's status does not allow this"


# ------------------------------------------------------------------------------------------------ for decisions (raw)


def load_facts(connection: psycopg.Connection[Any], program_id: int, members: Collection[UUID]) -> dict[UUID, Facts]:
    """What decisions may know of members; lock their ledger rows before. Unknown ones are left out."""
    exchange = Exchange(connection)
    read = ask_facts(exchange, program_id, members)
    exchange.send()
    return read()


def is_open(connection: psycopg.Connection[Any], program_id: int, member: UUID) -> bool:
    """Whether a member can be given something: who is closed cannot. Raises `NoSuchMember`."""
    found = load_facts(connection, program_id, [member]).get(member)
    if found is None:
        raise NoSuchMember
    return found.status != "closed"


def check_open(connection: psycopg.Connection[Any], program_id: int, member: UUID) -> None:
    """Raise `NoSuchMember` or, where nothing is given to the member any more, `StatusConflict`."""
    if not is_open(connection, program_id, member):
        raise StatusConflict("The member is closed. Leave it out, or name another one.")


def ask_facts(exchange: Exchange, program_id: int, members: Collection[UUID]) -> Callable[[], dict[UUID, Facts]]:
    """Ask now and read what `load_facts` gives when the exchange is over, which carries the question with others."""
    reply = exchange.ask(_FACTS, str(program_id), uuids(list(members)))
    return lambda: {
        row[0]: Facts(row[0], row[1], row[2], _document(row[3]), tuple(row[4]), row[5], _moments(row[6]), row[7])
        for row in reply.rows
    }


def _document(text: str) -> dict[str, Any]:
    # Of most members there is nothing to read, and finding that out took longer than everything else here.
    found: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return found


def _moments(text: str) -> dict[str, dt.datetime]:
    return {name: dt.datetime.fromisoformat(moment) for name, moment in _document(text).items()}


def save_facts(connection: psycopg.Connection[Any], program_id: int, changes: Sequence[FactsChange]) -> None:
    """Write the attributes and tags that decisions changed; each member at most once, its ledger row locked before."""
    if changes:
        connection.execute(
            _SAVE_FACTS,
            (
                [change.id for change in changes],
                [_encode(change.attributes).decode() for change in changes],
                [_encode(change.tags).decode() for change in changes],
                [_encode(change.attributes_at).decode() for change in changes],
                [change.at for change in changes],
                program_id,
            ),
        )


# ---------------------------------------------------------------------------------------------------------------- read


def get_member(tx: sa.Connection, program_id: int, member_id: UUID) -> Member:
    """One member; raises `NoSuchMember`."""
    found = _members(tx, sa.select(member).where(member.c.program_id == program_id, member.c.id == member_id))
    if not found:
        raise NoSuchMember
    return found[0]


def identifiers_of(
    connection: psycopg.Connection[Any], program_id: int, members: Collection[UUID]
) -> dict[UUID, list[tuple[str, str]]]:
    """What members are known by: (kind, value) for each, in no order."""
    found: dict[UUID, list[tuple[str, str]]] = {member: [] for member in members}
    for owner, kind, value in connection.execute(_IDENTIFIERS, (program_id, list(members)), binary=True):
        found[owner].append((kind, value))
    return found


def list_members(tx: sa.Connection, program_id: int, *, after: UUID | None, most: int) -> list[Member]:
    """Members in the order in which they were made, those after `after`; who was merged into another is left out."""
    mine = (member.c.program_id == program_id, member.c.merged_into.is_(None))
    query = sa.select(member).where(*mine).order_by(member.c.id).limit(most)
    return _members(tx, query if after is None else query.where(member.c.id > after))


def _members(tx: sa.Connection, query: sa.Select[Any]) -> list[Member]:
    rows = tx.execute(query).all()
    identifiers: dict[UUID, list[tuple[str, str]]] = {row.id: [] for row in rows}
    if rows:
        columns = member_identifier.c
        for owner, kind, value in tx.execute(
            sa.select(columns.member_id, columns.kind, columns.value).where(columns.member_id.in_(list(identifiers)))
        ):
            identifiers[owner].append((kind, value))
    return [
        Member(
            id=row.id,
            program_id=row.program_id,
            status=row.status,
            enrolled_at=row.enrolled_at,
            attributes=row.attributes,
            tags=tuple(row.tags),
            locale=row.locale,
            created_at=row.created_at,
            updated_at=row.updated_at,
            identifiers=by_kind(identifiers[row.id]),
            merged_into=row.merged_into,
        )
        for row in rows
    ]


# -------------------------------------------------------------------------------------------------------------- change


def lock_member(tx: sa.Connection, program_id: int, member_id: UUID) -> Member:
    """Lock the member's row of the ledger until the end of the transaction, and read the member; see above for why."""
    # First whether it is one of this program: a stranger who waits for a lock would learn that there is something.
    mine = sa.select(member.c.id).where(member.c.program_id == program_id, member.c.id == member_id)
    if tx.execute(mine).first() is None:
        raise NoSuchMember
    lock_members(driver_connection(tx), [member_id])
    found = get_member(tx, program_id, member_id)
    if found.merged_into is not None:
        raise StatusConflict("The member was merged into another one. Send it for that one.")
    return found


def change_member(
    tx: sa.Connection,
    program_id: int,
    member_id: UUID,
    members: Members,
    *,
    attributes: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Member:
    """Merge attributes (null removes) and set `fields` (`tags`, `locale`); a closed member stays as it is."""
    checked = check_attributes(members, attributes or {})
    current = lock_member(tx, program_id, member_id)
    if current.status == "closed":
        raise StatusConflict("A closed member cannot be changed.")
    values: dict[str, Any] = dict(fields or {})
    if "tags" in values:
        values["tags"] = sorted(set(values["tags"]))
    if attributes:
        values["attributes"] = merge(current.attributes, checked)
    changes = {name: value for name, value in values.items() if _as_stored(getattr(current, name)) != value}
    if changes:
        now = program_now(tx, program_id)
        before = current.attributes
        new = [name for name, value in checked.items() if value is not None and value != before.get(name)]
        moments = sa.cast(dict.fromkeys(new, now.isoformat()), JSONB)
        changes["attributes_at"] = member.c.attributes_at.concat(moments)
        tx.execute(_update(program_id, member_id, {**changes, "updated_at": now}))
        # Triggers of time go by what is said of the member.
        wake(driver_connection(tx), program_id, now, member_id)
    return get_member(tx, program_id, member_id) if changes else current


def change_status(
    tx: sa.Connection, program_id: int, member_id: UUID, status: Status, *, reason: str, actor: str
) -> Member:
    """Suspend, reactivate or close a member, and note who did and why. The status it has already changes nothing."""
    current = lock_member(tx, program_id, member_id)
    if current.status == status:
        return current
    if status not in _ALLOWED[current.status]:
        raise StatusConflict("A closed member stays closed. Enrol a new one.")
    now = program_now(tx, program_id)
    tx.execute(_update(program_id, member_id, {"status": status, "updated_at": now}))
    wake(driver_connection(tx), program_id, now, member_id)
    change = {"before": current.status, "after": status, "reason": reason, "actor": actor, "at": now}
    tx.execute(sa.insert(member_status_change).values(id=new_id(), member_id=member_id, **change))
    return get_member(tx, program_id, member_id)


def status_changes(tx: sa.Connection, program_id: int, member_id: UUID) -> list[tuple[str, str, str, str, dt.datetime]]:
    """How a member's status changed, the first change first: before, after, reason, actor, at."""
    columns = member_status_change.c
    query = (
        sa.select(columns.before, columns.after, columns.reason, columns.actor, columns.at)
        .join(member, member.c.id == columns.member_id)
        .where(member.c.program_id == program_id, columns.member_id == member_id)
        .order_by(columns.id)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in tx.execute(query)]


def _update(program_id: int, member_id: UUID, values: Mapping[str, Any]) -> sa.Update:
    return sa.update(member).where(member.c.program_id == program_id, member.c.id == member_id).values(dict(values))


def _as_stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
