"""What callers are told about the rewards that were redeemed with a purchase."""

from __future__ import annotations

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome, RewardEffect
from setia.engine.facts import decimal_of
from setia.engine.reward_sentences import reward_name
from setia.engine.wording import language_of


class RedeemedOut(msgspec.Struct, omit_defaults=True):
    """A reward that was redeemed with a purchase, in the order in which they were asked for.

    `quantity` of it were used, for `points` (point type -> smallest units); `wanted` stands where more were asked for
    than there was to take off. Money is decimal text, with tax: `amount` was taken off, `by_line` (from 0; -1 is
    shipping). `added_units` of the article `sku` are for the caller to add to the order, for `money` together.
    `redemption` is its id; nothing has one before it is booked.
    """

    reward: str
    name: str
    quantity: int
    points: dict[str, int]
    amount: str
    by_line: dict[int, str] = {}
    wanted: int | None = None
    added_units: int = 0
    sku: str | None = None
    money: str | None = None
    redemption: str | None = None


class BoughtOut(msgspec.Struct):
    """A reward that was redeemed for `amount` `points` (smallest unit) of an order that has come back since.

    It stands: whether it is cancelled, refunded or left is for people to decide.
    """

    redemption: str
    reward: str
    name: str
    points: str
    amount: int


def bought_out(program: CompiledProgram | None, outcome: Outcome, locale: str) -> list[BoughtOut]:
    """What points had bought that a return could not find any more."""
    if program is None:
        return []
    language = language_of(locale)
    return [
        BoughtOut(one.redemption, one.reward, reward_name(program, one.reward, language), one.points, one.amount)
        for one in outcome.bought
    ]


def redeemed_out(program: CompiledProgram | None, outcome: Outcome, locale: str) -> list[RedeemedOut]:
    """What rewards did; `program` is the version that decided it, None where none did."""
    if program is None or not outcome.redeemed:
        return []
    return [_out(program, effect, locale) for effect in outcome.redeemed]


def refund_out(program: CompiledProgram | None, outcome: Outcome) -> str | None:
    """The money that a return gives back, as decimal text."""
    if program is None or outcome.refund is None:
        return None
    return format(decimal_of(outcome.refund, program.currency_digits), "f")


def _out(program: CompiledProgram, effect: RewardEffect, locale: str) -> RedeemedOut:
    def money(amount: int) -> str:
        return format(decimal_of(amount, program.currency_digits), "f")

    return RedeemedOut(
        reward=effect.reward,
        name=reward_name(program, effect.reward, language_of(locale)),
        quantity=effect.quantity,
        points=effect.points,
        amount=money(effect.amount),
        by_line={line: money(amount) for line, amount in effect.by_line.items()},
        wanted=effect.wanted,
        added_units=effect.added_units,
        sku=effect.sku,
        money=money(effect.money) if effect.money else None,
        redemption=effect.redemption,
    )
