"""Races for gift cards on the real database: no cent is taken twice, whatever comes at once."""

from functools import partial

import pytest

from api_world import World
from events.shop import findings
from faults.test_reward_races import at_once, statuses
from gift_cards.drawer import act, end, issued, money, open_shop, post, rows, use, used
from rewards.counter import ask, member

pytestmark = pytest.mark.slow


def test_two_tills_with_one_card(world: World) -> None:
    open_shop(world)
    card = issued(world, 2050)
    answers = at_once([partial(use, world, card, 300, "1", till=f"t{n}") for n in range(60)])
    assert statuses(answers) == {201: 6, 409: 54}
    assert money(world, card) == (250, 0)
    assert findings(world) == []


def test_holds_and_takes_at_once(world: World) -> None:
    open_shop(world)
    card = issued(world, 1000)
    answers = at_once([partial(use, world, card, 300, str(n), capture=bool(n % 2)) for n in range(40)])
    assert statuses(answers) == {201: 3, 409: 37}
    assert sum(money(world, card)) + sum(a.json().get("captured", 0) for a in answers) == 1000
    assert findings(world) == []


def test_the_same_request_100_times(world: World) -> None:
    open_shop(world)
    card = issued(world, 1000)
    answers = at_once([partial(use, world, card, 300) for _ in range(100)])
    assert statuses(answers) == {201: 100}
    assert len({answer.text for answer in answers}) == 1
    assert money(world, card) == (700, 0)


def test_100_captures_of_one_hold(world: World) -> None:
    open_shop(world)
    card = issued(world, 1000)
    held = used(world, card, 600, capture=False)
    answers = at_once([partial(end, world, held, "capture", f"c{n}", amount=400) for n in range(100)])
    assert statuses(answers) == {200: 100}
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert money(world, card) == (600, 0)
    assert findings(world) == []


def test_a_hold_ends_one_way(world: World) -> None:
    open_shop(world)
    card = issued(world, 1000)
    held = used(world, card, 600, capture=False)
    at_once([partial(end, world, held, way, f"{way}{n}") for n in range(20) for way in ("capture", "release")])
    [(captured, still)] = rows(world, "SELECT captured, held FROM gift_card_use")
    assert (captured in {0, 600}, still) == (True, 0)
    assert money(world, card) == (1000 - captured, 0)
    assert findings(world) == []


def test_refunds_never_exceed_what_was_taken(world: World) -> None:
    open_shop(world)
    card = issued(world, 1000)
    taken = used(world, card, 1000)
    answers = at_once([partial(end, world, taken, "refund", f"r{n}", amount=150) for n in range(40)])
    assert sum(answer.status_code == 200 for answer in answers) == 6
    assert money(world, card) == (900, 0)
    assert findings(world) == []


def test_one_key_issues_one_card(world: World) -> None:
    open_shop(world)
    answers = at_once([partial(post, world, "gift-cards", "k", kind="classic", amount=100) for _ in range(40)])
    assert statuses(answers) == {201: 40}
    assert len({answer.text for answer in answers}) == 1
    assert world.count("gift_card") == 1


def test_cards_that_pay_each_other_do_not_wait_for_ever(world: World) -> None:
    open_shop(world)
    one, two = issued(world, 1000), issued(world, 1000)
    ways = [(one, two), (two, one)] * 20
    answers = at_once(
        [
            partial(post, world, f"gift-cards/{a['id']}/transfer", f"t{n}", to=b["id"], amount=10, reason="x")
            for n, (a, b) in enumerate(ways)
        ]
    )
    assert statuses(answers) == {200: 40}
    assert (money(world, one), money(world, two)) == ((1000, 0), (1000, 0))
    assert findings(world) == []


def test_a_card_is_used_or_blocked(world: World) -> None:
    open_shop(world)
    card = issued(world, 10_000)
    takes = [partial(use, world, card, 10, str(n)) for n in range(30)]
    at_once([*takes[:15], partial(act, world, card, "block", reason="stolen"), *takes[15:]])
    [(after,)] = rows(
        world,
        "SELECT count(*) FROM gift_card_entry r, gift_card_entry b "
        "WHERE b.kind = 'blocked' AND r.kind = 'redeemed' AND r.seq > b.seq",
    )
    assert after == 0
    assert findings(world) == []


