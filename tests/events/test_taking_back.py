"""Where the points of a return are taken from: lots of the order, then others, and what had ended."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.return_world import NOON, Shop
from engine.shop_world import program
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.state import Balance
from setia.events.order_lots import OrderLot
from setia.events.past_orders import BookedOrder
from setia.events.problems import PointsSpent
from setia.events.taking_back import take_back
from setia.ledger.entries import Posting
from setia.ledger.lots import Lot

LATER = NOON + dt.timedelta(days=400)


class Case:
    """An order of 100 points in the journal's entry 3, of which the lots are as given."""

    def __init__(self, *lots: OrderLot, available: int, pending: int = 0, settings: str = "{}") -> None:
        self.shop = Shop(
            program("campaigns: {a: {on: purchase, earn: {stars: 1 per 1.00}}}", points=f"{{stars: {settings}}}")
        )
        self.shop.buy(10000)
        floor = self.shop.program.definition.points["stars"].floor
        self.balance = Balance(available, pending, floor=floor)
        self.shop.state.balances = {"stars": self.balance}
        self.lots = list(lots)
        self.others: list[Lot] = []

    def take(self, amount: int, *before: PointsEffect) -> tuple[PointsEffect, tuple[Posting, ...]]:
        outcome = Outcome(points=[PointsEffect("stars", -amount, "a"), PointsEffect("stars", 5, "b")])
        past = self.shop.orders[0]
        past.outcomes[1:] = [Outcome(points=[one]) for one in before]  # type: ignore[index]  # made by the test, so a list
        order = BookedOrder(3, past, [], self.lots)
        made = take_back(self.shop.program, self.shop.state, outcome, order, LATER, lambda _: self.others).postings
        effect, given = outcome.points
        assert given.amount == 5  # what a return gives is not its business
        return effect, made


def _lot(remaining: int, *, line: int = 0, campaign: str = "a", pending: bool = False, expired: int = 0) -> OrderLot:
    return OrderLot(line, "stars", campaign, remaining, pending, expired)


def _moved(made: tuple[Posting, ...]) -> list[tuple[str, str, int]]:
    return [(one.source, one.destination, one.amount) for one in made]


def test_pending_points_of_the_order_go_first_then_its_others() -> None:
    case = Case(_lot(30), _lot(20, line=1, campaign="b"), _lot(40, line=2, pending=True), available=50, pending=40)
    effect, made = case.take(75)
    assert (effect.amount, effect.wanted) == (-75, None)
    assert _moved(made) == [("pending", "issued", 40), ("available", "issued", 30), ("available", "issued", 5)]
    assert (case.balance.available, case.balance.pending) == (15, 0)


def test_what_had_expired_is_not_taken_from_others_and_excuses_once() -> None:
    # Of 100 points 40 expired, 60 were spent.
    case = Case(_lot(0, expired=40), available=0, settings="{negative: allow}")
    effect, made = case.take(50)
    assert (effect.amount, effect.wanted, _moved(made)) == (-10, -50, [("available", "adjusted", 10)])
    effect, made = case.take(50, effect)
    assert (effect.amount, effect.wanted, case.balance.available) == (-50, None, -60)


def test_points_spent_are_refused_where_the_type_says_so() -> None:
    case = Case(_lot(0), available=0, settings="{clawback: refuse}")
    with pytest.raises(PointsSpent, match="50 of the 50 stars"):
        case.take(50)


def test_points_without_lots_come_from_the_balance() -> None:
    assert Case(available=30, settings="{spendable: false}").take(50)[0].amount == -30
    assert Case(available=0, settings="{spendable: false}").take(50)[1] == ()
    below = Case(available=30, settings="{spendable: false, negative: allow}")
    effect, made = below.take(50)
    assert (effect.amount, _moved(made), below.balance.available) == (-50, [("available", "issued", 50)], -20)
