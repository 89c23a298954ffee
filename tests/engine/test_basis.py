"""The money basis: what of an order counts, in every combination, and that shares add up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.shop_world import line, purchase
from setia.engine.basis import basis_amounts, gross
from setia.program.money import MoneyBasis

# 119.00 with 19.00 tax, after 10.00 off; 21.40 with 1.40 tax; shipping 5.95 with 0.95 tax.
BOOK = line(11900, "book", tax=1900, discount=1000)
TEA = line(2140, "tea", tax=140)
SHIPPED = purchase(BOOK, TEA, shipping=595, shipping_tax=95)


def counted(event: object, **settings: object) -> tuple[tuple[int, ...], int]:
    amounts = basis_amounts(event, MoneyBasis.model_validate(settings))  # type: ignore[arg-type]  # plain values, checked by the model
    assert amounts.total == sum(amounts.lines) + amounts.shipping
    return amounts.lines, amounts.shipping


@pytest.mark.parametrize(
    ("settings", "lines", "shipping"),
    [
        ({}, (11900, 2140), 0),
        ({"of": "order"}, (11900, 2140), 595),
        ({"tax": "excluded"}, (10000, 2000), 0),
        ({"of": "order", "tax": "excluded"}, (10000, 2000), 500),
        ({"discounts": "before"}, (12900, 2140), 0),
        # the tax within 129.00 at the line's own rate: 129 x 19/119 = 20.597 -> 20.60
        ({"discounts": "before", "tax": "excluded"}, (10840, 2000), 0),
        ({"of": "order", "discounts": "before"}, (12900, 2140), 595),
        ({"of": "order", "discounts": "before", "tax": "excluded"}, (10840, 2000), 500),
    ],
)
def test_goods_or_order_with_or_without_tax_and_discounts(
    settings: dict[str, object], lines: tuple[int, ...], shipping: int
) -> None:
    assert counted(SHIPPED, **settings) == (lines, shipping)


def test_a_discount_on_the_order_is_spread_by_amount() -> None:
    event = purchase(6000, 3000, 1000, discount=1000)
    assert counted(event) == ((5400, 2700, 900), 0)


def test_a_discount_on_the_order_counts_before_it() -> None:
    event = purchase(6000, 4000, discount=1000)
    assert counted(event, discounts="before") == ((6000, 4000), 0)


def test_a_discount_on_the_order_takes_its_tax_along() -> None:
    # 119.00 of which 19.00 is tax, half price: 59.50 of which 9.50 is tax
    assert counted(purchase(line(11900, tax=1900), discount=5950), tax="excluded") == ((5000,), 0)


def test_a_discount_does_not_touch_shipping() -> None:
    assert counted(purchase(10000, shipping=500, discount=1000), of="order") == ((9000,), 500)


def test_cents_of_a_discount_add_up() -> None:
    # one cent off three equal lines falls on one of them
    lines, _ = counted(purchase(1000, 1000, 1000, discount=1))
    assert sum(lines) == 2999
    assert sorted(lines) == [999, 1000, 1000]


@pytest.mark.parametrize("discount", [1000, 1001, 5000])
def test_a_discount_of_everything_leaves_nothing(discount: int) -> None:
    assert counted(purchase(600, 400, discount=discount)) == ((0, 0), 0)


def test_free_lines_count_nothing() -> None:
    assert counted(purchase(0, line(0, tax=0), discount=100), tax="excluded") == ((0, 0), 0)


def test_without_lines_nothing_counts() -> None:
    assert counted(purchase()) == ((), 0)
    assert counted(purchase(shipping=500), of="order") == ((), 500)


def test_sold_gift_cards() -> None:
    event = purchase(2000, line(5000, "card", labels=("gift_card",)))
    assert counted(event) == ((2000, 0), 0)
    assert counted(event, gift_cards_sold=True) == ((2000, 5000), 0)


def test_a_discount_falls_on_gift_cards_too() -> None:
    # 10 % off the whole order; the share of the gift card is not given to the other line
    event = purchase(2000, line(2000, "card", labels=("gift_card",)), discount=400)
    assert counted(event) == ((1800, 0), 0)


@pytest.mark.parametrize(
    ("settings", "lines", "shipping"),
    [
        # 30.00 of 120.00 paid with points, 40.00 with a gift card
        ({}, (7500,), 0),
        ({"of": "order"}, (7500,), 1500),
        ({"paid_with_points": True}, (10000,), 0),
        ({"paid_with_gift_card": False}, (4167,), 0),
        ({"paid_with_gift_card": False, "paid_with_points": True, "of": "order"}, (6667,), 1333),
    ],
)
def test_the_part_paid_in_a_way_that_does_not_count(
    settings: dict[str, object], lines: tuple[int, ...], shipping: int
) -> None:
    tenders = (("points", 3000), ("gift_card", 4000), ("cash", 5000))
    assert counted(purchase(10000, shipping=2000, tenders=tenders), **settings) == (lines, shipping)


def test_all_paid_with_points_earns_nothing() -> None:
    assert counted(purchase(600, 400, tenders=(("points", 1000),))) == ((0, 0), 0)


def test_the_part_paid_with_points_is_taken_without_its_tax() -> None:
    # half paid with points: half of the net amount is left
    event = purchase(line(11900, tax=1900), tenders=(("points", 5950), ("card", 5950)))
    assert counted(event, tax="excluded") == ((5000,), 0)


def test_gross_is_what_had_to_be_paid() -> None:
    assert gross(purchase(BOOK, TEA, shipping=595, discount=1000)) == 11900 + 2140 - 1000 + 595


amounts = st.integers(0, 100_000)
settings = st.builds(
    MoneyBasis,
    of=st.sampled_from(["goods", "order"]),
    tax=st.sampled_from(["included", "excluded"]),
    discounts=st.sampled_from(["after", "before"]),
    gift_cards_sold=st.booleans(),
    paid_with_gift_card=st.booleans(),
    paid_with_points=st.booleans(),
)
lines_with_tax = st.builds(
    lambda amount, permille, discount, card: line(
        amount, tax=amount * permille // 1250, discount=discount, labels=("gift_card",) if card else ()
    ),
    amounts,
    st.integers(0, 250),
    amounts,
    st.booleans(),
)


@given(st.lists(lines_with_tax, max_size=6), st.integers(0, 1000), st.integers(0, 1000), st.data(), settings)
def test_what_counts_is_never_negative_nor_more_than_was_asked_for(
    lines: list[object], shipping: int, percent: int, data: st.DataObject, basis: MoneyBasis
) -> None:
    goods = sum(part.amount for part in lines)  # type: ignore[attr-defined]  # plain values, checked by the model
    discount = goods * min(percent, 100) // 100
    due = goods - discount + shipping
    by_points = data.draw(st.integers(0, due))
    event = purchase(*lines, shipping=shipping, discount=discount, tenders=(("points", by_points),))  # type: ignore[arg-type]  # plain values, checked by the model
    result = basis_amounts(event, basis)
    assert result.total == sum(result.lines) + result.shipping
    for part, amount in zip(event.lines, result.lines, strict=True):
        assert 0 <= amount <= part.amount + part.discount
    assert 0 <= result.shipping <= shipping


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=8), st.integers(0, 100))
def test_shares_of_a_discount_add_up_and_are_within_a_cent(prices: list[int], percent: int) -> None:
    discount = sum(prices) * percent // 100
    lines, _ = counted(purchase(*prices, discount=discount))
    assert sum(lines) == sum(prices) - discount
    for price, amount in zip(prices, lines, strict=True):
        assert abs(Fraction(amount) - price * (1 - Fraction(discount, sum(prices)))) <= 1
