"""Members who are merged: their counters become one member's, and two again. Pure.

What is summed, and what is the later or the earlier of two, follows from both histories; the levels are those that the
entry of the merge says, like all levels.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.counting import count_tiers
from setia.engine.decision import Outcome, TierChange
from setia.engine.holding import hold, own_level
from setia.engine.moved import Merged
from setia.engine.state import Counters, Floor, MemberState, OfferState, TierPeriod
from setia.engine.tiers import reached, values_on
from setia.engine.triggers import LISTED

T = TypeVar("T", dt.datetime, str)
Sums = dict[str, dict[str, int]]


def merge_levels(
    program: CompiledProgram, state: MemberState, other: Counters, now: dt.datetime
) -> tuple[Outcome, dict[str, TierPeriod]]:
    """The levels of a member who takes another one in: the higher one of each tier set, or what both together reach.

    `state` is the member's with the balances after the merge, and its own counters. Gives an outcome that says so, and
    the periods of the levels that were the other's: they go on.
    """
    outcome, periods = Outcome(), {}
    together = _figures(program, state.counters, other)
    available = {points: balance.available for points, balance in state.balances.items()}
    day = now.astimezone(program.zone).date()
    values = values_on(program, together, available, day, state.enrolled_at)
    for tier_set in program.tier_sets:
        name, mine, theirs = tier_set.id, own_level(tier_set, state.counters), own_level(tier_set, other)
        level = max(mine, theirs, reached(tier_set, values))
        floor = _higher(tier_set, state.counters.floors.get(name), other.floors.get(name))
        if floor != state.counters.floors.get(name):
            outcome.floors[name] = floor
        hold(tier_set, state.counters, level, outcome, floor=0 if floor is None else tier_set.index(floor.level))
        period = other.periods.get(name)
        if theirs > mine and level == theirs and period is not None:
            periods[name] = period
    return outcome, periods


def merge_counters(
    program: CompiledProgram, counters: Counters, other: Counters, outcome: Outcome, merged: Merged, moment: dt.datetime
) -> Counters:
    """The counters of a member after the entry by which it took another one in, whose counters are `other`."""
    after = msgspec.structs.replace(counters)
    count_tiers(program, after, outcome, moment)
    together = _figures(program, counters, other)
    windows = dict(together.windows)
    for tier_set in program.tier_sets:
        for key in tier_set.period_keys:
            # What was counted over a period belongs to the period: the one that goes on, or a new one with nothing.
            if tier_set.id in merged.periods:
                windows[key] = other.windows.get(key, {})
            elif after.periods.get(tier_set.id) != counters.periods.get(tier_set.id):
                windows.pop(key, None)
    return msgspec.structs.replace(
        together,
        windows={key: buckets for key, buckets in windows.items() if buckets},
        tiers=after.tiers,
        floors=after.floors,
        beneath=after.beneath,
        periods=after.periods | merged.periods,
        # Who froze one of them meant these points.
        frozen_at=min((one for one in (counters.frozen_at, other.frozen_at) if one is not None), default=None),
    )


def unmerge_levels(
    program: CompiledProgram, state: MemberState, base: Counters, now: dt.datetime
) -> tuple[Outcome, dict[str, tuple[str, str]]]:
    """The levels of a member from whom another one is parted: what it held and what it has reached since, by itself.

    `base` are its counters as if there had been no merge; `state` has those of now, and the balances afterwards. Gives
    an outcome that says so, and each tier set's level by right with the one that shows.
    """
    outcome, levels = Outcome(), {}
    available = {points: balance.available for points, balance in state.balances.items()}
    values = values_on(program, base, available, now.astimezone(program.zone).date(), state.enrolled_at)
    for tier_set in program.tier_sets:
        name, ladder = tier_set.id, tier_set.levels
        level = max(own_level(tier_set, base), reached(tier_set, values))
        floor = base.floors.get(name)
        if floor != state.counters.floors.get(name):
            outcome.floors[name] = floor
        place = 0 if floor is None else tier_set.index(floor.level)
        hold(tier_set, state.counters, level, outcome, floor=place)
        levels[name] = ladder[level].id, ladder[max(level, place)].id
    return outcome, levels


def unmerge_counters(
    program: CompiledProgram, base: Counters, levels: Mapping[str, tuple[str, str]], moment: dt.datetime
) -> Counters:
    """The counters of a member after the entry by which another one was parted from it; `base` as above."""
    outcome = Outcome()
    for tier_set in program.tier_sets:
        if tier_set.id in levels:
            own, shown = levels[tier_set.id]
            _correct(tier_set, base, own, shown, outcome)
    after = msgspec.structs.replace(base)
    count_tiers(program, after, outcome, moment)
    return after


def _correct(tier_set: CompiledTierSet, base: Counters, own: str, shown: str, outcome: Outcome) -> None:
    """Say in `outcome` what of the levels of `base` differs from those that hold."""
    name, first = tier_set.id, tier_set.levels[0].id
    before = base.tiers.get(name, first)
    if before != shown:
        outcome.tiers.append(TierChange(name, before, shown))
    beneath = own if own != shown else None
    if beneath != base.beneath.get(name):
        outcome.beneath[name] = beneath


def _higher(tier_set: CompiledTierSet, one: Floor | None, other: Floor | None) -> Floor | None:
    """Of two levels given by hand the higher one; of the same level that which lasts longer."""
    if one is None or other is None:
        return one or other
    mine, theirs = tier_set.index(one.level), tier_set.index(other.level)
    if mine != theirs:
        return one if mine > theirs else other
    return one if one.until is None or (other.until is not None and one.until >= other.until) else other


def _figures(program: CompiledProgram, one: Counters, other: Counters) -> Counters:
    """Everything of two members but their levels, as one member's."""
    moments = {name: getattr(one, name) for name in ("newest_at", "last_purchase_at")}
    latest = {name: _of_both(moment, getattr(other, name), max) for name, moment in moments.items()}
    return msgspec.structs.replace(
        one,
        lifetime=_summed(one.lifetime, other.lifetime),
        earned=_summed(one.earned, other.earned),
        windows=_all_summed(one.windows, other.windows),
        limits=_all_summed(one.limits, other.limits),
        first_purchase_at=_of_both(one.first_purchase_at, other.first_purchase_at, min),
        active_at=_each(one.active_at, other.active_at, max),
        decayed=_each(one.decayed, other.decayed, max),
        fired=_marks(program, one.fired, other.fired),
        seen_at=_each(one.seen_at, other.seen_at, max),
        offers=_offers(program, one.offers, other.offers),
        frozen_at=_of_both(one.frozen_at, other.frozen_at, min),
        **latest,
    )


