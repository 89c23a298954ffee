"""Holding: the level a member has by its own right, the one given by hand beneath it, and the one that shows."""

from __future__ import annotations

from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.decision import Outcome, TierChange
from setia.engine.state import Counters


def own_level(tier_set: CompiledTierSet, counters: Counters) -> int:
    """The place of the level that a member would hold without one given by hand: reviews and periods are about it."""
    return tier_set.index(counters.beneath.get(tier_set.id) or counters.tiers.get(tier_set.id))


def floor_level(tier_set: CompiledTierSet, counters: Counters) -> int:
    """The place of the level given by hand; the first where there is none."""
    floor = counters.floors.get(tier_set.id)
    return 0 if floor is None else tier_set.index(floor.level)


def hold(
    tier_set: CompiledTierSet,
    counters: Counters,
    own: int,
    outcome: Outcome,
    *,
    floor: int | None = None,
    campaign: str | None = None,
) -> None:
    """Write into `outcome` that the member now has the level `own` by right: what shows is that or the floor.

    `counters` are those before the outcome; it may have moved the level already. `floor` is the floor from now on where
    the outcome changes it.
    """
    name = tier_set.id
    floor = floor_level(tier_set, counters) if floor is None else floor
    shows = max(own, floor)
    before = counters.tiers.get(name, tier_set.levels[0].id)
    for change in outcome.tiers:
        before = change.after if change.tier_set == name else before
    after = tier_set.levels[shows].id
    if before != after:
        outcome.tiers.append(TierChange(name, before, after, campaign))
    outcome.beneath.pop(name, None)
    beneath = tier_set.levels[own].id if own < shows else None
    if beneath != counters.beneath.get(name):
        outcome.beneath[name] = beneath
