"""What the engine knows of a member before an event, and what it has counted for the next one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec


class TierPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    """Since when a member holds a level, or kept it at a review; until when it stays though a review was not passed.

    `risen` are the levels held before it by rising, each with its moment (None: since the enrolment), the lowest first:
    a return that takes a rise back leads to one of them. `hangs`: level -> the moment of a return after which
    other orders held it up; it hangs on all that were booked until then.
    """

    since: dt.datetime
    grace_until: dt.datetime | None = None
    risen: tuple[tuple[str, dt.datetime | None], ...] = ()
    hangs: dict[str, dt.datetime] = {}


class Floor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level that was given by hand: the member does not fall below it, until it ends (None: never)."""

    level: str
    until: dt.datetime | None = None


class OfferState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One instance of an offer: whose it is by its key among the counters, here since when and how far it is.

    `progress` is in the smallest unit of what the offer counts; of a set of articles `items` are those bought. Both
    begin again with each completion. `ends` is exclusive, or with `inclusive` the last moment; None: no end of its own.
    """

    campaign: str
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    inclusive: bool = False
    progress: int = 0
    items: tuple[str, ...] = ()
    completions: int = 0
    activated_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    """When it was completed last."""


class Counters(msgspec.Struct, omit_defaults=True):
    """What is counted for a member, as one JSON document. Only `count` makes new ones, and `decide` adds the tiers.

    Every figure follows from the member's history, so the document may be deleted and counted again (law 9).

    - `tiers`: tier set -> level held; `floors` the levels given by hand; `beneath`: tier set -> the level held but for
      the one given by hand, where that is higher; `periods` since when, of that level.
    - `lifetime`: `orders`, `visits`, `spend` (smallest unit of the currency on the program's basis).
    - `earned`: point type -> points ever earned.
    - `windows`: metric and window -> bucket -> amount; a bucket is a local day, a year or an anniversary year.
    - `active_at`: point type that ends by inactivity -> the last activity that extended it, by arrival.
    - `fired`: trigger of time -> the occasions it fired for, as `engine.triggers` marks them.
    - `seen_at`: trigger of inactivity -> when the member last did what counts as activity, purchases apart.
    - `decayed`: point type -> the step of decay that was booked last.
    - `limits`: limit -> period -> uses, or points granted.
    - `offers`: instance of an offer -> how far it is.
    - `frozen_at`: since when the member's points cannot be spent.
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
    beneath: dict[str, str] = {}
    active_at: dict[str, dt.datetime] = {}
    decayed: dict[str, dt.datetime] = {}
    fired: dict[str, str] = {}
    seen_at: dict[str, dt.datetime] = {}
    offers: dict[str, OfferState] = {}
    frozen_at: dt.datetime | None = None


class Balance(msgspec.Struct):
    """One wallet in the smallest unit of its point type."""

    available: int = 0
    pending: int = 0
    held: int = 0
    floor: int | None = 0
    """How low `available` may go; None means without end."""


class Waiting(msgspec.Struct, frozen=True):
    """A pending lot: what it holds, which campaign gave it, and by what.

    `order` is the external id of the event that earned it (None: no event did), `occurred_at` when that occurred.
    """

    points: str
    campaign: str
    amount: int
    lot: tuple[int, int]
    order: str | None
    occurred_at: dt.datetime
    reviewed: bool = False
    """Whether a person has to approve it: no event releases it before."""


class Coupon(msgspec.Struct, frozen=True, omit_defaults=True):
    """A coupon that was shown with an order, as it was before it; `code` is what was shown.

    `member` may use it (None: everybody), from `starts` until `ends` (exclusive). `left` is the money it holds (None:
    its promotion says what it takes off), `uses_left` how often it can be used (None: without end).
    """

    id: str
    campaign: str
    code: str
    member: str | None = None
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    left: int | None = None
    uses_left: int | None = None
    used_by_member: int = 0
    is_void: bool = False


class MemberState(msgspec.Struct):
    """All facts about a member that a decision may use."""

    id: str
    enrolled_at: dt.datetime
    status: str = "active"
    attributes: dict[str, Any] = {}
    registered_at: dict[str, dt.datetime] = {}
    """Attribute -> when its value was set, where that was after the enrolment."""
    tags: tuple[str, ...] = ()
    counters: Counters = msgspec.field(default_factory=Counters)
    balances: dict[str, Balance] = {}
    waiting: list[Waiting] = []
    """The pending lots, in the order in which they were earned. They are known only for the decision of an event that
    pending points wait for, or that takes them back.
    """
    coupons: list[Coupon] = []
    """Those whose codes were shown with the event; known only for its decision."""


class Budgets(msgspec.Struct):
    """What campaigns have used over all members: budget key -> period -> uses or points. Shared by a whole batch."""

    used: dict[str, dict[str, int]] = {}
