"""Reversing a transfer: what is still there of it goes back to the lots it came from, by an operator's decision."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import format_id
from setia.engine.decision import Outcome
from setia.engine.moved import Moved
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.booking import earlier
from setia.ledger.entries import Kind, LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import open_lots
from setia.members.merges import main_of
from setia.moving import transfer
from setia.moving.problems import NoSuchTransfer, TransferSpent
from setia.moving.transfer import Transfer, TransferPart
from setia.moving.transferring import (
    TRANSFER_PREFIX,
    Transferred,
    begins_anew,
    count_extended,
    name_of,
)

_KIND: Kind = "transfer"
_ENDS = """
SELECT min(l.expires_at) FROM lot l JOIN unnest(%b::bigint[], %b::int[]) AS w (seq, line) USING (seq, line)
WHERE l.member_id = %b
"""


def reverse_transfer(
    connection: psycopg.Connection[Any], live: LiveProgram, transfer_id: UUID, by: By, now: dt.datetime, *, partly: bool
) -> Transferred:
    """Take transferred points back from who got them, in the caller's transaction; again, it changes nothing.

    They go back to the lots they came from, and end with those. With `partly` what is still there comes back; without,
    everything or nothing. Frozen points are taken all the same: a reversal spends nothing.

    Raises:
        NoSuchTransfer, TransferSpent: nothing was moved.
    """
    found = transfer.find(connection, live.program_id, transfer_id)
    if found is None:
        raise NoSuchTransfer
    acts = Acts(connection, live, now)
    members = acts.lock({found.giver_id, found.receiver_id})
    row = transfer.find(connection, live.program_id, transfer_id) or found
    giver, receiver = members[row.giver_id], members[row.receiver_id]
    if row.reversed == row.amount:
        return _told(row, giver, receiver, replayed=True)
    _refuse_merged(connection, row)
    lots = {lot.key: lot for lot in open_lots(connection, receiver.id, row.points) if lot.is_spendable(acts.now)}
    there = {part.into: _left(part, lots) for part in row.parts}
    taken = sum(there.values())
    wanted = row.amount - row.reversed
    if not taken or (taken < wanted and not partly):
        hint = "Send `partly` to take what is left." if taken else "Adjust the points by hand instead."
        message = f"{taken} of {wanted} {row.points} are still there. {hint}"
        raise TransferSpent(message, extra={"wanted": wanted, "left": taken})
    parts = [part for part in row.parts if there[part.into]]
    public = format_id(TRANSFER_PREFIX, row.id)
    takes = Moved("taken_back", public, name_of(giver), giver.seq + 1)
    gets = Moved("came_back", public, name_of(receiver), receiver.seq + 1)
    extends = begins_anew(live, giver, row.points)
    acts.book(
        receiver,
        _KIND,
        [_posting(row.points, there[part.into], LotKey(*part.into), back=False) for part in parts],
        by,
        outcome=Outcome(moved=takes),
    )
    outcome = Outcome(moved=gets, extends=extends)
    count_extended(live, acts, giver, _KIND, outcome)
    acts.book(
        giver,
        _KIND,
        [_posting(row.points, there[part.into], LotKey(*part.lot), back=True) for part in parts],
        by,
        outcome=outcome,
    )
    # A lot that has points again may be the next thing to end; it may have ended: then it does at the next look.
    giver.due_soonest = earlier(giver.due_soonest, _first_end(connection, giver, parts))
    changed = msgspec.structs.replace(
        row,
        reversed=row.reversed + taken,
        parts=[msgspec.structs.replace(part, back=part.back + there[part.into]) for part in row.parts],
    )
    acts.write()
    transfer.save_reversal(connection, changed)
    return _told(changed, giver, receiver)


def _left(part: TransferPart, lots: dict[LotKey, Lot]) -> int:
    lot = lots.get(LotKey(*part.into))
    return 0 if lot is None else min(part.amount - part.back, lot.remaining)


def _posting(points: str, amount: int, lot: LotKey, *, back: bool) -> Posting:
    if back:
        return Posting(point_type=points, source="transferred", destination="available", amount=amount, lot=lot)
    return Posting(point_type=points, source="available", destination="transferred", amount=amount, lot=lot)


def _first_end(connection: psycopg.Connection[Any], giver: InPlay, parts: list[TransferPart]) -> dt.datetime | None:
    [(ends,)] = connection.execute(
        _ENDS, ([part.lot[0] for part in parts], [part.lot[1] for part in parts], giver.id)
    ).fetchall()
    found: dt.datetime | None = ends
    return found


def _refuse_merged(connection: psycopg.Connection[Any], row: Transfer) -> None:
    """The lots of a member who was merged since are another's now, and no longer those of the transfer."""
    sides = {row.giver_id, row.receiver_id}
    if main_of(connection, sides):
        message = "One of its members was merged into another. Adjust the points by hand, or undo the merge first."
        raise TransferSpent(message, extra={"wanted": row.amount - row.reversed, "left": 0})


def _told(row: Transfer, giver: InPlay, receiver: InPlay, *, replayed: bool = False) -> Transferred:
    return Transferred(
        row=row,
        giver=giver.state.balances[row.points],
        receiver=receiver.state.balances[row.points],
        replayed=replayed,
    )
