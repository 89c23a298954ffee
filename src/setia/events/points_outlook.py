"""What time will do to a member's points, if the member does nothing: which end, and which become available."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.engine.compiled import CompiledProgram
from setia.engine.due import inactivity_end, share_of
from setia.engine.outlook import Foreseen
from setia.engine.state import MemberState
from setia.events.live import LiveProgram
from setia.events.members_in_play import read_in_play
from setia.events.settling import settle_one
from setia.ledger.expiring import Amount, Ending, becoming_available, expiring
from setia.ledger.wallets import OpenLot, all_open_lots


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
    endings: list[Ending] = []
    if program.inactive:
        endings = _endings(program, read_in_play(connection, program, live.program_id, member_id).state)
    return PointsOutlook(expiring(lots, endings, program.zone, until), becoming_available(lots, program.zone))


def foreseen_of(lots: Iterable[OpenLot], program: CompiledProgram, state: MemberState) -> list[Foreseen]:
    """What time will do to what a member can spend, in order of time: for levels that count a balance.

    Of points that decay only the next step is known.
    """
    found: list[Foreseen] = []
    for one in lots:
        begins, ends, amount = one.available_at, one.lot.expires_at, one.lot.remaining
        if one.lot.pending:
            if begins is None or (ends is not None and ends <= begins):
                continue  # nobody knows when, or they never become available
            found.append(Foreseen(begins, one.point_type, amount))
        if ends is not None:
            found.append(Foreseen(ends, one.point_type, -amount))
    found += [
        Foreseen(ending.at, ending.point_type, None if ending.everything else -ending.amount)
        for ending in _endings(program, state)
    ]
    return sorted(found, key=lambda change: change.at)


def _endings(program: CompiledProgram, state: MemberState) -> list[Ending]:
    """What ends by inactivity."""
    found = []
    for points in program.inactive:
        ends = inactivity_end(program, state, points)
        if ends is not None:
            decay = program.definition.points[points].expiry.decay
            there = state.balances[points].available + state.balances[points].pending
            amount = there if decay is None else share_of(there, decay.percent)
            found.append(Ending(points, ends, amount, decay is None))
    return found
