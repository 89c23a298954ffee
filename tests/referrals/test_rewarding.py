"""Both sides are rewarded, at the chosen moment, once."""

from api_world import World
from referrals.friends import (
    CAMPAIGNS,
    assert_sound,
    bring_back,
    buy,
    code_of,
    invite,
    later,
    listed,
    member,
    open_shop,
    pair,
    rows,
    stars,
    states,
)


def test_both_are_rewarded_on_the_first_purchase_and_never_again(world: World) -> None:
    open_shop(world)
    ada, bob = pair(world)
    assert stars(world, ada, bob) == [10, 5]
    assert states(world) == [("joined", None)]
    assert buy(world, bob).status_code == 201
    assert stars(world, ada, bob) == [110, 55]
    assert states(world) == [("won", None)]
    buy(world, bob, order="o2")
    later(world, 40)
    assert stars(world, ada, bob) == [110, 55]
    [one] = listed(world)
    assert one["amount"] == 2000
    assert one["order"].startswith("evt_")
    assert_sound(world)


def test_the_reward_can_come_at_the_enrolment(world: World) -> None:
    open_shop(world, reward_at="enrolled")
    ada, bob = pair(world)
    assert stars(world, ada, bob) == [110, 55]
    assert states(world) == [("won", None)]
    buy(world, bob)
    assert stars(world, ada, bob) == [110, 55]
    assert_sound(world)


def test_the_reward_can_come_some_time_after_the_enrolment(world: World) -> None:
    open_shop(world, reward_at="enrolled", after="3d")
    ada, bob = pair(world)
    assert (stars(world, ada, bob), states(world)) == ([10, 5], [("qualified", None)])
    later(world, 2.9)
    assert states(world) == [("qualified", None)]
    later(world, 0.1)
    assert (stars(world, ada, bob), states(world)) == ([110, 55], [("won", None)])


def test_the_first_order_must_reach_the_minimum(world: World) -> None:
    open_shop(world, at_least="30.00")
    ada, bob = pair(world)
    buy(world, bob, "29.99")
    assert states(world) == [("void", "below_minimum")]
    buy(world, bob, "60.00", "o2")
    assert stars(world, ada, bob) == [10, 5]
    assert_sound(world)


def test_what_is_paid_after_discounts_counts_for_the_minimum(world: World) -> None:
    open_shop(world, at_least="50.00")
    _, bob = pair(world)
    buy(world, bob, "60.00", discount="15.00")
    assert states(world) == [("void", "below_minimum")]


def test_what_points_pay_or_promotions_take_off_is_not_paid(world: World) -> None:
    half = {"on": "purchase", "discount": {"percent": 50, "codes": ["HALF"]}}
    open_shop(world, campaigns=CAMPAIGNS | {"half": half}, at_least="50.00")
    code = code_of(world, member(world, "ada"))
    bob, eve, kim = (member(world, name, referral_code=code) for name in ("bob", "eve", "kim"))
    buy(world, bob, "60.00", "o1", tenders=[{"type": "points", "amount": "15.00"}])
    buy(world, eve, "99.98", "o2", pricing="before", codes=["HALF"])
    buy(world, kim, "100.00", "o3", pricing="before", codes=["HALF"])
    assert states(world) == [("won", None), ("void", "below_minimum"), ("void", "below_minimum")]
    assert listed(world, friend=kim)[0]["amount"] == 5000
    assert_sound(world)


def test_purchases_in_one_batch_are_seen_in_their_order(world: World) -> None:
    open_shop(world, at_least="20.00")
    ada, bob = pair(world)
    events = [
        {
            "type": "purchase",
            "external_id": f"o{number}",
            "member": {"id": bob},
            "lines": [{"sku": "latte", "amount": amount}],
        }
        for number, amount in enumerate(("20.00", "5.00"))
    ]
    assert world.call("POST", "/v1/events/batch", json={"events": events}).status_code == 200
    assert (stars(world, ada, bob), listed(world)[0]["amount"]) == ([110, 55], 2000)


