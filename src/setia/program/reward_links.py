"""Reward links: what they are worth, among which rewards the recipient chooses, and until when."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from setia.program.currencies import minor_digits
from setia.program.names import CurrencyCode, Identifier, Part, Period, Text

_Money = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=19, decimal_places=9)]


class RewardLink(Part):
    """One reason to send links, such as a referral that was won: the program pays only for what is chosen."""

    name: Text | None = None
    description: Text | None = None
    """What the recipient is told."""
    amount: _Money | None = None
    """What a link is worth when nothing else is said."""
    currency: CurrencyCode | None = None
    """The program's own without it."""
    rewards: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=50)]
    """The rewards to choose among: gift cards, what is delivered, and codes of pools."""
    valid_for: Period = Period(count=30, unit="days")
    """How long the recipient can choose."""

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str | None) -> str | None:
        if value is not None:
            minor_digits(value)
        return value

    @model_validator(mode="after")
    def _lasts(self) -> RewardLink:
        if not self.valid_for.count:
            message = "a link lasts some time; write for example 30d"
            raise ValueError(message)
        if len(set(self.rewards)) < len(self.rewards):
            message = "a reward stands twice among the choices; remove one of them"
            raise ValueError(message)
        return self
