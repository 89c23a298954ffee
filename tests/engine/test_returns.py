"""What is left of an order when parts of it come back, to the smallest unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.return_world import Returned, ReturnedLine, line
from engine.shop_world import purchase
from setia.engine.decision import LotMove, Outcome, PointsEffect, Undone
from setia.engine.occurrences import Occurrence, Tender
from setia.engine.returns import Stands, TooMuchReturned, bought, difference, remaining, stands, without


def _left(order: Occurrence, *returns: Returned) -> list[tuple[str, int]] | None:
    left = remaining(order, returns)
    return None if left is None else [(str(one.quantity), one.amount) for one in left.lines]


def _part(number: int, quantity: str | None = None, amount: int | None = None) -> ReturnedLine:
    return ReturnedLine(number, None if quantity is None else Decimal(quantity), amount)


TWO = purchase(line(4000, "x"), line(2000, "y", "2"))


@pytest.mark.parametrize(
    ("returns", "left"),
    [
        ([], [("1", 4000), ("2", 2000)]),
        ([Returned((_part(1, "1"),))], [("1", 4000), ("1", 1000)]),
        ([Returned((_part(1),))], [("1", 4000), ("0", 0)]),
        ([Returned((_part(1, "0.5"),))], [("1", 4000), ("1.5", 1500)]),
        ([Returned((_part(1, amount=500),))], [("1", 4000), ("2", 1500)]),
        # A unit gives back what units still cost after an amount of the line has come back.
        ([Returned((_part(1, amount=500),)), Returned((_part(1, "1"),))], [("1", 4000), ("1", 750)]),
        ([Returned((_part(1, amount=2000),))], [("1", 4000), ("0", 0)]),
        ([Returned(amount=3000)], [("1", 2000), ("2", 1000)]),
        ([Returned(amount=3000), Returned((_part(0),))], [("0", 0), ("2", 1000)]),
        ([Returned(amount=6000)], None),
        ([Returned()], None),
        ([Returned((_part(0), _part(1)))], None),
    ],
)
def test_what_is_left(returns: list[Returned], left: list[tuple[str, int]] | None) -> None:
    assert _left(TWO, *returns) == left


def test_what_is_left_does_not_drift_over_many_returns() -> None:
    order = purchase(line(1000, "x", "3"))
    one = Returned((_part(0, "1"),))
    assert [_left(order, *[one] * times) for times in (1, 2, 3)] == [[("2", 667)], [("1", 333)], None]
    cents = [Returned(amount=1)] * 7
    assert _left(purchase(line(10, "x"), line(10, "y")), *cents) == [("1", 7), ("1", 7)]


def test_free_goods_come_back_by_quantity() -> None:
    order = purchase(line(0, "gift", "2"), line(1000))
    assert _left(order, Returned((_part(0, "1"),))) == [("1", 0), ("1", 1000)]
    assert _left(order, Returned((_part(0),)), Returned((_part(1),))) is None
    free = purchase(line(0, "gift"))
    assert _left(free) == [("1", 0)]
    assert _left(purchase(line(0, "gift", "2")), Returned((_part(0, "1"),))) == [("1", 0)]


def test_what_is_on_the_whole_order_goes_down_with_its_goods() -> None:
    order = purchase(
        line(6000, "x", tax=958, discount=100), line(2000, "y"), discount=800, shipping=500, tenders=(("card", 7700),)
    )
    left = remaining(order, [Returned((_part(0, "0.5"),))])
    assert left is not None
    assert (left.discount, left.shipping) == (500, 500)
    assert (left.lines[0].tax, left.lines[0].discount) == (479, 50)
    assert left.tenders == (Tender("card", 5000),)


def test_tenders_of_an_order_that_cost_nothing() -> None:
    order = purchase(line(0, "x", "2"), tenders=(("card", 0),))
    left = remaining(order, [Returned((_part(0, "1"),))])
    assert left is not None
    assert left.tenders == (Tender("card", 0),)


@pytest.mark.parametrize(
    ("returns", "message", "place"),
    [
        ([Returned((_part(2),))], "the order has no line 2", 0),
        ([Returned((_part(-1),))], "the order has no line -1", 0),
        ([Returned((_part(0), _part(1, "3")))], "only 2 are left of line 1", 1),
        ([Returned((_part(1, "0.5"),)), Returned((_part(1, "2"),))], "only 1.5 are left of line 1", 0),
        ([Returned((_part(1, amount=2001),))], "line 1 has less left than that", 0),
        ([Returned(amount=6001)], "less than that is left of the order", None),
        ([Returned(), Returned(amount=1)], "less than that is left of the order", None),
        ([Returned(), Returned((_part(0, "1"),))], "only 0 are left of line 0", 0),
    ],
)
def test_more_than_there_is_does_not_come_back(returns: list[Returned], message: str, place: int | None) -> None:
    with pytest.raises(TooMuchReturned, match=message) as caught:
        remaining(TWO, returns)
    assert caught.value.place == place


def test_lines_that_came_back_whole_were_never_there() -> None:
    left = remaining(TWO, [Returned((_part(0),))])
    assert left is not None
    assert [one.sku for one in bought(left).lines] == ["y"]


def _effect(amount: int, campaign: str = "a", **more: Any) -> PointsEffect:
    return PointsEffect("stars", amount, campaign, **more)


def _undone(*uses: str) -> Undone:
    return Undone("evt_1", TWO.occurred_at, list(uses))


def test_what_stands_of_an_order() -> None:
    order = Outcome(
        points=[_effect(90, wanted=100), _effect(-7)], counted={"orders": 1, "spend": 6000}, uses=["a", "a"]
    )
    once = Outcome(points=[_effect(-20, wanted=-30)], counted={"spend": -2000}, uses=[], undoes=_undone("a"))
    assert stands([order]) == Stands({("a", "stars"): 90}, {"orders": 1, "spend": 6000}, ["a", "a"], set())
    # What could not be taken because it was spent stands no more all the same.
    assert stands([order, once]) == Stands({("a", "stars"): 60}, {"orders": 1, "spend": 4000}, ["a"], set())


def test_pending_points_that_were_cancelled_stand_no_more_and_do_not_come_again() -> None:
    moves = [
        LotMove("cancelled", "stars", 90, "a", (1, 0)),
        LotMove("released", "stars", 5, "b", (1, 1)),
    ]
    order = Outcome(points=[_effect(90), _effect(5, "b")], moves=moves)
    now = stands([order])
    assert now.points == {("a", "stars"): 0, ("b", "stars"): 5}
    again = Outcome(points=[_effect(40), _effect(4, "b")])
    assert difference(now, again) == ([_effect(-1, "b")], {}, [], [], {})


def test_the_difference_names_what_goes_and_what_comes() -> None:
    now = stands([Outcome(points=[_effect(90)], counted={"orders": 1, "spend": 90}, uses=["a", "a", "c"])])
    again = Outcome(points=[_effect(30), _effect(10, "b")], counted={"orders": 1, "spend": 30}, uses=["a", "b"])
    assert difference(now, again) == ([_effect(-60), _effect(10, "b")], {"spend": -60}, ["a", "c"], ["b"], {})
    assert difference(now, None) == ([_effect(-90)], {"orders": -1, "spend": -90}, ["a", "a", "c"], [], {})
    assert difference(now, Outcome(points=[_effect(90)], counted=now.counted, uses=now.uses)) == ([], {}, [], [], {})


def test_names_are_taken_away_as_often_as_they_are_gone() -> None:
    assert without(["a", "b", "a"], ["a", "c"]) == ["b", "a"]
