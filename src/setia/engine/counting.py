"""How a member's counters grow with each outcome: the fold that a rebuild repeats over the journal."""

from __future__ import annotations

import datetime as dt

import msgspec

from setia.engine.calendar import add_to_day, full_years, period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import Measure
from setia.engine.decision import Outcome
from setia.engine.limits import count_uses
from setia.engine.state import Counters, TierPeriod


def count(
    program: CompiledProgram,
    counters: Counters,
    outcome: Outcome,
    day: dt.date,
    occurred_at: dt.datetime,
    booked_at: dt.datetime,
    enrolled_at: dt.datetime,
) -> Counters:
    """The counters after an outcome, in the order in which outcomes were booked. `counters` is left as it was.

    `day` is the local day of `occurred_at`, `booked_at` the moment of arrival. The same function serves the decision
    and the rebuild, and reads only what the journal stores. Levels are moved by `count_tiers` afterwards.
    """
    earned: dict[str, int] = {}
    by_campaign: dict[str, dict[str, int]] = {}
    for effect in outcome.points:
        if effect.amount > 0:
            earned[effect.points] = earned.get(effect.points, 0) + effect.amount
            granted = by_campaign.setdefault(effect.campaign, {})
            granted[effect.points] = granted.get(effect.points, 0) + effect.amount
    lifetime = dict(counters.lifetime)
    for name, amount in outcome.counted.items():
        lifetime[name] = lifetime.get(name, 0) + amount
    newest = occurred_at if counters.newest_at is None or occurred_at > counters.newest_at else counters.newest_at
    purchase = "orders" in outcome.counted
    return Counters(
        tiers=counters.tiers,
        lifetime=lifetime,
        earned=_added(counters.earned, earned),
        windows=_count_windows(program, counters, outcome.counted, earned, day, enrolled_at),
        limits=_count_limits(program, counters, outcome, by_campaign, day),
        first_purchase_at=_earliest(counters.first_purchase_at, occurred_at)
        if purchase
        else counters.first_purchase_at,
        last_purchase_at=_latest(counters.last_purchase_at, occurred_at) if purchase else counters.last_purchase_at,
        newest_at=newest,
        periods=counters.periods,
        floors=counters.floors,
        active_at=counters.active_at | dict.fromkeys(outcome.extends, booked_at)
        if outcome.extends
        else counters.active_at,
        fired=counters.fired | outcome.fired if outcome.fired else counters.fired,
    )


def count_tiers(program: CompiledProgram, counters: Counters, outcome: Outcome, moment: dt.datetime) -> None:
    """Move the levels in `counters` as an outcome says, from `moment` on; new periods begin there.

    Dictionaries are replaced, never changed: those of the counters before stay as they were.
    """
    began = [change.tier_set for change in outcome.tiers] + outcome.renewed
    if began:
        counters.tiers = counters.tiers | {change.tier_set: change.after for change in outcome.tiers}
        counters.periods = counters.periods | dict.fromkeys(began, TierPeriod(moment))
        ended = {key for tier_set in program.tier_sets if tier_set.id in began for key in tier_set.period_keys}
        if ended:
            counters.windows = {key: buckets for key, buckets in counters.windows.items() if key not in ended}
    for name, until in outcome.graced.items():
        period = counters.periods.get(name, TierPeriod(moment))
        counters.periods = counters.periods | {name: TierPeriod(period.since, until)}
    if outcome.floors:
        floors = {name: floor for name, floor in counters.floors.items() if name not in outcome.floors}
        counters.floors = floors | {name: floor for name, floor in outcome.floors.items() if floor is not None}


def recount(
    program: CompiledProgram,
    counters: Counters,
    kind: str,
    outcome: Outcome,
    occurred_at: dt.datetime,
    booked_at: dt.datetime,
    enrolled_at: dt.datetime,
) -> Counters:
    """The counters after an entry of the journal, of any kind: the step that a rebuild repeats.

    A review holds from the moment it was due, however late it was booked; everything else from its arrival.
    """
    if kind == "event":
        day = occurred_at.astimezone(program.zone).date()
        counters = count(program, counters, outcome, day, occurred_at, booked_at, enrolled_at)
    else:
        counters = msgspec.structs.replace(counters)
    count_tiers(program, counters, outcome, occurred_at if kind == "review" else booked_at)
    return counters


