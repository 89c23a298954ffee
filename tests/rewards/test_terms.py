"""What was paid for keeps its terms, whatever is published before it is confirmed, used or refunded."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from rewards.counter import REWARDS, ask, code, done, findings, member, open_shop, redeemed, rows

LOUNGE = {"kind": "entitlement", "uses": 2}
POOLED = {"kind": "partner", "partner": "Kino", "code": {"pool": "cinema"}}
KINDS = {"value": {"value": "5.00"}}
CARD = {"kind": "gift_card", "card": "value", "worth": {"amount": "20.00"}, "quantities": {"most": 2}}


@pytest.fixture
def who(world: World) -> str:
    """A member of a program with many rewards."""
    rewards = {**REWARDS, "lounge": LOUNGE, "cinema": POOLED, "money": CARD}
    open_shop(world, rewards=rewards, gift_cards=KINDS)
    return member(world, 2000)


def use(world: World, text: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = code(world, "redeem", code=text, reference=text, **more).json()
    return found


def test_a_hold_is_confirmed_as_it_was_made(world: World, who: str) -> None:
    coffee = redeemed(world, who, "coffee", "1", quantity=2)
    cash = redeemed(world, who, "cash", "2", quantity=100)
    open_shop(world, rewards={"cash": REWARDS["cash"] | {"worth": {"amount": "0.005"}}})
    part = done(world, coffee["id"], "confirm", quantity=1)
    assert code(world, "validate", code=part["code"]).json()["uses_left"] == 1
    assert part["valid_until"] is not None
    whole = done(world, cash["id"], "confirm")
    assert (whole["worth"], use(world, whole["code"], total=3000)["amount"]) == (100, 100)
    assert findings(world) == []


def test_a_pooled_code_and_a_card_come_after_their_reward_has_gone(world: World, who: str) -> None:
    world.call("POST", "/v1/code-pools/cinema/codes", json={"codes": ["KINO-1111"]})
    ticket = redeemed(world, who, "cinema", "1")
    card = redeemed(world, who, "money", "2", quantity=2)
    open_shop(world, rewards={})
    assert done(world, ticket["id"], "confirm")["code"] == "KINO-1111"
    assert done(world, card["id"], "confirm", quantity=1)["code"]
    assert rows(world, "SELECT amount FROM gift_card_entry WHERE amount > 0") == [(2500,)]
    assert findings(world) == []


def test_codes_are_worth_what_they_were(world: World, who: str) -> None:
    tenth, coffee = (redeemed(world, who, one, one, confirm=True)["code"] for one in ("tenth", "coffee"))
    open_shop(world, rewards={"tenth": REWARDS["tenth"] | {"worth": {"percent": 5}}})
    assert code(world, "validate", code=tenth, total=3000).json()["off"] == 300
    assert use(world, coffee)["uses_left"] == 0
    answer = code(world, "redeem", code=tenth, reference="t")
    assert assert_problem(answer, 422, "invalid_redemption")["errors"][0]["pointer"] == "#/total"


def test_entitlements_stay(world: World, who: str) -> None:
    redeemed(world, who, "lounge", "1", confirm=True)
    redeemed(world, who, "coffee", "2", confirm=True)
    open_shop(world, rewards={"coffee": REWARDS["coffee"]})
    found = world.call("GET", f"/v1/members/{who}/entitlements").json()["entitlements"]
    assert [(one["reward"], one["uses_left"]) for one in found] == [("lounge", 2)]
    body = {"member": who, "reward": "lounge", "till": "door", "reference": "1"}
    assert world.call("POST", "/v1/entitlements/use", json=body).json()["entitlement"]["uses_left"] == 1
    body = {"member": who, "reward": "coffee", "till": "door", "reference": "2"}
    assert_problem(world.call("POST", "/v1/entitlements/use", json=body), 409, "not_entitled")


def test_points_of_an_ended_lot_come_back_for_the_grace_of_a_reward_that_is_gone(world: World, who: str) -> None:
    mine = redeemed(world, who, "coffee", "1", confirm=True)
    with world.database.raw_connection() as connection:
        connection.execute(
            "UPDATE redemption SET parts = (SELECT json_agg(p || jsonb_build_object('expires_at', now() - "
            "interval '1 day')) FROM jsonb_array_elements(parts::jsonb) p)"
        )
    open_shop(world, rewards={})
    done(world, mine["id"], "refund")
    left = "SELECT sum(remaining)::int FROM lot WHERE expires_at > now() + interval '29 days'"
    assert rows(world, left) == [(150,)]


def test_the_first_answer_again_says_what_was_held(world: World, who: str) -> None:
    held = redeemed(world, who, "cash", "1", quantity=200)
    done(world, held["id"], "confirm", quantity=100)
    assert ask(world, who, "cash", "1", quantity=200).json() == held
    done(world, held["id"], "refund")
    open_shop(world, rewards={})
    assert ask(world, who, "cash", "1", quantity=200).json() == held


def test_a_static_code_is_that_of_the_reward_which_has_it_now(world: World) -> None:
    summer = {"kind": "voucher", "code": {"static": "SUMMER"}}
    open_shop(world, rewards={"first": summer})
    assert code(world, "validate", code="SUMMER").json()["reward"] == "first"
    open_shop(world, rewards={"second": summer})
    found = code(world, "validate", code="SUMMER").json()
    assert (found["reward"], found["valid"]) == ("second", True)
    open_shop(world, rewards={})
    assert code(world, "validate", code="SUMMER").json()["reason"] == "void"


def test_the_catalogue_and_a_hold_whose_time_has_passed(world: World) -> None:
    open_shop(world, rewards={"last": {"kind": "voucher", "stock": 1}})
    who, other = member(world), member(world, card="2")
    redeemed(world, who, "last")

    def seen() -> list[str]:
        [found] = world.call("GET", f"/v1/members/{other}/rewards").json()["rewards"]
        return [reason["code"] for reason in found["reasons"]]

    assert seen() == ["out_of_stock"]
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second'")
    assert seen() == []
