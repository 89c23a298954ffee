"""Households: members who spend their points together."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from setia.program.names import Identifier, Part, Period

Role = Literal["owner", "adult", "child"]


class Households(Part):
    """What a household, or a team, is in this program. Without it there are none."""

    points: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    """The point types that are pooled; none means all that can be spent."""
    share: Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)] = Decimal(100)
    """How much of what a member earns from joining on the household may spend, in percent."""
    held: Literal["own", "pooled"] = "own"
    """What becomes of the points that a member has when joining: they stay the member's own, or are pooled too."""
    most_members: Annotated[int, Field(ge=2, le=100)] = 6
    may_spend: tuple[Role, ...] = ("owner", "adult")
    """Who may spend what is pooled."""
    order: Literal["own_first", "ending_first", "even"] = "own_first"
    """Whose points go first: the spender's, then by the time of joining; those that end first; or everybody's alike."""
    leaving: Literal["take", "leave"] = "take"
    """What becomes of what a member has in the pool when leaving: it goes along, or stays with the owner."""
    rejoin_after: Period | None = None
    """How long after leaving one household a member can join another."""
