"""What links hand out counts with what members redeem: stock, limits over all, calendar, and how much a card holds."""

import threading

from api_world import World, assert_problem
from gift_cards.drawer import KINDS, at, findings, issued, money, open_shop, rows
from reward_links.test_links import choose, look, send, sent
from rewards.counter import ask, member, redeemed

REWARDS = {
    "mug": {"kind": "physical", "stock": 2, "cost": {"stars": 1}},
    "card": {"kind": "gift_card", "card": "small", "worth": {"amount": 0}},
    "tree": {"kind": "donation", "in_all": {"every": "month", "uses": 1}},
    "past": {"kind": "donation", "schedule": {"ends": "2026-01-31"}},
}
LINKS = {"thanks": {"amount": "20.00", "rewards": ["mug", "card", "tree", "past"]}}


def offered(world: World, link: dict[str, str]) -> list[str]:
    return [one["reward"] for one in look(world, link).json()["choices"]]


def test_a_reward_is_used_at_most_its_stock_over_links_and_redemptions(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    who, links = member(world, 9), [sent(world, f"k{number}") for number in range(3)]
    redeemed(world, who, "mug", "a", confirm=True)
    assert choose(world, links[0], "mug").status_code == 200
    assert_problem(choose(world, links[1], "mug"), 409, "reward_not_offered")
    assert choose(world, links[0], "mug").headers["Idempotent-Replayed"] == "true"
    assert "mug" not in offered(world, links[2])
    assert_problem(ask(world, who, "mug", "b", confirm=True), 409, "reward_unavailable")
    assert rows(world, "SELECT used FROM reward_stock") == [(2,)]
    assert findings(world) == []


def test_limits_over_all_and_the_calendar_of_a_reward_hold_for_links(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    at(world, "2026-05-31T12:00:00Z")
    first, second = sent(world, "k1"), sent(world, "k2")
    assert offered(world, first) == ["mug", "card", "tree"]
    assert choose(world, first, "tree").status_code == 200
    assert offered(world, second) == ["mug", "card"]
    at(world, "2026-06-01T12:00:00Z")
    assert offered(world, second) == ["mug", "card", "tree"]
    assert choose(world, second, "tree").status_code == 200
    assert findings(world) == []


def test_a_card_that_cannot_hold_the_amount_is_not_offered(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links={**LINKS, "cards": {"rewards": ["card"]}})
    assert "card" in offered(world, sent(world, "k1", amount=3000))
    large = sent(world, "k2", amount=3001)
    assert "card" not in offered(world, large)
    assert_problem(choose(world, large, "card"), 409, "reward_not_offered")
    problem = assert_problem(send(world, "k3", kind="cards", amount=3001), 422, "invalid_reward_link")
    assert problem["errors"][0]["pointer"] == "#/kind"


def test_of_many_recipients_at_once_as_many_get_one_as_there_are(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    links = [sent(world, f"k{number}") for number in range(8)]
    told: list[int] = []
    threads = [
        threading.Thread(target=lambda link=link: told.append(choose(world, link, "mug").status_code)) for link in links
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [200, 200, *[409] * 6]
    assert rows(world, "SELECT used FROM reward_stock") == [(2,)]
    assert findings(world) == []


def test_a_stock_that_forgets_a_link_is_found(world: World) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    choose(world, sent(world), "mug")
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE reward_stock SET used = 0")
    assert [found.kind for found in findings(world)] == ["reward_stock"]


def test_moments_at_the_edge_of_the_calendar_are_no_faults_of_ours(world: World) -> None:
    open_shop(world, gift_cards={**KINDS, "old": {"valid_for": "1y"}}, rewards=REWARDS, reward_links=LINKS)
    sent(world)
    for first, last in (("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00"),):
        answer = world.call("GET", f"/v1/reports/reward-links?since={first}&until={last}")
        assert [one["sent"] for one in answer.json()["totals"]] == [1]
    card = issued(world, 100, "old")
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        body = {"expires_at": moment, "reason": "x"}
        path, headers = f"/v1/gift-cards/{card['id']}/extend", {"Idempotency-Key": moment}
        problem = assert_problem(world.call("POST", path, json=body, headers=headers), 422, "validation_failed")
        assert problem["errors"][0]["pointer"] == "#/expires_at"
    assert money(world, card) == (100, 0)
