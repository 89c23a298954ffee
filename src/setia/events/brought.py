"""A member's lots as an entry has left them so far: with what it brings in, of which it may take again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from setia.events.postings import Lots
from setia.ledger.entries import LotKey, Posting
from setia.ledger.lots import Lot
from setia.ledger.wallets import open_lots

# A lot that was used up is open again by what comes back to it.
_LOTS = """
SELECT seq, line, remaining, pending, earned_at, expires_at FROM lot
WHERE member_id = %b AND point_type = %b AND (seq, line) IN (SELECT * FROM unnest(%b::bigint[], %b::int[]))
"""


def with_brought(
    connection: psycopg.Connection[Any], member: UUID, seq: int, postings: Sequence[Posting], now: dt.datetime
) -> Lots:
    """The lots of a wallet, read when they are needed, after the first postings of the entry `seq`."""

    def read(points: str) -> list[Lot]:
        lots = {lot.key: lot for lot in open_lots(connection, member, points)}
        own = [(line, one) for line, one in enumerate(postings) if one.point_type == points]
        touched = {one.lot for _, one in own if one.lot is not None} - lots.keys()
        if touched:
            values = member, points, [lot.seq for lot in touched], [lot.line for lot in touched]
            lots |= {lot.key: lot for lot in (Lot(*row) for row in connection.execute(_LOTS, values))}
        for line, one in own:
            if one.opens_lot:
                key = LotKey(seq, line)
                lots[key] = Lot(*key, one.amount, one.destination == "pending", one.earned_at or now, one.expires_at)
            elif one.lot is not None and one.lot in lots:
                lot = lots[one.lot]
                more = one.amount if one.destination == "available" else -one.amount
                lots[one.lot] = lot._replace(remaining=lot.remaining + more)
        return [lot for lot in lots.values() if lot.remaining]

    return read
