"""What orders do to coupons, in the transaction of their booking: which were shown, used, given back and granted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.coupons.codes import ShownCode, hint_of, number_of
from setia.coupons.coupon import UseRow
from setia.db.ids import format_id, parse_id
from setia.engine.coupon_change import CouponChange
from setia.engine.returned_coupons import GrantedCoupon, UsedCoupon
from setia.engine.state import Coupon
from setia.members.merges import family_of

PREFIX = "cpn"
_KNOWN = "program_id = %b AND (number = ANY (%b::bigint[]) OR hash = ANY (%b::bytea[]))"
_LOCK = f"SELECT id FROM coupon WHERE {_KNOWN} ORDER BY id FOR UPDATE"
_SHOWN = f"""
SELECT c.id, c.campaign, c.member_id, c.starts, c.ends, c.worth - c.spent, c.uses - c.used,
       c.voided_at IS NOT NULL OR c.is_cancelled, c.number, c.hash,
       (SELECT count(*) FROM coupon_use u
        WHERE u.coupon_id = c.id AND u.member_id = ANY (%b::uuid[]) AND NOT u.is_restored)
FROM coupon c WHERE {_KNOWN}
"""
_USED = """
SELECT c.id, c.campaign, c.ends, u.amount, u.restored, u.is_restored, c.worth - c.spent, c.uses - c.used,
       c.voided_at IS NOT NULL OR c.is_cancelled, u.by_hand
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id WHERE u.event_id = %b ORDER BY c.id
"""
_GRANTED = """
SELECT id, campaign, granted_by, worth, spent, used, is_cancelled, voided_at IS NOT NULL
FROM coupon c WHERE event_id = %b ORDER BY id
"""
_LOCKED = " FOR UPDATE OF c"
_LOCK_ONE = "SELECT FROM coupon WHERE id = %b FOR UPDATE"
_USE_OF = f"""
SELECT c.campaign, {", ".join(f"u.{name}" for name in UseRow._fields)}
FROM coupon c LEFT JOIN coupon_use u ON u.coupon_id = c.id AND u.event_id = %b
WHERE c.program_id = %b AND c.id = %b
"""
_GRANT = """
INSERT INTO coupon (id, member_id, event_id, created_at, starts, ends, number, worth, uses, program_id, campaign,
                    granted_by, actor, hint)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
_TAKE = "UPDATE coupon SET used = used + %b, spent = spent + %b WHERE id = %b"
_USE = """
INSERT INTO coupon_use AS u (coupon_id, event_id, member_id, used_at, amount) VALUES (%b, %b, %b, %b, %b)
ON CONFLICT (coupon_id, event_id) DO UPDATE
SET restored = u.restored - coalesce(EXCLUDED.amount, 0), is_restored = u.is_restored AND %b = 0
"""
_GIVE_BACK = """
UPDATE coupon_use SET restored = restored + %b, is_restored = is_restored OR %b > 0, by_hand = by_hand OR %b
WHERE coupon_id = %b AND event_id = %b
"""
_CHANGE = "UPDATE coupon SET worth = worth + %b, is_cancelled = %b WHERE id = %b"


def lock(connection: psycopg.Connection[Any], program_id: int, shown: Iterable[ShownCode]) -> None:
    """Lock all coupons that a transaction may use, in the order of their ids."""
    numbers, hashes = _keys(shown)
    connection.execute(_LOCK, (program_id, numbers, hashes))


def find_shown(
    connection: psycopg.Connection[Any], program_id: int, member: UUID | None, shown: Collection[ShownCode]
) -> list[Coupon]:
    """The coupons whose codes were shown, as they are now; codes of none are left out."""
    numbers, hashes = _keys(shown)
    kept: dict[int | bytes, str] = {one.hash if one.number is None else one.number: one.kept for one in shown}
    # Of who was merged into the member what was used before counts too.
    members = [] if member is None else family_of(connection, member)
    found = []
    for row in connection.execute(_SHOWN, (members, program_id, numbers, hashes)):
        id_, campaign, owner, starts, ends, left, uses_left, is_void, number, digest, used = row
        found.append(
            Coupon(
                id=format_id(PREFIX, id_),
                campaign=campaign,
                code=kept[bytes(digest) if number is None else number],
                member=None if owner is None else format_id("mem", owner),
                starts=starts,
                ends=ends,
                left=left,
                uses_left=uses_left,
                used_by_member=used,
                is_void=is_void,
            )
        )
    return found