def _marks(program: CompiledProgram, one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """What either has had is not had again: marks sort by time, and those that are lists hold the keys of both."""
    found = _each(one, other, max)
    for subject in one.keys() & other.keys():
        trigger = program.time.triggers.get(subject)
        if trigger is not None and trigger.definition.kind in LISTED:
            found[subject] = ",".join(sorted({*one[subject].split(","), *other[subject].split(",")}))
    return found


def _offers(
    program: CompiledProgram, one: Mapping[str, OfferState], other: Mapping[str, OfferState]
) -> dict[str, OfferState]:
    """Assignments stand side by side; of an offer that everybody has, both have the same one, and it is summed."""
    found = dict(one)
    for instance, state in other.items():
        mine = found.get(instance)
        if mine is None:
            found[instance] = state
            continue
        offer = program.offers.get(state.campaign)
        items = {*mine.items, *state.items}
        found[instance] = msgspec.structs.replace(
            mine,
            progress=mine.progress + state.progress,
            items=tuple(sku for sku in (offer.items if offer is not None else sorted(items)) if sku in items),
            completions=mine.completions + state.completions,
            activated_at=_of_both(mine.activated_at, state.activated_at, min),
            completed_at=_of_both(mine.completed_at, state.completed_at, max),
        )
    return found


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {**one, **{key: one.get(key, 0) + amount for key, amount in other.items()}}


def _all_summed(one: Sums, other: Sums) -> Sums:
    return {**one, **{key: _summed(one.get(key, {}), amounts) for key, amounts in other.items()}}


def _of_both(
    one: dt.datetime | None, other: dt.datetime | None, choose: Callable[..., dt.datetime]
) -> dt.datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return choose(known) if known else None


def _each(one: Mapping[str, T], other: Mapping[str, T], choose: Callable[[T, T], T]) -> dict[str, T]:
    return {**one, **{key: choose(one[key], value) if key in one else value for key, value in other.items()}}
