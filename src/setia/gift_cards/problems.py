"""What can go wrong with gift cards, as callers are told."""

from __future__ import annotations

from setia.problems import Conflict, NotFound, Unprocessable


class NoSuchGiftCard(NotFound):
    """The program has no such card; of wrong codes and those of other programs nothing else is said."""

    code = "gift_card_not_found"
    title = "There is no such gift card"


class NoSuchCardUse(NotFound):
    """The program has no such use of a gift card."""

    code = "gift_card_use_not_found"
    title = "There is no such use of a gift card"


class GiftCardUnusable(Conflict):
    """The card is known and cannot be used; `reason` says why: `blocked`, `expired`, `empty` or `not_reloadable`."""

    code = "gift_card_unusable"
    title = "This gift card cannot be used"


class BalanceTooLow(Conflict):
    """The card holds less than is asked for; `available` says how much, in the currency's smallest unit."""

    code = "gift_card_balance_too_low"
    title = "The gift card holds less"


class CardUseEnded(Conflict):
    """From the present state of the use there is no way to the wanted one."""

    code = "gift_card_use_state_conflict"
    title = "The state of this use does not allow this"


class InvalidGiftCard(Unprocessable):
    """A value of the request does not go with the card or its kind."""

    code = "invalid_gift_card"
    title = "This gift card cannot be handled so"
