import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.ledger.lots import Lot, LotsExhausted, burn

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def days(count: int) -> dt.datetime:
    return NOW + dt.timedelta(days=count)


def lot(seq: int, remaining: int, *, earned: int = -9, ends: int | None = None, pending: bool = False) -> Lot:
    return Lot(seq, 0, remaining, pending, days(earned), None if ends is None else days(ends))


def test_the_lot_that_ends_first_gives_first_and_those_without_end_give_last() -> None:
    endless, late, soon = lot(1, 10), lot(2, 10, ends=30), lot(3, 10, ends=2)

    assert burn([endless, late, soon], 25, NOW) == [(soon, 10), (late, 10), (endless, 5)]


def test_ties_go_by_the_time_earned_and_then_by_entry_and_line() -> None:
    young, old, older = lot(1, 1, earned=-1, ends=5), lot(9, 1, earned=-5, ends=5), lot(8, 1, earned=-5, ends=5)

    assert burn([young, old, older], 3, NOW) == [(older, 1), (old, 1), (young, 1)]


def test_a_lot_ends_at_its_very_moment() -> None:
    over, last = Lot(1, 0, 5, False, NOW, NOW), Lot(2, 0, 5, False, NOW, NOW + dt.timedelta(microseconds=1))

    assert burn([over, last], 5, NOW) == [(last, 5)]


def test_too_few_take_nothing_and_say_how_many_there_are() -> None:
    with pytest.raises(LotsExhausted) as raised:
        burn([lot(1, 7), lot(2, 100, pending=True), lot(3, 100, ends=-1)], 8, NOW)

    assert (raised.value.available, raised.value.wanted) == (7, 8)


@pytest.mark.parametrize("amount", [0, -1])
def test_only_more_than_nothing_can_be_burned(amount: int) -> None:
    with pytest.raises(ValueError, match="must be more than 0"):
        burn([lot(1, 7)], amount, NOW)


def test_a_lot_is_named_by_its_posting() -> None:
    assert lot(4, 1).key == (4, 0)


lots = st.lists(
    st.builds(
        Lot,
        seq=st.integers(1, 4),
        line=st.integers(0, 3),
        remaining=st.integers(0, 6),
        pending=st.booleans(),
        earned_at=st.integers(-3, 0).map(days),
        expires_at=st.none() | st.integers(-1, 3).map(days),
    ),
    max_size=5,
    unique_by=lambda lot: lot.key,
)


@given(lots, st.integers(1, 20))
def test_burn_agrees_with_taking_point_by_point(held: list[Lot], amount: int) -> None:
    # The oracle: every single point is laid out with its own place in the order, and the first ones are taken.
    forever = dt.datetime.max.replace(tzinfo=dt.UTC)
    points = sorted(
        (one.expires_at or forever, one.earned_at, one.seq, one.line)
        for one in held
        for _ in range(one.remaining)
        if not one.pending and (one.expires_at is None or one.expires_at > NOW)
    )
    if len(points) < amount:
        with pytest.raises(LotsExhausted) as raised:
            burn(held, amount, NOW)
        assert (raised.value.available, raised.value.wanted) == (len(points), amount)
    else:
        taken = burn(held, amount, NOW)
        expected = [(seq, line, len(list(same))) for (_, _, seq, line), same in itertools.groupby(points[:amount])]
        assert [(one.seq, one.line, part) for one, part in taken] == expected
