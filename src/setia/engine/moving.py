"""Whether a member can give points away, to somebody else or for other points; if not, why: in words for machines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.compiled_moving import CompiledExchange, CompiledQuota, CompiledTransfer, MovingRules
from setia.engine.facts import MemberFacts, TimeFacts
from setia.engine.occurrences import Occurrence
from setia.engine.reward_periods import period_bounds
from setia.engine.state import Balance, MemberState
from setia.engine.sums import sums_of
from setia.expressions import EvaluationError, Expression

Side = Literal["giver", "receiver"]
MOST_AT_ONCE = 10**15 - 1
"""What one posting can say: more cannot come at once, however good a rate is."""
MovingReasonCode = Literal[
    "same_member",
    "member_not_active",
    "too_few",
    "too_many",
    "member_too_new",
    "not_for_member",
    "level_needed",
    "limit",
    "points_missing",
    "points_too_young",
    "comes_to_nothing",
]


class MovingReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why points cannot be moved now, and whose it is. Amounts are in the smallest unit of the point type.

    - `too_few`, `too_many`: `least` or `most` points can be moved at once.
    - `member_too_new`: `until` says from when the member can.
    - `not_for_member`: the `clause` of the condition that does not hold. `level_needed`: `tier_set` and `level`.
    - `limit`: `most` is how many (`times`) or how many points can be moved in the `period`, `left` what of it is left;
      `until` says when the next period begins.
    - `points_missing`, `points_too_young`: `needed` are wanted, and `left` are there that can be moved.
    - `comes_to_nothing`: it takes at least `least` points to get one.
    """

    code: MovingReasonCode
    side: Side = "giver"
    least: int | None = None
    most: int | None = None
    needed: int | None = None
    left: int | None = None
    times: bool = False
    period: str = ""
    clause: str = ""
    tier_set: str = ""
    level: str = ""
    until: dt.datetime | None = None


class Usage(msgspec.Struct):
    """What was moved in one period: how often, and how many points."""

    times: int = 0
    points: int = 0


Used = Mapping[str, Usage]
"""Period (`day` ... `ever`) -> what was moved in the current one."""


def transfer_reasons(
    program: CompiledProgram,
    transfer: CompiledTransfer,
    giver: MemberState,
    receiver: MemberState,
    amount: int,
    used: tuple[Used, Used],
    now: dt.datetime,
) -> list[MovingReason]:
    """Every reason why a member cannot give another one so many points; `used` is what each side moved before.

    Whether points are old enough is told by their lots, which are looked at when they are taken.
    """
    by_giver, by_receiver = used
    found = [MovingReason("same_member")] if giver.id == receiver.id else []
    found += _of_rules(program, transfer.giver, giver, amount, now)
    found += _of_quotas(program, transfer.giver.quotas, by_giver, amount, now, "giver")
    if receiver.status != "active":
        found.append(MovingReason("member_not_active", "receiver"))
    found += _of_condition(program, transfer.receiver_when, receiver, now, "receiver")
    found += _of_quotas(program, transfer.receiver_quotas, by_receiver, amount, now, "receiver")
    found += _of_points(giver, transfer.points, amount)
    return found


def exchange_reasons(
    program: CompiledProgram, exchange: CompiledExchange, member: MemberState, amount: int, used: Used, now: dt.datetime
) -> list[MovingReason]:
    """Every reason why a member cannot exchange `amount` points, which is what was asked for before rounding."""
    taken, got = exchange.result(amount)
    found = list(_of_rules(program, exchange.rules, member, amount, now))
    if got > MOST_AT_ONCE:
        found.append(MovingReason("too_many", most=exchange.most_for(MOST_AT_ONCE)))
    if not got:
        found.append(MovingReason("comes_to_nothing", least=_least_for_one(exchange)))
    found += _of_quotas(program, exchange.rules.quotas, used, taken, now, "giver")
    found += _of_points(member, exchange.definition.given, taken)
    return found


def young_until(program: CompiledProgram, rules: MovingRules, earned_at: dt.datetime) -> dt.datetime:
    """From when points can be moved that were earned at a moment."""
    age = rules.points_older_than
    return earned_at if age is None else after(earned_at, age, program.zone)


def _least_for_one(exchange: CompiledExchange) -> int:
    return exchange.give if exchange.definition.steps else -(-exchange.give // exchange.get)


def _of_rules(
    program: CompiledProgram, rules: MovingRules, member: MemberState, amount: int, now: dt.datetime
) -> Iterator[MovingReason]:
    if member.status != "active":
        yield MovingReason("member_not_active")
    if amount < rules.least:
        yield MovingReason("too_few", least=rules.least)
    if rules.most is not None and amount > rules.most:
        yield MovingReason("too_many", most=rules.most)
    if rules.members_older_than is not None:
        until = after(member.enrolled_at, rules.members_older_than, program.zone)
        if until > now:
            yield MovingReason("member_too_new", until=until)
    held = program.levels_of(member.counters)
    for tier_set in program.tier_sets:
        wanted = rules.from_level.get(tier_set.id)
        if wanted is not None and tier_set.index(held.get(tier_set.id)) < tier_set.index(wanted):
            yield MovingReason("level_needed", tier_set=tier_set.id, level=wanted)
    yield from _of_condition(program, rules.when, member, now, "giver")


def _of_condition(
    program: CompiledProgram, condition: Expression | None, state: MemberState, now: dt.datetime, side: Side
) -> Iterator[MovingReason]:
    if condition is None:
        return
    event = Occurrence(id="", type="transfer", source="", external_id="", occurred_at=now)
    member = MemberFacts(
        state,
        event,
        program.levels_of,
        program.point_digits,
        program.currency_digits,
        program.attribute_types,
        lambda: sums_of(program, state, now),
    )
    time = TimeFacts(now.astimezone(program.zone))
    try:
        holds = condition.call(member, time) is True
    except EvaluationError:
        # Something it reads is not set: then it does not hold, as in the audience of a trigger.
        holds = False
    if not holds:
        yield MovingReason("not_for_member", side, clause=condition.explain_failure(member, time).clause)


def _of_quotas(
    program: CompiledProgram,
    quotas: tuple[CompiledQuota, ...],
    used: Used,
    amount: int,
    now: dt.datetime,
    side: Side,
) -> Iterator[MovingReason]:
    for quota in quotas:
        every = quota.definition.every
        before = used.get(every, Usage())
        left = quota.most - (before.points if quota.of_points else before.times)
        if left < (amount if quota.of_points else 1):
            _, until = period_bounds(every, now, program.zone)
            yield MovingReason(
                "limit",
                side,
                most=quota.most,
                left=max(0, left),
                times=not quota.of_points,
                period=every,
                until=until,
            )


def _of_points(state: MemberState, points: str, amount: int) -> Iterator[MovingReason]:
    available = max(0, state.balances.get(points, Balance()).available)
    if available < amount:
        yield MovingReason("points_missing", needed=amount, left=available)
