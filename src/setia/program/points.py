"""Point types: what can be earned, how it is rounded, when it can be used and when it ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from setia.program.names import Part, Period, Text

RoundingMode = Literal["floor", "ceil", "half_up", "half_even"]
RoundingScope = Literal["line", "campaign", "event"]


class Rounding(Part):
    """How fractions become whole points, and over what they are gathered first.

    `line`: each line by itself. `campaign`: a campaign together with the multipliers on it. `event`: everything the
    event earns of this point type. A plain mode (`rounding: floor`) means `campaign`.
    """

    mode: RoundingMode = "floor"
    scope: RoundingScope = "campaign"

    @model_validator(mode="before")
    @classmethod
    def _from_mode(cls, value: object) -> object:
        return {"mode": value} if isinstance(value, str) else value

    @model_serializer
    def _to_short_form(self) -> Any:
        return self.mode if self.scope == "campaign" else {"mode": self.mode, "scope": self.scope}


class Expiry(Part):
    """When a lot of points ends. At most one of `after`, `on` and `inactivity`; none of them means never."""

    after: Period | None = None
    align: Literal["none", "month_end", "quarter_end", "half_year_end", "year_end"] = "none"
    on: Annotated[tuple[str, ...], Field(max_length=24)] = ()
    """Days of the year, as `MM-DD`: points end on the first such day that is at least `after` away."""
    inactivity: Period | None = None
    """All points end when the member has not been active for this long."""
    extended_by: tuple[str, ...] = ()
    """The events that count as activity; empty means every event."""

    @model_validator(mode="after")
    def _one_kind(self) -> Expiry:
        if self.inactivity is not None and (self.after is not None or self.on):
            message = "expiry by inactivity stands alone; remove `after` and `on`, or `inactivity`"
            raise ValueError(message)
        if self.align != "none" and self.after is None:
            message = "`align` moves the end that `after` gives; add `after`, for example after: 6mo"
            raise ValueError(message)
        return self


class PointType(Part):
    """One kind of points. Amounts are whole numbers of its smallest unit: with `decimals: 2`, 1.50 is 150 units."""

    name: Text | None = None
    """How it is called, in the plural: `{en: stars, de: Sterne}`."""
    one: Text | None = None
    """How exactly one is called, where the language tells them apart: `{en: star, de: Stern}`."""
    decimals: int = Field(default=0, ge=0, le=6)
    rounding: Rounding = Rounding()
    spendable: bool = True
    available_after: Period | None = None
    expiry: Expiry = Expiry()
    negative: Literal["block", "allow", "recover"] = "block"
    """When more has to be taken back than is there: refuse, go below zero, or recover it from the next earn."""
    value: Decimal | None = Field(default=None, ge=0, max_digits=21, decimal_places=9)
    """What one whole point is worth in the program's currency; the liability is counted with it."""

    @property
    def in_lots(self) -> bool:
        """Whether its points lie in lots: those that can be spent, or end."""
        expiry = self.expiry
        return self.spendable or expiry.after is not None or bool(expiry.on) or expiry.inactivity is not None

    @property
    def floor(self) -> int | None:
        """How low an available balance may go: not below zero, or without end where more may be taken than is there."""
        return 0 if self.negative == "block" else None
