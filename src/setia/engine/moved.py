"""What the journal says of points that were moved: between members, between point types, and by merging members."""

from __future__ import annotations

from typing import Literal

import msgspec

from setia.engine.state import TierPeriod

MoveKind = Literal[
    "given",
    "received",
    "taken_back",
    "came_back",
    "exchanged",
    "merged",
    "merged_into",
    "unmerged",
    "unmerged_from",
]


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """The posting `line` opened a lot for points that came back for `lot` of `member`, who is part of this one."""

    line: int
    member: str
    lot: tuple[int, int]


class Moved(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which way an entry moved points, and the other side of it.

    `given` and `received` are the two sides of a transfer, `taken_back` (from who had received) and `came_back` those
    of its reversal; `merged` (the member who stays) and `merged_into` (the duplicate) those of a merge, `unmerged` and
    `unmerged_from` those of its end. `id` is that of the transfer, exchange or merge. `other` is the member on the
    other side and `seq` the entry there; an exchange has no other side.
    """

    kind: MoveKind
    id: str
    other: str | None = None
    seq: int | None = None
    gift: bool = False
    exchange: str | None = None
    """The exchange of the program."""
    returned: list[int] = []
    """Where a merge ends, for the duplicate: the other member's entries by which its orders came back meanwhile."""
    returned_by: list[tuple[str, int]] = []
    """And those of further members, while the other one was part of them."""
    gone: list[tuple[int, int, int]] = []
    """And what of its lots (seq, line, amount) has ended, come back or been taken back meanwhile: nobody spent that."""
    kept: list[Kept] = []
    """What is here for members who are part of this one, and theirs when they are parted from it."""


class MergedLot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lot of the duplicate (`lot`), and the posting of the entry (`line`) that opened it again with `amount`."""

    points: str
    lot: tuple[int, int]
    line: int
    amount: int
    pending: bool = False


class PaidPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points by which the member who stays paid what the duplicate owed; of no lot: they are owed still."""

    points: str
    amount: int
    lot: tuple[int, int] | None = None


class Merged(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the entry of a merge says beyond its postings, so that counters can be counted again and it can be undone.

    What the duplicate had counted is not written down: it follows from the duplicate's own entries up to `seq`, as
    the program counts that is live when somebody asks. `periods` are those of levels that were the duplicate's.

    In the entry that undoes a merge, `undoes` is the entry of that merge, and `levels` (tier set -> the level by right,
    and the one that shows) are those from then on.
    """

    member: str
    seq: int
    periods: dict[str, TierPeriod] = {}
    lots: list[MergedLot] = []
    loose: dict[str, tuple[int, int]] = {}
    """Points in no lot: available and pending."""
    paid: list[PaidPart] = []
    redemptions: list[str] = []
    undoes: int | None = None
    returned: list[int] = []
    """The entries by which orders of the duplicate came back meanwhile: they count for the duplicate."""
    returned_by: list[tuple[str, int]] = []
    """And those of further members, while this one was part of them."""
    levels: dict[str, tuple[str, str]] = {}
