"""Points as payment: held for a basket, paid in full or part, cancelled, over by themselves, refunded."""

from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from rewards.counter import findings, give, member, open_shop, overdue, wallet

PAY = {
    "kind": "payment",
    "cost": {"stars": 1},
    "worth": {"amount": "0.01"},
    "quantities": {"least": 50, "most": 1000},
    "hold": "20min",
}
TENS = {"kind": "payment", "cost": {"stars": 10}, "worth": {"amount": "0.15"}, "quantities": {"most": 100}}


@pytest.fixture
def who(world: World) -> str:
    """A member with 400 stars."""
    open_shop(world, rewards={"pay": PAY, "mug": {"kind": "physical", "cost": {"stars": 1}}})
    return member(world)


def pay(world: World, who: str, reference: str | None = "b1", **more: Any) -> Response:
    body = {"member": who, "reference": reference, **more}
    return world.call("POST", "/v1/payments", json={key: value for key, value in body.items() if value is not None})


def held(world: World, who: str, **more: Any) -> dict[str, Any]:
    answer = pay(world, who, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def end(world: World, payment: dict[str, Any], what: str, **body: Any) -> Response:
    return world.call("POST", f"/v1/payments/{payment['id']}/{what}", json=body or None)


def test_points_are_held_and_paid_in_part(world: World, who: str) -> None:
    found = held(world, who, points=300)
    assert (found["state"], found["held"], found["paid"], found["money"]) == ("held", {"stars": 300}, {"stars": 0}, 300)
    assert wallet(world) == [(100, 300)]
    assert pay(world, who, points=300).headers["idempotent-replayed"] == "true"
    part = end(world, found, "confirm", money=120).json()
    assert (part["state"], part["paid"], part["money"]) == ("partly", {"stars": 120}, 120)
    assert wallet(world) == [(280, 0)]
    assert end(world, found, "confirm", points=120).headers["idempotent-replayed"] == "true"
    assert_problem(end(world, found, "cancel"), 409, "redemption_state_conflict")
    assert findings(world) == []


def test_money_is_never_paid_with_more_points_than_it_is_worth(world: World) -> None:
    open_shop(world, rewards={"tens": TENS})
    found = held(world, member(world), money=100)
    assert (found["held"], found["money"]) == ({"stars": 60}, 90)


def test_nobody_pays_for_what_rounding_or_a_limit_takes_away(world: World) -> None:
    thin = {"kind": "payment", "cost": {"stars": 1}, "worth": {"amount": "0.003"}, "quantities": {"most": 1000}}
    capped = PAY | {"worth": {"amount": "0.01", "most": "1.00"}}
    open_shop(
        world, rewards={"thin": thin, "capped": capped, "fifty": thin | {"quantities": {"least": 50, "most": 99}}}
    )
    who = member(world)
    found = held(world, who, payment="thin", money=2)
    assert (found["held"], found["money"]) == ({"stars": 4}, 1)  # 6 points are worth 1.8 cents, as 4 are worth 1.2
    problem = assert_problem(pay(world, who, payment="thin", points=3, reference="b2"), 422, "invalid_payment")
    assert problem["errors"][0]["hint"] == "Give at least 4."
    assert_problem(pay(world, who, payment="thin", money=0, reference="b2"), 422, "validation_failed")
    found = held(world, who, payment="capped", money=500, reference="b3")
    assert (found["held"], found["money"]) == ({"stars": 100}, 100)
    problem = assert_problem(pay(world, who, payment="capped", points=101, reference="b4"), 409, "reward_unavailable")
    assert problem["reasons"] == [{"code": "quantity", "least": 50, "limit": 100}]
    found = held(world, who, payment="fifty", money=15, reference="b5")
    assert (found["held"], found["money"]) == ({"stars": 50}, 15)


def test_a_hold_is_paid_at_the_rate_of_its_day(world: World, who: str) -> None:
    found = held(world, who, points=300)
    open_shop(world, rewards={"pay": {"kind": "voucher"}})
    paid = end(world, found, "confirm", money=120).json()
    assert (paid["paid"], paid["money"]) == ({"stars": 120}, 120)
    assert pay(world, who, "b2", points=300).status_code == 404  # the name is another's now
    again = pay(world, who, points=300)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (found["id"], "true")
    assert_problem(pay(world, who, points=299), 409, "reference_used")
    reread = world.call("GET", f"/v1/payments/{found['id']}").json()
    assert (reread["state"], reread["money"]) == ("partly", 120)


def test_a_lost_answer_is_given_again_whatever_was_published_since(world: World) -> None:
    open_shop(world, rewards={"tens": TENS})
    who = member(world)
    found = held(world, who, money=100)
    open_shop(world, rewards={"tens": TENS | {"worth": {"amount": "0.30"}, "cost": {"stars": 20}}})
    again = pay(world, who, money=100)
    assert (again.status_code, again.json()["id"], again.json()["held"]) == (201, found["id"], {"stars": 60})
    assert_problem(pay(world, who, money=60), 409, "reference_used")
    assert wallet(world) == [(340, 60)]


def test_in_one_step_and_back(world: World, who: str) -> None:
    found = held(world, who, points=100, confirm=True)
    assert (found["state"], found["paid"]) == ("confirmed", {"stars": 100})
    assert end(world, found, "refund").json()["state"] == "refunded"
    assert end(world, found, "refund").headers["idempotent-replayed"] == "true"
    assert wallet(world) == [(400, 0)]
    assert findings(world) == []


def test_a_hold_is_cancelled_or_ends_by_itself(world: World, who: str) -> None:
    assert end(world, held(world, who, points=100), "cancel").json()["state"] == "cancelled"
    held(world, who, reference="b2", points=400, ttl="5min")
    assert wallet(world) == [(0, 400)]
    assert overdue(world) == 1
    found = world.call("GET", "/v1/payments?reference=b2").json()
    assert found["state"] == "expired"
    assert world.call("GET", f"/v1/payments/{found['id']}").json() == found
    assert_problem(end(world, found, "confirm"), 409, "redemption_state_conflict")
    assert wallet(world) == [(400, 0)]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({}, 422, "invalid_payment"),
        ({"points": 100, "money": 100}, 422, "invalid_payment"),
        ({"points": 100, "ttl": "soon"}, 422, "invalid_payment"),
        ({"points": 100, "ttl": "90d"}, 422, "invalid_redemption"),
        ({"points": 100, "payment": "mug"}, 404, "payment_not_found"),
        ({"points": 100, "member": "mem_x"}, 404, "member_not_found"),
        ({"points": 49}, 409, "reward_unavailable"),
        ({"points": 401}, 409, "reward_unavailable"),
        ({"points": 100, "reference": None}, 400, "idempotency_key_required"),
        ({"points": 0}, 422, "validation_failed"),
    ],
)
def test_what_cannot_be_paid(world: World, who: str, more: dict[str, Any], status: int, code: str) -> None:
    assert_problem(
        pay(world, **{"who": who, **({"who": more.pop("member")} if "member" in more else {}), **more}), status, code
    )
    assert wallet(world) == [(400, 0)]


