"""Climbing: what an event does to the levels a member holds."""

from __future__ import annotations

import datetime as dt

from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet, Measure
from setia.engine.considering import Match
from setia.engine.decision import Outcome
from setia.engine.holding import hold, own_level
from setia.engine.reviews import fallen_to, may_fall
from setia.engine.state import Counters, MemberState
from setia.engine.tiers import Values, kept, reached, values_on


def climb(
    program: CompiledProgram,
    state: MemberState,
    counters: Counters,
    day: dt.date,
    now: dt.datetime,
    matches: list[Match],
    outcome: Outcome,
) -> dict[str, str]:
    """Let the member rise, then set what campaigns set; returns each ladder's metric against the next threshold.

    `day` is the local day of the event, `now` its arrival. A level that follows its metrics falls here too: the event
    may have lowered a balance.
    """
    if not program.tier_sets:
        return {}
    available = _available(state, outcome)
    # A late event may complete the window of its own day as well as the one that the member is in by now.
    latest = counters.newest_at
    newest = day if latest is None else max(day, latest.astimezone(program.zone).date())
    values = _remembered(values_on(program, counters, available, newest, state.enrolled_at))
    then = values if newest == day else values_on(program, counters, available, day, state.enrolled_at)
    # A level that follows its metrics would be lost again at once if it were reached in a window that has passed.
    today = now.astimezone(program.zone).date()
    current = values if today <= newest else values_on(program, counters, available, today, state.enrolled_at)
    ladder = {}
    for tier_set in program.tier_sets:
        own = own_level(tier_set, counters)
        if tier_set.is_current:
            level = max(own, reached(tier_set, current))
        else:
            level = max(own, reached(tier_set, values), own if then is values else reached(tier_set, then))
        if level == own:
            level = _stay(tier_set, own, current if tier_set.is_current else values, outcome)
            if level < own and not may_fall(program, tier_set, counters, today):
                level = own
        if level != own:
            hold(tier_set, counters, level, outcome)
        ladder[tier_set.id] = rung(tier_set, level, values)
    by_id = {tier_set.id: tier_set for tier_set in program.tier_sets}
    for match in matches:
        if match.campaign.definition.tier and match.considered.verdict == "matched":
            for name, wanted in match.campaign.definition.tier.items():
                tier_set = by_id[name]
                hold(tier_set, counters, tier_set.index(wanted), outcome, campaign=match.campaign.id)
    return ladder


def _remembered(values: Values) -> Values:
    """The same, each measured once: a ladder asks for one measure at every rung, and nothing is counted meanwhile."""
    known: dict[str, int] = {}

    def value(measure: Measure) -> int:
        found = known.get(measure.key)
        if found is None:
            found = known[measure.key] = values(measure)
        return found

    return value


def _stay(tier_set: CompiledTierSet, held: int, values: Values, outcome: Outcome) -> int:
    """The level of somebody who has not risen; qualifying again begins a new period, where the tier set says so."""
    if not held:
        return held
    definition = tier_set.definition
    if tier_set.is_current and definition.grace is None:
        return fallen_to(tier_set, held, values)
    if definition.extend == "at_once" and _counts(tier_set, outcome) and kept(tier_set, held, values) == held:
        outcome.renewed.append(tier_set.id)
    return held


def _counts(tier_set: CompiledTierSet, outcome: Outcome) -> bool:
    """Whether the event has added to any measure of the tier set."""
    earned = {effect.points for effect in outcome.points if effect.amount > 0}
    return any(measure.metric in outcome.counted or measure.points in earned for measure in tier_set.measures)


def rung(tier_set: CompiledTierSet, level: int, values: Values) -> str:
    """The arithmetic of the next level's first criterion, or of the tier set's first measure at the top."""
    if level + 1 < len(tier_set.levels):
        one = tier_set.levels[level + 1].criteria[0]
        return f"{values(one.measure)}/{one.threshold}"
    return str(values(tier_set.measures[0])) if tier_set.measures else ""


def _available(state: MemberState, outcome: Outcome) -> dict[str, int]:
    available = {points: balance.available for points, balance in state.balances.items()}
    for effect in outcome.points:
        if not effect.is_pending:
            available[effect.points] = available.get(effect.points, 0) + effect.amount
    for move in outcome.moves:
        if move.what == "released":
            available[move.points] = available.get(move.points, 0) + move.amount
    return available
