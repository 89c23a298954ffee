"""Point types: what can be earned, how it is rounded, when it can be used and when it ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from setia.program.expiry import Expiry
from setia.program.limits import Cap
from setia.program.names import Identifier, Part, Period, Text

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
    available_on: Identifier | None = None
    """Points are pending until an event of this type comes, for their order or for all."""
    cancel_on: Identifier | None = None
    """An event of this type takes pending points back, of its order or all."""
    expiry: Expiry = Expiry()
    negative: Literal["block", "allow", "recover"] = "block"
    """When more has to be taken back than is there: refuse, go below zero, or recover it from the next earn."""
    clawback: Literal["clamp", "refuse"] = "clamp"
    """When a return takes back points that were spent, and the balance may not go below zero: take what is there, or
    refuse the return. Where it may (`negative: allow` or `recover`), the rest is owed and the next points pay it.
    """
    on_refund: Literal["same_lots", "new_lots"] = "same_lots"
    """Where points go that were spent and come back: into the lots they came from, or into new ones that end as if they
    were earned then.
    """
    caps: Annotated[tuple[Cap, ...], Field(max_length=10)] = ()
    """How many a member can earn of them in a period, whatever gives them."""
    value: Decimal | None = Field(default=None, ge=0, max_digits=21, decimal_places=9)
    """What one whole point is worth in the program's currency; the liability is counted with it."""

    @property
    def in_lots(self) -> bool:
        """Whether its points lie in lots: those that can be spent, or end."""
        return self.spendable or self.expiry.by_calendar or self.expiry.inactivity is not None

    @property
    def floor(self) -> int | None:
        """How low an available balance may go: not below zero, or without end where more may be taken than is there."""
        return 0 if self.negative == "block" else None
