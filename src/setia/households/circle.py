"""Households, stays and moves as they are kept, and how they are read and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from setia.program.households import Role

MoveKind = Literal["given", "drawn", "spent", "left"]


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """A circle of members."""

    id: UUID
    created_at: dt.datetime
    closed_at: dt.datetime | None
    program_id: int
    actor: str
    idempotency_key: str | None
    digest: bytes | None


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A member's time in a household; `earned` is what the member had ever earned when it began.

    `taken_in` is what those had earned who were merged into the member since: merge -> point type -> smallest units.
    """

    id: UUID
    household_id: UUID
    member_id: UUID
    joined_at: dt.datetime
    left_at: dt.datetime | None
    program_id: int
    role: Role
    earned: dict[str, int]
    taken_in: dict[str, dict[str, int]] = {}

    def earned_before(self, points: str) -> int:
        """What of all that the member has earned by now was earned outside of the household."""
        return self.earned.get(points, 0) + sum(one.get(points, 0) for one in self.taken_in.values())


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What raised (`amount` > 0) or lowered what a stay has in the pool, beside earning.

    `given` into it, by hand or with points that came for a spending; `drawn` for somebody else's spending; `spent` by
    the member, for the redemption `reference`; `left` with the owner at the end.
    """

    id: UUID
    stay_id: UUID
    entry_id: UUID | None
    at: dt.datetime
    amount: int
    program_id: int
    points: str
    kind: MoveKind
    actor: str
    reference: str | None = None


_HOUSEHOLD = ", ".join(field.name for field in msgspec.structs.fields(Household))
_STAY = ", ".join(field.name for field in msgspec.structs.fields(Stay))
_MOVE = ", ".join(field.name for field in msgspec.structs.fields(Move))
_NEW_HOUSEHOLD = f"INSERT INTO household ({_HOUSEHOLD}) VALUES (%b, %b, %b, %b, %b, %b, %b)"
_NEW_STAY = f"INSERT INTO household_member ({_STAY}) VALUES (%b, %b, %b, %b, %b, %b, %b, %b::json, %b::json)"
_NEW_MOVE = f"INSERT INTO household_move ({_MOVE}) VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"
_SUMS = """
SELECT stay_id, points, sum(amount)::bigint FROM household_move
WHERE stay_id = ANY (%b) AND kind <> 'spent' GROUP BY 1, 2
"""
_SPENT = """
SELECT stay_id, points, -amount, reference::uuid FROM household_move WHERE stay_id = ANY (%b) AND kind = 'spent'
"""


def lock_household(connection: psycopg.Connection[Any], program_id: int, household: UUID) -> Household | None:
    """Lock a household: whoever changes its circle or its pool holds this, before its members."""
    query = f"SELECT {_HOUSEHOLD} FROM household WHERE program_id = %b AND id = %b FOR UPDATE"
    return _household(connection.execute(query, (program_id, household)).fetchone())


def find_household(connection: psycopg.Connection[Any], program_id: int, household: UUID) -> Household | None:
    """One household of a program."""
    query = f"SELECT {_HOUSEHOLD} FROM household WHERE program_id = %b AND id = %b"
    return _household(connection.execute(query, (program_id, household)).fetchone())


def find_by_key(connection: psycopg.Connection[Any], program_id: int, key: str) -> Household | None:
    """The household that was made under a key."""
    query = f"SELECT {_HOUSEHOLD} FROM household WHERE program_id = %b AND idempotency_key = %b"
    return _household(connection.execute(query, (program_id, key)).fetchone())


def insert_household(connection: psycopg.Connection[Any], row: Household) -> None:
    """Write a new one."""
    connection.execute(_NEW_HOUSEHOLD, msgspec.structs.astuple(row))


def close_household(connection: psycopg.Connection[Any], household: UUID, at: dt.datetime) -> None:
    """Write that nobody is in it any more; it is locked."""
    connection.execute("UPDATE household SET closed_at = %b WHERE id = %b", (at, household))


def insert_stay(connection: psycopg.Connection[Any], row: Stay) -> None:
    """Write a new one; household and member are locked."""
    *plain, earned, taken_in = msgspec.structs.astuple(row)
    json = (msgspec.json.encode(one).decode() for one in (earned, taken_in))
    connection.execute(_NEW_STAY, (*plain, *json))


def end_stay(connection: psycopg.Connection[Any], stay: UUID, at: dt.datetime) -> None:
    """Write that a member has left; the household is locked."""
    connection.execute("UPDATE household_member SET left_at = %b WHERE id = %b", (at, stay))


def set_role(connection: psycopg.Connection[Any], stay: UUID, role: Role) -> None:
    """Give a member another role; the household is locked."""
    connection.execute("UPDATE household_member SET role = %b WHERE id = %b", (role, stay))


def stays_in(connection: psycopg.Connection[Any], household: UUID) -> list[Stay]:
    """Who is in a household, in the order of joining."""
    return _stays(connection, "household_id = %b AND left_at IS NULL ORDER BY joined_at, id", (household,))


def stay_of(connection: psycopg.Connection[Any], program_id: int, member: UUID) -> Stay | None:
    """Where a member is; None where in no household."""
    where = "program_id = %b AND member_id = %b AND left_at IS NULL"
    return next(iter(_stays(connection, where, (program_id, member))), None)


def last_left(connection: psycopg.Connection[Any], member: UUID) -> dt.datetime | None:
    """When a member has left a household last."""
    query = "SELECT max(left_at) FROM household_member WHERE member_id = %b AND left_at IS NOT NULL"
    [(found,)] = connection.execute(query, (member,)).fetchall()
    at: dt.datetime | None = found
    return at


def insert_moves(connection: psycopg.Connection[Any], moves: Collection[Move]) -> None:
    """Write moves; household and members are locked."""
    for move in moves:
        connection.execute(_NEW_MOVE, msgspec.structs.astuple(move))


def sums_of(connection: psycopg.Connection[Any], stays: Collection[UUID]) -> dict[tuple[UUID, str], int]:
    """What was given into the pool less what was drawn from it: (stay, point type) -> amount."""
    return {(stay, points): amount for stay, points, amount in connection.execute(_SUMS, (list(stays),))}


def spent_by(connection: psycopg.Connection[Any], stays: Collection[UUID]) -> list[tuple[UUID, str, int, UUID]]:
    """What was spent of the pool: stay, point type, amount, and the redemption."""
    return connection.execute(_SPENT, (list(stays),), binary=True).fetchall()


def _household(row: Any) -> Household | None:
    return None if row is None else Household(**dict(zip(Household.__struct_fields__, row, strict=True)))


def _stays(connection: psycopg.Connection[Any], where: str, values: tuple[Any, ...]) -> list[Stay]:
    rows = connection.execute(f"SELECT {_STAY} FROM household_member WHERE {where}", values)
    return [Stay(**dict(zip(Stay.__struct_fields__, row, strict=True))) for row in rows]
