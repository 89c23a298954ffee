"""Names inside a definition: identifiers, texts in several languages, periods of time."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_serializer, model_validator

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""The name of a part of the program: lower case, digits and `_`, so that CEL can say `member.points.stars`."""

ProgramId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""The name of a program. It never stands in an expression, so `-` is allowed."""

Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
"""A BCP 47 language tag of the simple kind: `en`, `de`, `ms`, `pt-BR`."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Part(BaseModel):
    """A piece of a definition.

    Unknown keys are errors, because a misspelt setting that does nothing is the worst one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class Text(RootModel[str | dict[Locale, str]]):
    """One text, or the same text in several languages: `Latte` or `{en: Coffee, de: Kaffee}`."""

    model_config = ConfigDict(frozen=True)

    def in_locale(self, locale: str, default: str = "en") -> str:
        """Return the text in `locale`, else in its base language, else in `default`, else in the first one given."""
        if isinstance(self.root, str):
            return self.root
        for candidate in (locale, locale.partition("-")[0], default):
            if candidate in self.root:
                return self.root[candidate]
        return next(iter(self.root.values()), "")


_PERIOD = re.compile(r"^\s*(\d{1,5})\s*(min|mo|h|d|w|y)\s*$")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"}

PeriodUnit = Literal["minutes", "hours", "days", "weeks", "months", "years"]


class Period(BaseModel):
    """A length of time as people say it: `30min`, `12h`, `14d`, `2w`, `6mo`, `1y`.

    Months and years are calendar months and years; days, weeks, months and years are counted on the program's calendar
    (a day is not always 24 hours), minutes and hours are elapsed time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=0, le=99_999)
    unit: PeriodUnit

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        match = _PERIOD.match(value)
        if match is None:
            message = (
                f"{value!r} is not a length of time; write a whole number and a unit: 30min, 12h, 14d, 2w, 6mo or 1y"
            )
            raise ValueError(message)
        return {"count": int(match[1]), "unit": _UNITS[match[2]]}

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        short = next(key for key, unit in _UNITS.items() if unit == self.unit)
        return f"{self.count}{short}"
