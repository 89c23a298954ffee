"""When a member has to be looked at next, worked out anew: the proof of `due_at`, which everything of time hangs on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from setia.engine.compiled import CompiledProgram
from setia.engine.due import next_due
from setia.engine.state import MemberState
from setia.engine.triggers import reach_after
from setia.events.time_events import points_ends
from setia.ledger.booking import earlier
from setia.ledger.due import next_of_lots
from setia.ledger.wallets import OpenLot


def soonest(
    program: CompiledProgram, state: MemberState, lots: Sequence[OpenLot], since: dt.datetime, now: dt.datetime
) -> dt.datetime | None:
    """The first moment at which time does something to a member who was booked for last at `since`.

    Of triggers of time only those to come are known: whether one that has passed was looked at, only `due_at` told.
    """
    of_lots = next_of_lots(lots)
    other = next_due(program, state, since, reach_after(max(since, now), now, points_ends(lots)))
    return earlier(None if of_lots is None else of_lots.at, None if other is None else other.at)


def is_late(stored: dt.datetime | None, due_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether nobody would look in time. Too early does no harm, and who is due already is looked at anyway."""
    return due_at is not None and (stored is None or (stored > now and stored > due_at))
