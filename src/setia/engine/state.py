"""What the engine knows of a member before an event, and what it has counted for the next one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec


class TierPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    """Since when a member holds a level, or kept it at a review; until when it stays though a review was not passed."""

    since: dt.datetime
    grace_until: dt.datetime | None = None


class Floor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level that was given by hand: the member does not fall below it, until it ends (None: never)."""

    level: str
    until: dt.datetime | None = None


class Counters(msgspec.Struct, omit_defaults=True):
    """What is counted for a member, as one JSON document. Only `count` makes new ones, and `decide` adds the tiers.

    Every figure follows from the member's history, so the document may be deleted and counted again (law 9).

    - `tiers`: tier set -> level held; `periods` since when; `floors` the levels given by hand.
    - `lifetime`: `orders`, `visits`, `spend` (smallest unit of the currency on the program's basis).
    - `earned`: point type -> points ever earned.
    - `windows`: metric and window -> bucket -> amount; a bucket is a local day, a year or an anniversary year.
    - `active_at`: point type that ends by inactivity -> the last activity that extended it, by arrival.
    - `fired`: trigger of time -> the occasion it fired for last.
    - `limits`: limit -> period -> uses, or points granted.
    - `first_purchase_at`, `last_purchase_at`, `newest_at` (of any event): moments, UTC.
    """

    tiers: dict[str, str] = {}
    lifetime: dict[str, int] = {}
    earned: dict[str, int] = {}
    windows: dict[str, dict[str, int]] = {}
    limits: dict[str, dict[str, int]] = {}
    first_purchase_at: dt.datetime | None = None
    last_purchase_at: dt.datetime | None = None
    newest_at: dt.datetime | None = None
    periods: dict[str, TierPeriod] = {}
    floors: dict[str, Floor] = {}
    active_at: dict[str, dt.datetime] = {}
    fired: dict[str, str] = {}


class Balance(msgspec.Struct):
    """One wallet in the smallest unit of its point type."""

    available: int = 0
    pending: int = 0
    held: int = 0
    floor: int | None = 0
    """How low `available` may go; None means without end."""


class MemberState(msgspec.Struct):
    """All facts about a member that a decision may use."""

    id: str
    enrolled_at: dt.datetime
    status: str = "active"
    attributes: dict[str, Any] = {}
    tags: tuple[str, ...] = ()
    counters: Counters = msgspec.field(default_factory=Counters)
    balances: dict[str, Balance] = {}


class Budgets(msgspec.Struct):
    """What campaigns have used over all members: budget key -> period -> uses or points. Shared by a whole batch."""

    used: dict[str, dict[str, int]] = {}
