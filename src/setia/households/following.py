"""What becomes of a member's contribution when another one is merged into it, or parted from it again.

Who was taken in had earned before, outside of the household: that is the member's own, as what a member has when
joining. Else the first merge would let the household spend points that nobody has put into the pool.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.households import circle
from setia.households.circle import Stay
from setia.program.households import Households

_TAKE_IN = "UPDATE household_member SET earned = %b::json, taken_in = %b::json WHERE id = %b"
_encode = msgspec.json.Encoder().encode


class Had(msgspec.Struct, frozen=True):
    """What somebody had earned of a point type, and of that what waits and what can be used."""

    earned: int
    pending: int
    available: int


def lock_circle(connection: psycopg.Connection[Any], program_id: int, member: UUID) -> None:
    """Lock the household that a member is in, if any: before the member, as everybody does who looks at the pool."""
    stay = circle.stay_of(connection, program_id, member)
    if stay is not None:
        circle.lock_household(connection, program_id, stay.household_id)


def take_in(
    connection: psycopg.Connection[Any],
    program_id: int,
    rules: Households | None,
    member: UUID,
    merge: UUID,
    had: Mapping[str, Had],
) -> None:
    """Let what a locked member takes in by a merge be its own, and not the household's."""
    stay = circle.stay_of(connection, program_id, member)
    if stay is None:
        return
    pooled = rules is not None and rules.held == "pooled"
    # What waits is earned when it can be used, then; and with `pooled` all that is there, as when joining.
    before = {
        points: one.earned - one.pending - (max(0, one.available) if pooled else 0) for points, one in had.items()
    }
    _save(connection, stay, stay.earned, {**stay.taken_in, str(merge): before})


def give_back(
    connection: psycopg.Connection[Any],
    program_id: int,
    member: UUID,
    merge: UUID,
    merged_at: dt.datetime,
    earned: Mapping[str, int],
) -> None:
    """Undo `take_in` when the two are parted; `earned` is what the locked member has earned less from then on.

    Who joined as both together had it counted among what was earned before.
    """
    stay = circle.stay_of(connection, program_id, member)
    if stay is None:
        return
    others = {name: before for name, before in stay.taken_in.items() if name != str(merge)}
    before = dict(stay.earned)
    if len(others) == len(stay.taken_in) and stay.joined_at >= merged_at:
        before = {points: before.get(points, 0) - earned.get(points, 0) for points in before.keys() | earned.keys()}
    _save(connection, stay, before, others)


def _save(
    connection: psycopg.Connection[Any],
    stay: Stay,
    earned: Mapping[str, int],
    taken_in: Mapping[str, Mapping[str, int]],
) -> None:
    connection.execute(_TAKE_IN, (_encode(earned).decode(), _encode(taken_in).decode(), stay.id))
