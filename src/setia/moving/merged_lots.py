"""Lots as a merge and its end look at them: with everything by which they are opened again elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.engine.decision import PointsEffect
from setia.ledger.entries import MEMBER_ACCOUNTS, Account, Kind, LotKey, Posting

KIND: Kind = "merge"
_COLUMNS = """
l.seq, l.line, l.point_type, l.campaign, l.remaining, l.expired, l.reversed, l.pending, l.available_at, l.earned_at,
l.expires_at
"""
_OPEN_OR_NAMED = f"""
SELECT {_COLUMNS} FROM lot l
WHERE l.member_id = %b AND (l.is_open OR (l.seq, l.line) IN (SELECT * FROM unnest(%b::bigint[], %b::int[])))
ORDER BY l.seq, l.line
"""
_OF_ENTRY = f"SELECT {_COLUMNS} FROM lot l WHERE l.member_id = %b AND l.seq = %b ORDER BY l.line"


class WholeLot(NamedTuple):
    """A lot: what is left of it, what of it ended or was taken back, and what it is."""

    seq: int
    line: int
    point_type: str
    campaign: str | None
    remaining: int
    expired: int
    reversed: int
    pending: bool
    available_at: dt.datetime | None
    earned_at: dt.datetime
    expires_at: dt.datetime | None

    @property
    def key(self) -> LotKey:
        """How postings name it."""
        return LotKey(self.seq, self.line)

    @property
    def bucket(self) -> Account:
        """Where its points are."""
        return "pending" if self.pending else "available"

    @property
    def due_at(self) -> dt.datetime | None:
        """When time does something to it first, once it has points."""
        return self.available_at if self.pending and self.available_at is not None else self.expires_at

    def leaves(self, amount: int) -> Posting:
        """Points of it go to another member."""
        return Posting(
            point_type=self.point_type, source=self.bucket, destination="transferred", amount=amount, lot=self.key
        )

    def comes_back(self, amount: int) -> Posting:
        """Points come back into it."""
        return Posting(
            point_type=self.point_type, source="transferred", destination=self.bucket, amount=amount, lot=self.key
        )

    def opened_again(self, amount: int, *, pending: bool) -> Posting:
        """The same points in a lot of another member."""
        return Posting(
            point_type=self.point_type,
            source="transferred",
            destination="pending" if pending else "available",
            amount=amount,
            campaign=self.campaign,
            opens_lot=True,
            earned_at=self.earned_at,
            available_at=self.available_at if pending else None,
            expires_at=self.expires_at,
        )


def lots_with(connection: psycopg.Connection[Any], member: UUID, named: Collection[tuple[int, int]]) -> list[WholeLot]:
    """A member's open lots, and those that are named, open or not."""
    keys = list(named)
    rows = connection.execute(_OPEN_OR_NAMED, (member, [key[0] for key in keys], [key[1] for key in keys]))
    return [WholeLot(*row) for row in rows]


def lots_opened_by(connection: psycopg.Connection[Any], member: UUID, seq: int) -> dict[int, WholeLot]:
    """The lots that an entry opened, by their lines."""
    return {row[1]: WholeLot(*row) for row in connection.execute(_OF_ENTRY, (member, seq))}


def plain(
    points: str, amount: int, source: Account, destination: Account, lot: tuple[int, int] | None = None
) -> Posting:
    """A posting that opens nothing."""
    key = None if lot is None else LotKey(*lot)
    return Posting(point_type=points, source=source, destination=destination, amount=amount, lot=key)


def effects_of(postings: Sequence[Posting]) -> list[PointsEffect]:
    """One effect for each point type, campaign and direction: `setia verify` holds each against the postings."""
    sums: dict[tuple[str, str, bool], int] = {}
    for posting in postings:
        comes = posting.destination in MEMBER_ACCOUNTS
        if comes != (posting.source in MEMBER_ACCOUNTS):
            key = posting.point_type, posting.campaign or KIND, comes
            sums[key] = sums.get(key, 0) + posting.amount
    return [
        PointsEffect(points, amount if comes else -amount, campaign)
        for (points, campaign, comes), amount in sums.items()
    ]
