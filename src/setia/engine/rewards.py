"""Whether a member can have a reward, at which price, and if not, why: in words for machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import ROUND_FLOOR
from fractions import Fraction
from math import ceil
from typing import Literal, TypeAlias

import msgspec

from setia.engine.calendar import after, period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_campaigns import CompiledSchedule
from setia.engine.compiled_rewards import CompiledPrice, CompiledReward
from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.facts import MemberFacts, TimeFacts
from setia.engine.gift_cards import currency_of
from setia.engine.occurrences import Occurrence
from setia.engine.reward_periods import period_bounds
from setia.engine.reward_reasons import Reason
from setia.engine.state import Balance, MemberState
from setia.engine.sums import sums_of
from setia.expressions import EvaluationError, Expression
from setia.program.currencies import minor_digits
from setia.program.rewards import Occasion, Quota


class Price(msgspec.Struct, frozen=True):
    """What is given for the wanted quantity: point type -> smallest units, and money in that of the currency."""

    points: dict[str, int]
    money: int


class Used(msgspec.Struct):
    """What of a reward is taken already, as counted when it is asked.

    `member`: period (`day` ... `ever`) -> this member's uses in the current one. `stock`: key of `stock_keys` -> uses
    of all members. `codes_left`: how many codes its pool still has; None where it has no pool.
    """

    member: dict[str, int] = {}
    stock: dict[str, int] = {}
    codes_left: int | None = None


class Wish(msgspec.Struct, frozen=True):
    """How many of a reward, and for an experience on which date."""

    quantity: int = 1
    date: str | None = None


class Available(msgspec.Struct, frozen=True):
    """It can be had, at this price."""

    price: Price


Availability: TypeAlias = Available | list[Reason]


def availability(
    program: CompiledProgram, reward: CompiledReward, state: MemberState, used: Used, now: dt.datetime, wish: Wish
) -> Availability:
    """Whether a member can redeem a reward at `now`: at which price, or every reason why not."""
    price = price_for(program, reward, state, now, wish.quantity)
    reasons = [
        *hindrances(program, reward, state, used, now, wish),
        *_of_worth(reward, wish),
        *points_missing(state, price.points),
    ]
    return reasons or Available(price)


def hindrances(
    program: CompiledProgram, reward: CompiledReward, state: MemberState, used: Used, now: dt.datetime, wish: Wish
) -> list[Reason]:
    """Every reason why a member cannot have a reward at `now`, but that points are missing."""
    asked = _Asked(program, state, now)
    return [
        *_of_reward(program, reward, now),
        *_of_member(program, reward, asked),
        *_of_quantity(reward, wish),
        *_of_date(program, reward, used, now, wish),
        *_of_limits(program, reward, used, now, wish),
    ]


def is_left(program: CompiledProgram, reward: CompiledReward, used: Used, now: dt.datetime) -> bool:
    """Whether there is one at `now` for somebody of whom nothing is known: by its calendar and what is taken of it."""
    return not [*_of_reward(program, reward, now), *_of_limits(program, reward, used, now, Wish())]


def price_for(
    program: CompiledProgram, reward: CompiledReward, state: MemberState, now: dt.datetime, quantity: int = 1
) -> Price:
    """What a member pays for so many."""
    return _Asked(program, state, now).price(reward, quantity)


def stock_keys(program: CompiledProgram, reward: CompiledReward, now: dt.datetime, date: str | None) -> dict[str, int]:
    """Where a redemption at `now` is counted over all members: key -> how many there are. Sorted, to lock in order."""
    found = {} if reward.definition.stock is None else {"stock": reward.definition.stock}
    day = now.astimezone(program.zone).date()
    for quota in reward.definition.total_quotas:
        found[f"{quota.every}:{period_key(quota.every, day)}"] = quota.uses
    occasion = occasion_of(reward, date)
    if occasion is not None and occasion.places is not None:
        found[f"date:{occasion.id}"] = occasion.places
    return dict(sorted(found.items()))


def all_stock_keys(program: CompiledProgram, reward: CompiledReward, now: dt.datetime) -> set[str]:
    """All keys under which it is counted at `now`, of every date."""
    dates = {f"date:{occasion.id}" for occasion in reward.definition.dates if occasion.places is not None}
    return dates | stock_keys(program, reward, now, None).keys()


def occasion_of(reward: CompiledReward, date: str | None) -> Occasion | None:
    """The date of an experience with this id."""
    return next((one for one in reward.definition.dates if one.id == date), None)


def worth_of(program: CompiledProgram, reward: CompiledReward, quantity: int) -> int | None:
    """What so many are worth in the smallest unit of the currency, rounded down; None where no amount is said.

    The currency of a reward that is a card is the card's, which may have other decimals than the program's.
    """
    worth = reward.definition.worth
    if worth is None or worth.amount is None:
        return None
    card = program.definition.gift_cards.get(reward.definition.card or "")
    digits = program.currency_digits if card is None else minor_digits(currency_of(program.definition, card))
    whole = (worth.amount * quantity).scaleb(digits).to_integral_value(ROUND_FLOOR)
    most = None if worth.most is None else int(worth.most.scaleb(digits))
    return int(whole) if most is None else min(int(whole), most)


def usable(
    program: CompiledProgram, reward: CompiledReward, now: dt.datetime, date: str | None
) -> tuple[dt.datetime, dt.datetime | None]:
    """From when until when (exclusive; None: for ever) what is redeemed at `now` can be used."""
    occasion, lead, valid_for = occasion_of(reward, date), reward.definition.lead_time, reward.definition.valid_for
    if occasion is not None:
        return now, occasion.ends
    begins = now if lead is None else after(now, lead, program.zone)
    return begins, None if valid_for is None else after(begins, valid_for, program.zone)


class _Asked:
    """One member at one moment, as conditions see them."""

    def __init__(self, program: CompiledProgram, state: MemberState, now: dt.datetime) -> None:
        self.program, self.state = program, state
        event = Occurrence(id="", type="reward", source="", external_id="", occurred_at=now)
        self._member = MemberFacts(
            state,
            event,
            program.levels_of,
            program.point_digits,
            program.currency_digits,
            program.attribute_types,
            lambda: sums_of(program, state, now),
        )
        self._time = TimeFacts(now.astimezone(program.zone))

    def holds(self, condition: Expression | None) -> bool:
        """Whether a condition holds; one that cannot be answered, since something is not set, does not."""
        if condition is None:
            return True
        try:
            return condition.call(self._member, self._time) is True
        except EvaluationError:
            return False

    def failed(self, condition: Expression) -> str:
        """The clause of a condition that does not hold."""
        return condition.explain_failure(self._member, self._time).clause

    def price(self, reward: CompiledReward, quantity: int) -> Price:
        """The first price whose condition holds, for so many; the last one has none."""
        one: CompiledPrice = next(price for price in reward.prices if self.holds(price.when))
        return Price({name: amount * quantity for name, amount in one.points.items()}, one.money * quantity)


def _of_reward(program: CompiledProgram, reward: CompiledReward, now: dt.datetime) -> Iterator[Reason]:
    schedule = reward.schedule
    if not reward.definition.enabled:
        yield Reason("switched_off")
    if schedule is None:
        return
    if schedule.starts is not None and now < schedule.starts:
        yield Reason("not_yet", until=schedule.starts)
    elif schedule.ends is not None and now >= schedule.ends:
        yield Reason("ended")
    elif not schedule.covers(now, now.astimezone(program.zone)):
        yield Reason("closed_now", until=_opens(program, schedule, now))


def _opens(program: CompiledProgram, schedule: CompiledSchedule, now: dt.datetime) -> dt.datetime | None:
    """When its hours begin next, within eight days; None where they do not.

    Local midnights and beginnings of its hours are tried: nothing else opens it.
    """
    today = now.astimezone(program.zone).date()
    minute = schedule.from_minute or 0
    for days in range(9):
        here = dt.datetime.combine(
            today + dt.timedelta(days=days), dt.time(minute // 60, minute % 60), tzinfo=program.zone
        )
        if here > now and schedule.covers(here, here):
            return here.astimezone(dt.UTC)
    return None


def _of_member(program: CompiledProgram, reward: CompiledReward, asked: _Asked) -> Iterator[Reason]:
    if asked.state.status != "active":
        yield Reason("member_not_active")
    held = program.levels_of(asked.state.counters)
    for name, level in reward.definition.from_level.items():
        tier_set = _tier_set(program, name)
        if tier_set is not None and tier_set.index(held.get(name)) < tier_set.index(level):
            yield Reason("level_needed", tier_set=name, level=level)
    if reward.when is not None and not asked.holds(reward.when):
        yield Reason("not_for_member", clause=asked.failed(reward.when))


def _tier_set(program: CompiledProgram, name: str) -> CompiledTierSet | None:
    return next((one for one in program.tier_sets if one.id == name), None)


def _of_quantity(reward: CompiledReward, wish: Wish) -> Iterator[Reason]:
    limits = reward.definition.quantities
    if not limits.least <= wish.quantity <= limits.most:
        yield Reason("quantity", least=limits.least, limit=limits.most)


def _of_worth(reward: CompiledReward, wish: Wish) -> Iterator[Reason]:
    """That it is more than what they are worth together: nobody pays for what `most` cuts off."""
    worth, limits = reward.definition.worth, reward.definition.quantities
    if worth is None or worth.most is None or not worth.amount:
        return
    enough = ceil(Fraction(worth.most) / Fraction(worth.amount))
    if enough < wish.quantity <= limits.most:
        yield Reason("quantity", least=limits.least, limit=max(enough, 1))


def _of_date(
    program: CompiledProgram, reward: CompiledReward, used: Used, now: dt.datetime, wish: Wish
) -> Iterator[Reason]:
    if not reward.definition.dates:
        if wish.date is not None:
            yield Reason("date_unknown", date=wish.date)
        return
    if wish.date is None:
        shut = [_shut(program, reward, one, used, now, wish) for one in reward.definition.dates]
        why = [reason.code for reason in shut if reason is not None]
        if len(why) == len(shut):
            # Of one that is full places may come back; of those that are over none do.
            yield Reason("date_full" if "date_full" in why else "date_closed")
        return
    occasion = occasion_of(reward, wish.date)
    if occasion is None:
        yield Reason("date_unknown", date=wish.date)
        return
    reason = _shut(program, reward, occasion, used, now, wish)
    if reason is not None:
        yield reason


def _shut(
    program: CompiledProgram, reward: CompiledReward, occasion: Occasion, used: Used, now: dt.datetime, wish: Wish
) -> Reason | None:
    """Why a date cannot be booked; None where it can."""
    lead = reward.definition.lead_time
    if (now if lead is None else after(now, lead, program.zone)) >= occasion.starts:
        return Reason("date_closed", date=occasion.id)
    left = None if occasion.places is None else occasion.places - used.stock.get(f"date:{occasion.id}", 0)
    if left is not None and left < wish.quantity:
        return Reason("date_full", date=occasion.id, limit=occasion.places, left=max(0, left))
    return None


def _of_limits(
    program: CompiledProgram, reward: CompiledReward, used: Used, now: dt.datetime, wish: Wish
) -> Iterator[Reason]:
    definition, day = reward.definition, now.astimezone(program.zone).date()
    for quota in definition.member_quotas:
        left = quota.uses - used.member.get(quota.every, 0)
        if left < wish.quantity:
            yield _spent(program, "member_limit", quota, left, now)
    for quota in definition.total_quotas:
        left = quota.uses - used.stock.get(f"{quota.every}:{period_key(quota.every, day)}", 0)
        if left < wish.quantity:
            yield _spent(program, "total_limit", quota, left, now)
    if definition.stock is not None and definition.stock - used.stock.get("stock", 0) < wish.quantity:
        left = max(0, definition.stock - used.stock.get("stock", 0))
        yield Reason("out_of_stock", limit=definition.stock, left=left)
    if used.codes_left is not None and used.codes_left < wish.quantity:
        yield Reason("no_codes_left", left=used.codes_left)


def _spent(
    program: CompiledProgram,
    code: Literal["member_limit", "total_limit"],
    quota: Quota,
    left: int,
    now: dt.datetime,
) -> Reason:
    _, until = period_bounds(quota.every, now, program.zone)
    return Reason(code, period=quota.every, limit=quota.uses, left=max(0, left), until=until)


def points_missing(state: MemberState, cost: Mapping[str, int]) -> Iterator[Reason]:
    """Why a member's points do not pay what something costs (point type -> smallest units): frozen, or too few."""
    if cost and state.counters.frozen_at is not None:
        yield Reason("points_frozen")
    for points, amount in cost.items():
        available = max(0, state.balances.get(points, Balance()).available)
        if available < amount:
            yield Reason("points_missing", points=points, needed=amount, missing=amount - available)
