"""What is due of a member's lots: points that have ended, and points that have become available. Pure.

Expiry is judged here, at reading, and booked when somebody next locks the member, or by the job: a late job never makes
points that have ended spendable.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from setia.engine.state import Balance
from setia.ledger.booking import earlier
from setia.ledger.wallets import OpenLot


class Due(NamedTuple):
    """What has become due by a moment: lots to release, then lots to expire, and when something is due next."""

    released: list[OpenLot]
    expired: list[OpenLot]
    next_at: dt.datetime | None


def due(lots: Iterable[OpenLot], now: dt.datetime) -> Due:
    """Sort out a member's open lots. A lot that became available and has ended since is released and expired."""
    released: list[OpenLot] = []
    expired: list[OpenLot] = []
    next_at: dt.datetime | None = None
    for one in lots:
        if one.lot.pending:
            if one.available_at is None or one.available_at > now:
                next_at = earlier(next_at, one.available_at)
                continue
            released.append(one)
        if one.lot.expires_at is not None and one.lot.expires_at <= now:
            expired.append(one)
        else:
            next_at = earlier(next_at, one.lot.expires_at)
    return Due(released, expired, next_at)


def judged(balances: Mapping[str, Balance], found: Due) -> dict[str, Balance]:
    """The balances as they are, once what is due has been booked."""
    after = {
        points: Balance(wallet.available, wallet.pending, wallet.held, wallet.floor)
        for points, wallet in balances.items()
    }
    for one in found.released:
        after[one.point_type].pending -= one.lot.remaining
        after[one.point_type].available += one.lot.remaining
    for one in found.expired:
        after[one.point_type].available -= one.lot.remaining
    return after
