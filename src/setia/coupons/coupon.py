"""Coupons as they are kept, and how they are read."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, NamedTuple
from uuid import UUID

import psycopg

State = Literal["usable", "used", "not_yet", "expired", "void", "cancelled"]


class CouponRow(NamedTuple):
    """One coupon. `worth` is the money it held at first (None: its promotion says what it takes off)."""

    id: UUID
    member_id: UUID | None
    campaign: str
    created_at: dt.datetime
    starts: dt.datetime
    ends: dt.datetime | None
    voided_at: dt.datetime | None
    number: int | None
    worth: int | None
    spent: int
    uses: int | None
    used: int
    is_cancelled: bool
    granted_by: str | None
    event_id: UUID | None
    batch: str | None
    hint: str
    voided_by: str | None

    @property
    def left(self) -> int | None:
        """The money it still holds."""
        return None if self.worth is None else self.worth - self.spent

    def state_at(self, now: dt.datetime) -> State:
        """What can be done with it at a moment."""
        if self.voided_at is not None:
            return "void"
        if self.is_cancelled:
            return "cancelled"
        if self.left == 0 or (self.uses is not None and self.used >= self.uses):
            return "used"
        if now < self.starts:
            return "not_yet"
        return "expired" if self.ends is not None and now >= self.ends else "usable"


class UseRow(NamedTuple):
    """What one order used of a coupon: so much of its money, what of that has come back, and whether the use has.

    `by_hand`: a person gave it back, and the order was left as it was.
    """

    event_id: UUID
    member_id: UUID
    used_at: dt.datetime
    amount: int | None
    restored: int
    is_restored: bool
    by_hand: bool


_COLUMNS = ", ".join(CouponRow._fields)
_ONE = f"SELECT {_COLUMNS} FROM coupon WHERE program_id = %b AND id = %b"
_OF_MEMBER = f"""
SELECT {_COLUMNS} FROM coupon
WHERE program_id = %b AND member_id = %b AND (%b::uuid IS NULL OR id < %b) ORDER BY id DESC LIMIT %b
"""
_LIST = f"""
SELECT {_COLUMNS} FROM coupon
WHERE program_id = %b AND (%b::text IS NULL OR campaign = %b) AND (%b::text IS NULL OR batch = %b)
  AND (%b::uuid IS NULL OR id > %b) ORDER BY id LIMIT %b
"""
_KNOWN = f"SELECT {_COLUMNS} FROM coupon WHERE program_id = %b AND (number = %b OR hash = %b)"
_USES = f"SELECT {', '.join(UseRow._fields)} FROM coupon_use WHERE coupon_id = %b ORDER BY used_at, event_id"
_VOID = "UPDATE coupon SET voided_at = %b, voided_by = %b WHERE program_id = %b AND id = %b AND voided_at IS NULL"
_NEXT = """
SELECT id FROM coupon WHERE program_id = %b AND member_id = ANY (%b::uuid[]) ORDER BY id FOR UPDATE
"""
_MOVE = "UPDATE coupon SET member_id = %b WHERE program_id = %b AND member_id = %b"


def find(connection: psycopg.Connection[Any], program_id: int, coupon: UUID) -> CouponRow | None:
    """One coupon of a program."""
    row = connection.execute(_ONE, (program_id, coupon)).fetchone()
    return None if row is None else CouponRow(*row)


def find_by_code(
    connection: psycopg.Connection[Any], program_id: int, number: int | None, digest: bytes
) -> CouponRow | None:
    """The coupon that has a code: by its number, or by its hash."""
    row = connection.execute(_KNOWN, (program_id, number, digest or None)).fetchone()
    return None if row is None else CouponRow(*row)


def of_member(
    connection: psycopg.Connection[Any], program_id: int, member: UUID, *, before: UUID | None, most: int
) -> list[CouponRow]:
    """A member's own coupons, the newest first."""
    return [CouponRow(*row) for row in connection.execute(_OF_MEMBER, (program_id, member, before, before, most))]


def listed(
    connection: psycopg.Connection[Any],
    program_id: int,
    campaign: str | None,
    batch: str | None,
    *,
    after: UUID | None,
    most: int,
) -> list[CouponRow]:
    """The coupons of a program, the oldest first; those of one promotion or batch where it is named."""
    values = (program_id, campaign, campaign, batch, batch, after, after, most)
    return [CouponRow(*row) for row in connection.execute(_LIST, values)]


def uses_of(connection: psycopg.Connection[Any], coupon: UUID) -> list[UseRow]:
    """What orders have used of a coupon, in time."""
    return [UseRow(*row) for row in connection.execute(_USES, (coupon,))]


def void(connection: psycopg.Connection[Any], program_id: int, coupon: UUID, actor: str, now: dt.datetime) -> None:
    """Let nobody use a coupon any more. Again, it changes nothing."""
    connection.execute(_VOID, (now, actor, program_id, coupon))


def move_to(connection: psycopg.Connection[Any], program_id: int, member: UUID, other: UUID) -> list[UUID]:
    """Give all coupons of a member to another one, as when they are one person; gives their ids. Both are locked."""
    moved = [row[0] for row in connection.execute(_NEXT, (program_id, [member]))]
    connection.execute(_MOVE, (other, program_id, member))
    return moved
