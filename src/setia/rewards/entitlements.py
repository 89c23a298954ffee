"""Entitlements: what members may use now, each use known by the till's own reference, and taken back by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.db.ids import new_id
from setia.events.live import LiveProgram
from setia.members.merges import main_of
from setia.members.service import load_facts
from setia.program.rewards import Reward
from setia.rewards.codes import digest_of
from setia.rewards.problems import NoSuchUse, NotEntitled, ReferenceUsed
from setia.rewards.terms import terms_of

_COLUMNS = "r.id, r.reward, r.confirmed, r.valid_from, r.valid_until, r.program_version"
_USED = "(SELECT count(*) FROM entitlement_use u WHERE u.redemption_id = r.id AND u.released_at IS NULL)"
# Those that end first come first; a lock on each, so that two tills do not both take the last use.
_VALID = f"""
SELECT {_COLUMNS} FROM redemption r
WHERE r.member_id = %b AND r.program_id = %b AND r.state IN ('confirmed', 'partly')
  AND (%b::text IS NULL OR r.reward = %b::text) AND r.reward <> ALL (%b)
  AND r.valid_from <= %b AND (r.valid_until IS NULL OR r.valid_until > %b)
ORDER BY r.valid_until NULLS LAST, r.id
"""
_USES = """
SELECT redemption_id, count(*) FROM entitlement_use
WHERE redemption_id = ANY (%b) AND released_at IS NULL GROUP BY redemption_id
"""
_INSERT = """
INSERT INTO entitlement_use (id, redemption_id, used_at, program_id, till, reference, digest, actor)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b)
"""
_BY_REFERENCE = f"""
SELECT u.id, u.used_at, u.released_at, u.till, u.reference, u.digest, {_COLUMNS}, {_USED}
FROM entitlement_use u JOIN redemption r ON r.id = u.redemption_id
WHERE u.program_id = %b AND u.till = %b AND u.reference = %b
"""
_RELEASE = "UPDATE entitlement_use SET released_at = %b WHERE id = %b AND released_at IS NULL"


class Entitlement(NamedTuple):
    """What a member may use: a redemption, from when until when, and how often yet (None: as often as wanted)."""

    redemption: UUID
    reward: str
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    uses_left: int | None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to use which entitlement, at which till, under which reference of its own."""

    member: UUID
    reward: str
    till: str
    reference: str


class EntitlementUse(NamedTuple):
    """A use, and the entitlement after it."""

    used_at: dt.datetime
    released_at: dt.datetime | None
    till: str
    reference: str
    entitlement: Entitlement
    replayed: bool = False


def entitlements_of(
    connection: psycopg.Connection[Any], live: LiveProgram, member: UUID, now: dt.datetime
) -> list[Entitlement]:
    """What a member may use now; those that are used up are left out. Who is suspended or closed may use nothing."""
    if _status(connection, live, member) != "active":
        return []
    return [one for one in _valid(connection, live, member, None, now) if one.uses_left != 0]


def use(
    connection: psycopg.Connection[Any], live: LiveProgram, wish: Wish, actor: str, now: dt.datetime
) -> EntitlementUse:
    """Use an entitlement once; the same reference and request give the first answer again.

    Raises `NotEntitled`, `ReferenceUsed`.
    """
    digest = digest_of(*msgspec.structs.astuple(wish))
    moment = live.now(now)
    # Who was merged into another member shows the old card still; the request is known by what it said.
    member = main_of(connection, [wish.member]).get(wish.member, wish.member)
    usable = _valid(connection, live, member, wish.reward, moment, lock=True)
    # After the locks, so that of two requests with one reference the second one finds the first.
    earlier = _find(connection, live, wish.till, wish.reference)
    if earlier is not None:
        if earlier[1] != digest:
            raise ReferenceUsed(f"{wish.till} used {wish.reference!r} for something else. Use a new one.")
        return earlier[0]._replace(replayed=True)
    status = _status(connection, live, member)
    if status != "active":
        raise NotEntitled(f"The member is {status}.", extra={"member_status": status})
    chosen = next((one for one in usable if one.uses_left != 0), None)
    if chosen is None:
        used_up = ", and what there was is used up" if usable else ""
        raise NotEntitled(f"The member has no {wish.reward!r} that can be used now{used_up}.")
    values = (new_id(), chosen.redemption, moment, live.program_id, wish.till, wish.reference, digest, actor)
    try:
        connection.execute(_INSERT, values, prepare=True)
    except errors.UniqueViolation as error:
        raise ReferenceUsed(f"{wish.till} used {wish.reference!r} for something else. Use a new one.") from error
    left = None if chosen.uses_left is None else chosen.uses_left - 1
    return EntitlementUse(moment, None, wish.till, wish.reference, chosen._replace(uses_left=left))


def release(
    connection: psycopg.Connection[Any], live: LiveProgram, till: str, reference: str, now: dt.datetime
) -> EntitlementUse:
    """Take a use back, as if it had not been. Again, it changes nothing. Raises `NoSuchUse`."""
    found = _find(connection, live, till, reference)
    if found is None:
        raise NoSuchUse(f"The till {till!r} has used nothing under {reference!r}.")
    done = connection.execute(_RELEASE, (live.now(now), found[2]), prepare=True).rowcount
    after = _find(connection, live, till, reference) or found
    return after[0]._replace(replayed=not done)


def is_used(connection: psycopg.Connection[Any], redemption: UUID) -> bool:
    """Whether any use of an entitlement stands."""
    return bool(connection.execute(_USES, ([redemption],), prepare=True).fetchone())


def _status(connection: psycopg.Connection[Any], live: LiveProgram, member: UUID) -> str:
    """`active`, `suspended` or `closed`; of who was merged into somebody, as that member stands."""
    main = main_of(connection, [member]).get(member, member)
    return load_facts(connection, live.program_id, [main])[main].status


def _valid(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member: UUID,
    reward: str | None,
    now: dt.datetime,
    *,
    lock: bool = False,
) -> list[Entitlement]:
    # Those that the live version has no more are what they were when they were redeemed, as all of them are.
    others = [name for name, one in live.compiled.definition.rewards.items() if one.kind != "entitlement"]
    query = f"{_VALID} FOR UPDATE" if lock else _VALID
    values = (member, live.program_id, reward, reward, others, now, now)
    found = connection.execute(query, values, prepare=True).fetchall()
    rows = [row for row in found if _promised(live, row[1], row[-1]).kind == "entitlement"]
    uses = dict(connection.execute(_USES, ([row[0] for row in rows],), prepare=True).fetchall()) if rows else {}
    return [_entitlement(live, row, uses.get(row[0], 0)) for row in rows]


def _entitlement(live: LiveProgram, row: Sequence[Any], used: int) -> Entitlement:
    identifier, reward, quantity, begins, ends, version = row
    each = _promised(live, reward, version).uses
    left = None if each is None else max(0, each * quantity - used)
    return Entitlement(identifier, reward, begins, ends, left)


def _promised(live: LiveProgram, reward: str, version: int) -> Reward:
    return terms_of(live, version).compiled.definition.rewards[reward]


def _find(
    connection: psycopg.Connection[Any], live: LiveProgram, till: str, reference: str
) -> tuple[EntitlementUse, bytes, UUID] | None:
    row = connection.execute(_BY_REFERENCE, (live.program_id, till, reference), prepare=True).fetchone()
    if row is None:
        return None
    identifier, used_at, released_at, known_till, known_reference, digest, *about, used = row
    entitlement = _entitlement(live, about, used)
    return EntitlementUse(used_at, released_at, known_till, known_reference, entitlement), bytes(digest), identifier
