"""Why a reward cannot be had, in words for machines."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

ReasonCode = Literal[
    "switched_off",
    "member_not_active",
    "not_yet",
    "ended",
    "closed_now",
    "not_for_member",
    "level_needed",
    "points_missing",
    "points_frozen",
    "member_limit",
    "total_limit",
    "out_of_stock",
    "no_codes_left",
    "quantity",
    "date_needed",
    "date_unknown",
    "date_closed",
    "date_full",
    "order_too_small",
    "nothing_to_take_off",
]


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why a reward cannot be had now. Amounts are in the smallest unit of the point type.

    - `points_missing`: `points`, `needed`, `missing`.
    - `level_needed`: `tier_set`, `level`. `not_for_member`: the `clause` of the condition that does not hold.
    - `not_yet`, `closed_now`, `member_limit`, `total_limit`: `until` says from when it can be had, where that is known.
    - `member_limit`, `total_limit`, `out_of_stock`: `limit` is how many there are in the `period`, `left` of them what
      is left.
    - `quantity`: how many can be redeemed at once, from `least` to `limit`. `date_*`: the `date`.
    - `order_too_small`: what the order has to come to, in the smallest unit of the currency, is `needed`.
    """

    code: ReasonCode
    points: str = ""
    needed: int | None = None
    missing: int | None = None
    tier_set: str = ""
    level: str = ""
    clause: str = ""
    until: dt.datetime | None = None
    period: str = ""
    limit: int | None = None
    least: int | None = None
    left: int | None = None
    date: str = ""


class RefusedReward(msgspec.Struct, frozen=True):
    """A reward that a purchase asked for and that cannot be had: its place among those asked for, and why."""

    place: int
    reward: str
    reasons: list[Reason]
