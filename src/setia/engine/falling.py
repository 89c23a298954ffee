"""Falling by a return: levels that the member rose to by or after an order, and has not reached without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from setia.engine.climbing import rung
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.decision import Outcome
from setia.engine.holding import hold, own_level
from setia.engine.reviews import fallen_to
from setia.engine.state import Counters, MemberState
from setia.engine.tiers import reached, values_on


class Falling:
    """One return. `counters` are those after it, but for the levels.

    `closed` are the windows over periods in which the order counts no more. Of them `sums` are those that it ended
    itself, by the rise it brought, with what they come to without it. It `rises` where a return is cancelled.
    """

    def __init__(
        self,
        program: CompiledProgram,
        state: MemberState,
        counters: Counters,
        closed: Sequence[str],
        sums: Mapping[str, int],
        *,
        rises: bool = False,
    ) -> None:
        self._program = program
        self._state = state
        self._counters = counters
        self._closed = closed
        self._sums = sums
        self._rises = rises
        self.resumed: dict[str, int] = {}
        """The windows that go on, since the rise that ended them has been taken back."""
        self.hangs: dict[str, list[str]] = {}
        """Tier set -> the levels that hung on the order, and that others keep up."""

    def fall(
        self, outcome: Outcome, occurred_at: dt.datetime, booked_at: dt.datetime, now: dt.datetime
    ) -> dict[str, str]:
        """Take the levels back in `outcome`; returns each ladder's metric against the next threshold.

        The order occurred at `occurred_at`, and was booked at `booked_at`.
        """
        program, counters, enrolled_at = self._program, self._counters, self._state.enrolled_at
        ladder: dict[str, str] = {}
        available = _available(self._state, outcome)
        day, then = (moment.astimezone(program.zone).date() for moment in (now, occurred_at))
        windows = counters.windows | {key: {"period": amount} for key, amount in self._sums.items()}
        without = msgspec.structs.replace(counters, windows=windows)
        for tier_set in program.tier_sets:
            held = level = own_level(tier_set, counters)
            values = values_on(program, counters, available, day, enrolled_at)
            if self._rises:
                own_day = values_on(program, counters, available, then, enrolled_at)
                level = max(
                    held, reached(tier_set, values), held if tier_set.is_current else reached(tier_set, own_day)
                )
            elif tier_set.is_current:
                level = fallen_to(tier_set, held, values)
            elif tier_set.definition.on_return == "at_once" and self._is_known(tier_set):
                level = min(
                    held,
                    max(
                        reached(tier_set, values_on(program, without, available, day, enrolled_at)),
                        reached(tier_set, values_on(program, without, available, then, enrolled_at)),
                        _held_before(tier_set, counters, booked_at),
                    ),
                )
                if hanging := _hanging(tier_set, counters, booked_at, level):
                    self.hangs[tier_set.id] = hanging
            if level != held:
                hold(tier_set, counters, level, outcome)
                self.resumed |= {key: self._sums[key] for key in tier_set.period_keys if key in self._sums}
            ladder[tier_set.id] = rung(tier_set, level, values)
        return ladder

    def _is_known(self, tier_set: CompiledTierSet) -> bool:
        """Whether the sums of the order's own time are known.

        A period that another order or a review has ended had come to what nobody knows any more: its level stays.
        """
        return all(key in self._sums or key not in self._closed for key in tier_set.period_keys)


def _stays(tier_set: CompiledTierSet, counters: Counters) -> list[tuple[str, dt.datetime | None]]:
    """The levels the member has risen over, the lowest first, and the one held: each with the moment it hangs on."""
    period = counters.periods.get(tier_set.id)
    if period is None:
        return []
    stays = (*period.risen, (tier_set.levels[own_level(tier_set, counters)].id, period.since))
    return [(name, period.hangs.get(name, since)) for name, since in stays]


def _held_before(tier_set: CompiledTierSet, counters: Counters, booked_at: dt.datetime) -> int:
    """The level that does not hang on an order: held before it, or kept at a review since."""
    first, *rises = _stays(tier_set, counters) or [(tier_set.levels[own_level(tier_set, counters)].id, None)]
    before = [name for name, since in rises if since is not None and since < booked_at]
    return tier_set.index(before[-1] if before else first[0])


def _hanging(tier_set: CompiledTierSet, counters: Counters, booked_at: dt.datetime, level: int) -> list[str]:
    """The levels up to the one that is left which hung on the order: it is others that keep them now."""
    stays = _stays(tier_set, counters)
    hanging = [
        name for name, since in stays if since is not None and since >= booked_at and 0 < tier_set.index(name) <= level
    ]
    left = tier_set.levels[level].id
    # Somebody who falls between two levels comes to one that was never held for itself.
    if level and stays and all(name != left for name, _ in stays):
        hanging.append(left)
    return hanging


def _available(state: MemberState, outcome: Outcome) -> Mapping[str, int]:
    """What is available after the return as the ladder sees it: pending points are taken first, and none below zero."""
    available = {points: balance.available for points, balance in state.balances.items()}
    pending = {points: balance.pending for points, balance in state.balances.items()}
    for effect in outcome.points:
        points, amount = effect.points, effect.amount
        if amount < 0:
            waiting = min(-amount, pending.get(points, 0))
            pending[points] = pending.get(points, 0) - waiting
            amount += waiting
        if not effect.is_pending:
            available[points] = max(0, available.get(points, 0) + amount)
    return available
