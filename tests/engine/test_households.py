"""Who gives what of a spending: exactly as much as is wanted, never more than anybody has, in the stated order."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.engine.households import PooledLot, Share, contribution, drawn
from setia.engine.state import Balance, Counters, MemberState
from setia.program.households import Households

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
ORDERS = ("own_first", "ending_first", "even")


def rules(**more: Any) -> Households:
    return Households.model_validate(more)


def lot(amount: int, days: int | None = None) -> PooledLot:
    return PooledLot(amount, None if days is None else NOW + dt.timedelta(days=days), NOW)


def share(number: int, amount: int, *lots: PooledLot) -> Share:
    return Share(UUID(int=number), number, amount, lots or (lot(amount),))


lots = st.lists(st.builds(lot, st.integers(1, 50), st.none() | st.integers(1, 99)), max_size=4)


@st.composite
def pools(draw: st.DrawFn) -> list[Share]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        own = draw(lots)
        there = sum(one.amount for one in own) + draw(st.integers(0, 5))
        found.append(Share(UUID(int=number), number, draw(st.integers(0, there)), own))
    return found


@given(pools(), st.sampled_from(ORDERS), st.data())
def test_as_much_as_is_wanted_and_no_more_than_anybody_has(
    shares: list[Share], order: str, data: st.DataObject
) -> None:
    whole = sum(one.amount for one in shares)
    amount = data.draw(st.integers(0, whole))
    found = drawn(rules(order=order), shares, UUID(int=0), amount)
    assert sum(found.values()) == amount
    assert all(0 < found.get(one.member, 0) <= one.amount for one in shares if one.member in found)
    with pytest.raises(ValueError, match="in the pool"):
        drawn(rules(order=order), shares, UUID(int=0), whole + 1)


def test_the_spender_first_then_by_joining() -> None:
    shares = [share(1, 50), share(2, 50), share(3, 50)]
    assert drawn(rules(), shares, UUID(int=3), 70) == {UUID(int=3): 50, UUID(int=1): 20}


def test_what_ends_first() -> None:
    shares = [share(1, 30, lot(20, 9), lot(10)), share(2, 25, lot(15, 5), lot(10, 30)), share(3, 5, lot(50, 1))]
    assert drawn(rules(order="ending_first"), shares, UUID(int=1), 45) == {
        UUID(int=3): 5,
        UUID(int=2): 20,
        UUID(int=1): 20,
    }


def test_everybody_alike() -> None:
    shares = [share(1, 100), share(2, 50), share(3, 0)]
    assert drawn(rules(order="even"), shares, UUID(int=3), 10) == {UUID(int=1): 7, UUID(int=2): 3}
    assert drawn(rules(order="even"), [share(1, 0)], UUID(int=1), 0) == {}


@pytest.mark.parametrize(
    ("percent", "earned", "before", "balance", "moved", "expected"),
    [
        (100, 100, 0, Balance(available=100), 0, 100),
        (50, 101, 0, Balance(available=101), 0, 50),
        (100, 100, 60, Balance(available=100), 0, 40),
        (100, 100, 0, Balance(available=70, pending=30), 0, 70),
        (100, 100, 0, Balance(available=10), 0, 10),
        (100, 100, 0, Balance(available=100), -30, 70),
        (0, 100, 0, Balance(available=100), 25, 25),
        (100, 20, 60, Balance(available=100), 0, 0),
        (100, 100, 0, Balance(available=-5, floor=None), 0, 0),
        (100, 10, 0, Balance(available=100), -50, 0),
    ],
)
def test_what_a_member_has_in_the_pool(
    percent: int, earned: int, before: int, balance: Balance, moved: int, expected: int
) -> None:
    state = MemberState(
        id="m", enrolled_at=NOW, counters=Counters(earned={"stars": earned}), balances={"stars": balance}
    )
    assert contribution(rules(share=percent), state, "stars", before, moved) == expected


def test_nobody_has_what_nobody_earned() -> None:
    assert contribution(rules(), MemberState(id="m", enrolled_at=NOW), "stars", 0, 0) == 0
