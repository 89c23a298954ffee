"""How much a campaign earns: `50`, `1 per 1.00`, `2 per whole 5.00`, `3 per unit`, `10 per line`, or an expression."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from setia.program.names import Part

_NUMBER = r"(\d{1,12}(?:\.\d{1,9})?)"
_RATE = re.compile(rf"^\s*{_NUMBER}(?:\s+per\s+(?:(whole)\s+)?(unit|line|{_NUMBER}))?\s*$")

EarnKind = Literal["fixed", "per_amount", "per_whole_amount", "per_unit", "per_line", "expression"]


class Earn(Part):
    """One earn rate.

    `fixed`: `points` once. `per_amount`: `points` for each `per` of money, in proportion. `per_whole_amount`: `points`
    for each whole step of `per`, counted over all chosen lines together. `per_unit`: `points` for each unit of
    quantity. `per_line`: `points` for each chosen line. `expression`: the number `expression` gives; where it names
    `line`, it is evaluated for each chosen line and added up.

    In YAML a rate is a number or a short text; an expression is `{expression: "event.total * 0.05"}`.
    """

    kind: EarnKind
    points: Decimal | None = Field(default=None, ge=0, max_digits=21, decimal_places=9)
    per: Annotated[Decimal, Field(gt=0, max_digits=21, decimal_places=9)] | None = None
    expression: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float | Decimal):
            value = str(value)
        if isinstance(value, dict) and "kind" not in value and set(value) == {"expression"}:
            return {"kind": "expression", **value}
        if not isinstance(value, str):
            return value
        match = _RATE.match(value)
        if match is None:
            message = (
                f"{value!r} is not an earn rate; write a number (50), `1 per 1.00`, `2 per whole 5.00`, `3 per unit`, "
                '`10 per line`, or {expression: "..."}'
            )
            raise ValueError(message)
        points, whole, per, amount = match[1], match[2], match[3], match[4]
        if per is None:
            return {"kind": "fixed", "points": points}
        if amount is None:
            if whole:
                message = f"`whole` goes with an amount of money, not with `{per}`; leave `whole` out"
                raise ValueError(message)
            return {"kind": f"per_{per}", "points": points}
        return {"kind": "per_whole_amount" if whole else "per_amount", "points": points, "per": amount}

    @model_validator(mode="after")
    def _complete(self) -> Earn:
        if self.kind == "expression":
            complete = self.expression is not None and self.points is None and self.per is None
        else:
            needs_amount = self.kind in {"per_amount", "per_whole_amount"}
            complete = self.points is not None and self.expression is None and (self.per is not None) == needs_amount
        if not complete:
            message = f"an earn rate of kind {self.kind} has keys that do not fit; use a short form, as in `1 per 1.00`"
            raise ValueError(message)
        return self

    @model_serializer
    def _to_short_form(self) -> Any:
        match self.kind:
            case "expression":
                return {"expression": self.expression}
            case "fixed":
                return _number(self.points)
            case "per_amount":
                return f"{self.points:f} per {self.per:f}"
            case "per_whole_amount":
                return f"{self.points:f} per whole {self.per:f}"
            case "per_unit":
                return f"{self.points:f} per unit"
            case "per_line":
                return f"{self.points:f} per line"


def _number(value: Decimal | None) -> int | Decimal | None:
    return int(value) if value is not None and value == value.to_integral_value() else value