def test_an_order_that_was_kept_for_the_friend_is_the_first_one(world: World) -> None:
    open_shop(world, live=True)
    whole = world.call("GET", "/v1/program").json()["definition"]
    whole["members"]["unknown"] = "keep"
    assert world.call("POST", "/v1/program/versions", json={"definition": whole}).status_code == 201
    code = code_of(world, member(world, "ada"))
    kept = {"type": "purchase", "external_id": "o1", "lines": [{"sku": "latte", "amount": "20.00"}]}
    world.call("POST", "/v1/events", json={**kept, "member": {"external_id": "bob"}})
    member(world, "bob", referral_code=code)
    assert states(world) == [("won", None)]
    assert_sound(world)


def test_any_purchase_can_count(world: World) -> None:
    open_shop(world, reward_at="purchase", at_least="30.00", after="14d")
    ada, bob = pair(world)
    buy(world, bob, "10.00")
    assert states(world) == [("joined", None)]
    buy(world, bob, "30.00", "o2")
    assert states(world) == [("qualified", None)]
    bring_back(world, bob, "o2")
    assert states(world) == [("joined", None)]
    buy(world, bob, "31.00", "o3")
    later(world, 14)
    assert states(world) == [("won", None)]
    assert listed(world)[0]["amount"] == 3100
    assert stars(world, ada, bob) == [110, 55]
    assert_sound(world)


