"""How a member's counters grow with each outcome: the fold that a rebuild repeats over the journal."""

from __future__ import annotations

import datetime as dt

import msgspec

from setia.engine.calendar import add_to_day, full_years, midnight, period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet, Measure
from setia.engine.decision import REDEMPTION, Outcome, Undone
from setia.engine.limits import count_uses, units_by_campaign
from setia.engine.state import Counters, OfferState, TierPeriod


def count(
    program: CompiledProgram,
    counters: Counters,
    outcome: Outcome,
    day: dt.date,
    occurred_at: dt.datetime,
    enrolled_at: dt.datetime,
) -> Counters:
    """The counters after an outcome, in the order in which outcomes were booked. `counters` is left as it was.

    `day` is the local day of `occurred_at`. The same function serves the decision and the rebuild, and reads only what
    the journal stores. `count_moves` and, for levels, `count_tiers` follow it.
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
    # What time does is nothing that the member did: it must not make the events of a till that was offline too late.
    newest = counters.newest_at if outcome.fired else _latest(counters.newest_at, occurred_at)
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
        beneath=counters.beneath,
        active_at=counters.active_at,
        decayed=counters.decayed,
        fired=counters.fired | outcome.fired if outcome.fired else counters.fired,
        offers=_count_offers(program, counters.offers, outcome, newest or occurred_at)
        if outcome.offers
        else counters.offers,
        seen_at=counters.seen_at | {name: _latest(counters.seen_at.get(name), occurred_at) for name in outcome.active}
        if outcome.active
        else counters.seen_at,
        frozen_at=counters.frozen_at,
    )


def count_return(
    program: CompiledProgram, counters: Counters, outcome: Outcome, undone: Undone, enrolled_at: dt.datetime
) -> Counters:
    """The counters after a return: as if the order had not counted what it counts no more, on its own day.

    A window or period that is no longer kept for that day is no longer read either. The moments of the first and last
    purchase stay until no order is left: what an order in between would have left is not known any more.
    """
    day = undone.occurred_at.astimezone(program.zone).date()
    earned: dict[str, int] = {}
    by_campaign: dict[str, dict[str, int]] = {}
    for effect in outcome.points:
        if effect.campaign == REDEMPTION:
            continue  # what rewards had cost comes back, and is not earned by it
        # What was spent meanwhile and could not be taken back was earned no more than the rest.
        amount = effect.amount if effect.wanted is None else effect.wanted
        earned[effect.points] = earned.get(effect.points, 0) + amount
        granted = by_campaign.setdefault(effect.campaign, {})
        granted[effect.points] = granted.get(effect.points, 0) + amount
    windows = counters.windows
    for key, measure in program.measures.items():
        amount = earned.get(measure.points, 0) if measure.points else outcome.counted.get(measure.metric, 0)
        bucket = bucket_of(program, measure, day, enrolled_at) if amount and key not in undone.closed else None
        if bucket is not None and bucket in windows.get(key, {}):
            windows = windows | {key: _added(windows[key], {bucket: amount})}
    limits = counters.limits
    for campaign in dict.fromkeys([*by_campaign, *undone.uses, *outcome.uses, *undone.units]):
        own, uses = program.limits_of.get(campaign, ()), outcome.uses.count(campaign) - undone.uses.count(campaign)
        units = -undone.units.get(campaign, 0)
        for key, added in count_uses(own, day, by_campaign.get(campaign, {}), "member", uses, units).items():
            # What was never counted, or is no longer kept, has nothing to be taken from.
            kept = {period: used for period, used in added.items() if used > 0 or period in limits.get(key, {})}
            limits = limits | {key: _added(limits.get(key, {}), kept)} if kept else limits
    lifetime = _added(counters.lifetime, outcome.counted)
    none_left = not lifetime.get("orders", 0)
    return msgspec.structs.replace(
        counters,
        lifetime=lifetime,
        earned=_added(counters.earned, earned),
        windows=windows,
        limits=limits,
        first_purchase_at=None if none_left else counters.first_purchase_at,
        last_purchase_at=None if none_left else counters.last_purchase_at,
        offers=counters.offers | {change.instance: change.state for change in outcome.offers},
    )


def count_moves(
    program: CompiledProgram,
    counters: Counters,
    outcome: Outcome,
    occurred_at: dt.datetime,
    booked_at: dt.datetime,
    enrolled_at: dt.datetime,
) -> None:
    """Count what an outcome of any kind says of points that were there: in `counters`, like `count_tiers`.

    Cancelled points were never earned: they are taken off the very day on which they were counted, where that is still
    kept, and never below zero. Limits and budgets stay used: they are about what was promised.
    """
    if outcome.extends:
        counters.active_at = counters.active_at | dict.fromkeys(outcome.extends, booked_at)
    if outcome.decayed:
        counters.decayed = counters.decayed | dict.fromkeys(outcome.decayed, occurred_at)
    for move in outcome.moves:
        if move.what != "cancelled" or move.occurred_at is None:
            continue
        counters.earned = _less(counters.earned, move.points, move.amount)
        day = move.occurred_at.astimezone(program.zone).date()
        for key, measure in program.measures.items():
            if measure.points == move.points:
                bucket = bucket_of(program, measure, day, enrolled_at)
                buckets = counters.windows.get(key, {})
                if bucket is not None and bucket in buckets:
                    counters.windows = counters.windows | {key: _less(buckets, bucket, move.amount)}


def _less(sums: dict[str, int], key: str, amount: int) -> dict[str, int]:
    return sums | {key: max(0, sums.get(key, 0) - amount)}


def count_tiers(program: CompiledProgram, counters: Counters, outcome: Outcome, moment: dt.datetime) -> None:
    """Move the levels in `counters` as an outcome says, from `moment` on; new periods begin there.

    A level that is given by hand, or ends, leaves the period of the level beneath it as it is. Dictionaries are
    replaced, never changed: those of the counters before stay as they were.
    """
    named = dict.fromkeys([*(change.tier_set for change in outcome.tiers), *outcome.beneath, *outcome.renewed])
    if named:
        before = {name: _own(program, counters, name) for name in named}
        counters.tiers = counters.tiers | {change.tier_set: change.after for change in outcome.tiers}
        if outcome.beneath:
            others = {name: level for name, level in counters.beneath.items() if name not in outcome.beneath}
            counters.beneath = others | {name: level for name, level in outcome.beneath.items() if level is not None}
        after = {name: _own(program, counters, name) for name in named}
        began = [name for name in named if name in outcome.renewed or before[name] != after[name]]
        ladders = {tier_set.id: tier_set for tier_set in program.tier_sets if tier_set.id in began}
        periods = {name: period for name, period in counters.periods.items() if name not in began}
        for name in began:
            period = _period(ladders.get(name), counters.periods.get(name), outcome, before[name], after[name], moment)
            if period is not None:
                periods[name] = period
        counters.periods = periods
        ended = {key for tier_set in ladders.values() for key in tier_set.period_keys}
        if ended:
            counters.windows = {key: buckets for key, buckets in counters.windows.items() if key not in ended}
            if outcome.undoes is not None:
                resumed = {key: {"period": amount} for key, amount in outcome.undoes.resumed.items()}
                counters.windows = counters.windows | resumed
    hangs = outcome.voids if outcome.undoes is None else outcome.undoes.hangs
    if hangs:
        counters.periods = counters.periods | _hanging(counters.periods, hangs, moment)
    for name, until in outcome.graced.items():
        period = counters.periods.get(name, TierPeriod(moment))
        counters.periods = counters.periods | {name: TierPeriod(period.since, until)}
    if outcome.floors:
        floors = {name: floor for name, floor in counters.floors.items() if name not in outcome.floors}
        counters.floors = floors | {name: floor for name, floor in outcome.floors.items() if floor is not None}


def _hanging(
    periods: dict[str, TierPeriod], hanging: dict[str, list[str]], moment: dt.datetime
) -> dict[str, TierPeriod]:
    return {
        name: msgspec.structs.replace(periods[name], hangs=periods[name].hangs | dict.fromkeys(levels, moment))
        for name, levels in hanging.items()
    }


def _own(program: CompiledProgram, counters: Counters, name: str) -> str | None:
    """The level that a member holds without one given by hand."""
    return counters.beneath.get(name) or counters.tiers.get(name) or program.first_levels.get(name)


def _period(
    tier_set: CompiledTierSet | None,
    held: TierPeriod | None,
    outcome: Outcome,
    before: str | None,
    after: str | None,
    moment: dt.datetime,
) -> TierPeriod | None:
    """The period that begins; where a rise is taken back, the one before it goes on (None: as at the enrolment)."""
    if tier_set is None or before is None or tier_set.index(before) == tier_set.index(after):
        return TierPeriod(moment)
    since, risen, hangs = (None, (), {}) if held is None else (held.since, held.risen, held.hangs)
    stays = (*risen, (before, since))
    if tier_set.index(after) > tier_set.index(before):
        return TierPeriod(moment, risen=stays, hangs=hangs)
    if outcome.undoes is None and outcome.voids is None:
        return TierPeriod(moment)
    # Somebody who falls between two levels has held the one they come to since they rose past it.
    below = tuple(stay for stay in stays if tier_set.index(stay[0]) < tier_set.index(after))
    resumed = stays[len(below)][1]
    if resumed is None:
        return None
    hangs = {level: at for level, at in hangs.items() if tier_set.index(level) <= tier_set.index(after)}
    return TierPeriod(resumed, risen=below, hangs=hangs)


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
    if outcome.undoes is not None:
        counters = count_return(program, counters, outcome, outcome.undoes, enrolled_at)
    elif kind == "event":
        day = occurred_at.astimezone(program.zone).date()
        counters = count(program, counters, outcome, day, occurred_at, enrolled_at)
    else:
        counters = msgspec.structs.replace(counters)
    if outcome.frozen is not None:
        counters.frozen_at = booked_at if outcome.frozen else None
    count_moves(program, counters, outcome, occurred_at, booked_at, enrolled_at)
    count_tiers(program, counters, outcome, occurred_at if kind == "review" else booked_at)
    return counters


def _count_offers(
    program: CompiledProgram, offers: dict[str, OfferState], outcome: Outcome, newest: dt.datetime
) -> dict[str, OfferState]:
    """The instances after an outcome. A new one makes room: what no event can count for any more is dropped."""
    if any(change.kind == "assigned" for change in outcome.offers):
        oldest = midnight(_accepted_from(program, newest.astimezone(program.zone).date()), program.zone)
        offers = {name: state for name, state in offers.items() if state.ends is None or state.ends >= oldest}
    return offers | {change.instance: change.state for change in outcome.offers}


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
    first = add_to_day(_accepted_from(program, newest), length, -1)
    # Until a grace ends, the window that ended before it is still read.
    oldest = min([first, *(add_to_day(first, grace, -1) for grace in program.graces)]).isoformat()
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
    units = units_by_campaign(outcome.discounts)
    # An offer that was completed several times at once was used as often, and granted everything together.
    for campaign in dict.fromkeys(outcome.uses):
        own = program.limits_of.get(campaign)
        if own:
            times = outcome.uses.count(campaign)
            each = by_campaign.get(campaign, {}), "member", times, units.get(campaign, 0)
            for key, added in count_uses(own, day, *each).items():
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
