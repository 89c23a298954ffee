"""What time will do to a member's points, if the member does nothing: which end, and which become available."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.engine.due import inactivity_end, share_of
from setia.events.live import LiveProgram
from setia.events.members_in_play import read_in_play
from setia.events.settling import settle_one
from setia.ledger.expiring import Amount, Ending, becoming_available, expiring
from setia.ledger.wallets import all_open_lots


class PointsOutlook(NamedTuple):
    """Point type -> amounts by local day: the last on which they can be used, and the first."""

    expiring: dict[str, list[Amount]]
    releases: dict[str, list[Amount]]


def points_outlook(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member_id: UUID,
    now: dt.datetime,
    until: dt.datetime | None = None,
) -> PointsOutlook:
    """Look ahead, to the end of everything or through `until`. What is due at `now` is booked first."""
    settle_one(connection, live, member_id, now)
    program = live.compiled
    lots = all_open_lots(connection, [member_id])[member_id]
    endings = []
    if program.inactive:
        state = read_in_play(connection, program, live.program_id, member_id).state
        for points in program.inactive:
            ends = inactivity_end(program, state, points)
            if ends is not None:
                decay = program.definition.points[points].expiry.decay
                there = state.balances[points].available + state.balances[points].pending
                amount = there if decay is None else share_of(there, decay.percent)
                endings.append(Ending(points, ends, amount, decay is None))
    return PointsOutlook(expiring(lots, endings, program.zone, until), becoming_available(lots, program.zone))
