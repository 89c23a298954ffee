"""The money basis: which part of what was paid counts, line by line."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from setia.engine.occurrences import Line, Occurrence
from setia.program.money import MoneyBasis

GIFT_CARD_LABEL = "gift_card"
"""A line with this label sells a gift card."""


class BasisAmounts(msgspec.Struct, frozen=True):
    """What counts of an order: each line, shipping, and both together; in the smallest unit of the currency."""

    lines: tuple[int, ...]
    shipping: int
    total: int


def basis_amounts(event: Occurrence, basis: MoneyBasis) -> BasisAmounts:
    """What counts of `event` on `basis`.

    An order discount is spread over the lines in proportion to what they cost after their own discounts, and takes
    their tax along in proportion. What was paid in a way that does not count is taken from everything in proportion.
    Shares are cut from running sums, so that they always add up to the whole.
    """
    rewarded = _rewarded(event, basis) if event.redeem else 0
    amounts = (
        [line.amount - line.rewarded for line in event.lines] if rewarded else [line.amount for line in event.lines]
    )
    if basis.discounts == "before":
        amounts = [amount + line.discount for amount, line in zip(amounts, event.lines, strict=True)]
    elif event.discount:
        amounts = _less(event.discount, amounts)
    if basis.tax == "excluded":
        amounts = [amount - _tax_within(line, amount) for line, amount in zip(event.lines, amounts, strict=True)]
    if not basis.gift_cards_sold:
        for index, line in enumerate(event.lines):
            if GIFT_CARD_LABEL in line.labels:
                amounts[index] = 0
    shipping = 0
    if basis.of == "order":
        shipping = event.shipping - (event.shipping_tax if basis.tax == "excluded" else 0)
    uncounted = _uncounted(event, basis) if event.tenders else 0
    if uncounted:
        *amounts, shipping = _without_share(uncounted, gross(event) - rewarded, [*amounts, shipping])
    return BasisAmounts(tuple(amounts), shipping, sum(amounts) + shipping)


def _uncounted(event: Occurrence, basis: MoneyBasis) -> int:
    """What was paid in ways that do not count."""
    return sum(tender.amount for tender in event.tenders if not _counts(tender.type, basis))


def _rewarded(event: Occurrence, basis: MoneyBasis) -> int:
    """What rewards have paid of the order, where that does not count."""
    return 0 if basis.paid_with_points else sum(line.rewarded for line in event.lines)


def gross(event: Occurrence) -> int:
    """Everything that had to be paid: goods and shipping after all discounts, with tax."""
    return sum(line.amount for line in event.lines) - event.discount + event.shipping


def _counts(tender_type: str, basis: MoneyBasis) -> bool:
    if tender_type == "points":
        return basis.paid_with_points
    if tender_type == "gift_card":
        return basis.paid_with_gift_card
    return True


def _tax_within(line: Line, amount: int) -> int:
    """The tax contained in `amount`, where the line as a whole (`line.amount`) contains `line.tax`."""
    if amount == line.amount or not line.amount:
        return line.tax
    return (2 * line.tax * amount + line.amount) // (2 * line.amount)


def _less(discount: int, amounts: list[int]) -> list[int]:
    """`amounts` after a discount on all of them together."""
    whole = sum(amounts)
    return _without_share(min(discount, whole), whole, amounts)


def _without_share(part: int, whole: int, amounts: Sequence[int]) -> list[int]:
    """`amounts` after the share `part / whole` was taken from each."""
    if whole <= 0 or part >= whole:
        return [0] * len(amounts)
    rest: list[int] = []
    running = taken = 0
    for amount in amounts:
        running += amount
        share = (2 * running * part + whole) // (2 * whole) - taken
        taken += share
        rest.append(amount - share)
    return rest
