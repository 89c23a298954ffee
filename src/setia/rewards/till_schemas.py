"""What tills send with a code. Money is in the smallest unit of the currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from setia.api.values import PlainText
from setia.engine.occurrences import Line
from setia.rewards.schemas import CODE_EXAMPLE, Amount, CodeText, Reference, Till

_MOST_LINES = 1_000
_Name = Annotated[PlainText, Field(max_length=200)]


class TillLineIn(BaseModel):
    """One line of the basket. `amount` is what it costs for its whole quantity."""

    model_config = ConfigDict(extra="forbid")

    sku: Annotated[PlainText, Field(min_length=1, max_length=200)] = Field(examples=["latte"])
    amount: Amount = Field(examples=[850])
    quantity: Decimal = Field(default=Decimal(1), gt=0, le=10**9, decimal_places=6, examples=[2])
    name: _Name = ""
    category: _Name = ""
    brand: _Name = ""
    labels: Annotated[list[_Name], Field(max_length=50)] = []

    @property
    def line(self) -> Line:
        """The line as the engine knows it."""
        return Line(
            self.sku,
            self.quantity,
            self.amount,
            name=self.name,
            category=self.category,
            brand=self.brand,
            labels=tuple(self.labels),
        )


class ValidateIn(BaseModel):
    """A code, and the basket: what it costs, or its lines."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": CODE_EXAMPLE, "total": 1250}]})

    code: CodeText
    total: Amount | None = Field(default=None, description="What the basket costs, for a discount.", examples=[1250])
    lines: Annotated[list[TillLineIn], Field(max_length=_MOST_LINES)] = Field(
        default=[],
        description="The basket line by line, in place of a `total`: for a discount of some lines.",
        examples=[[]],
    )
    shipping: Amount = Field(default=0, description="What shipping costs, for a discount on it.", examples=[0])


class UseIn(ValidateIn):
    """A code to use."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"code": CODE_EXAMPLE, "till": "till-3", "reference": "bon-4711"}]},
    )

    till: Till = "api"
    reference: Reference
