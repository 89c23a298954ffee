"""Rewards that are gift cards: a redemption issues one or loads one, a refund takes it back."""

from typing import Any

from api_world import World, assert_problem
from gift_cards.drawer import KINDS, card, findings, history, issued, money, open_shop, use, used
from rewards.counter import ask, do, done, member, redeemed, wallet

REWARDS: dict[str, Any] = {
    "bonus": {"kind": "gift_card", "card": "hundred", "cost": {"stars": 100}, "worth": {"amount": "10.00"}},
    "top_up": {
        "kind": "gift_card",
        "card": "classic",
        "cost": {"stars": 50},
        "worth": {"amount": "10.00"},
        "quantities": {"most": 3},
    },
    "coffee": {"kind": "voucher", "cost": {"stars": 10}},
}


def shop(world: World, stars: int = 400) -> str:
    open_shop(
        world,
        gift_cards={**KINDS, "classic": {"least": "20.00"}, "hundred": {"value": "100.00", "most": "50.00"}},
        rewards=REWARDS,
    )
    return member(world, stars)


def test_a_redemption_issues_a_card_with_what_its_kind_holds_and_the_reward_on_top(world: World) -> None:
    who = shop(world)
    made = redeemed(world, who, "bonus", confirm=True)
    found = world.call("POST", "/v1/gift-cards/look-up", json={"code": made["code"]}).json()
    assert (found["balance"], found["kind"], found["member"]) == (11_000, "hundred", who)
    assert history(world, found) == ["issued", "assigned"]
    assert ask(world, who, "bonus", confirm=True).json()["code"] == made["code"]
    used(world, made, 1)
    assert ask(world, who, "bonus", confirm=True).json()["code"] is None
    assert findings(world) == []
    report = world.call("GET", "/v1/reports/gift-cards").json()["totals"]
    assert [(one["granted"], one["sold"]) for one in report] == [(11_000, 0)]


def test_a_redemption_loads_a_card(world: World) -> None:
    who = shop(world)
    there = issued(world, 4600)
    made = redeemed(world, who, "top_up", confirm=True, gift_card=there["id"])
    assert made["code"] is None
    assert money(world, there) == (5600, 0)
    redeemed(world, who, "top_up", "1", confirm=True, gift_card=there["id"])
    assert money(world, there) == (5600, 0)
    assert_problem(ask(world, who, "top_up", "1", confirm=True), 409, "reference_used")
    held = redeemed(world, who, "top_up", "2", quantity=3)
    assert money(world, there) == (5600, 0)
    done(world, held["id"], "confirm", quantity=2, gift_card=there["id"])
    assert money(world, there) == (7600, 0)
    assert findings(world) == []


def test_a_held_redemption_issues_its_card_when_it_is_confirmed(world: World) -> None:
    who = shop(world)
    held = redeemed(world, who, "top_up")
    assert world.count("gift_card") == 0
    code = done(world, held["id"], "confirm")["code"]
    assert done(world, held["id"], "confirm")["code"] == code
    assert world.call("POST", "/v1/gift-cards/look-up", json={"code": code}).json()["balance"] == 1000
    assert world.count("gift_card") == 1


def test_a_card_that_does_not_fit_costs_nothing(world: World) -> None:
    who = shop(world)
    small, blocked = issued(world, 100, "small"), issued(world, 2000)
    world.call("POST", f"/v1/gift-cards/{blocked['id']}/block", json={"reason": "x"}, headers={"Idempotency-Key": "b"})
    refused = {
        (small["id"], "top_up"): (422, "invalid_redemption"),
        (small["id"], "coffee"): (422, "invalid_redemption"),
        (blocked["id"], "top_up"): (409, "gift_card_unusable"),
        ("gfc_" + "0" * 32, "top_up"): (404, "gift_card_not_found"),
        ("x", "top_up"): (404, "gift_card_not_found"),
    }
    for (there, reward), (status, code) in refused.items():
        assert_problem(ask(world, who, reward, confirm=True, gift_card=there), status, code)
    held = redeemed(world, who, "top_up", "h")["id"]
    assert_problem(do(world, held, "confirm", gift_card=blocked["id"]), 409, "gift_card_unusable")
    done(world, held, "cancel")
    assert wallet(world) == [(400, 0)]
    assert findings(world) == []


def test_a_refund_takes_the_money_back_unless_it_is_spent(world: World) -> None:
    who = shop(world)
    there = issued(world, 2500)
    loaded = redeemed(world, who, "top_up", "1", confirm=True, gift_card=there["id"])
    done(world, loaded["id"], "refund")
    assert (money(world, there), wallet(world)) == ((2500, 0), [(400, 0)])
    fresh = redeemed(world, who, "bonus", "2", confirm=True)
    taken = used(world, fresh, 1)
    assert assert_problem(do(world, fresh["id"], "refund"), 409, "code_unusable")["reason"] == "used"
    back = world.call("POST", f"/v1/gift-card-uses/{taken['id']}/refund", headers={"Idempotency-Key": "r"})
    assert back.status_code == 200
    done(world, fresh["id"], "refund")
    assert do(world, fresh["id"], "refund").headers["idempotent-replayed"] == "true"
    assert wallet(world) == [(400, 0)]
    assert use(world, fresh, 1, "2").json()["reason"] == "empty"
    assert card(world, {"id": taken["card"]})["balance"] == 0
    assert findings(world) == []
    [report] = [one for one in world.call("GET", "/v1/reports/gift-cards").json()["totals"] if one["kind"] == "hundred"]
    assert (report["granted"], report["taken_back"], report["outstanding"]) == (11_000, 11_000, 0)


def test_what_a_reward_puts_on_a_card_is_in_the_currency_of_the_card(world: World) -> None:
    kinds = {"yen": {"currency": "JPY", "value": 5}, "dinar": {"currency": "KWD", "value": "0.005"}}
    rewards = {
        name: {"kind": "gift_card", "card": name, "cost": {"stars": 1}, "worth": {"amount": 10, "most": 15}}
        | {"quantities": {"most": 2}}
        for name in kinds
    }
    open_shop(world, gift_cards=kinds, rewards=rewards)
    who = member(world, 10)
    for name, balance in (("yen", 15), ("dinar", 10_005)):
        code = redeemed(world, who, name, name, confirm=True)["code"]
        assert world.call("POST", "/v1/gift-cards/look-up", json={"code": code}).json()["balance"] == balance
    there = issued(world, 100, "yen")
    # Its kind is in another currency from now on: an amount of that does not go on it.
    open_shop(world, gift_cards={"yen": {"currency": "EUR"}}, rewards={"yen": rewards["yen"]})
    problem = assert_problem(
        ask(world, who, "yen", "2", confirm=True, gift_card=there["id"]), 422, "invalid_redemption"
    )
    assert problem["errors"][0]["message"] == "must hold EUR, and holds JPY"
    assert money(world, there) == (100, 0)
    assert findings(world) == []
