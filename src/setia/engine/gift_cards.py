"""What a gift card's kind says of one card: its currency, its end, and how cards share what an order costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from setia.engine.calendar import add_to_day, aligned, midnight
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.gift_card_law import LAWS, Law
from setia.program.gift_cards import GiftCard
from setia.program.names import Period

LARGEST = 10**13
"""The largest amount of one entry, and the most that is put on a card, in the smallest unit: as of a purchase."""


def currency_of(program: Program, kind: GiftCard) -> str:
    """The currency of the money on such a card."""
    return kind.currency or program.program.currency


def units_of(amount: Decimal, currency: str) -> int:
    """An amount of a definition in the currency's smallest unit; what has more decimals than there are is a finding."""
    return int(amount.scaleb(minor_digits(currency)).to_integral_value(ROUND_CEILING))


def most_on(kind: GiftCard, currency: str) -> int:
    """The most that such a card holds: as its kind says, and never more than one entry can move."""
    return LARGEST if kind.most_balance is None else min(LARGEST, units_of(kind.most_balance, currency))


def card_expires_at(kind: GiftCard, loaded_at: dt.datetime, zone: ZoneInfo, *, first: bool) -> dt.datetime | None:
    """When a card ends (exclusive), UTC, that gets money at `loaded_at`; None where it never ends.

    `first`: it is issued now. Of a load later, what counts from the issue says nothing, and None stands for that too:
    `later_end` keeps what there is.

    Cards end with a local day: the midnight after it. The later of the kind's own end and the law's counts.
    """
    law = LAWS.get(kind.country or "", _NO_LAW)
    if law.kind == "for_ever":
        return None
    day = loaded_at.astimezone(zone).date()
    ends: list[dt.date] = []
    if kind.valid_for is not None and (first or kind.counted_from == "last_load"):
        ends.append(aligned(add_to_day(day, kind.valid_for), kind.align))
    if law.kind == "years" and (first or law.from_last_load):
        ends.append(_legal_end(law, day))
    return None if not ends else midnight(max(ends) + dt.timedelta(days=1), zone)


def later_end(kind: GiftCard, before: dt.datetime | None, loaded_at: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """When a card ends after it was loaded: never earlier than before, and what never ended never does."""
    found = None if before is None else card_expires_at(kind, loaded_at, zone, first=False)
    return before if found is None or before is None else max(before, found)


def shares(wanted: int, there: Sequence[int]) -> list[int]:
    """What each of several cards pays of an amount: in their order, each as much as it has."""
    parts = []
    for amount in there:
        part = min(amount, wanted)
        wanted -= part
        parts.append(part)
    return parts


_NO_LAW = Law("none")


def _legal_end(law: Law, day: dt.date) -> dt.date:
    return aligned(add_to_day(day, Period(count=law.years, unit="years")), "year_end" if law.year_end else "none")
