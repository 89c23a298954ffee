"""Where the money of all cards went, by kind, currency and funding side; and what is still owed."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import psycopg

_SUMS = """
SELECT c.kind, c.currency, count(DISTINCT c.id),
       coalesce(sum(e.amount) FILTER (WHERE e.source = 'sold'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.source = 'granted'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.destination = 'granted'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.destination = 'redeemed'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.source = 'redeemed'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.destination = 'expired'), 0)::bigint,
       coalesce(sum(e.amount) FILTER (WHERE e.destination = 'paid_out'), 0)::bigint,
       -coalesce(sum(ledger_change('transferred', e.source, e.destination, e.amount)), 0)::bigint,
       coalesce(sum(ledger_change('available', e.source, e.destination, e.amount)), 0)::bigint,
       coalesce(sum(ledger_change('held', e.source, e.destination, e.amount)), 0)::bigint
FROM gift_card c JOIN gift_card_entry e ON e.card_id = c.id
WHERE c.program_id = %(program)s AND (%(at)s::timestamptz IS NULL OR e.booked_at <= %(at)s::timestamptz)
GROUP BY c.kind, c.currency ORDER BY c.kind, c.currency
"""
_BALANCES = """
SELECT kind, currency, sum(balance + held)::bigint FROM gift_card WHERE program_id = %(program)s GROUP BY kind, currency
"""


class CardTotals(NamedTuple):
    """The money of all cards of one kind and currency, in the smallest unit.

    sold + granted - taken_back - redeemed + refunded - expired - paid_out + transferred = available + held.
    `transferred` is what came from cards of other kinds, less what went there.
    """

    kind: str
    currency: str
    cards: int
    sold: int
    granted: int
    taken_back: int
    redeemed: int
    refunded: int
    expired: int
    paid_out: int
    transferred: int
    available: int
    held: int
    difference: int | None
    """The balances of the cards less what the entries explain: 0; None for a past moment, which has no balances."""

    @property
    def outstanding(self) -> int:
        """What the program owes to whoever holds the cards."""
        return self.available + self.held


def card_totals(
    connection: psycopg.Connection[Any], program_id: int, at: dt.datetime | None = None
) -> list[CardTotals]:
    """The totals of a program as they are, or as of a moment; the caller's transaction must see one moment."""
    values = {"program": program_id, "at": at}
    balances = {} if at is not None else {row[:2]: row[2] for row in connection.execute(_BALANCES, values)}
    found = []
    for row in connection.execute(_SUMS, values):
        *_, available, held = row
        difference = None if at is not None else balances.get(row[:2], 0) - available - held
        found.append(CardTotals._make((*row, difference)))
    return found
