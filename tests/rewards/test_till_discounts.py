"""Codes of discounts at tills that send their lines: the same terms as with an order."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import code, findings, give, member, open_shop, redeemed

REWARDS: dict[str, Any] = {
    "cake": {
        "kind": "discount",
        "cost": {"stars": 10},
        "worth": {"percent": 50, "lines": 'line.category == "cake"', "most_per_line": "2.00"},
    },
    "share": {"kind": "discount", "cost": {"stars": 10}, "worth": {"amount": "5.00", "most_share": 20}},
    "post": {"kind": "discount", "cost": {"stars": 10}, "worth": {"amount": "9.00", "on": "shipping"}},
    "vip": {
        "kind": "discount",
        "cost": {"stars": 10},
        "worth": {"percent": 10, "lines": "member.points.stars > 100"},
    },
}
LINES = [
    {"sku": "latte", "amount": 850, "quantity": 2},
    {"sku": "tart", "amount": 500, "category": "cake"},
    {
        "sku": "pie",
        "amount": 300,
        "category": "cake",
        "quantity": "1.5",
        "name": "Pie",
        "brand": "own",
        "labels": ["x"],
    },
]


@pytest.fixture
def who(world: World) -> str:
    open_shop(world, rewards=REWARDS)
    return member(world)


def test_a_discount_of_some_lines_needs_them(world: World, who: str) -> None:
    text = redeemed(world, who, "cake", confirm=True)["code"]
    told = code(world, "validate", code=text, total=1650).json()
    assert (told["valid"], told["off"], told["by_line"]) == (True, None, None)
    problem = assert_problem(code(world, "redeem", code=text, reference="a", total=1650), 422, "invalid_redemption")
    assert problem["errors"][0]["pointer"] == "#/lines"
    told = code(world, "validate", code=text, lines=LINES).json()
    assert "off" in told, told
    assert (told["off"], told["by_line"]) == (350, [0, 200, 150])
    used = code(world, "redeem", code=text, reference="a", lines=LINES)
    assert used.json()["amount"] == 350
    again = code(world, "redeem", code=text, reference="a", lines=LINES)
    assert (again.json()["amount"], again.headers["Idempotent-Replayed"]) == (350, "true")
    other = code(world, "redeem", code=text, reference="a", lines=LINES[:2])
    assert_problem(other, 409, "reference_used")
    assert findings(world) == []


def test_a_share_is_one_of_the_basket(world: World, who: str) -> None:
    text = redeemed(world, who, "share", confirm=True)["code"]
    assert code(world, "validate", code=text, total=1650).json()["off"] == 330
    assert code(world, "redeem", code=text, reference="a", lines=LINES).json()["amount"] == 330


def test_what_is_off_shipping_needs_it(world: World, who: str) -> None:
    text = redeemed(world, who, "post", confirm=True)["code"]
    problem = assert_problem(code(world, "redeem", code=text, reference="a", total=900), 422, "invalid_redemption")
    assert problem["errors"][0]["pointer"] == "#/shipping"
    assert code(world, "redeem", code=text, reference="a", shipping=490).json()["amount"] == 490


def test_nothing_to_take_off_uses_no_code(world: World, who: str) -> None:
    text = redeemed(world, who, "cake", confirm=True)["code"]
    told = code(world, "validate", code=text, lines=LINES[:1]).json()
    assert (told["valid"], told["reason"], told["off"], told["by_line"]) == (False, "nothing_to_take_off", 0, [0])
    problem = assert_problem(code(world, "redeem", code=text, reference="a", lines=LINES[:1]), 409, "code_unusable")
    assert problem["reason"] == "nothing_to_take_off"


def test_a_condition_asks_for_the_member_whose_code_it_is(world: World, who: str) -> None:
    text = redeemed(world, who, "vip", confirm=True)["code"]
    assert code(world, "validate", code=text, lines=LINES).json()["off"] == 165
    give(world, who, -300)
    assert code(world, "validate", code=text, lines=LINES).json()["reason"] == "nothing_to_take_off"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"lines": LINES, "total": 1650}, "invalid_redemption"),
        ({"lines": [{"sku": "a", "amount": 1.5}]}, "validation_failed"),
        ({"lines": [{"sku": "a", "amount": -1}]}, "validation_failed"),
        ({"lines": [{"sku": "a", "amount": 1, "quantity": 0}]}, "validation_failed"),
        ({"lines": [{"sku": "a", "amount": 1, "quantity": "1e-7"}]}, "validation_failed"),
        ({"lines": [{"sku": "", "amount": 1}]}, "validation_failed"),
        ({"lines": [{"sku": "a", "amount": 1}] * 1001}, "validation_failed"),
        ({"shipping": -1}, "validation_failed"),
    ],
)
def test_baskets_that_are_none(world: World, who: str, more: dict[str, Any], status: str) -> None:
    text = redeemed(world, who, "share", confirm=True)["code"]
    for what in ("validate", "redeem"):
        sent = more | ({"reference": "a"} if what == "redeem" else {})
        assert_problem(code(world, what, code=text, **sent), 422, status)
