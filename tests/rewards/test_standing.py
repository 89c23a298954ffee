"""Members who are suspended or closed: nothing is spent for them, and what comes back by itself still does."""

from typing import Any

import pytest

from api_world import World, assert_problem
from moving.pairs import merged as merge
from partner import Partner
from rewards.counter import ask, code, do, done, findings, give, member, open_shop, overdue, redeemed, rows, wallet
from rewards.test_partners import DOWN, delivery, send, shop
from setia.partners.outbox import PAUSES

DOOR = {"kind": "entitlement", "cost": {"stars": 10}, "uses": 3}
PERK = {"kind": "entitlement"}
LATER = 2 * sum((pause.total_seconds() for pause in PAUSES), 0.0)


def become(world: World, who: str, what: str) -> None:
    answer = world.call("POST", f"/v1/members/{who}/{what}", json={"reason": "test"})
    assert answer.status_code == 200, answer.text


def use(world: World, who: str, reference: str) -> Any:
    body = {"member": who, "reward": "door", "till": "door-1", "reference": reference}
    return world.call("POST", "/v1/entitlements/use", json=body)


def listed(world: World, who: str) -> list[str]:
    found = world.call("GET", f"/v1/members/{who}/entitlements").json()["entitlements"]
    return [one["reward"] for one in found]


def test_for_who_is_suspended_nothing_is_spent_and_what_is_held_can_be_cancelled(world: World) -> None:
    open_shop(world)
    who = member(world)
    first, second = (redeemed(world, who, "coffee", str(n)) for n in (1, 2))
    taken = redeemed(world, who, "mug", "3", confirm=True)
    become(world, who, "suspend")
    problem = assert_problem(do(world, first["id"], "confirm"), 422, "member_not_active")
    assert (problem["member"], problem["member_status"]) == (who, "suspended")
    assert "member_not_active" in {one["code"] for one in ask(world, who, "coffee", "4").json()["reasons"]}
    assert done(world, first["id"], "cancel")["state"] == "cancelled"
    assert done(world, taken["id"], "refund")["state"] == "refunded"
    assert wallet(world) == [(250, 150)]
    become(world, who, "reactivate")
    assert done(world, second["id"], "confirm")["state"] == "confirmed"
    # what has been confirmed is told again, whatever became of the member
    become(world, who, "suspend")
    assert do(world, second["id"], "confirm").headers["idempotent-replayed"] == "true"
    assert findings(world) == []


def test_of_who_is_closed_nothing_moves_by_hand_and_a_hold_ends_by_itself(world: World) -> None:
    open_shop(world)
    who = member(world)
    held, gone = (redeemed(world, who, "coffee", str(n)) for n in (1, 2))
    taken = redeemed(world, who, "mug", "3", confirm=True)
    done(world, gone["id"], "cancel")
    become(world, who, "close")
    for redemption, what in ((held, "confirm"), (held, "cancel"), (taken, "refund")):
        problem = assert_problem(do(world, redemption["id"], what), 422, "member_not_active")
        assert problem["member_status"] == "closed"
    assert do(world, gone["id"], "cancel").headers["idempotent-replayed"] == "true"
    assert wallet(world) == [(150, 150)]
    assert overdue(world) == 1
    assert wallet(world) == [(300, 0)]
    assert done(world, taken["id"], "fulfilment", state="shipped")["fulfilment"] == "shipped"
    assert findings(world) == []


@pytest.mark.parametrize("what", ["suspend", "close"])
def test_who_is_not_active_uses_no_entitlement(world: World, what: str) -> None:
    open_shop(world, rewards={"door": DOOR, "perk": PERK})
    who = member(world)
    redeemed(world, who, "door", "1", confirm=True)
    redeemed(world, who, "perk", "2", confirm=True)
    assert use(world, who, "a").status_code == 200
    assert listed(world, who) == ["door", "perk"]
    become(world, who, what)
    assert listed(world, who) == []
    problem = assert_problem(use(world, who, "b"), 409, "not_entitled")
    assert problem["member_status"] == {"suspend": "suspended", "close": "closed"}[what]
    # what was answered is answered again, and what was not used after all is taken back
    assert use(world, who, "a").headers["idempotent-replayed"] == "true"
    released = world.call("POST", "/v1/entitlements/release", json={"till": "door-1", "reference": "a"})
    assert released.json()["entitlement"]["uses_left"] == 3
    assert rows(world, "SELECT count(*) FROM entitlement_use") == [(1,)]


def test_a_code_is_good_in_whatever_hand(world: World) -> None:
    open_shop(world)
    who = member(world)
    text = redeemed(world, who, "coffee", confirm=True)["code"]
    become(world, who, "close")
    assert code(world, "redeem", code=text, reference="1").status_code == 200


@pytest.mark.parametrize("what", ["suspend", "close"])
def test_what_a_partner_does_not_deliver_comes_back_to_whoever_it_is(world: World, what: str) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        who = member(world)
        made = redeemed(world, who, "film", confirm=True)
        become(world, who, what)
        send(world)
    given_up = world.call("POST", f"/v1/redemptions/{made['id']}/delivery/give-up", json={"reason": "closed"})
    assert given_up.json()["state"] == "failed"
    assert delivery(world, made["id"])["state"] == "refunded"
    assert wallet(world) == [(400, 0)]
    assert findings(world) == []


def test_who_was_merged_stands_as_the_one_who_is_left(world: World) -> None:
    open_shop(world, rewards={"door": DOOR})
    kept, merged = member(world, card="1"), str(world.enrol(card="2")["id"])
    give(world, merged, 50)
    redeemed(world, merged, "door", "1", confirm=True)
    merge(world, kept, merged)
    assert use(world, merged, "a").status_code == 200
    become(world, kept, "suspend")
    assert_problem(use(world, merged, "b"), 409, "not_entitled")
