"""Triggers of time made ready: audiences as functions, since when each is live, and what counts as activity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from setia.expressions import BOOL, Expression, compile_expression
from setia.program.definition import Program
from setia.program.events import REFERRAL_EVENTS, TIME_EVENTS
from setia.program.triggers import Expiring, Trigger
from setia.program.vocabulary import audience_vocabulary

_ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class CompiledTrigger:
    """One trigger of time."""

    id: str
    definition: Trigger
    audience: Expression | None
    since: dt.datetime
    """Since when it is live as it is; occasions before that are nobody's."""


@dataclass(frozen=True, slots=True)
class TimeTriggers:
    """What time does in a program, apart from points that end and levels that are judged."""

    triggers: dict[str, CompiledTrigger]
    activity: dict[str, tuple[str, ...]]
    """Event type -> the triggers of inactivity that it puts off."""
    tells_tiers: bool
    """Whether anything listens to `tier_ending`; where nothing does, it does not happen."""
    expiring: tuple[Expiring, ...]
    """What needs to know when lots end."""

    def is_of_time(self, event_type: str) -> bool:
        """Whether time makes events of this type, and nobody else does."""
        return event_type in self.triggers or event_type in TIME_EVENTS

    def is_made(self, event_type: str) -> bool:
        """Whether Setia makes events of this type by itself: what time does, and what friends of a member do.

        Nobody can send them, and they are no activity of the member.
        """
        return event_type in REFERRAL_EVENTS or self.is_of_time(event_type)


def compile_triggers(program: Program, since: Mapping[str, dt.datetime]) -> TimeTriggers:
    """Make the triggers of a program ready; `since` is when each went live as it is, for ever where nothing is said.

    Raises:
        ExpressionError: an audience does not compile. `setia.program.lint` finds it first, with its place.
    """
    schema = audience_vocabulary(program)
    triggers = {
        name: CompiledTrigger(
            name,
            trigger,
            None if trigger.for_ is None else compile_expression(trigger.for_, schema, BOOL),
            since.get(name, _ALWAYS),
        )
        for name, trigger in program.triggers.items()
    }
    activity: dict[str, tuple[str, ...]] = {}
    for name, trigger in program.triggers.items():
        for event in trigger.inactive.counting if trigger.inactive is not None else ():
            if event != "purchase":  # the last one is counted for everybody, and since ever
                activity[event] = (*activity.get(event, ()), name)
    heard = {event for campaign in program.campaigns.values() if campaign.enabled for event in campaign.triggers}
    return TimeTriggers(
        triggers=triggers,
        activity=activity,
        tells_tiers="tier_ending" in heard,
        expiring=tuple(one.expiring for one in program.triggers.values() if one.expiring is not None),
    )
