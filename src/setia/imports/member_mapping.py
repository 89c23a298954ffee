"""The map of members: how the columns of somebody's customer file become members."""

from __future__ import annotations

from pydantic import Field, model_validator

from setia.imports.mapping import Cel, FileForm, Moment, Name, Value
from setia.program.names import Part


class IdentifiersForm(Part):
    """What members are known by. One that is empty in a row is not given; an expression may give a list."""

    external_id: Value | None = None
    card: Value | None = None
    phone: Value | None = None
    email: Value | None = None

    @model_validator(mode="after")
    def _some(self) -> IdentifiersForm:
        if not any(getattr(self, name) is not None for name in IdentifiersForm.model_fields):
            message = "name at least one of external_id, card, phone and email"
            raise ValueError(message)
        return self


class MembersMap(Part):
    """How rows become members, each row one."""

    file: FileForm
    identifiers: IdentifiersForm
    enrolled_at: Moment | None = None
    """When the member enrolled; without it, or where a row says nothing, now."""
    locale: Value | None = None
    attributes: dict[str, Value] = Field(default_factory=dict)
    """By name, as the program declares them. An expression gives what it gives: `int(row.size)` a number, `row.size` a
    text. What is empty is not given."""
    tags: Value | None = None
    skip: dict[Name, Cel] = Field(default_factory=dict)
    """Rows that are not wanted at all: counted by name, and left."""
    set_aside: dict[Name, Cel] = Field(default_factory=dict)
    """Rows that matter and shall not be enrolled: counted by name, and written to a file if one is named."""

    @model_validator(mode="after")
    def _names_once(self) -> MembersMap:
        both = self.skip.keys() & self.set_aside.keys()
        if both:
            message = f"{min(both)!r} stands under skip and under set_aside"
            raise ValueError(message)
        return self
