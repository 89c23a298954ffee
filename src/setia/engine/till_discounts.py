"""What the code of a discount takes off a basket at a till, as the same reward would with an order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from setia.engine.basis import basis_amounts
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.discounting import SHIPPING, Chosen, Priced, Taken, take_off
from setia.engine.facts import EventFacts, LocationFacts, MemberFacts, TimeFacts
from setia.engine.occurrences import Line, Occurrence
from setia.engine.state import MemberState
from setia.engine.sums import sums_of
from setia.expressions import EvaluationError, Expression
from setia.program.discounts import Discount
from setia.program.rewards import Worth

_ONE = Decimal(1)
_NOTHING = Taken({}, 0)


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """What a till sells, in the smallest unit of the currency: its lines (one, where it says a total only)."""

    lines: tuple[Line, ...]
    shipping: int = 0
    at: dt.datetime

    @property
    def total(self) -> int:
        """What the lines cost together, without shipping."""
        return sum(line.amount for line in self.lines)

    @property
    def event(self) -> Occurrence:
        """The basket as conditions see it: a purchase that happens now."""
        return Occurrence(
            id="",
            type="purchase",
            source="",
            external_id="",
            occurred_at=self.at,
            lines=self.lines,
            shipping=self.shipping,
        )


def needs(worth: Worth) -> Literal["lines", "shipping"] | None:
    """What a till has to send beside a total, so that it can be known what is taken off."""
    if worth.on == "shipping":
        return "shipping"
    return "lines" if worth.lines is not None or worth.most_per_line is not None else None


def off_basket(
    program: CompiledProgram, reward: CompiledReward, basket: Basket, left: int | None, state: MemberState
) -> dict[int, int]:
    """What is taken off each line (-1: off shipping); empty where it takes nothing off.

    `left` is what its code still holds (None: it takes a share). `state` is the member's whose code it is; of a code
    that is everybody's that of nobody.
    """
    worth = reward.definition.worth
    if worth is None or Decimal(basket.total) < worth.least_total.scaleb(program.currency_digits):
        return {}
    priced = {
        index: Priced(line.amount, line.tax, line.quantity, line.amount) for index, line in enumerate(basket.lines)
    }
    if basket.shipping:
        priced[SHIPPING] = Priced(basket.shipping, 0, _ONE, basket.shipping)
    lines = _lines(program, reward.lines, worth, basket, state)
    amount = None if worth.percent is not None else Decimal(left or 0).scaleb(-program.currency_digits)
    return taken_off(worth, amount, priced, [line for line in lines if line in priced], program.currency_digits).cuts


def taken_off(
    worth: Worth, amount: Decimal | None, priced: Mapping[int, Priced], lines: Sequence[int], digits: int
) -> Taken:
    """What a discount takes off some lines, or shipping: `amount` of money (None: its percent), under its caps."""
    if amount is not None and not amount:
        return _NOTHING
    caps = [] if worth.most is None else [worth.most]
    if worth.most_share is not None:
        whole = sum(priced[line].amount for line in lines)
        caps.append(Decimal(int(whole * worth.most_share / 100)).scaleb(-digits))
    measure = {"percent": worth.percent} if amount is None else {"amount": amount}
    # It was read from nowhere and every part of it is checked: validating it again would only bound the amount.
    discount = Discount.model_construct(
        **measure,
        on=worth.on,
        at_most=min(caps, default=None),
        at_most_per_line=worth.most_per_line,
        spread=worth.spread,
        rounding="floor",
    )
    return take_off(discount, priced, Chosen(lines), digits)


def _lines(
    program: CompiledProgram, condition: Expression | None, worth: Worth, basket: Basket, state: MemberState
) -> list[int]:
    if worth.on == "shipping":
        return [SHIPPING]
    if condition is None:
        return list(range(len(basket.lines)))
    event, digits = basket.event, program.currency_digits
    plain = (
        EventFacts(event, basis_amounts(event, program.definition.money), digits),
        MemberFacts(
            state,
            event,
            program.levels_of,
            program.point_digits,
            digits,
            program.attribute_types,
            lambda: sums_of(program, state, basket.at),
        ),
        LocationFacts("", None),
        TimeFacts(basket.at.astimezone(program.zone)),
    )
    try:
        return [index for index, line in enumerate(plain[0].lines) if condition.call(*plain, line) is True]
    except EvaluationError:
        return []
