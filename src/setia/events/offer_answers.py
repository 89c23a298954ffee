"""What callers are told about the offers that an event moved."""

from __future__ import annotations

from typing import Any

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import OfferChange, OfferStep
from setia.engine.wording import campaign_name


class OfferOut(msgspec.Struct, omit_defaults=True):
    """What an event did to one instance of an offer, and how that stood afterwards.

    `change`: `counted`, `assigned` or `activated`. `completed` is how often this event completed it, `completions` how
    often it has been. `progress` and `target` are whole numbers of the smallest unit of what is counted, which has
    `decimals`; of a set of articles `items` are those it has.
    """

    offer: str
    name: str
    instance: str
    change: str
    progress: int
    target: int
    completed: int
    completions: int
    decimals: int
    items: tuple[str, ...] = ()
    starts: Any = None
    ends: Any = None
    activated_at: Any = None


class OfferStepOut(msgspec.Struct, omit_defaults=True):
    """What the event meant for one instance: `before` + `added` against `target`, then `after`.

    `completed` times it was completed, `wanted` where a limit allowed fewer. Amounts are in the smallest unit.
    """

    instance: str
    before: int
    added: int
    after: int
    target: int
    completed: int
    wanted: int | None = None


def offers_out(program: CompiledProgram | None, changes: list[OfferChange], locale: str) -> list[OfferOut]:
    """The offers that an event moved, in words of `locale`; `program` is the version that decided."""
    return [_change(program, change, locale) for change in changes]


def _change(program: CompiledProgram | None, change: OfferChange, locale: str) -> OfferOut:
    state = change.state
    offer = None if program is None else program.offers.get(state.campaign)
    return OfferOut(
        offer=state.campaign,
        name=state.campaign if program is None else campaign_name(program, state.campaign, locale),
        instance=change.instance,
        change=change.kind,
        progress=len(state.items) or max(0, state.progress),
        target=change.target,
        completed=change.completed,
        completions=state.completions,
        decimals=0 if offer is None else offer.digits,
        items=state.items,
        starts=state.starts,
        ends=state.ends,
        activated_at=state.activated_at,
    )


def step_out(step: OfferStep | None) -> OfferStepOut | None:
    """The step of an offer in an explanation."""
    if step is None:
        return None
    return OfferStepOut(
        step.instance, step.before, step.added, step.after, step.target, step.completed, wanted=step.wanted
    )
