"""Offers: a campaign with a goal, for members it is assigned to or for everybody, within a window of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from setia.program.names import Part, Period

ProgressKind = Literal["spend", "orders", "visits", "units", "events", "items"]
PROGRESS_KINDS: tuple[ProgressKind, ...] = ("spend", "orders", "visits", "units", "events", "items")

_Count = Annotated[int, Field(ge=1, le=10**9)]
_Amount = Annotated[Decimal, Field(gt=0, le=10**11, max_digits=21, decimal_places=9)]
_Quantity = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=15, decimal_places=6)]
_Sku = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Progress(Part):
    """What completes an offer: exactly one of these, counted over the events and lines that its campaign chooses.

    `spend`: money that adds up to the amount, on the campaign's basis. `orders`: so many purchases. `visits`: so many
    visits. `units`: so much quantity. `events`: so many events of any kind. `items`: each of these articles (SKU) at
    least once, in any order.
    """

    spend: _Amount | None = None
    orders: _Count | None = None
    visits: _Count | None = None
    units: _Quantity | None = None
    events: _Count | None = None
    items: Annotated[tuple[_Sku, ...], Field(max_length=100)] = ()

    @property
    def kind(self) -> ProgressKind:
        """Which of them it is."""
        return next(kind for kind in PROGRESS_KINDS if getattr(self, kind))

    @model_validator(mode="after")
    def _one_measure(self) -> Progress:
        given = [kind for kind in PROGRESS_KINDS if getattr(self, kind)]
        if len(given) != 1:
            message = f"progress has exactly one of {', '.join(PROGRESS_KINDS)}; write for example {{orders: 3}}"
            raise ValueError(message)
        if len(set(self.items)) != len(self.items):
            message = "an article stands twice among the `items`; each counts once, so remove the other"
            raise ValueError(message)
        return self


class Times(Part):
    """How often an offer can be completed by one member."""

    times: Annotated[int, Field(ge=1, le=10**6)]


class Offer(Part):
    """Makes a campaign an offer: its effects apply when the progress is complete, once for each completion.

    An offer that is `assigned` is the members' who were sent an event `offer_assigned` with its name; each assignment
    runs by itself, from the moment of that event for as long as `valid_for` says. One for `everybody` needs no
    assignment and runs by the schedule of its campaign.
    """

    for_: Literal["assigned", "everybody"] = Field(default="assigned", alias="for")
    valid_for: Period | None = None
    """How long an assignment runs. Without it: as long as the campaign, or as the assignment itself says."""
    end: Literal["exclusive", "inclusive"] = "exclusive"
    """Whether the moment at which an assignment ends still belongs to it."""
    activation: Literal["automatic", "by_member"] = "automatic"
    """With `by_member` nothing counts before an event `offer_activated`."""
    progress: Progress = Progress(events=1)
    repeat: Literal["once", "always"] | Times = "once"
    """How often it can be completed: a card that begins again is completed `always`, or `{times: 3}`."""
    carry_over: bool = True
    """Whether what one event brings beyond the goal counts for the next time. Without it that is lost."""

    @model_validator(mode="after")
    def _personal_window(self) -> Offer:
        if self.for_ == "everybody":
            for name, given in (("valid_for", self.valid_for is not None), ("end", self.end != "exclusive")):
                if given:
                    message = f"`{name}` is about assignments; give the campaign a schedule, or remove `for: everybody`"
                    raise ValueError(message)
        if self.valid_for is not None and self.valid_for.count == 0:
            message = "an offer that is valid for no time cannot be completed; write for example 7d"
            raise ValueError(message)
        return self

    @property
    def most_completions(self) -> int | None:
        """How often it can be completed; None means without end."""
        if isinstance(self.repeat, Times):
            return self.repeat.times
        return 1 if self.repeat == "once" else None
