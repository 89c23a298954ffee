"""What callers are told about promotions: what they took off, what is left to pay, and which codes did nothing."""

from __future__ import annotations

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import DiscountEffect, Outcome
from setia.engine.facts import decimal_of
from setia.engine.wording import campaign_name


class DiscountOut(msgspec.Struct, omit_defaults=True):
    """What one promotion took off, in the order in which they applied. Money is decimal text, with tax.

    `by_line` is its part of each line (from 0; -1 is shipping). `wanted` stands where a cap, or what other promotions
    had left, made it less. `added_units` are for the caller to add to the order for free. `code` is the code that was
    shown for it.
    """

    campaign: str
    name: str
    amount: str
    by_line: dict[int, str] = {}
    wanted: str | None = None
    added_units: int = 0
    code: str | None = None


class RefusedCodeOut(msgspec.Struct, omit_defaults=True):
    """A code that was shown and did nothing.

    `reason`: `unknown`; `another_code` was used for its promotion, `campaign`; or why that did not apply: `schedule`,
    `condition`, `lines`, `limit`, `group`, `exclusive`, `error` or `nothing`, as in `considered`.
    """

    code: str
    reason: str
    campaign: str | None = None


class ToPayOut(msgspec.Struct):
    """What is left to pay after promotions, as decimal text with tax.

    `lines` are in the order of the event; `discount` is what the caller takes off the whole; `tax` is what lines and
    shipping contain of it.
    """

    total: str
    tax: str
    lines: list[str]
    shipping: str
    discount: str


class PromotionsOut(msgspec.Struct, frozen=True):
    """The three parts of an answer."""

    discounts: list[DiscountOut]
    refused_codes: list[RefusedCodeOut]
    to_pay: ToPayOut | None


def promotions_out(program: CompiledProgram | None, outcome: Outcome, locale: str) -> PromotionsOut:
    """What promotions did; `program` is the version that decided, None where none did."""
    to_pay = outcome.to_pay
    if program is None or to_pay is None:
        return PromotionsOut([], [], None)

    def money(amount: int) -> str:
        return format(decimal_of(amount, program.currency_digits), "f")

    def discount(effect: DiscountEffect) -> DiscountOut:
        return DiscountOut(
            campaign=effect.campaign,
            name=campaign_name(program, effect.campaign, locale),
            amount=money(effect.amount),
            by_line={line: money(amount) for line, amount in effect.by_line.items()},
            wanted=None if effect.wanted is None else money(effect.wanted),
            added_units=effect.added_units,
            code=effect.code,
        )

    return PromotionsOut(
        [discount(effect) for effect in outcome.discounts],
        [RefusedCodeOut(refused.code, refused.reason, refused.campaign) for refused in outcome.refused],
        ToPayOut(
            total=money(to_pay.total),
            tax=money(to_pay.tax),
            lines=[money(line) for line in to_pay.lines],
            shipping=money(to_pay.shipping),
            discount=money(to_pay.discount),
        ),
    )
