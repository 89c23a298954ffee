"""Triggers of time: when each comes next for a member, whom it is for, and what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from setia.engine.calendar import add_to_day, after
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.compiled_triggers import CompiledTrigger
from setia.engine.dates import at_clock
from setia.engine.facts import MemberFacts, TimeFacts, decimal_of
from setia.engine.occasions import Found, anniversaries, birthdays, date_occasions, recurrences
from setia.engine.occurrences import Occurrence
from setia.engine.offers import open_ends
from setia.engine.periods import period_end
from setia.engine.reviews import review, review_due
from setia.engine.state import MemberState
from setia.engine.sums import sums_of
from setia.engine.tiers import needs_of, values_on
from setia.expressions import EvaluationError
from setia.program.names import Period
from setia.program.triggers import Anniversary, AttributeDate, Birthday, Expiring, Inactive, OfferEnding, Recurrence

_TIER_ENDING = "tier_ending"
_MARKS_KEPT = Period(count=400, unit="days")
_FARTHEST = dt.timedelta(days=3660)
_MOMENT = dt.timedelta(microseconds=1)
LISTED = frozenset({"expiring", "date", "offer_ending"})
"""The kinds of triggers whose mark is a list of keys: their days may still come up again."""


class Occasion(NamedTuple):
    """One moment at which a trigger comes. `subject` is its id, or `tier_ending.` and a tier set; `key` tells it apart.

    Keys begin with a local day, so that those of one trigger sort by time whatever becomes of its settings.
    """

    at: dt.datetime
    subject: str
    key: str


class PointsEnd(NamedTuple):
    """Points that end together at a moment: those of a lot, or by inactivity."""

    points: str
    amount: int
    earned_at: dt.datetime
    ends_at: dt.datetime


class Reach(NamedTuple):
    """What has been looked at already, and what else is known when somebody looks."""

    now: dt.datetime
    passed: Occasion
    """Everything up to it has happened, or was passed over."""
    ends: Sequence[PointsEnd] = ()


def reach_after(moment: dt.datetime, now: dt.datetime, ends: Sequence[PointsEnd] = ()) -> Reach:
    """Look for what comes after a moment."""
    return Reach(now, Occasion(moment, "~", ""), ends)  # `~` sorts after every name


def reach_from(moment: dt.datetime, now: dt.datetime) -> Reach:
    """Look for what comes at a moment, or after it."""
    return reach_after(moment - _MOMENT, now)


def next_occasions(program: CompiledProgram, state: MemberState, reach: Reach) -> Iterator[Occasion]:
    """The next occasion of each trigger, where there is one; those that are too late by now are left out.

    Nothing happens to a member who is suspended or closed.
    """
    if state.status != "active":
        return
    for trigger in program.time.triggers.values():
        earliest = max(trigger.since, state.enrolled_at, _before(reach.now, trigger.definition.late_by, program))
        found = (one for one in _occasions(program, trigger, state, reach) if one.at >= earliest)
        yield from _first(found, reach.passed)
    if program.time.tells_tiers:
        for tier_set in program.tier_sets:
            yield from _first(_endings(program, tier_set, state, reach.now), reach.passed)


def _first(found: Iterable[Occasion], passed: Occasion) -> Iterator[Occasion]:
    first = next((one for one in found if one > passed), None)
    if first is not None:
        yield first


def _occasions(
    program: CompiledProgram, trigger: CompiledTrigger, state: MemberState, reach: Reach
) -> Iterator[Occasion]:
    """Those of one trigger that have not happened, from about when has been looked on, the earliest first."""
    mark = state.counters.fired.get(trigger.id, "")
    start = max(reach.passed.at, state.enrolled_at, trigger.since).astimezone(program.zone).date()
    found: Found
    match trigger.definition.what:
        case Birthday() as birthday:
            found = birthdays(program, birthday, state, start, mark)
        case Anniversary() as anniversary:
            found = anniversaries(program, anniversary, state, start, mark)
        case Recurrence() as schedule:
            found = recurrences(program, schedule, start, mark)
        case AttributeDate() as wanted:
            found = date_occasions(program, wanted, state, mark)
        case OfferEnding() as ending:
            found = _offers(program, ending, state, mark, reach.now)
        case Inactive() as inactive:
            found = _quiet(program, inactive, _active_at(trigger, inactive, state), mark)
        case expiring:
            found = _warnings(program, expiring, mark, reach)
    return (Occasion(at, trigger.id, key) for at, key in found)


# ---------------------------------------------------------------------------------------------------------- inactivity


def _quiet(program: CompiledProgram, inactive: Inactive, since: dt.datetime, mark: str) -> Found:
    if (key := since.astimezone(dt.UTC).isoformat(timespec="microseconds")) > mark:
        yield after(since, inactive.after, program.zone), key


def _active_at(trigger: CompiledTrigger, inactive: Inactive, state: MemberState) -> dt.datetime:
    """When the member did last what counts; who never has is taken to have begun by enrolling."""
    bought_at = state.counters.last_purchase_at if "purchase" in inactive.counting else None
    known = [moment for moment in (state.counters.seen_at.get(trigger.id), bought_at) if moment is not None]
    # Of other events than purchases nothing is known from before the trigger was there.
    begins = state.enrolled_at if inactive.counting == ("purchase",) else max(state.enrolled_at, trigger.since)
    return max(known, default=begins)


# ------------------------------------------------------------------------------------------------------- ending points


def _ending(program: CompiledProgram, expiring: Expiring, ends: Sequence[PointsEnd]) -> dict[dt.date, list[PointsEnd]]:
    """The points a trigger warns of, by the last day on which they can be used."""
    days: dict[dt.date, list[PointsEnd]] = {}
    for one in ends:
        if one.points == expiring.points:
            days.setdefault((one.ends_at - _MOMENT).astimezone(program.zone).date(), []).append(one)
    return days


def _warnings(program: CompiledProgram, expiring: Expiring, mark: str, reach: Reach) -> Found:
    told = mark.split(",")
    least = expiring.at_least * program.units.get(expiring.points, 1)
    found = []
    for day, together in _ending(program, expiring, reach.ends).items():
        fits = sum(one.amount for one in together) >= least and min(one.ends_at for one in together) > reach.now
        if fits and day.isoformat() not in told:
            at = _warning_of(program, expiring, day)
            # Points that last no longer than the warning are told of right after they came.
            found.append((max(at, min(one.earned_at for one in together) + _MOMENT), day.isoformat()))
    yield from sorted(found)


def _warning_of(program: CompiledProgram, expiring: Expiring, day: dt.date) -> dt.datetime:
    return at_clock(add_to_day(day, expiring.before, -1), expiring.at, program.zone)


def warned_at(program: CompiledProgram, ends: Sequence[PointsEnd], now: dt.datetime) -> dt.datetime | None:
    """When points that come now have to be warned of first: maybe too early, never too late."""
    moments = [
        _warning_of(program, expiring, day)
        for expiring in program.time.expiring
        for day in _ending(program, expiring, ends)
    ]
    return max(min(moments), now + _MOMENT) if moments else None


# ------------------------------------------------------------------------------------------------------- ending offers


def _offers(program: CompiledProgram, ending: OfferEnding, state: MemberState, mark: str, now: dt.datetime) -> Found:
    """Before the ends of offers that are not completed, the first one first; of one window once."""
    told = mark.split(",")
    for ends, instance, campaign in open_ends(program, state, now):
        day = (ends - _MOMENT).astimezone(program.zone).date()
        key = f"{day.isoformat()}/{campaign}/{instance}"
        if (not ending.offers or campaign in ending.offers) and key not in told:
            yield at_clock(add_to_day(day, ending.before, -1), ending.at, program.zone), key


# ------------------------------------------------------------------------------------------------------- ending levels


class Fall(NamedTuple):
    """The next fall of a member, if nothing more happens."""

    at: dt.datetime
    level: str


def next_fall(program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, now: dt.datetime) -> Fall | None:
    """When the level that a member holds would be lost next, as things are now.

    None where it is kept at the next review, or a grace begins there.
    """
    held = tier_set.index(state.counters.tiers.get(tier_set.id))
    moment, ends = now, review_due(program, tier_set, state, now) if held else None
    # What is due already is not to be warned of. Nobody is warned ten years ahead, so the search ends.
    while ends is not None and moment < ends < now + _FARTHEST:
        found = review(program, tier_set, state, ends)
        changes = [] if found is None else found[0].tiers
        if changes and tier_set.index(changes[0].after) < held:
            return Fall(ends, changes[0].after)
        # One that follows its metrics was kept though a day left the window; others begin a new period.
        moment, ends = ends, review_due(program, tier_set, state, ends) if tier_set.is_current else None
    return None


def _endings(
    program: CompiledProgram, tier_set: CompiledTierSet, state: MemberState, now: dt.datetime
) -> Iterator[Occasion]:
    warn_before = tier_set.definition.warn_before
    fall = next_fall(program, tier_set, state, now) if warn_before.count else None
    subject = f"{_TIER_ENDING}.{tier_set.id}"
    if fall is None or (key := _last_day(program, fall).isoformat()) <= state.counters.fired.get(subject, ""):
        return
    at = _before(fall.at, warn_before, program)
    period = state.counters.periods.get(tier_set.id)
    if period is not None and period.grace_until == fall.at:
        # A grace that is shorter than the warning: it is told when the grace begins.
        began = period_end(program, tier_set, period.since, state.enrolled_at)
        at = at if began is None else max(at, min(began, fall.at))
    yield Occasion(at, subject, key)


def _last_day(program: CompiledProgram, fall: Fall) -> dt.date:
    return (fall.at - _MOMENT).astimezone(program.zone).date()


def _before(moment: dt.datetime, period: Period, program: CompiledProgram) -> dt.datetime:
    """A period before a moment; days and longer at the same local time."""
    if period.unit in {"minutes", "hours"}:
        return moment - dt.timedelta(minutes=period.count * (1 if period.unit == "minutes" else 60))
    here = moment.astimezone(program.zone)
    day, time = add_to_day(here.date(), period, -1), here.time().replace(fold=0)
    return dt.datetime.combine(day, time, tzinfo=program.zone).astimezone(dt.UTC)


# ------------------------------------------------------------------------------------------------------- when it comes


def type_of(occasion: Occasion) -> str:
    """The type of the event that an occasion becomes."""
    return occasion.subject.partition(".")[0]


def is_for(program: CompiledProgram, state: MemberState, event: Occurrence) -> bool:
    """Whether the member is in the audience; one that cannot be asked, since something is not set, has nobody."""
    trigger = program.time.triggers.get(event.type)
    if trigger is None or trigger.audience is None:
        return True
    member = MemberFacts(
        state,
        event,
        program.levels_of,
        program.point_digits,
        program.currency_digits,
        program.attribute_types,
        lambda: sums_of(program, state, event.occurred_at),
    )
    try:
        return trigger.audience.call(member, TimeFacts(event.occurred_at.astimezone(program.zone))) is True
    except EvaluationError:
        return False


def mark_of(program: CompiledProgram, state: MemberState, occasion: Occasion) -> str:
    """What is kept of an occasion with the member: its key, with those of days that may still come up again."""
    trigger = program.time.triggers.get(occasion.subject)
    if trigger is None or trigger.definition.kind not in LISTED:
        return occasion.key
    oldest = add_to_day(occasion.at.astimezone(program.zone).date(), _MARKS_KEPT, -1).isoformat()
    before = state.counters.fired.get(occasion.subject, "").split(",")
    return ",".join(sorted({occasion.key, *(key for key in before if key > oldest)}))


def data_of(program: CompiledProgram, state: MemberState, occasion: Occasion, reach: Reach) -> dict[str, Any]:
    """What `event.data` says of an occasion; see `program.triggers.trigger_data`."""
    if occasion.subject not in program.time.triggers:
        return _tier_data(program, state, occasion, reach.now)
    day = occasion.key[:10]
    data: dict[str, Any] = {"date": day}
    match program.time.triggers[occasion.subject].definition.what:
        case Inactive():
            since = dt.datetime.fromisoformat(occasion.key).astimezone(program.zone).date()
            data = {"since": since.isoformat(), "days": (occasion.at.astimezone(program.zone).date() - since).days}
        case Expiring() as expiring:
            together = _ending(program, expiring, reach.ends).get(dt.date.fromisoformat(day), [])
            amount, digits = sum(one.amount for one in together), program.point_digits.get(expiring.points, 0)
            data = {
                "points": expiring.points,
                "amount": decimal_of(amount, digits) if digits else amount,
                "date": day,
            }
        case Anniversary() as anniversary:
            enrolled = state.enrolled_at.astimezone(program.zone).date()
            number = 1
            while add_to_day(enrolled, anniversary.every, number) < dt.date.fromisoformat(day):
                number += 1
            data = {"date": day, "number": number}
        case Recurrence() as schedule:
            data = {"date": day, "period": schedule.every}
        case OfferEnding():
            _, campaign, instance = occasion.key.split("/", 2)
            data = {"offer": campaign, "instance": instance, "date": day}
    return data


def _tier_data(program: CompiledProgram, state: MemberState, occasion: Occasion, now: dt.datetime) -> dict[str, Any]:
    name = occasion.subject.partition(".")[2]
    tier_set = next(one for one in program.tier_sets if one.id == name)
    level = tier_set.levels[tier_set.index(state.counters.tiers.get(name))]
    fall = next_fall(program, tier_set, state, now)
    available = {points: balance.available for points, balance in state.balances.items()}
    day = now.astimezone(program.zone).date()
    needs = needs_of(level, values_on(program, state.counters, available, day, state.enrolled_at), keep=True)
    short = [need for need in needs if need.value < need.needed]
    choose = min if level.any_of else max
    need = choose(short, key=lambda one: one.needed - one.value, default=None)
    return {
        "tier_set": name,
        "level": level.id,
        "falls_to": "" if fall is None else fall.level,
        "on": occasion.key,
        "metric": "" if need is None else need.metric,
        "missing": Decimal(0) if need is None else decimal_of(need.needed - need.value, need.digits),
    }
