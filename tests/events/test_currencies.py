"""Purchases in other currencies: counted in the program's at the rate of the day, and taken back at the same one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_world import World, assert_problem
from events.shop import booked, enrolled, findings, go_live, program, purchase, rows, send
from setia.engine.converting import converted
from setia.events.rebuild import rebuild_states
from setia.program.currencies import minor_digits

RATES = {"USD": "0.92", "JPY": "0.0061", "KWD": "3.05"}
TIERS = [{"id": "status", "metric": "spend", "window": "lifetime", "levels": [{"id": "green", "from": 0}]}]


def publish(world: World, rates: Any = None, currency: str = "EUR", **more: Any) -> str:
    whole = program(tiers=TIERS, **more)
    whole["program"] |= {"currency": currency, "rates": RATES if rates is None else rates}
    go_live(world, whole)
    return str(world.program_id)


def spent(world: World) -> int:
    [(found,)] = rows(world, "SELECT (counters -> 'lifetime' ->> 'spend')::bigint FROM member_state")
    return int(found)


def sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def back(order: str, number: int = 1, **data: Any) -> dict[str, Any]:
    return {
        "type": "return",
        "external_id": f"r{number}",
        "member": {"card": "1"},
        "data": {"order": order, **data},
    }


@pytest.mark.parametrize(
    ("currency", "amount", "cents", "stars"),
    [("EUR", "10.00", 1000, 10), ("USD", "100.00", 9200, 92), ("JPY", "5000", 3050, 30), ("KWD", "7.005", 2137, 21)],
)
def test_what_is_paid_in_another_currency_counts_in_that_of_the_program(
    world: World, currency: str, amount: str, cents: int, stars: int
) -> None:
    publish(world)
    enrolled(world)
    told = booked(world, purchase("o1", amount, currency=currency))
    assert (told["granted"], spent(world)) == ({"stars": stars}, cents)
    [(body,)] = rows(world, "SELECT body::text FROM event WHERE type = 'purchase'")
    kept = json.loads(body, parse_float=str)
    assert (kept["currency"], kept.get("rate")) == (currency, None if currency == "EUR" else RATES[currency])
    booked(world, back("o1"))
    assert spent(world) == 0
    sound(world)


def test_a_program_without_decimals_and_one_with_three(world: World) -> None:
    publish(world, {"EUR": "163.4"}, "JPY")
    enrolled(world)
    booked(world, purchase("o1", "9.99", currency="EUR"))
    assert spent(world) == 1632
    booked(world, back("o1"))
    publish(world, {"EUR": "0.3279", "JPY": "0.002"}, "KWD")
    booked(world, purchase("o2", "9.99", currency="EUR"))
    assert spent(world) == 3276
    booked(world, purchase("o3", "1", currency="JPY"))
    assert spent(world) == 3278


def test_a_return_counts_at_the_rate_of_its_order(world: World) -> None:
    publish(world)
    enrolled(world)
    booked(world, purchase("o1", "100.00", currency="USD"))
    publish(world, {"USD": "0.50"})
    booked(world, back("o1", amount="25.00"))
    assert spent(world) == 6900
    booked(world, back("o1", 2, lines=[{"line": 0, "amount": "75.00"}]))
    assert spent(world) == 0
    assert rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'") == [(0,)]
    publish(world, {})
    assert_problem(send(world, purchase("o2", "1.00", currency="USD")), 422, "invalid_event")
    sound(world)


def test_parts_that_are_rounded_up_come_to_no_more_than_the_whole(world: World) -> None:
    publish(world, {"USD": "0.5"})
    enrolled(world)
    # 0.03 dollars are 1.5 cents, so 2; each of three parts is 0.5, so 1.
    booked(world, purchase("o1", "0.03", currency="USD"))
    assert spent(world) == 2
    booked(world, back("o1", 1, amount="0.01"))
    booked(world, back("o1", 2, amount="0.01"))
    assert spent(world) == 0
    assert_problem(send(world, back("o1", 3, amount="0.01")), 422, "invalid_event")
    sound(world)


def test_tax_discount_shipping_and_parts_paid_are_converted_too(world: World) -> None:
    publish(world, {"USD": "0.333"}, campaigns={"base": {"on": "purchase", "earn": {"stars": "1 per 0.01"}}})
    enrolled(world)
    line = {"sku": "latte", "amount": "1.00", "tax": "0.99", "discount": "0.50"}
    event = purchase("o1", currency="USD", lines=[line] * 3, discount="0.31", shipping="0.50", shipping_tax="0.50")
    tenders = [{"type": "points", "amount": "1.00"}, {"type": "cash", "amount": "2.19"}]
    # Each line is 33 cents; 10 off, and a part of 33 was paid with points, of goods and shipping together.
    told = booked(world, event | {"tenders": tenders})
    kept = json.loads(rows(world, "SELECT body::text FROM event WHERE type = 'purchase'")[0][0])
    assert [(one["amount"], one["tax"], one["discount"]) for one in kept["lines"]] == [(33, 33, 17)] * 3
    assert (kept["discount"], kept["shipping"], kept["shipping_tax"]) == (10, 17, 17)
    assert [one["amount"] for one in kept["tenders"]] == [33, 73]
    assert told["granted"]["stars"] == spent(world)
    sound(world)


def test_expressions_see_the_currency(world: World) -> None:
    campaigns = {"dollars": {"on": "purchase", "when": 'event.currency == "USD"', "earn": {"stars": 7}}}
    publish(world, campaigns=campaigns)
    enrolled(world)
    assert booked(world, purchase("o1", currency="USD"))["granted"] == {"stars": 7}
    assert booked(world, purchase("o2", currency="EUR"))["granted"] == {}
    seen = world.call("POST", "/v1/calculate", json=purchase("o3", currency="USD"))
    assert seen.json()["granted"] == {"stars": 7}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"currency": "GBP"}, "#/currency"),
        ({"currency": "usd"}, "#/currency"),
        ({"currency": "USD", "pricing": "before"}, "#/pricing"),
        ({"currency": "USD", "redeem": [{"reward": "x"}]}, "#/redeem"),
        ({"currency": "USD", "tenders": [{"type": "gift_card", "code": "ABCD-EFGH-JKLM"}]}, "#/tenders/0/code"),
        ({"currency": "USD", "lines": [{"sku": "a", "amount": "1.001"}]}, "#/lines/0/amount"),
        ({"currency": "JPY", "lines": [{"sku": "a", "amount": "1.5"}]}, "#/lines/0/amount"),
        ({"currency": "KWD", "lines": [{"sku": "a", "amount": "9999999999.999"}]}, "#/currency"),
        ({"currency": "USD", "discount": "99.00"}, "#/discount"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(world: World, more: dict[str, Any], pointer: str) -> None:
    publish(world, RATES | {"KWD": "305"})
    enrolled(world)
    problem = assert_problem(send(world, purchase("o1", **more)), 422, "invalid_event")
    assert pointer in [one["pointer"] for one in problem["errors"]], problem
    assert world.count("velocity_use") == 0


def test_a_return_with_more_decimals_than_its_order(world: World) -> None:
    publish(world)
    enrolled(world)
    for order, currency, amount in (("e", "EUR", "1.005"), ("u", "USD", "1.005"), ("j", "JPY", "1.5")):
        booked(world, purchase(order, "10", currency=currency))
        problem = assert_problem(send(world, back(order, amount=amount)), 422, "invalid_event")
        assert "decimals" in str(problem["errors"])


@given(
    st.integers(0, 10**13),
    st.decimals("0.000000000001", 10**9, places=12),
    st.sampled_from(["USD", "JPY", "KWD", "CLF"]),
    st.sampled_from([0, 2, 3, 4]),
)
def test_converting_is_exact_up_to_half_a_unit_and_never_turns_round(
    amount: int, rate: Any, currency: str, digits: int
) -> None:
    found = converted(amount, currency, rate, digits)
    exact = amount * rate * 10**digits / 10 ** minor_digits(currency) if amount < 10**6 else None
    if exact is not None:
        assert abs(found - exact) <= 0.5
    assert converted(amount + 1, currency, rate, digits) >= found >= 0
