"""Pending points and the events they wait for: which lots an event releases, and which it takes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import LotMove
from setia.engine.occurrences import Occurrence
from setia.engine.state import Waiting

_BY_HAND = "adjustment"
"""What postings of points that were given by hand name as their campaign."""


def moves_of(program: CompiledProgram, event: Occurrence, waiting: Sequence[Waiting]) -> list[LotMove]:
    """What an event does to pending lots: released, or cancelled, in the order in which they were earned.

    `order` in the event's data names the external id of the event that earned them; without it all lots are meant. A
    lot that an event both releases and cancels is cancelled: what may have to be taken back must not be spent first.
    """
    moves = []
    for lot in of_order(waiting, _order(event)):
        point_type = program.definition.points.get(lot.points)
        if point_type is not None and point_type.cancel_on == event.type:
            moves.append(cancelled(lot))
            continue
        rule = program.waits_for(lot.points, lot.campaign)
        if rule is not None and rule[1] == event.type and not lot.reviewed:
            moves.append(LotMove("released", lot.points, lot.amount, lot.campaign, lot.lot, lot.order))
    return moves


def of_order(waiting: Iterable[Waiting], order: str | None) -> list[Waiting]:
    """The lots that one event earned; all of them where none is named."""
    return [lot for lot in waiting if order is None or lot.order == order]


def cancelled(lot: Waiting) -> LotMove:
    """A pending lot as it is taken back. What was given by hand had not counted as earned: it has no day to leave."""
    counted_at = None if lot.campaign == _BY_HAND else lot.occurred_at
    return LotMove("cancelled", lot.points, lot.amount, lot.campaign, lot.lot, lot.order, counted_at)


def _order(event: Occurrence) -> str | None:
    order = event.data.get("order")
    return None if order is None else str(order)
