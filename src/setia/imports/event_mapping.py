"""The map of events: which rows of a file become which type of event, and with what in it."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from setia.imports.mapping import Cel, LineForm, Name, OrderForm, RowsMap, Value


class DataValue(Value):
    """A property of `data`. One that is `optional` is left out where the row has no value for it, or an empty one."""

    optional: bool = False


class EventForm(OrderForm):
    """One kind of event: the rows that it is made of, its type, and what it holds.

    The money fields and `lines` belong to purchases, `data` to events that have some.
    """

    when: Cel | None = None
    """Which rows; without it, all that no case before took."""
    type: Name | Value
    """A name is meant as it stands; everything else is read from the row, as `row.kind` or `{column: kind}`."""
    lines: LineForm | None = None
    data: dict[str, DataValue] = Field(default_factory=dict)
    """By property. An expression gives what it gives: `double(row.score)` a number, `row.score` a text."""

    @model_validator(mode="before")
    @classmethod
    def _type_from_text(cls, value: Any) -> Any:
        # `purchase` is a name; as an expression it would be a variable that nobody knows.
        if isinstance(value, dict) and isinstance(value.get("type"), str) and not value["type"].isidentifier():
            return {**value, "type": {"cel": value["type"]}}
        return value


class EventsMap(RowsMap):
    """How rows become events: of the cases under `events`, the first one whose `when` holds."""

    events: tuple[EventForm, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _reached(self) -> EventsMap:
        for form in self.events[:-1]:
            if form.when is None:
                message = "a case without `when` takes every row, so that nothing reaches those after it; put it last"
                raise ValueError(message)
        return self
