"""Debts: points taken below zero, out of no lot; whatever brings points in pays them, whoever brings it. Pure.

Where a wallet is below zero its lots are empty. A grant, a release, a gift or a refund into it opens or fills a lot
with more than the member then has: what was owed would be taken a second time when the lot ends. So the entry that
brings points in ends with two postings: the debt comes back without a lot, and the lot pays it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from setia.engine.state import Balance
from setia.ledger.entries import Account, LotKey, Posting

CAMPAIGN = "debt"
"""What both postings are said to be of; no campaign of a program has this name."""


def debts_paid(seq: int, postings: Sequence[Posting], balances: Mapping[str, Balance]) -> tuple[Posting, ...]:
    """The postings by which what an entry brought in pays what was owed: at the end of the entry `seq`, or none.

    `balances` are those after `postings`; both postings of a debt together move none.
    """
    comes: dict[str, int] = {}
    for posting in postings:
        if posting.destination == "available" and (posting.opens_lot or posting.lot is not None):
            comes[posting.point_type] = comes.get(posting.point_type, 0) + posting.amount
    # Mostly nothing comes, or the member has at least what came: then nothing is owed, and nothing is looked at twice.
    short = [name for name, amount in comes.items() if balances[name].available < amount]
    return tuple(made for name in short for made in _paid(seq, postings, name, balances[name].available))


def _paid(seq: int, postings: Sequence[Posting], point_type: str, available: int) -> list[Posting]:
    lots: dict[LotKey, int] = {}
    for line, posting in enumerate(postings):
        lot = LotKey(seq, line) if posting.opens_lot else posting.lot
        if posting.point_type != point_type or lot is None:
            continue
        if posting.destination == "available":
            lots[lot] = lots.get(lot, 0) + posting.amount
        elif posting.source == "available" and lot in lots:
            lots[lot] -= posting.amount
    owed = sum(lots.values()) - max(0, available)
    made: list[Posting] = []
    for lot, there in lots.items():
        part = min(there, owed)
        if part > 0:
            owed -= part
            made.append(_posting(point_type, "available", "adjusted", part, lot))
    total = sum(posting.amount for posting in made)
    return [_posting(point_type, "adjusted", "available", total, None), *made] if made else []


def _posting(point_type: str, source: Account, destination: Account, amount: int, lot: LotKey | None) -> Posting:
    return Posting(
        point_type=point_type,
        source=source,
        destination=destination,
        amount=amount,
        campaign=CAMPAIGN,
        lot=lot,
    )
