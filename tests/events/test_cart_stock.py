"""What holds keep of a stock is free for orders when their time has passed, before any job has come by."""

from typing import Any

from api_world import World, assert_problem
from events.shop import BASE, booked, calculated, findings, go_live, program, rows, send
from rewards.counter import give, redeemed

REWARDS: dict[str, Any] = {
    "last": {"kind": "discount", "cost": {"stars": 100}, "worth": {"amount": "5.00"}, "stock": 1},
    "daily": {
        "kind": "product",
        "cost": {"stars": 10},
        "items": ["cake"],
        "in_all": {"every": "day", "uses": 1},
    },
}


def cart(external_id: str | None, reward: str) -> dict[str, Any]:
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "2"},
        "pricing": "before",
        "lines": [{"sku": "latte", "amount": "20.00"}, {"sku": "cake", "amount": "8.00"}],
        "redeem": [{"reward": reward}],
    }


def shop(world: World) -> None:
    go_live(world, program(campaigns=BASE, rewards=REWARDS))
    for card in ("1", "2"):
        give(world, str(world.enrol(card=card)["id"]), 500)


def hold_by_the_other(world: World, reward: str) -> None:
    [(first,)] = rows(world, "SELECT id FROM member ORDER BY id LIMIT 1")
    redeemed(world, f"mem_{first.hex}", reward, f"hold-{reward}")


def let_holds_be_over(world: World) -> None:
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE redemption SET hold_until = now() - interval '1 second' WHERE state = 'held'")


def test_an_order_gets_what_a_hold_that_is_over_has_kept(world: World) -> None:
    shop(world)
    for reward in REWARDS:
        hold_by_the_other(world, reward)
        assert_problem(send(world, cart(reward, reward)), 409, "reward_unavailable")
        assert_problem(world.call("POST", "/v1/calculate", json=cart(None, reward)), 409, "reward_unavailable")
        let_holds_be_over(world)
        assert calculated(world, cart(None, reward))["redeemed"][0]["reward"] == reward
        # asking has freed it: it is kept by another hold, which is over as well
        states = rows(world, f"SELECT state FROM redemption WHERE reward = '{reward}'")
        assert states == [("expired",)]
        [redeemed_with] = booked(world, cart(reward, reward))["redeemed"]
        assert redeemed_with["reward"] == reward
    assert findings(world) == []


def test_in_a_batch_only_what_was_refused_is_booked_again(world: World) -> None:
    shop(world)
    hold_by_the_other(world, "last")
    let_holds_be_over(world)
    plain = {**cart("plain", "last"), "redeem": []}
    batch = {"events": [cart("a", "last"), plain, cart("b", "last"), {**cart("c", "last"), "member": {"card": "9"}}]}
    answer = world.call("POST", "/v1/events/batch", json=batch).json()
    assert [one["status"] for one in answer["results"]] == [201, 201, 409, 422]
    assert answer["results"][1]["replayed"] is False
    assert answer["results"][2]["problem"]["reasons"][0]["code"] == "out_of_stock"
    assert rows(world, "SELECT state FROM redemption ORDER BY id") == [("expired",), ("confirmed",)]
    assert rows(world, "SELECT count(*) FROM event WHERE source = 'api'") == [(2,)]
    assert findings(world) == []


def test_where_holds_cannot_be_freed_the_refusal_stands(world: World) -> None:
    shop(world)
    hold_by_the_other(world, "last")
    let_holds_be_over(world)
    world.refuse_commits_to("redemption")
    assert_problem(send(world, cart("1", "last")), 409, "reward_unavailable")
