"""Cart promotions through the API: calculated, committed, told again, and refused with a place."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from api_world import World, assert_problem
from events.shop import BASE, NOW, batch, booked, calculated, enrolled, go_live, program, purchase, send
from setia.events.arrivals import draft

PROMOTIONS: dict[str, Any] = {
    **BASE,
    "tenth": {
        "name": {"en": "Ten percent", "de": "Zehn Prozent"},
        "on": "purchase",
        "priority": 1,
        "discount": {"percent": 10, "at_most": "5.00"},
    },
    "coded": {
        "on": "purchase",
        "limits": [{"per": "member", "uses": 1}],
        "discount": {"amount": "3.00", "codes": ["Summer"]},
    },
    "gift": {
        "on": "purchase",
        "lines": 'line.sku == "mug"',
        "discount": {"percent": 100, "buy": {"lines": 'line.sku == "latte"', "quantity": 2}, "free": "added"},
    },
    "delivery": {"on": "purchase", "when": "event.gross >= 30", "discount": {"percent": 100, "on": "shipping"}},
}
TOLD = ("discounts", "refused_codes", "to_pay", "granted", "sentences", "effects")


@pytest.fixture
def shop(world: World) -> World:
    go_live(world, program(campaigns=PROMOTIONS))
    enrolled(world, days_ago=1)
    return world


def cart(external_id: str | None, *codes: str, **more: Any) -> dict[str, Any]:
    lines = [{"sku": "latte", "amount": "20.00", "quantity": 2}, {"sku": "cake", "amount": "10.00"}]
    body: dict[str, Any] = {"pricing": "before", "codes": [*codes], "lines": lines, "shipping": "4.90"} | more
    return purchase(external_id, **body)


def without_moments(answer: dict[str, Any]) -> dict[str, Any]:
    effects = [{key: value for key, value in effect.items() if not key.endswith("_at")} for effect in answer["effects"]]
    return {name: answer[name] for name in TOLD} | {"effects": effects}


def test_what_is_taken_off_is_told_by_promotion_and_line(shop: World) -> None:
    answer = booked(shop, cart("1", " SUMMER ", "summer", "winter"))
    assert answer["discounts"] == [
        {"campaign": "tenth", "name": "Ten percent", "amount": "3.00", "by_line": {"0": "2.00", "1": "1.00"}},
        {
            "campaign": "coded",
            "name": "coded",
            "amount": "3.00",
            "by_line": {"0": "2.00", "1": "1.00"},
            "code": "SUMMER",
        },
        {"campaign": "delivery", "name": "delivery", "amount": "4.90", "by_line": {"-1": "4.90"}},
    ]
    assert answer["refused_codes"] == [{"code": "winter", "reason": "unknown"}]
    assert answer["to_pay"] == {
        "total": "24.00",
        "tax": "0.00",
        "lines": ["16.00", "8.00"],
        "shipping": "0.00",
        "discount": "0.00",
    }
    assert answer["granted"] == {"stars": 24}
    assert "3.00 EUR off: “Ten percent”." in answer["sentences"]


def test_a_cap_says_what_was_wanted_and_units_are_to_be_added(shop: World) -> None:
    lines = [{"sku": "latte", "amount": "80.00", "quantity": 4}, {"sku": "mug", "amount": "1.00"}]
    answer = booked(shop, cart("1", lines=lines))
    first, gift, _ = answer["discounts"]
    assert (first["amount"], first["wanted"]) == ("5.00", "8.10")
    assert (gift["amount"], gift["added_units"]) == ("0.00", 2)


def test_calculating_and_committing_come_to_the_same(shop: World) -> None:
    for number, codes in enumerate([("summer",), ("summer",), ("x",), ()]):
        asked = calculated(shop, cart(None, *codes))
        answer = booked(shop, cart(f"order {number}", *codes))
        assert without_moments(asked) == without_moments(answer)
        # and the same again, from what is stored
        again = send(shop, cart(f"order {number}", *codes))
        assert again.headers["Idempotent-Replayed"] == "true"
        assert without_moments(again.json()) == without_moments(answer)
        stored = shop.call("GET", f"/v1/events/{answer['id']}").json()
        assert without_moments(stored) == without_moments(answer)


def test_a_code_is_used_up_once_even_within_one_batch(shop: World) -> None:
    first, second = batch(shop, cart("1", "summer"), cart("2", "summer"))["results"]
    assert [one["code"] for one in first["event"]["discounts"] if "code" in one] == ["summer"]
    assert second["event"]["refused_codes"] == [{"code": "summer", "reason": "limit", "campaign": "coded"}]
    explanation = shop.call("GET", f"/v1/events/{second['event']['id']}/explanation").json()
    assert {one["campaign"]: one["verdict"] for one in explanation["considered"]}["coded"] == "limit"


def test_final_prices_are_left_alone(shop: World) -> None:
    answer = booked(shop, purchase("1"))
    assert (answer["discounts"], answer["refused_codes"], answer["to_pay"]) == ([], [], None)
    assert answer["granted"] == {"stars": 10}


def test_somebody_who_is_not_known_is_told_what_a_member_would_pay(shop: World) -> None:
    event = cart(None, "summer")
    del event["member"]
    answer = calculated(shop, event)
    assert (answer["status"], answer["to_pay"]["total"]) == ("guest", "24.00")
    # A guest's order is not decided, so nothing is taken off it.
    stored = booked(shop, event | {"external_id": "1"})
    assert (stored["status"], stored["to_pay"]) == ("guest", None)


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (purchase("1", pricing="after"), "#/pricing"),
        (purchase("1", codes=["a"]), "#/codes"),
        (purchase("1", pricing="before", codes=[" "]), "#/codes"),
        (purchase("1", pricing="before", codes=[""]), "#/codes/0"),
        (purchase("1", pricing="before", codes=["a" * 101]), "#/codes/0"),
        (purchase("1", pricing="before", codes=["a\0"]), "#/codes/0"),
        ({"type": "visit", "external_id": "1", "member": {"card": "1"}, "pricing": "before"}, "#/pricing"),
        ({"type": "visit", "external_id": "1", "member": {"card": "1"}, "codes": ["a"]}, "#/codes"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(shop: World, event: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(send(shop, event), 422, "invalid_event")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


TRICKY: dict[str, Any] = {"pricing": "final", "codes": [], "a": '"codes":[],"pricing":"final",'}


@pytest.mark.parametrize(
    "event",
    [
        purchase("1", channel='"codes":[],'),
        purchase("1", tenders=[{"type": "pricing", "amount": "1"}], source='"pricing":"final",'),
        {"type": "survey", "external_id": "1", "data": TRICKY},
        {"type": "survey", "external_id": "1", "data": {"b": [TRICKY, {"z": TRICKY}]}},
    ],
)
def test_an_event_without_promotions_is_known_by_what_it_said_before_there_were_any(event: dict[str, Any]) -> None:
    found = draft(json.dumps(event).encode(), NOW)
    said = msgspec.to_builtins(found.sent)
    del said["pricing"], said["codes"], said["redeem"]
    canonical = msgspec.json.encode(said, order="sorted")
    assert found.digest() == hashlib.blake2b(canonical, digest_size=16).digest()
    if event["type"] == "purchase":
        other = draft(json.dumps(event | {"pricing": "before"}).encode(), NOW)
        coded = draft(json.dumps(event | {"pricing": "before", "codes": ["a"]}).encode(), NOW)
        assert len({found.digest(), other.digest(), coded.digest()}) == 3


def test_what_comes_back_is_decided_as_an_order_without_it(shop: World) -> None:
    assert booked(shop, cart("order", "summer"))["granted"] == {"stars": 24}
    back = {"type": "return", "external_id": "back", "member": {"card": "1"}}
    answer = booked(shop, back | {"data": {"order": "order", "lines": [{"line": 1}]}})
    # 20.00 are left of it, less 10 % and the 3.00 of the code, which this order has used: 15 stars.
    assert answer["granted"] == {"stars": -9}
    # An order that comes back whole has not used its code.
    booked(shop, back | {"external_id": "rest", "data": {"order": "order"}})
    assert [one["campaign"] for one in booked(shop, cart("next", "summer"))["discounts"]][1] == "coded"
