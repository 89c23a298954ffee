"""Which lots points are taken from: the earliest end first. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from setia.ledger.entries import LotKey


class Lot(NamedTuple):
    """Points that were earned together and end together; `remaining` is what is left of them, more than 0 if open."""

    seq: int
    line: int
    remaining: int
    pending: bool
    earned_at: dt.datetime
    expires_at: dt.datetime | None

    @property
    def key(self) -> LotKey:
        """How postings name it."""
        return LotKey(self.seq, self.line)

    def is_spendable(self, now: dt.datetime) -> bool:
        """Whether points may be taken from it: expiry is judged here, however late it is booked."""
        return not self.pending and (self.expires_at is None or self.expires_at > now)


class LotsExhausted(Exception):  # noqa: N818 - reads as what it is
    """The spendable lots hold less than is wanted."""

    def __init__(self, *, available: int, wanted: int) -> None:
        super().__init__(f"{wanted} wanted, {available} in spendable lots")
        self.available = available
        self.wanted = wanted


def burn(lots: Iterable[Lot], amount: int, now: dt.datetime) -> list[tuple[Lot, int]]:
    """Take `amount` (more than 0) from lots: (lot, part) in order, each part more than 0.

    The lot that ends first gives first, lots without end give last, ties go by the time earned and then by entry.
    Expired and pending lots give nothing. Raises `LotsExhausted`, and takes nothing, when that is not enough.
    """
    if amount <= 0:
        raise ValueError(f"the amount to burn must be more than 0, not {amount}")
    spendable = sorted((lot for lot in lots if lot.is_spendable(now)), key=_order)
    taken: list[tuple[Lot, int]] = []
    missing = amount
    for lot in spendable:
        part = min(lot.remaining, missing)
        if part > 0:
            taken.append((lot, part))
            missing -= part
        if missing == 0:
            return taken
    raise LotsExhausted(available=amount - missing, wanted=amount)


def earliest(lots: Iterable[Lot], amount: int) -> list[tuple[Lot, int]]:
    """Up to `amount` of lots that end by themselves: (lot, part), in the order of burning, pending lots last."""
    taken: list[tuple[Lot, int]] = []
    for lot in sorted(lots, key=lambda lot: (lot.pending, _order(lot))):
        part = min(lot.remaining, amount)
        if part > 0:
            taken.append((lot, part))
            amount -= part
    return taken


def _order(lot: Lot) -> tuple[bool, dt.datetime, dt.datetime, LotKey]:
    return lot.expires_at is None, lot.expires_at or lot.earned_at, lot.earned_at, lot.key