def test_what_is_not_a_multiple_or_too_little(world: World) -> None:
    open_shop(world, rewards={"tens": TENS, "free": {**TENS, "worth": {"amount": 0}}})
    who = member(world)
    assert_problem(pay(world, who, points=5, payment="tens"), 422, "invalid_payment")
    assert_problem(pay(world, who, money=14, payment="tens"), 422, "invalid_payment")
    assert_problem(pay(world, who, money=14, payment="free"), 422, "invalid_payment")
    problem = assert_problem(pay(world, who, money=14), 404, "payment_not_found")
    assert "tens, free" in problem["detail"]


def test_other_redemptions_and_strangers_are_not_payments(world: World, who: str) -> None:
    mug = world.call("POST", "/v1/redemptions", json={"member": who, "reward": "mug", "reference": "m"}).json()
    for what in ("confirm", "cancel", "refund"):
        assert_problem(end(world, mug, what), 404, "payment_not_found")
    assert_problem(world.call("GET", "/v1/payments?reference=m"), 404, "payment_not_found")
    assert_problem(world.call("GET", "/v1/payments?reference=none"), 404, "payment_not_found")
    assert_problem(world.call("GET", "/v1/payments/red_x"), 404, "payment_not_found")
    assert_problem(world.call("GET", f"/v1/payments/red_{'0' * 32}"), 404, "payment_not_found")
    found = held(world, who, points=100)
    assert_problem(world.call("GET", f"/v1/payments/{found['id']}", key=world.stranger), 404, "payment_not_found")
    stranger = world.call("POST", f"/v1/payments/{found['id']}/confirm", key=world.stranger)
    assert_problem(stranger, 404, "payment_not_found")


def test_frozen_points_do_not_pay_but_what_is_held_can_be_confirmed(world: World, who: str) -> None:
    found = held(world, who, points=100)
    assert world.call("POST", f"/v1/members/{who}/points/freeze", json={"reason": "x"}).status_code == 200
    assert_problem(pay(world, who, "b2", points=100), 409, "reward_unavailable")
    assert end(world, found, "confirm").json()["state"] == "confirmed"
    give(world, who, 5)
    assert findings(world) == []