def test_a_link_is_chosen_once(world: World) -> None:
    rewards = {
        "card": {"kind": "gift_card", "card": "classic", "worth": {"amount": 0}},
        "tree": {"kind": "donation"},
    }
    open_shop(world, rewards=rewards, reward_links={"thanks": {"amount": "5.00", "rewards": ["card", "tree"]}})
    token = post(world, "reward-links", "k", kind="thanks").json()["token"]
    # Fewer than an address may ask for at once.
    answers = at_once(
        [partial(post, world, f"links/{token}/choose", reward=("card", "tree")[n % 2]) for n in range(16)]
    )
    assert statuses(answers) == {200: 8, 409: 8}
    [(cards, chosen)] = rows(world, "SELECT (SELECT count(*) FROM gift_card), reward FROM reward_link")
    assert cards == (1 if chosen == "card" else 0)
    assert findings(world) == []


def order(card: dict[str, str], number: int, member: str) -> dict[str, object]:
    return {
        "type": "purchase",
        "external_id": f"o{number}",
        "member": {"card": member},
        "lines": [{"sku": "A", "amount": "1.50"}],
        "tenders": [{"type": "gift_card", "code": card["code"]}],
    }


def test_orders_and_tills_with_one_card(world: World) -> None:
    open_shop(world)
    card = issued(world, 2000)
    for number in range(8):
        world.enrol(card=str(number))
    orders = [partial(world.call, "POST", "/v1/events", json=order(card, n, str(n % 8))) for n in range(24)]
    tills = [partial(use, world, card, 150, str(n), partly=True) for n in range(24)]
    answers = at_once([call for pair in zip(orders, tills, strict=True) for call in pair])
    assert {answer.status_code for answer in answers[::2]} == {201}
    paid = [answer.json()["payment"]["gift_cards"][0]["amount"] for answer in answers[::2]]
    taken = [answer.json()["captured"] for answer in answers[1::2] if answer.status_code == 201]
    assert sum(round(float(amount) * 100) for amount in paid) + sum(taken) == 2000
    assert money(world, card) == (0, 0)
    assert findings(world) == []


def test_a_return_and_refunds_by_hand_at_once(world: World) -> None:
    open_shop(world)
    world.enrol(card="1")
    card = issued(world, 2000)
    bought = world.call("POST", "/v1/events", json=order(card, 1, "1")).json()["payment"]["gift_cards"][0]
    back = {"type": "return", "external_id": "r", "member": {"card": "1"}, "data": {"order": "o1"}}
    by_hand = [partial(end, world, {"id": bought["use"]}, "refund", f"h{n}", amount=40) for n in range(10)]
    at_once([*by_hand[:5], partial(world.call, "POST", "/v1/events", json=back), *by_hand[5:]])
    assert money(world, card) == (2000, 0)
    assert rows(world, "SELECT captured, refunded FROM gift_card_use") == [(150, 150)]
    assert findings(world) == []


def test_rewards_load_a_card_that_tills_use(world: World) -> None:
    reward = {"kind": "gift_card", "card": "classic", "cost": {"stars": 1}, "worth": {"amount": "1.00"}}
    open_shop(world, rewards={"top_up": reward})
    people = [member(world, 10, str(n)) for n in range(6)]
    card = issued(world, 1000)
    more = {"confirm": True, "gift_card": card["id"]}
    loads = [partial(ask, world, who, "top_up", f"{who}/{n}", **more) for who in people for n in range(3)]
    takes = [partial(use, world, card, 50, str(n)) for n in range(18)]
    answers = at_once([call for pair in zip(loads, takes, strict=True) for call in pair])
    assert statuses(answers) == {201: 36}
    assert money(world, card) == (1000 + 18 * 100 - 18 * 50, 0)
    assert findings(world) == []
