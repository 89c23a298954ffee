"""When a member is due next, where triggers warn of points that will end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from setia.engine.compiled import CompiledProgram
from setia.engine.triggers import PointsEnd, warned_at
from setia.ledger.booking import earlier
from setia.ledger.entries import Posting


def due_with(
    program: CompiledProgram, due_at: dt.datetime | None, postings: Iterable[Posting], now: dt.datetime
) -> dt.datetime | None:
    """When a member is due next, if triggers warn of the lots that postings open."""
    if not program.time.expiring:
        return due_at
    ends = [
        PointsEnd(one.point_type, one.amount, now, one.expires_at)
        for one in postings
        if one.opens_lot and one.expires_at is not None
    ]
    return earlier(due_at, warned_at(program, ends, now))
