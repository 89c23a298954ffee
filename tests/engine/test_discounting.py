"""What one discount takes off lines: measures, units, caps, tax; and what always holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setia.engine.discounting import SHIPPING, Chosen, Priced, Taken, take_off
from setia.program.discounts import Discount, Selection, Step

CENTS = 2


def priced(amount: int, quantity: str = "1", tax: int = 0, left: int | None = None) -> Priced:
    return Priced(amount, tax, Decimal(quantity), amount if left is None else left)


def taken(
    lines: list[Priced], bought: list[int] | None = None, bundle: list[list[int]] | None = None, **discount: Any
) -> Taken:
    chosen = Chosen([*range(len(lines))], bought or [], bundle or [])
    return take_off(Discount.model_validate(discount), dict(enumerate(lines)), chosen, CENTS)


def cuts(lines: list[Priced], **more: Any) -> dict[int, int]:
    return taken(lines, **more).cuts


def test_a_percentage_is_rounded_once_and_shared_out_so_that_it_adds_up() -> None:
    # 12.5 % of 3 x 0.99 is 0.37125: 37, of which every line bears 12.375.
    assert cuts([priced(99)] * 3, percent="12.5") == {0: 13, 1: 12, 2: 12}
    assert cuts([priced(99)] * 3, percent="12.5", rounding="ceil") == {0: 13, 1: 13, 2: 12}
    assert cuts([priced(99)] * 3, percent="12.5", rounding="floor") == {0: 13, 1: 12, 2: 12}


def test_an_amount_is_spread_by_value_or_evenly_and_never_more_than_there_is() -> None:
    lines = [priced(3000), priced(1000), priced(0)]
    assert cuts(lines, amount="10") == {0: 750, 1: 250}
    assert cuts(lines, amount="10", spread="evenly") == {0: 500, 1: 500}
    # What the second cannot bear the first does.
    assert cuts(lines, amount="30", spread="evenly") == {0: 2000, 1: 1000}
    assert cuts(lines, amount="50") == {0: 3000, 1: 1000}
    assert cuts(lines, amount="0") == {}


def test_an_amount_without_tax_takes_the_tax_along() -> None:
    # 119.00 with 19.00 tax, and something that is tax altogether.
    lines = [priced(11900, tax=1900), priced(500, tax=500)]
    assert cuts(lines, amount="10", tax="excluded") == {0: 1190}
    assert cuts(lines, amount="10", tax="excluded", spread="evenly") == {0: 1190}
    assert cuts(lines, amount="1000", tax="excluded") == {0: 11900}
    assert cuts(lines, amount="10", on="lines", tax="excluded") == {0: 1190}
    assert cuts(lines, price="90", on="lines", tax="excluded") == {0: 1190}


def test_each_unit_gets_an_amount_or_a_price() -> None:
    lines = [priced(900, "3"), priced(200, "2")]
    assert cuts(lines, amount="2", on="lines") == {0: 600, 1: 200}
    assert cuts(lines, price="2", on="lines") == {0: 300}
    assert cuts(lines, amount="2", on="lines", units=2) == {0: 400}
    # What is sold by weight has its whole units.
    assert cuts([priced(500, "2.5")], amount="1", on="lines") == {0: 200}
    assert cuts([priced(250, "0.5")], amount="1", on="lines") == {}


def test_units_are_picked_by_price_or_place() -> None:
    lines = [priced(900, "3"), priced(200, "2")]
    assert cuts(lines, percent="100", on="cheapest") == {1: 100}
    assert cuts(lines, percent="50", on="dearest", units=2) == {0: 300}
    assert cuts(lines, percent="100", every=2) == {0: 300, 1: 100}
    assert cuts(lines, percent="50", on="lines") == {0: 450, 1: 100}


def test_what_is_bought_gives_units_in_the_cart_or_added_to_it() -> None:
    lines = [priced(900, "3"), priced(200, "2")]
    buy = {"quantity": 2}
    assert cuts(lines, bought=[0, 1], percent="100", buy=buy) == {1: 100}
    assert cuts(lines[:1], bought=[0], percent="50", buy=buy) == {0: 150}
    added = taken(lines, bought=[0], percent="100", buy=buy, free="added", units=3)
    assert (added.cuts, added.wanted, added.added_units) == ({}, 0, 3)
    assert taken(lines, bought=[0, 1], percent="100", buy=buy, free="added").added_units == 2
    assert taken(lines, bought=[0, 1], percent="100", buy=buy, free="added", repeat=False).added_units == 1


def test_a_bundle_has_a_price_an_amount_or_a_percentage() -> None:
    lines = [priced(900, "3"), priced(200, "2")]
    parts: dict[str, Any] = {"bundle": [{"quantity": 1}, {"quantity": 1}]}

    def bundled(**measure: Any) -> dict[int, int]:
        chosen = Chosen([], (), [[0], [1]])
        return take_off(Discount.model_validate(measure | parts), dict(enumerate(lines)), chosen, CENTS).cuts

    # Two sets of 4.00 each.
    assert bundled(price="3") == {0: 150, 1: 50}
    assert bundled(price="5") == {}
    assert bundled(amount="1") == {0: 150, 1: 50}
    assert bundled(amount="50") == {0: 600, 1: 200}
    assert bundled(percent="50") == {0: 300, 1: 100}
    lines = [priced(0, "3"), priced(0, "2")]
    assert bundled(price="0") == {}


def test_steps_go_by_amount_or_quantity_and_pick_units_too() -> None:
    steps = [{"from": "10", "percent": 10}, {"from": "20", "amount": "5"}]
    assert [cuts([priced(amount)], steps=steps) for amount in (999, 1000, 2000)] == [{}, {0: 100}, {0: 500}]
    by_quantity: dict[str, Any] = {"steps": [{"from": 3, "percent": 10}], "steps_by": "quantity"}
    assert [cuts([priced(1000, quantity)], **by_quantity) for quantity in ("2", "3")] == [{}, {0: 100}]
    assert cuts([priced(2000, "2")], steps=steps, on="lines") == {0: 1000}
    assert cuts([priced(1000, "2")], steps=steps, on="cheapest") == {0: 50}
    assert cuts([priced(100, "2")], steps=steps, on="lines") == {}


def test_shipping_is_discounted_where_there_is_any() -> None:
    shipping = {0: priced(5000), SHIPPING: priced(490)}
    free = Discount.model_validate({"percent": 100, "on": "shipping"})
    assert take_off(free, shipping, Chosen([0]), CENTS).cuts == {SHIPPING: 490}
    assert take_off(free, {0: priced(5000)}, Chosen([0]), CENTS).cuts == {}
    steps = Discount.model_validate({"steps": [{"from": 50, "amount": 3}], "on": "shipping"})
    assert take_off(steps, shipping, Chosen([0]), CENTS).cuts == {SHIPPING: 300}


def test_caps_hold_and_say_what_was_wanted() -> None:
    lines = [priced(3000), priced(1000)]
    capped = taken(lines, percent=50, at_most="8")
    assert (capped.cuts, capped.total, capped.wanted) == ({0: 600, 1: 200}, 800, 2000)
    assert cuts(lines, percent=50, at_most_per_line="6") == {0: 600, 1: 500}
    # A cap finer than the currency is not rounded up.
    assert cuts(lines, percent=50, at_most="7.999", rounding="ceil") == {0: 599, 1: 200}
    assert cuts(lines, percent=50, at_most_per_line="5.999") == {0: 599, 1: 500}


def test_a_percentage_of_the_original_takes_no_more_than_is_left() -> None:
    lines = [priced(1000, left=400)]
    assert cuts(lines, percent=50) == {0: 200}
    original = taken(lines, percent=50, base="original")
    assert (original.cuts, original.wanted) == ({0: 400}, 500)
    assert cuts([priced(1000, "2", left=600)], percent=50, base="original", on="cheapest") == {0: 250}


def test_a_line_without_quantity_or_price_has_no_units_and_no_tax() -> None:
    assert priced(0, "0").unit_price == 0
    assert priced(0).net_share == 1
    assert cuts([priced(0, "0")], percent=100, on="cheapest") == {}


lines_ = st.lists(
    st.builds(
        lambda amount, quantity, tax, gone: Priced(
            amount, amount * tax // 100, Decimal(quantity) / 4, amount - amount * gone // 100
        ),
        st.integers(0, 100_000),
        st.integers(1, 40),
        st.integers(0, 100),
        st.integers(0, 100),
    ),
    min_size=1,
    max_size=5,
)
money = st.integers(0, 200_000).map(lambda cents: Decimal(cents) / 100)
percents = st.integers(1, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
measures = st.one_of(
    percents.map(lambda percent: {"percent": percent}),
    money.map(lambda amount: {"amount": amount}),
    st.lists(st.tuples(money, percents), min_size=1, max_size=3, unique_by=lambda step: step[0]).map(
        lambda steps: {"steps": tuple(Step(**{"from": from_}, percent=percent) for from_, percent in sorted(steps))}
    ),
)
prices = money.map(lambda price: {"price": price})
selection = st.integers(1, 3).map(lambda quantity: Selection(quantity=quantity))
picks = st.one_of(
    st.sampled_from([{"on": "lines"}, {"on": "lines", "units": 2}, {"on": "cheapest"}, {"on": "dearest", "units": 3}]),
    st.sampled_from([{"every": 2}, {"every": 3, "units": 2}]),
    selection.map(lambda buy: {"buy": buy}),
    st.lists(selection, min_size=1, max_size=2).map(lambda bundle: {"bundle": tuple(bundle)}),
)
manners = st.fixed_dictionaries(
    {
        "tax": st.sampled_from(["included", "excluded"]),
        "spread": st.sampled_from(["by_value", "evenly"]),
        "base": st.sampled_from(["discounted", "original"]),
        "rounding": st.sampled_from(["floor", "ceil", "half_up", "half_even"]),
        "repeat": st.booleans(),
        "at_most": st.none() | money,
        "at_most_per_line": st.none() | money,
    }
)


@given(
    lines_,
    st.one_of(measures, st.builds(lambda *parts: parts[0] | parts[1], st.one_of(measures, prices), picks)),
    manners,
    st.data(),
)
def test_no_discount_takes_more_than_there_is_or_its_caps_allow(
    lines: list[Priced], what: dict[str, Any], how: dict[str, Any], data: st.DataObject
) -> None:
    discount = Discount(**what, **how)
    some = st.lists(st.sampled_from(range(len(lines))), unique=True)
    chosen = Chosen(data.draw(some), data.draw(some), [data.draw(some) for _ in discount.bundle])
    before = [(line.original, line.amount) for line in lines]
    found = take_off(discount, dict(enumerate(lines)), chosen, CENTS)
    assert [(line.original, line.amount) for line in lines] == before
    allowed = {line for part in chosen.bundle for line in part} if discount.bundle else set(chosen.lines)
    for line, cut in found.cuts.items():
        assert line in allowed
        assert 0 < cut <= lines[line].amount
        assert discount.at_most_per_line is None or cut <= discount.at_most_per_line * 100
    assert discount.at_most is None or found.total <= discount.at_most * 100
    assert found.total <= found.wanted


@given(lines_, money, st.sampled_from(["by_value", "evenly"]))
def test_an_amount_is_taken_off_to_the_cent(lines: list[Priced], amount: Decimal, spread: Any) -> None:
    there = sum(line.amount for line in lines)
    found = take_off(Discount(amount=amount, spread=spread), dict(enumerate(lines)), Chosen(range(len(lines))), CENTS)
    assert found.total == min(amount * 100, there)


@given(lines_, percents)
def test_a_percentage_is_that_of_the_whole_to_half_a_cent(lines: list[Priced], percent: Decimal) -> None:
    found = take_off(Discount(percent=percent), dict(enumerate(lines)), Chosen(range(len(lines))), CENTS)
    assert abs(found.total - sum(line.amount for line in lines) * percent / 100) <= Decimal("0.5")
