"""Gift cards: which kinds a program has, how much they hold, and how long they last."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from setia.program.currencies import minor_digits
from setia.program.names import CurrencyCode, Part, Period, Text

_Money = Annotated[Decimal, Field(ge=0, le=10**9, max_digits=19, decimal_places=9)]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class GiftCard(Part):
    """One kind of gift card: money of one currency, kept in entries of its own beside the points.

    Without `country` and `valid_for` a card never ends. With both, the later end counts: never less than the law.
    """

    name: Text | None = None
    currency: CurrencyCode | None = None
    """The program's own without it."""
    value: _Money = Decimal(0)
    """What a new card holds when nothing else is said; a reward's `worth` comes on top."""
    least: _Money = Decimal(0)
    """The least that is put on a card at once."""
    most: _Money | None = None
    """The most that is put on a card at once."""
    most_balance: _Money | None = None
    """The most a card holds, with what is held of it for tills."""
    reloadable: bool = True
    """Whether money can be loaded on a card that has had some."""
    country: CountryCode | None = None
    """The country whose law says how long a card lasts at least: `DE`, `AT`, `US`, ..."""
    valid_for: Period | None = None
    """How long a card lasts, in days or longer."""
    align: Literal["none", "month_end", "quarter_end", "half_year_end", "year_end"] = "none"
    """The end of the period in which `valid_for` ends."""
    counted_from: Literal["issue", "last_load"] = "issue"
    """Whether money that is loaded lets `valid_for` begin again."""
    hold: Period = Period(count=15, unit="minutes")
    """How long a till holds money that it has not captured."""
    refund_grace: Period = Period(count=90, unit="days")
    """How long a card lasts at least after money has come back to it."""

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str | None) -> str | None:
        if value is not None:
            minor_digits(value)
        return value

    @model_validator(mode="after")
    def _fits(self) -> GiftCard:
        if self.most is not None and self.most < self.least:
            message = f"at least {self.least} and at most {self.most} is nothing; raise `most`"
            raise ValueError(message)
        if self.valid_for is not None and self.valid_for.unit in {"minutes", "hours"}:
            message = f"a gift card lasts days or longer, not {self.valid_for}; write for example 3y"
            raise ValueError(message)
        if self.valid_for is None and (self.align != "none" or self.counted_from != "issue"):
            message = "`align` and `counted_from` tell how `valid_for` is counted; add it, for example valid_for: 3y"
            raise ValueError(message)
        if self.valid_for is not None and not self.valid_for.count:
            message = "a gift card lasts some time; write for example 3y, or leave `valid_for` out"
            raise ValueError(message)
        if not self.hold.count:
            message = "a hold lasts some time; write 15min"
            raise ValueError(message)
        return self
