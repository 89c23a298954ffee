"""Nobody guesses the codes of coupons: wrong ones are counted, and who has shown too many has to wait."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from coupons.till import bought, made, open_shop, order, rows
from events.shop import batch, calculated, send
from setia.codes import guesses


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(guesses, "MOST_OF_KEY", 3)
    monkeypatch.setattr(guesses, "MOST_OF_KEY_IN_CARTS", 3)
    open_shop(world, poster={"on": "purchase", "discount": {"percent": 5, "codes": ["SPRING-26"]}})
    body = {"campaign": "tenth", "uses": 9, "codes": ["PAPER-0001"]}
    assert world.call("POST", "/v1/coupons/codes", json=body).status_code == 200
    return world


def asked(world: World, *codes: str) -> Any:
    return world.call("POST", "/v1/calculate", json=order(None, "10.00", *codes))


def failures(world: World) -> list[int]:
    """What is counted of the key and of all."""
    counted = rows(world, "SELECT failures FROM code_guess WHERE who NOT LIKE '% %' ORDER BY 1")
    return [int(number) for (number,) in counted]


def test_who_tries_codes_in_carts_has_to_wait(shop: World) -> None:
    for number in range(3):
        answer = asked(shop, f"PAPER-{number:04}")
        assert answer.status_code == 200
    assert failures(shop) == [2, 2]
    assert asked(shop, "PAPER-0002", "PAPER-0003", "PAPER-0004").status_code == 200
    refused = asked(shop, "PAPER-0001")
    assert_problem(refused, 429, "too_many_guesses")
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    # an order waits too, and is booked when it is sent again
    assert_problem(send(shop, order("1", "10.00", "PAPER-0001")), 429, "too_many_guesses")
    # a look-up by hand is another matter
    assert shop.call("POST", "/v1/coupons/lookup", json={"code": "PAPER-0001"}).status_code == 200
    with shop.database.raw_connection() as connection:
        connection.execute(b"UPDATE code_guess SET hour = hour - interval '1 hour'")
    assert [one["code"] for one in bought(shop, "1", "10.00", "PAPER-0001")["discounts"]] == ["PAPER-0001"]


def test_what_cannot_be_guessed_goes_on(shop: World) -> None:
    own = made(shop, "tenth")
    for number in range(4):
        asked(shop, f"WRONG-{number:04}")
    # codes without which nobody knows the secret, and those of posters; and orders without a code
    assert asked(shop, own).json()["discounts"][0]["campaign"] == "tenth"
    assert asked(shop, "spring-26").json()["discounts"][0]["campaign"] == "poster"
    assert asked(shop).status_code == 200
    assert [one["code"] for one in bought(shop, "1", "10.00", own, "Spring-26")["discounts"]] != []


def test_the_same_wrong_code_counts_once(shop: World) -> None:
    """A shop asks again with each change of the cart, and customers read the same old poster."""
    for number in range(5):
        calculated(shop, order(None, "10.00", "WRONG-0001", "wrong-0001"))
        bought(shop, f"{number}", "10.00", "Wrong 0001")
    # capitals and dashes do not matter to what is found
    assert failures(shop) == [1, 1]


def test_orders_count_what_they_try_once_booked(shop: World) -> None:
    bought(shop, "1", "10.00", "WRONG-0001", "WRONG-0002")
    assert failures(shop) == [2, 2]
    batch(shop, order("2", "10.00", "WRONG-0003"), order("1", "10.00", "WRONG-0001", "WRONG-0002"))
    assert failures(shop) == [3, 3]
    # what was booked is answered again, whoever has tried too much meanwhile
    assert send(shop, order("2", "10.00", "WRONG-0003")).headers["Idempotent-Replayed"] == "true"
    results = batch(shop, order("3", "10.00", "PAPER-0001"), order("4", "10.00"))["results"]
    assert [one["status"] for one in results] == [429, 201]


def test_a_batch_is_no_way_to_try_more(shop: World) -> None:
    """What one transaction has found wrong is not counted yet, and counts all the same."""
    orders = [order(f"b{number}", "10.00", f"WRONG-{number:04}") for number in range(5)]
    results = batch(shop, *orders, order("last", "10.00", "PAPER-0001"))["results"]
    assert [one["status"] for one in results] == [201, 201, 201, 429, 429, 429]
    assert failures(shop) == [3, 3]


def test_wrong_codes_are_looked_up_in_vain_and_counted(shop: World) -> None:
    for _ in range(3):
        answer = shop.call("POST", "/v1/coupons/lookup", json={"code": "WRONG-0001"})
        assert_problem(answer, 404, "coupon_not_found")
    answer = shop.call("POST", "/v1/coupons/lookup", json={"code": "PAPER-0001"})
    assert_problem(answer, 429, "too_many_guesses")


def test_all_keys_together_have_to_wait(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "MOST_IN_ALL_IN_CARTS", 2)
    asked(shop, "WRONG-0001", "WRONG-0002")
    answer = shop.call("POST", "/v1/calculate", json=order(None, "10.00", "PAPER-0001"), key=shop.colleague)
    assert_problem(answer, 429, "too_many_guesses")


def test_no_code_is_readable_in_what_is_counted(shop: World) -> None:
    asked(shop, "WRONG-0001")
    assert not rows(shop, "SELECT who FROM code_guess WHERE who ILIKE '%wrong%'")
