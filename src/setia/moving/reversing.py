"""Reversing a transfer: what is still there of it goes back to the lots it came from, by an operator's decision."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import format_id
from setia.engine.decision import Outcome
from setia.engine.moved import Kept, Moved
from setia.engine.state import Balance
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.lot_places import lots_now
from setia.events.members_in_play import InPlay
from setia.ledger.booking import earlier
from setia.ledger.entries import Kind, LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import open_lots
from setia.members.identifiers import MEMBER_PREFIX
from setia.moving import transfer
from setia.moving.merged_lots import lots_with
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
    everything or nothing. Frozen points are taken all the same: a reversal spends nothing. Of who was merged since the
    points are looked for with the member who stands for it; there they come back in new lots, with the old ends.

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
    if giver.id == receiver.id:
        message = "Both of its members are one by now: there is nobody to take it back from."
        raise TransferSpent(message, extra={"wanted": row.amount - row.reversed, "left": 0})
    lots = {lot.key: lot for lot in open_lots(connection, receiver.id, row.points) if lot.is_spendable(acts.now)}
    places = lots_now(connection, row.receiver_id, [LotKey(*part.into) for part in row.parts], receiver.id)
    there = {part.into: _left(part, places, lots) for part in row.parts}
    taken = sum(there.values())
    wanted = row.amount - row.reversed
    if not taken or (taken < wanted and not partly):
        hint = "Send `partly` to take what is left." if taken else "Adjust the points by hand instead."
        message = f"{taken} of {wanted} {row.points} are still there. {hint}"
        raise TransferSpent(message, extra={"wanted": wanted, "left": taken})
    parts = [part for part in row.parts if there[part.into]]
    public = format_id(TRANSFER_PREFIX, row.id)
    takes = Moved("taken_back", public, name_of(giver), giver.seq + 1)
    backs, kept = _backs(connection, row, giver, parts, there)
    gets = Moved("came_back", public, name_of(receiver), receiver.seq + 1, kept=kept)
    extends = begins_anew(live, giver, row.points)
    acts.book(
        receiver,
        _KIND,
        [
            Posting(
                point_type=row.points,
                source="available",
                destination="transferred",
                amount=there[part.into],
                lot=places[LotKey(*part.into)],
            )
            for part in parts
        ],
        by,
        outcome=Outcome(moved=takes),
    )
    outcome = Outcome(moved=gets, extends=extends)
    count_extended(live, acts, giver, _KIND, outcome)
    acts.book(giver, _KIND, backs, by, outcome=outcome)
    # A lot that has points again may be the next thing to end; it may have ended: then it does at the next look.
    giver.due_soonest = earlier(giver.due_soonest, _first_end(connection, row.giver_id, parts))
    changed = msgspec.structs.replace(
        row,
        reversed=row.reversed + taken,
        parts=[msgspec.structs.replace(part, back=part.back + there[part.into]) for part in row.parts],
    )
    acts.write()
    transfer.save_reversal(connection, changed)
    return _told(changed, giver, receiver)


def _left(part: TransferPart, places: dict[LotKey, LotKey], lots: dict[LotKey, Lot]) -> int:
    place = places.get(LotKey(*part.into))
    lot = None if place is None else lots.get(place)
    return 0 if lot is None else min(part.amount - part.back, lot.remaining)


def _backs(
    connection: psycopg.Connection[Any],
    row: Transfer,
    giver: InPlay,
    parts: list[TransferPart],
    there: dict[tuple[int, int], int],
) -> tuple[list[Posting], list[Kept]]:
    """What comes back, and for whom it is kept where the giver is part of another member by now.

    That one's lots never held these points, so none of them can take any back: each gets a new one that ends like that
    of the giver, to whom it goes when the two are parted.
    """
    lots = {(lot.seq, lot.line): lot for lot in lots_with(connection, row.giver_id, [part.lot for part in parts])}
    if giver.id == row.giver_id:
        return [lots[part.lot].comes_back(there[part.into]) for part in parts], []
    owner = format_id(MEMBER_PREFIX, row.giver_id)
    kept = [Kept(line, owner, part.lot) for line, part in enumerate(parts)]
    return [lots[part.lot].opened_again(there[part.into], pending=False) for part in parts], kept


def _first_end(connection: psycopg.Connection[Any], giver: UUID, parts: list[TransferPart]) -> dt.datetime | None:
    [(ends,)] = connection.execute(
        _ENDS, ([part.lot[0] for part in parts], [part.lot[1] for part in parts], giver)
    ).fetchall()
    found: dt.datetime | None = ends
    return found


def _told(row: Transfer, giver: InPlay, receiver: InPlay, *, replayed: bool = False) -> Transferred:
    return Transferred(
        row=row,
        giver=giver.state.balances.get(row.points, Balance()),
        receiver=receiver.state.balances.get(row.points, Balance()),
        replayed=replayed,
    )
