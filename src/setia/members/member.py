"""Members as values: one that is there, and one that is to be."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

Status = Literal["active", "suspended", "closed"]


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be enrolled. Identifiers are in their one form, attributes are checked: see `checked_member`."""

    identifiers: tuple[tuple[str, str], ...]
    enrolled_at: dt.datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member as stored. `identifiers` holds the values of each kind, in order of kind and value."""

    id: UUID
    program_id: int
    status: Status
    enrolled_at: dt.datetime
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    locale: str | None
    created_at: dt.datetime
    updated_at: dt.datetime
    identifiers: dict[str, list[str]]
    merged_into: UUID | None = None
    """The member that this one turned out to be."""


class Facts(msgspec.Struct, frozen=True):
    """What a decision may know of a member."""

    id: UUID
    status: Status
    enrolled_at: dt.datetime
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    locale: str | None
    attributes_at: dict[str, dt.datetime] = {}
    """When attributes were set that were not there at the enrolment, or had another value."""
    merged_into: UUID | None = None
    """The member that this one turned out to be."""


@dataclass(frozen=True, slots=True)
class FactsChange:
    """The attributes and tags of a member after a decision, whole, and when it was booked."""

    id: UUID
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    at: dt.datetime
    attributes_at: dict[str, dt.datetime] = field(default_factory=dict)
    """When attributes were set; those that are not named keep their moments."""
