"""What is due of a member's lots: points that become available, and points that end. Pure.

Expiry is judged whenever somebody looks, and booked when somebody next locks the member, or by the job: a late job
never makes points that have ended spendable.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal, NamedTuple

from setia.ledger.wallets import OpenLot

LotChange = Literal["release", "expiry"]


_RELEASE, _EXPIRY = -2, -1


class LotsDue(NamedTuple):
    """The next that happens to lots, and to which: they become available (`order` -2) or end (-1) at one moment."""

    at: dt.datetime
    order: int
    kind: LotChange
    lots: list[OpenLot]


def next_of_lots(lots: Iterable[OpenLot]) -> LotsDue | None:
    """What time does first to a member's open lots; None where it does nothing.

    A pending lot is released before it ends, though both were long ago. One that waits for an event alone has no moment
    of release, and ends while it waits.
    """
    first, first_order, found = None, 0, []
    for one in lots:
        at, order = one.lot.expires_at, _EXPIRY
        if one.lot.pending and one.available_at is not None:
            at, order = one.available_at, _RELEASE
        if at is None:
            continue
        if first is None or at < first or (at == first and order < first_order):
            first, first_order, found = at, order, [one]
        elif at == first and order == first_order:
            found.append(one)
    if first is None:
        return None
    return LotsDue(first, first_order, "release" if first_order == _RELEASE else "expiry", found)