def _added(sums: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return sums | {key: sums.get(key, 0) + amount for key, amount in more.items()} if more else sums


def _earliest(known: dt.datetime | None, moment: dt.datetime) -> dt.datetime:
    return moment if known is None or moment < known else known


def _latest(known: dt.datetime | None, moment: dt.datetime) -> dt.datetime:
    return moment if known is None or moment > known else known


def _count_windows(
    program: CompiledProgram,
    counters: Counters,
    counted: dict[str, int],
    earned: dict[str, int],
    day: dt.date,
    enrolled_at: dt.datetime,
) -> dict[str, dict[str, int]]:
    if not program.measures:
        return counters.windows
    windows = counters.windows
    for key, measure in program.measures.items():
        amount = earned.get(measure.points, 0) if measure.points else counted.get(measure.metric, 0)
        bucket = bucket_of(program, measure, day, enrolled_at) if amount else None
        if bucket is not None:
            buckets = windows.get(key, {})
            if bucket not in buckets:
                buckets = _kept(program, measure, buckets, day)
            windows = windows | {key: buckets | {bucket: buckets.get(bucket, 0) + amount}}
    return windows


def bucket_of(program: CompiledProgram, measure: Measure, day: dt.date, enrolled_at: dt.datetime) -> str | None:
    """The bucket of a window in which a local day counts; None where it lies outside."""
    window = measure.window
    match window.kind:
        case "lifetime":
            return "ever"
        case "period":
            return "period"
        case "calendar_year":
            return f"{day.year:04d}"
        case "rolling":
            return day.isoformat()
        case "anniversary":
            return f"{full_years(enrolled_at.astimezone(program.zone).date(), day):04d}"
        case _:  # fixed dates
            inside = window.starts is not None and window.ends is not None and window.starts <= day <= window.ends
            return "fixed" if inside else None


def _kept(program: CompiledProgram, measure: Measure, buckets: dict[str, int], day: dt.date) -> dict[str, int]:
    """Without the days that no event accepted from now on can still read: a long history makes nobody slow."""
    length = measure.window.length
    if length is None or not buckets:
        return buckets
    newest = max(day, dt.date.fromisoformat(max(buckets)))
    oldest = add_to_day(_accepted_from(program, newest), length, -1).isoformat()
    return {bucket: amount for bucket, amount in buckets.items() if bucket >= oldest}


def _accepted_from(program: CompiledProgram, newest: dt.date) -> dt.date:
    """The earliest local day of an event that is still accepted; one more for events of less than a day."""
    within = program.definition.late.accept_within
    if within.unit in {"minutes", "hours"}:
        return newest - dt.timedelta(days=2 + within.count // 24)
    return add_to_day(newest, within, -1) - dt.timedelta(days=1)


def _count_limits(
    program: CompiledProgram, counters: Counters, outcome: Outcome, by_campaign: dict[str, dict[str, int]], day: dt.date
) -> dict[str, dict[str, int]]:
    limits = counters.limits
    for campaign in outcome.uses:
        own = program.limits_of.get(campaign)
        if own:
            for key, added in count_uses(own, day, by_campaign.get(campaign, {}), "member").items():
                periods = limits.get(key, {})
                for period, amount in added.items():
                    if period not in periods:
                        periods = _kept_periods(program, key, periods, day)
                    periods = periods | {period: periods.get(period, 0) + amount}
                limits = limits | {key: periods}
    return limits


def _kept_periods(program: CompiledProgram, key: str, periods: dict[str, int], day: dt.date) -> dict[str, int]:
    every = program.limits[key][1].every
    if every == "ever" or not periods:
        return periods
    newest = max(period_key(every, day), *periods)
    if newest != period_key(every, day):
        return periods
    oldest = period_key(every, _accepted_from(program, day))
    return {period: amount for period, amount in periods.items() if period >= oldest}
