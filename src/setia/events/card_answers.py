"""What callers are told about gift cards that paid for an order, or got something of it back."""

from __future__ import annotations

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome
from setia.engine.facts import decimal_of


class CardPaidOut(msgspec.Struct, omit_defaults=True):
    """What one gift card paid, as decimal text; below 0 it got so much back. `left` is on it afterwards.

    `refused` says why a card that was shown paid nothing: `unknown`, `blocked`, `expired`, `empty`, `twice`, or another
    `currency`. `use` is what a refund by hand would name; `calculate` has none.
    """

    hint: str
    amount: str
    left: str
    card: str | None = None
    use: str | None = None
    refused: str | None = None


class CardPaymentOut(msgspec.Struct):
    """What an order comes to after promotions, what gift cards pay of it, and the rest that is to be paid otherwise.

    Of a return: what comes back of the order, what of it the cards get, and what is to be given back otherwise; all
    below 0.
    """

    total: str
    rest: str
    gift_cards: list[CardPaidOut]


def payment_out(program: CompiledProgram | None, outcome: Outcome) -> CardPaymentOut | None:
    """The payment of an event; None where no card was shown or paid."""
    payment = outcome.payment
    if program is None or payment is None:
        return None
    digits = program.currency_digits

    def money(amount: int) -> str:
        return format(decimal_of(amount, digits), "f")

    return CardPaymentOut(
        total=money(payment.total),
        rest=money(payment.rest),
        gift_cards=[
            CardPaidOut(one.hint, money(one.amount), money(one.left), one.card, one.use, one.refused)
            for one in payment.cards
        ],
    )