def _keys(shown: Iterable[ShownCode]) -> tuple[list[int], list[bytes]]:
    shown = list(shown)
    return (
        [one.number for one in shown if one.number is not None],
        [one.hash for one in shown if one.number is None],
    )


def used_by(
    connection: psycopg.Connection[Any], event_id: UUID, codes: dict[str, str], *, lock: bool
) -> list[UsedCoupon]:
    """The coupons that an order used; `codes` are those it used them by, by the coupons' ids."""
    rows = connection.execute(_USED + (_LOCKED if lock else ""), (event_id,))
    return [
        UsedCoupon(coupon := format_id(PREFIX, id_), campaign, codes.get(coupon, ""), *rest)
        for id_, campaign, *rest in rows
    ]


def granted_by(connection: psycopg.Connection[Any], event_id: UUID, *, lock: bool) -> list[GrantedCoupon]:
    """The coupons that an event granted, in the order in which it did."""
    rows = connection.execute(_GRANTED + (_LOCKED if lock else ""), (event_id,))
    return [GrantedCoupon(format_id(PREFIX, row[0]), *row[1:]) for row in rows]


def lock_one(connection: psycopg.Connection[Any], coupon: UUID) -> None:
    """Lock one coupon, after the members."""
    connection.execute(_LOCK_ONE, (coupon,))


def use_of(
    connection: psycopg.Connection[Any], program_id: int, coupon: UUID, order: UUID
) -> tuple[str, UseRow | None] | None:
    """The promotion of a coupon, and what an order used of it (None: nothing); None where there is no such coupon."""
    row = connection.execute(_USE_OF, (order, program_id, coupon)).fetchone()
    if row is None:
        return None
    campaign, *use = row
    return campaign, None if use[0] is None else UseRow(*use)


class Booking:
    """Books what one event did to coupons: `order` is the event they were used with or granted by."""

    def __init__(
        self, connection: psycopg.Connection[Any], program_id: int, member: UUID, order: UUID, at: dt.datetime
    ) -> None:
        self._connection = connection
        self._program_id, self._member, self._order, self._at = program_id, member, order, at

    def book(self, changes: Sequence[CouponChange], uses: dict[str, int | None], actor: str) -> None:
        """Write changes in the caller's transaction; `uses` says how often a granted coupon of a promotion can be used.

        The coupons are locked; what would use one too often breaks a constraint, and so the transaction.
        """
        for change in changes:
            coupon = parse_id(PREFIX, change.coupon)
            if change.what == "granted":
                self._grant(change, coupon, uses[change.campaign], actor)
            elif change.what == "used":
                self._connection.execute(_TAKE, (change.uses, change.amount or 0, coupon))
                self._connection.execute(
                    _USE, (coupon, self._order, self._member, self._at, change.amount, change.uses)
                )
            elif change.what == "restored":
                self._connection.execute(_TAKE, (-change.uses, -(change.amount or 0), coupon))
                given = change.amount or 0, change.uses, change.order is not None
                self._connection.execute(_GIVE_BACK, (*given, coupon, self._order))
            else:
                cancelled = change.what == "cancelled"
                self._connection.execute(_CHANGE, (change.amount or 0, cancelled, coupon))

    def _grant(self, change: CouponChange, coupon: UUID, uses: int | None, actor: str) -> None:
        number = number_of(coupon)
        self._connection.execute(
            _GRANT,
            (
                *(coupon, self._member, self._order, self._at, change.starts, change.ends, number, change.amount),
                *(uses, self._program_id, change.campaign, change.by, actor, hint_of(number)),
            ),
        )
