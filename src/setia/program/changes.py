"""What a new version changes that is hardly meant, in view of what was given out under the version before it."""

from __future__ import annotations

from setia.program.definition import Program
from setia.program.findings import Finding, pointer


def changes(before: Program, after: Program) -> tuple[Finding, ...]:
    """Warnings about a version that takes the place of `before`; they point into `after`."""
    return tuple(_of_cards(before, after))


def _of_cards(before: Program, after: Program) -> list[Finding]:
    """Cards keep the currency they were issued in, and nothing turns their money into another one."""
    found = []
    for name, card in after.gift_cards.items():
        known = before.gift_cards.get(name)
        if known is None:
            continue
        old, new = (known.currency or before.program.currency), (card.currency or after.program.currency)
        if old != new:
            path = ("gift_cards", name, "currency") if card.currency else ("gift_cards", name)
            message = f"cards of {name!r} that are out hold {old}, and no reward in {new} can load them"
            hint = f"give the cards in {new} a name of their own, and keep this one in {old}"
            found.append(Finding("warning", "card_currency_changed", message, hint, path=pointer(path)))
    return found
