"""What exchanges come to, conditions that cannot be answered, and sentences about points that moved."""

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import NOON, member, program
from setia.engine.decision import PointsEffect
from setia.engine.moved import Moved
from setia.engine.moving import exchange_reasons, transfer_reasons, young_until
from setia.engine.moving_sentences import moving_sentences

CLUB = program("""
points: {stars: {name: {en: stars, de: Sterne}}, miles: {decimals: 2}}
members: {attributes: {size: {values: [s, m]}}}
transfers: {stars: {when: member.attributes.size == "m", points_older_than: 2h}}
exchanges:
  any: {give: {miles: 7}, get: {stars: 3}}
  steps: {give: {miles: 7}, get: {stars: 3}, steps: true, per_member: {every: day, points: 21}}
""")


@given(st.integers(1, 10**9))
def test_an_exchange_takes_the_least_that_brings_as_much(amount: int) -> None:
    one = CLUB.exchanges["any"]
    taken, got = one.result(amount)
    rate = Fraction(one.get, one.give)
    assert got == amount * rate // 1
    assert taken <= amount
    # One smallest unit less would bring less.
    assert taken * rate >= got > (taken - 1) * rate or not got
    assert one.result(taken) == (taken, got)


@given(st.integers(1, 10**9))
def test_in_steps_nothing_is_rounded(amount: int) -> None:
    taken, got = CLUB.exchanges["steps"].result(amount)
    assert taken % 700 == 0
    assert 0 <= amount - taken < 700
    assert got * 700 == taken * 3


def test_a_condition_that_cannot_be_answered_does_not_hold() -> None:
    other = msgspec.structs.replace(member(), id="mem_2")
    [reason] = transfer_reasons(CLUB, CLUB.transfers["stars"], member(balances={"stars": 9}), other, 5, ({}, {}), NOON)
    assert (reason.code, reason.side, reason.clause) == ("not_for_member", "giver", 'member.attributes.size == "m"')


def test_limits_that_nothing_was_used_of() -> None:
    state = member(balances={"miles": 10_000})
    assert exchange_reasons(CLUB, CLUB.exchanges["steps"], state, 2100, {}, NOON) == []
    [reason] = exchange_reasons(CLUB, CLUB.exchanges["steps"], state, 2800, {}, NOON)
    assert (reason.code, reason.most, reason.left) == ("limit", 2100, 2100)


def test_from_when_points_are_old_enough() -> None:
    assert (young_until(CLUB, CLUB.transfers["stars"].giver, NOON) - NOON).total_seconds() == 7200
    assert young_until(CLUB, CLUB.exchanges["any"].rules, NOON) == NOON


def test_sentences_of_what_moved_either_way() -> None:
    merged = Moved("merged", "mrg_1", "mem_2")
    effects = [PointsEffect("stars", 9, "a"), PointsEffect("stars", -9, "b"), PointsEffect("miles", -250, "b")]
    assert moving_sentences(CLUB, merged, effects, "en") == ["2.50 miles owed came along."]
    assert moving_sentences(CLUB, merged, effects, "de") == ["2,50 geschuldete miles kamen mit."]
