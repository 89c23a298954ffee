"""Why the ledger refuses to book, as problems. A refused booking leaves nothing: its transaction is undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import format_id
from setia.problems import Conflict, NotFound, Unprocessable

_TOO_FEW_POINTS = "SL001"
_LOT_CANNOT_GIVE = "SL002"


class InsufficientPoints(Conflict):
    """A wallet would fall below its floor, or a lot would give more than it has."""

    code = "insufficient_points"
    title = "There are not enough points"

    def __init__(self, member_id: UUID, point_type: str, *, available: int, wanted: int) -> None:
        self.member_id = member_id
        self.point_type = point_type
        self.available = available
        self.wanted = wanted
        super().__init__(
            f"{wanted} {point_type} are wanted and {available} can be taken.",
            extra={
                "member": format_id("mem", member_id),
                "point_type": point_type,
                "available": available,
                "wanted": wanted,
            },
        )


class InvalidAdjustment(Unprocessable):
    """An amount that is no whole number other than 0, or one too large; a reason, key or actor that is none."""

    code = "invalid_adjustment"
    title = "This adjustment cannot be booked"


class UnknownMember(NotFound):
    """The ledger knows no such member."""

    code = "member_not_found"
    title = "There is no such member"


class IdempotencyKeyReused(Unprocessable):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"
    title = "This idempotency key belongs to another request"


class StaleState(Exception):  # noqa: N818 - a fault of the caller's, named by what it is
    """A booking does not continue where its members' journals end: their rows were not locked, or not read again."""


@contextmanager
def refusals_named() -> Iterator[None]:
    """Turn what the triggers raise into problems."""
    try:
        yield
    except psycopg.Error as error:
        problem = _problem(error)
        if problem is None:
            raise
        raise problem from error


def _problem(error: psycopg.Error) -> InsufficientPoints | None:
    if error.sqlstate not in {_TOO_FEW_POINTS, _LOT_CANNOT_GIVE}:
        return None
    fault: dict[str, Any] = msgspec.json.decode(error.diag.message_detail or "{}")
    member, point_type = UUID(fault["member_id"]), fault["point_type"]
    if error.sqlstate == _TOO_FEW_POINTS:
        lowest = (fault["floor"] or 0) if fault["bucket"] == "available" else 0
        return InsufficientPoints(
            member, point_type, available=fault[fault["bucket"]] - lowest, wanted=-fault["change"]
        )
    return InsufficientPoints(member, point_type, available=fault["remaining"] or 0, wanted=fault["wanted"])
