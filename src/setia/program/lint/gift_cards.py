"""Gift cards: amounts the currency has, countries whose law is known, cards that last as long as they must."""

from __future__ import annotations

from setia.program.currencies import minor_digits
from setia.program.findings import Path
from setia.program.gift_card_law import LAWS
from setia.program.gift_cards import GiftCard
from setia.program.lint.report import Report
from setia.program.nearest import hint as nearest_hint


def check(report: Report) -> None:
    """Check each kind of gift card, and the rewards that hand them out."""
    program = report.program
    for name, card in program.gift_cards.items():
        path: Path = ("gift_cards", name)
        currency = card.currency or program.program.currency
        digits = minor_digits(currency)
        for key in ("value", "least", "most", "most_balance"):
            amount = getattr(card, key)
            if amount is not None and amount != round(amount, digits):
                message = f"{amount} has more decimals than {currency}, which has {digits}"
                report.error("amount_too_fine", (*path, key), message, "round it")
        if card.country is not None and card.country not in LAWS:
            hint = f"known are {', '.join(sorted(LAWS))}; else leave it out and write `valid_for`"
            report.error(
                "unknown_country", (*path, "country"), f"the law of {card.country} on gift cards is not known", hint
            )
        if _shorter_than_law(card):
            message = f"by the law of {card.country} such a card lasts longer, so that is when it ends"
            report.warning("shorter_than_law", (*path, "valid_for"), message, "remove it, or write a longer one")
    for name, reward in program.rewards.items():
        if reward.card is not None and reward.card not in program.gift_cards:
            where: Path = ("rewards", name, "card")
            hint = nearest_hint(reward.card, program.gift_cards, of="gift cards")
            report.error("unknown_gift_card", where, f"there is no gift card {reward.card!r}", hint)


_MONTHS = {"months": 1, "years": 12}
_DAYS = {"days": 1, "weeks": 7}


def _shorter_than_law(card: GiftCard) -> bool:
    """Whether a card's own end can come before the law's."""
    law = LAWS.get(card.country or "")
    if law is None or card.valid_for is None or law.kind == "none":
        return False
    if law.kind == "for_ever" or (law.from_last_load and card.counted_from == "issue"):
        return True
    # A year more makes up for the end of the year that the law goes on to.
    years = law.years + (law.year_end and card.align != "year_end")
    if card.valid_for.unit in _MONTHS:
        return card.valid_for.count * _MONTHS[card.valid_for.unit] < 12 * years
    return card.valid_for.count * _DAYS[card.valid_for.unit] < 366 * years