def test_both_wait_for_the_return_window(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    [one] = listed(world)
    assert (one["state"], one["due_at"]) == ("qualified", "2026-03-16T09:00:00Z")
    later(world, 13.9)
    assert stars(world, ada, bob) == [10, 5]
    later(world, 1)
    assert (stars(world, ada, bob), states(world)) == ([110, 55], [("won", None)])
    [(occurred,)] = rows(world, "SELECT occurred_at FROM event WHERE type = 'referral_won'")
    assert occurred.isoformat() == "2026-03-16T09:00:00+00:00"
    assert_sound(world)


def test_a_return_within_the_window_voids_it_and_its_cancelling_lets_it_stand(world: World) -> None:
    open_shop(world, after="14d", at_least="15.00")
    ada, bob = pair(world)
    buy(world, bob)
    bring_back(world, bob, lines=[{"line": 0, "amount": "3.00"}])
    assert states(world) == [("qualified", None)]
    assert listed(world)[0]["amount"] == 1700
    bring_back(world, bob)
    assert states(world) == [("void", "returned")]
    [(name,)] = rows(world, "SELECT external_id FROM event WHERE type = 'return' ORDER BY id DESC LIMIT 1")
    bring_back(world, bob, name, "cancel")
    assert states(world) == [("qualified", None)]
    later(world, 14)
    assert (stars(world, ada, bob), states(world)) == ([110, 55], [("won", None)])
    assert_sound(world)


def test_a_return_is_final_when_the_window_has_ended(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    bring_back(world, bob)
    later(world, 15)
    [one] = listed(world)
    assert (one["state"], one["reason"], one["due_at"]) == ("void", "returned", None)
    assert one["ended_at"] is not None
    buy(world, bob, "90.00", "o2")
    assert stars(world, ada, bob) == [10, 5]


def test_a_return_after_the_reward_changes_nothing(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    later(world, 15)
    bring_back(world, bob)
    assert (stars(world, ada, bob), states(world)) == ([110, 55], [("won", None)])
    assert_sound(world)


def test_who_does_not_buy_in_time_is_too_late(world: World) -> None:
    open_shop(world, within="30d")
    ada, bob = pair(world)
    later(world, 31)
    assert states(world) == [("joined", None)]
    assert listed(world)[0]["due_at"] == "2026-04-08T08:00:00Z"  # a week later, at ten as before the clocks changed
    buy(world, bob)
    assert states(world) == [("joined", None)]
    later(world, 7)
    assert states(world) == [("void", "too_late")]
    assert stars(world, ada, bob) == [10, 5]
    assert_sound(world)


def test_an_order_that_is_told_late_counts_by_when_it_was(world: World) -> None:
    open_shop(world, within="30d", grace="5d", after="14d")
    ada, bob = pair(world)
    later(world, 33)
    buy(world, bob, order="too late")
    buy(world, bob, order="in time", occurred_at="2026-03-30T10:00:00Z")
    assert states(world) == [("qualified", None)]
    later(world, 9)
    assert states(world) == [("qualified", None)]
    later(world, 1)
    assert (stars(world, ada, bob), states(world)) == ([110, 55], [("won", None)])
    eve = member(world, "eve", referral_code=code_of(world, ada))
    later(world, 36)
    assert buy(world, eve, order="told too late", occurred_at="2026-04-14T10:00:00Z").status_code == 201
    assert states(world, friend=eve) == [("void", "too_late")]
    assert_sound(world)


def test_without_grace_it_ends_at_the_deadline(world: World) -> None:
    open_shop(world, within="30d", grace="0d")
    pair(world)
    later(world, 30)
    assert states(world) == [("void", "too_late")]


def test_steps_add_up_for_an_invited_friend(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada")
    assert invite(world, ada, email="Bob@Example.com").status_code == 201
    assert stars(world, ada) == [1]
    bob = member(world, "bob", identifiers={"email": "bob@example.com"})
    assert stars(world, ada) == [11]
    buy(world, bob)
    assert stars(world, ada, bob) == [111, 55]
    assert_sound(world)


def test_campaigns_see_order_balance_and_number(world: World) -> None:
    campaigns = {
        "share": {"on": "referral_won", "earn": {"stars": {"expression": "member.points.stars * 0.1"}}},
        "part": {"on": "referral_won", "earn": {"stars": {"expression": "event.data.amount"}}},
        "second": {"on": "referral_won", "when": "event.data.wins == 1", "earn": {"stars": 1000}},
        "joined": {"on": "referral_joined", "when": 'event.data.order == "o1"', "earn": {"stars": 7}},
    }
    open_shop(world, campaigns=campaigns)
    ada, bob = pair(world)
    body = {"points": "stars", "amount": 100, "reason": "opening"}
    world.call("POST", f"/v1/members/{ada}/adjustments", json=body, headers={"Idempotency-Key": "1"})
    buy(world, bob)
    assert stars(world, ada, bob) == [130, 7]
    eve = member(world, "eve", referral_code=code_of(world, ada))
    buy(world, eve, "1.00", "o2")
    assert stars(world, ada, eve) == [130 + 13 + 1 + 1000, 0]
    assert_sound(world)


def test_who_referred_the_referrer_wins_where_levels_say_so(world: World) -> None:
    campaigns = CAMPAIGNS | {"above": {"on": "referral_won", "when": "event.data.level == 2", "earn": {"stars": 30}}}
    open_shop(world, campaigns=campaigns, levels=2)
    ada, bob = pair(world)
    eve = member(world, "eve", referral_code=code_of(world, bob))
    zoe = member(world, "zoe", referral_code=code_of(world, eve))
    buy(world, zoe, order="o3")
    # Two levels: who referred zoe, and who referred eve; ada is a third.
    assert stars(world, ada, bob, eve, zoe) == [10, 5 + 10 + 30, 5 + 10 + 100, 55]
    assert_sound(world)


def test_a_campaign_s_limit_holds_for_referrals(world: World) -> None:
    won = CAMPAIGNS["won"] | {"limits": [{"in_all": "150 stars"}]}
    open_shop(world, campaigns={**CAMPAIGNS, "won": won})
    ada = member(world, "ada")
    code = code_of(world, ada)
    for number in range(3):
        buy(world, member(world, f"f{number}", referral_code=code), order=f"o{number}")
    assert stars(world, ada) == [3 * 10 + 150]
    assert_sound(world)
