"""Short words for tests of coupons: a program with some, carts, and what becomes of coupons."""

from typing import Any

from api_world import World
from events.shop import BASE, booked, enrolled, findings, go_live, program, rows

__all__ = ["findings", "rows"]

CAMPAIGNS: dict[str, Any] = {
    **BASE,
    "thanks": {"on": "purchase", "when": "event.gross >= 20.0", "coupon": {"of": "next", "percent": 10}},
    "next": {"on": "purchase", "discount": {"coupon": {"amount": "own", "per_order": 5, "valid_for": "30d"}}},
    "tenth": {"on": "purchase", "discount": {"percent": 10, "coupon": {"per_member": 2}}},
}


def open_shop(world: World, **more: Any) -> str:
    """Publish the program with coupons and enrol somebody; give the member's id."""
    go_live(world, program(campaigns=CAMPAIGNS | more))
    return enrolled(world, days_ago=1)


def order(external_id: str | None, amount: str = "100.00", *codes: str, **more: Any) -> dict[str, Any]:
    """A purchase with prices before promotions, of the member with the card 1."""
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "1"},
        "pricing": "before",
        "codes": [*codes],
        "lines": [{"sku": "latte", "amount": amount}],
    } | more


def give_back(external_id: str, of: str, **data: Any) -> dict[str, Any]:
    """A return."""
    return {
        "type": "return",
        "external_id": external_id,
        "member": {"card": "1"},
        "data": {"order": of, **data},
    }


def made(world: World, campaign: str = "next", **more: Any) -> str:
    """Make one coupon that everybody can use; give its code."""
    body = {"campaign": campaign, "count": 1, **({"amount": "10.00"} if campaign == "next" else {}), **more}
    if "members" in body:
        del body["count"]
    headers = {"Idempotency-Key": f"make-{world.count('coupon')}"}
    answer = world.call("POST", "/v1/coupons", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["coupons"][0]["code"])


def looked_up(world: World, code: str) -> dict[str, Any]:
    """A coupon as it stands."""
    answer = world.call("POST", "/v1/coupons/lookup", json={"code": code})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return {**found["coupon"], "used_with": found["used_with"]}


def granted(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The coupons that an event granted."""
    return [one for one in answer["coupons"] if one["what"] == "granted"]


def bought(world: World, *arguments: Any, **more: Any) -> dict[str, Any]:
    """Book an order; give the answer."""
    return booked(world, order(*arguments, **more))
