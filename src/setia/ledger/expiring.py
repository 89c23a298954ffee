"""What of a member's points ends soon, and when pending ones can be used: by local day. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from setia.ledger.wallets import OpenLot

_MOMENT = dt.timedelta(microseconds=1)


class Amount(NamedTuple):
    """So many points on a local day: the last on which they can be used, or the first."""

    date: dt.date
    amount: int


class Ending(NamedTuple):
    """Points of one type that end at a moment (exclusive), though they lie in lots without an end: by inactivity."""

    point_type: str
    at: dt.datetime
    amount: int
    everything: bool
    """Whether all points of the type end then, so that no lot of it ends later."""


def expiring(
    lots: Iterable[OpenLot], endings: Iterable[Ending], zone: ZoneInfo, until: dt.datetime | None = None
) -> dict[str, list[Amount]]:
    """Point type -> what ends by itself and when, earliest first, up to `until` (inclusive; None: all of it).

    Of points that decay only the next step is known: those after it depend on what the member does until then. What is
    used meanwhile is taken from what ends first.
    """
    known = list(endings)
    limits = {ending.point_type: ending.at for ending in known if ending.everything}
    moments: dict[tuple[str, dt.datetime], int] = {}
    by_lots: dict[str, int] = {}
    for one in lots:
        ends, limit = one.lot.expires_at, limits.get(one.point_type)
        if ends is not None and (limit is None or ends < limit):
            moments[one.point_type, ends] = moments.get((one.point_type, ends), 0) + one.lot.remaining
            by_lots[one.point_type] = by_lots.get(one.point_type, 0) + one.lot.remaining
    for ending in known:
        amount = ending.amount - by_lots.get(ending.point_type, 0) if ending.everything else ending.amount
        if amount > 0:
            key = (ending.point_type, ending.at)
            moments[key] = moments.get(key, 0) + amount
    return _by_day({key: amount for key, amount in moments.items() if until is None or key[1] <= until}, zone, _MOMENT)


def becoming_available(lots: Iterable[OpenLot], zone: ZoneInfo) -> dict[str, list[Amount]]:
    """Point type -> what becomes available by itself, by the day on which it does, earliest first."""
    moments: dict[tuple[str, dt.datetime], int] = {}
    for one in lots:
        if one.lot.pending and one.available_at is not None:
            key = (one.point_type, one.available_at)
            moments[key] = moments.get(key, 0) + one.lot.remaining
    return _by_day(moments, zone, dt.timedelta(0))


def _by_day(
    moments: dict[tuple[str, dt.datetime], int], zone: ZoneInfo, before: dt.timedelta
) -> dict[str, list[Amount]]:
    days: dict[str, dict[dt.date, int]] = {}
    for (point_type, moment), amount in sorted(moments.items()):
        day = (moment - before).astimezone(zone).date()
        own = days.setdefault(point_type, {})
        own[day] = own.get(day, 0) + amount
    return {name: [Amount(day, amount) for day, amount in own.items()] for name, own in days.items()}
