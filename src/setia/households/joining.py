"""Households are made, joined and left, in the caller's transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from setia.api.idempotency import KeyReused
from setia.db.ids import format_id, new_id
from setia.db.savepoint import undone_if
from setia.engine.calendar import after
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.households import circle
from setia.households.circle import Household, Stay
from setia.households.pool import Inside, Pool
from setia.households.problems import CannotJoin, InvalidHousehold, NoHouseholds
from setia.ledger.freezing import refuse_frozen
from setia.members.service import NoSuchMember
from setia.problems import ErrorItem
from setia.program.households import Households, Role

_IN_ONE = "uq_household_member_member_id"


def make_household(
    connection: psycopg.Connection[Any], live: LiveProgram, owner: UUID, by: By, now: dt.datetime
) -> tuple[UUID, bool]:
    """Make a household with its owner; the same key and owner give the first one again (then True).

    Raises:
        NoHouseholds, NoSuchMember, CannotJoin, KeyReused.
    """
    rules = live.compiled.definition.households
    if rules is None:
        raise NoHouseholds("Its definition has no `households`.")
    acts = Acts(connection, live, now)
    member = acts.lock([owner]).get(owner)
    if member is None:
        raise NoSuchMember
    digest = hashlib.sha256(owner.bytes).digest()
    known = None if by.key is None else circle.find_by_key(connection, live.program_id, by.key)
    if known is not None:
        if known.digest != digest:
            raise KeyReused("It was used for another household. Use a new key for a new request.")
        return known.id, True
    row = Household(
        id=new_id(),
        created_at=acts.now,
        closed_at=None,
        program_id=live.program_id,
        actor=by.actor,
        idempotency_key=by.key,
        digest=digest,
    )
    try:
        circle.insert_household(connection, row)
    except errors.UniqueViolation as error:
        raise KeyReused("It was used for another household at this moment. Use a new key.") from error
    _enter(connection, live, rules, row.id, member, "owner", acts.now)
    acts.write()
    return row.id, False


def join(pool: Pool, member_id: UUID, role: Role) -> bool:
    """Let a member in, in a role that is not the owner's; False where the member is in it already.

    Raises:
        NoSuchMember, CannotJoin.
    """
    if any(stay.member_id == member_id for stay in pool.stays):
        return False
    member = pool.members.get(member_id)
    if member is None:
        raise NoSuchMember
    most = pool.rules.most_members
    if len(pool.stays) >= most:
        raise CannotJoin(f"It has {len(pool.stays)} members, and {most} is the most.", extra={"reason": "full"})
    _enter(pool.connection, pool.live, pool.rules, pool.household.id, member, role, pool.acts.now)
    pool.acts.write()
    return True


def leave(pool: Pool, inside: Inside, by: By) -> None:
    """Let a member go: with what is the member's in the pool, or (`leaving: leave`) that stays with the owner.

    An owner who goes is followed by who has been an adult in it for longest, else by who joined first. With the last
    one the household is closed.

    Raises:
        PointsFrozen: the points that stay are frozen.
    """
    rest = [stay for stay in pool.stays if stay.id != inside.stay.id]
    if inside.stay.role == "owner" and rest:
        heir = next((stay for stay in rest if stay.role == "adult"), rest[0])
        circle.set_role(pool.connection, heir.id, "owner")
    else:
        heir = next((stay for stay in rest if stay.role == "owner"), inside.stay)
    if rest and pool.rules.leaving == "leave":
        # What is frozen counts as nothing in the pool: else to freeze it would be the way to take it along.
        refuse_frozen(inside.member.state.id, inside.member.state.counters)
        receiver = pool.inside(heir.member_id)
        for points, contributions in pool.contributions().items():
            amount = contributions[inside.stay.member_id]
            if amount:
                pool.hand_over(inside, receiver, points, amount, by, "left")
    circle.end_stay(pool.connection, inside.stay.id, pool.acts.now)
    if not rest:
        circle.close_household(pool.connection, pool.household.id, pool.acts.now)


def change_role(pool: Pool, inside: Inside, role: Role) -> None:
    """Give a member another role. Who becomes the owner takes the place of the one before, who is an adult then.

    Raises:
        InvalidHousehold: the owner would have none after.
    """
    if role == inside.stay.role:
        return
    if inside.stay.role == "owner":
        item = ErrorItem(
            pointer="#/role", message="a household has an owner", hint="Make somebody else the owner instead."
        )
        raise InvalidHousehold("Nothing was changed.", errors=[item])
    if role == "owner":
        for stay in pool.stays:
            if stay.role == "owner":
                circle.set_role(pool.connection, stay.id, "adult")
    circle.set_role(pool.connection, inside.stay.id, role)


def _enter(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    rules: Households,
    household: UUID,
    member: InPlay,
    role: Role,
    now: dt.datetime,
) -> None:
    """Write a stay of a locked member, if nothing stands against it."""
    if member.state.status != "active":
        raise CannotJoin(f"The member is {member.state.status}.", extra={"reason": "member_not_active"})
    if rules.rejoin_after is not None:
        left_at = circle.last_left(connection, member.id)
        until = None if left_at is None else after(left_at, rules.rejoin_after, live.compiled.zone)
        if until is not None and now < until:
            message = f"Who has left a household joins another after {rules.rejoin_after} (`rejoin_after`)."
            raise CannotJoin(message, extra={"reason": "left_lately", "until": until.isoformat()})
    earned = dict(member.state.counters.earned)
    for name, balance in member.state.balances.items():
        # What waits now is earned when it can be used; and with `pooled` all that is there, as if it came from now on.
        later = balance.pending + (max(0, balance.available) if rules.held == "pooled" else 0)
        earned[name] = earned.get(name, 0) - later
    stay = Stay(
        id=new_id(),
        household_id=household,
        member_id=member.id,
        joined_at=now,
        left_at=None,
        program_id=live.program_id,
        role=role,
        earned=earned,
    )
    try:
        # Somebody may let the member into another one at this moment: then this transaction goes on without it.
        with undone_if(errors.UniqueViolation, connection):
            circle.insert_stay(connection, stay)
    except errors.UniqueViolation as error:
        if error.diag.constraint_name != _IN_ONE:
            raise
        known = circle.stay_of(connection, live.program_id, member.id)
        where = {} if known is None else {"household": format_id("hh", known.household_id)}
        raise CannotJoin("The member is in a household already.", extra={"reason": "in_another", **where}) from error
