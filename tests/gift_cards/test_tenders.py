"""Gift cards in the cart: after promotions, several in order, the rest stays; asked and booked alike; and returns."""

from typing import Any

import pytest

from api_world import World, assert_problem
from gift_cards.drawer import acted, at, ended, findings, history, issued, money, open_shop, rows, used
from setia.codes import guesses
from setia.events.rebuild import rebuild_states

TENTH = {"on": "purchase", "discount": {"percent": 10, "codes": ["TENTH"]}}
EARN = {"on": "purchase", "earn": {"stars": "1 per 1.00"}}
NO_CARDS = {"on": "purchase", "basis": {"paid_with_gift_card": False}, "earn": {"status": "1 per 1.00"}}


def shop(world: World, **more: Any) -> str:
    """A shop with a promotion, and a member."""
    open_shop(world, campaigns={"tenth": TENTH, "base": EARN, "no_cards": NO_CARDS}, **more)
    return str(world.enrol(card="1")["id"])


def order(*cards: Any, amount: str = "100.00", external_id: str = "o1", **more: Any) -> dict[str, Any]:
    """A purchase that cards pay for."""
    shown = [one if "type" in one else {"type": "gift_card", "code": one["code"]} for one in cards]
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "1"},
        "lines": [{"sku": "A", "amount": amount}],
        "tenders": shown,
        "pricing": "before",
        **more,
    }


def bought(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Ask, then buy: both say the same of the payment, but for what only the event makes."""
    asked = world.call("POST", "/v1/calculate", json=body)
    assert asked.status_code == 200, asked.text
    answer = world.call("POST", "/v1/events", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert without_ids(asked.json()["payment"]) == without_ids(found["payment"])
    assert asked.json()["granted"] == found["granted"]
    return found


def without_ids(payment: dict[str, Any]) -> dict[str, Any]:
    cards = [{k: v for k, v in one.items() if k not in {"card", "use"}} for one in payment["gift_cards"]]
    return payment | {"gift_cards": cards}


def back(world: World, external_id: str = "r1", kind: str = "return", **data: Any) -> dict[str, Any]:
    """Return an order, or a part."""
    body = {"type": kind, "external_id": external_id, "member": {"card": "1"}, "data": {"order": "o1", **data}}
    asked = world.call("POST", "/v1/calculate", json=body)
    assert asked.status_code == 200, asked.text
    answer = world.call("POST", "/v1/events", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert (asked.json()["payment"] is None) == (found["payment"] is None)
    if found["payment"] is not None:
        assert without_ids(asked.json()["payment"]) == without_ids(found["payment"])
    return found


def assert_sound(world: World) -> None:
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_promotions_come_before_the_card(world: World) -> None:
    shop(world)
    card = issued(world, 5000)
    found = bought(world, order(card, codes=["TENTH"]))
    payment = found["payment"]
    assert (payment["total"], payment["rest"]) == ("90.00", "40.00")
    [paid] = payment["gift_cards"]
    assert (paid["amount"], paid["left"], paid["card"], paid["hint"]) == ("50.00", "0.00", card["id"], card["hint"])
    assert found["granted"] == {"stars": 90, "status": 40}
    assert money(world, card) == (0, 0)
    assert_sound(world)


def test_two_cards_pay_in_their_order_and_the_rest_stays(world: World) -> None:
    shop(world)
    one, two = issued(world, 3000), issued(world, 10_000)
    found = bought(world, order(one, two, amount="50.00", shipping="5.00"))
    assert found["payment"]["rest"] == "0.00"
    assert [(paid["amount"], paid["left"]) for paid in found["payment"]["gift_cards"]] == [
        ("30.00", "0.00"),
        ("25.00", "75.00"),
    ]
    assert (money(world, one), money(world, two)) == ((0, 0), (7500, 0))
    assert_sound(world)


def test_a_card_pays_what_is_asked_of_it_and_other_money_comes_first(world: World) -> None:
    shop(world)
    one, two = issued(world, 3000), issued(world, 3000)
    tenders = [
        {"type": "gift_card", "code": one["code"], "amount": "10.00"},
        {"type": "cash", "amount": "80.00"},
        {"type": "gift_card", "code": two["code"]},
    ]
    found = bought(world, order(*tenders, pricing="final"))
    assert [paid["amount"] for paid in found["payment"]["gift_cards"]] == ["10.00", "10.00"]
    assert (found["payment"]["total"], found["payment"]["rest"]) == ("100.00", "0.00")
    assert found["to_pay"] is None


def test_the_code_is_kept_nowhere(world: World) -> None:
    shop(world)
    card = issued(world, 5000)
    bought(world, order(card))
    text = str(rows(world, "SELECT e, j, u, g FROM event e, journal j, gift_card_use u, gift_card_entry g"))
    assert card["code"] not in text
    assert '"gift_card"' in text.replace('\\"', '"').replace('""', '"')


def test_the_same_event_pays_once(world: World) -> None:
    shop(world)
    card = issued(world, 50_000)
    first = bought(world, order(card))
    again = world.call("POST", "/v1/events", json=order(card))
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first
    other = world.call("POST", "/v1/events", json=order({"type": "gift_card", "code": "none"}))
    assert_problem(other, 422, "external_id_reused")
    assert money(world, card) == (40_000, 0)


def test_what_a_card_cannot_pay_is_said_and_the_order_is_booked(world: World) -> None:
    shop(world)
    at(world, "2026-05-05T10:00:00Z")
    blocked, empty, swiss, old, good = (
        issued(world),
        issued(world, 0),
        issued(world, 100, "swiss"),
        issued(world, 100, "yearly"),
        issued(world, 1000),
    )
    acted(world, blocked, "block", reason="x")
    at(world, "2027-06-05T10:00:00Z")
    wrong = {"code": "AAAAA-AAAAA-AAAAA-AAAAA"}
    found = bought(world, order(blocked, empty, swiss, old, wrong, good, good))
    assert [(one["amount"], one.get("refused")) for one in found["payment"]["gift_cards"]] == [
        ("0.00", "blocked"),
        ("0.00", "empty"),
        ("0.00", "currency"),
        ("0.00", "expired"),
        ("0.00", "unknown"),
        ("10.00", None),
        ("0.00", "twice"),
    ]
    assert found["payment"]["rest"] == "90.00"
    assert rows(world, "SELECT max(failures) FROM code_guess") == [(2,)]
    assert_sound(world)


def test_who_guesses_in_carts_has_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(world)
    monkeypatch.setattr(guesses, "MOST_OF_KEY", 2)
    wrong = order({"code": "AAAAA-AAAAA-AAAAA-AAAAA"})
    bought(world, wrong)
    assert_problem(world.call("POST", "/v1/calculate", json=wrong), 429, "too_many_guesses")
    answer = world.call("POST", "/v1/events", json=wrong | {"external_id": "o2"})
    assert_problem(answer, 429, "too_many_guesses")
    assert world.call("POST", "/v1/events", json=wrong).status_code == 201  # it is the first one again


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"member": None}, "#/tenders/0/code"),
        ({"tenders": [{"type": "cash", "code": "x", "amount": "1"}]}, "#/tenders/0/code"),
        ({"tenders": [{"type": "gift_card"}]}, "#/tenders/0/amount"),
        ({"tenders": [{"type": "gift_card", "code": "x", "amount": "-1"}]}, "#/tenders/0/amount"),
    ],
)
def test_what_is_no_tender(world: World, change: dict[str, Any], pointer: str) -> None:
    shop(world)
    answer = world.call("POST", "/v1/events", json=order(issued(world)) | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_an_order_that_is_kept_is_paid_by_no_card(world: World) -> None:
    shop(world, members={"unknown": "keep"})
    card = issued(world)
    answer = world.call("POST", "/v1/events", json=order(card, member={"card": "99"}))
    assert_problem(answer, 422, "invalid_event")
    assert money(world, card) == (5000, 0)


def test_orders_of_one_batch_share_a_card(world: World) -> None:
    shop(world)
    card = issued(world, 15_000)
    batch = {"events": [order(card, external_id="o1"), order(card, external_id="o2"), order(card, external_id="o3")]}
    results = world.call("POST", "/v1/events/batch", json=batch).json()["results"]
    assert [one["event"]["payment"]["gift_cards"][0]["amount"] for one in results] == ["100.00", "50.00", "0.00"]
    assert [one["event"]["payment"]["gift_cards"][0]["left"] for one in results] == ["50.00", "0.00", "0.00"]
    assert money(world, card) == (0, 0)
    assert_sound(world)


def test_a_promotion_for_who_pays_by_card(world: World) -> None:
    by_card = 'event.tenders.exists(t, t.type == "gift_card" && t.amount >= 50.0)'
    open_shop(world, campaigns={"cards": {"on": "purchase", "when": by_card, "discount": {"percent": 20}}})
    world.enrol(card="1")
    card = issued(world, 50_000)
    found = bought(world, order(card))
    assert (found["payment"]["total"], found["payment"]["rest"]) == ("80.00", "0.00")
    assert money(world, card) == (42_000, 0)


def test_a_promotion_that_never_agrees_with_its_payment_takes_no_more_than_is_owed(world: World) -> None:
    by_card = 'event.tenders.exists(t, t.type == "gift_card" && t.amount >= 50.0)'
    open_shop(world, campaigns={"cards": {"on": "purchase", "when": by_card, "discount": {"percent": 90}}})
    world.enrol(card="1")
    card = issued(world, 50_000)
    payment = bought(world, order(card))["payment"]
    assert (payment["total"], payment["gift_cards"][0]["amount"], payment["rest"]) == ("100.00", "10.00", "90.00")
    assert money(world, card) == (49_000, 0)


def test_an_order_that_comes_back_pays_the_cards_back_first(world: World) -> None:
    shop(world)
    one, two = issued(world, 3000), issued(world, 2000)
    lines = [{"sku": "A", "amount": "60.00"}, {"sku": "B", "amount": "40.00"}]
    bought(world, order(one, two, lines=lines))
    part = back(world, "r1", lines=[{"sku": "B"}])["payment"]
    assert (part["total"], part["rest"]) == ("-40.00", "0.00")
    assert [(paid["amount"], paid["left"]) for paid in part["gift_cards"]] == [("-20.00", "20.00"), ("-20.00", "20.00")]
    whole = back(world, "r2")["payment"]
    assert (whole["total"], whole["rest"]) == ("-60.00", "-50.00")
    assert [paid["amount"] for paid in whole["gift_cards"]] == ["-10.00"]
    assert (money(world, one), money(world, two)) == ((3000, 0), (2000, 0))
    assert history(world, two) == ["issued", "redeemed", "refunded"]
    assert_sound(world)


def test_a_promotion_that_is_lost_lessens_what_comes_back(world: World) -> None:
    big = {"on": "purchase", "when": "event.total >= 80.0", "discount": {"percent": 10}}
    open_shop(world, campaigns={"big": big})
    world.enrol(card="1")
    card = issued(world, 20_000)
    lines = [{"sku": "A", "amount": "60.00"}, {"sku": "B", "amount": "40.00"}]
    assert bought(world, order(card, lines=lines))["payment"]["total"] == "90.00"
    found = back(world, lines=[{"sku": "B"}])["payment"]
    assert (found["total"], found["rest"]) == ("-30.00", "0.00")
    assert money(world, card) == (20_000 - 6000, 0)
    assert_sound(world)


def test_what_was_refunded_by_hand_does_not_come_back_twice(world: World) -> None:
    shop(world)
    card = issued(world, 5000)
    use = bought(world, order(card, pricing="final"))["payment"]["gift_cards"][0]["use"]
    ended(world, {"id": use}, "refund", amount=4000)
    found = back(world)["payment"]
    assert [paid["amount"] for paid in found["gift_cards"]] == ["-10.00"]
    assert money(world, card) == (5000, 0)
    back(world, "c1", "cancel", order="r1")
    assert money(world, card) == (5000, 0)
    assert_sound(world)


def test_an_order_without_cards_says_nothing_of_them(world: World) -> None:
    shop(world)
    body = order()
    assert world.call("POST", "/v1/events", json=body).json()["payment"] is None
    assert back(world)["payment"] is None


def test_a_commit_that_fails_takes_nothing(world: World) -> None:
    shop(world)
    card = issued(world, 5000)
    world.refuse_commits_to("journal")
    assert world.call("POST", "/v1/events", json=order(card)).status_code == 500
    assert money(world, card) == (5000, 0)
    assert history(world, card) == ["issued"]


def test_an_order_that_is_refused_takes_nothing(world: World) -> None:
    rewards = {"off": {"kind": "discount", "cost": {"stars": 500}, "worth": {"amount": "5.00"}}}
    shop(world, rewards=rewards)
    card = issued(world, 5000)
    answer = world.call("POST", "/v1/events", json=order(card, redeem=[{"reward": "off"}]))
    assert_problem(answer, 409, "reward_unavailable")
    assert money(world, card) == (5000, 0)
    used(world, card, 1, "still")


def test_what_was_paid_again_otherwise_comes_back_otherwise(world: World) -> None:
    shop(world)
    cards = [issued(world, 3000), issued(world, 2500)]
    lines = [{"sku": "A", "amount": "60.00"}, {"sku": "B", "amount": "40.00"}]
    bought(world, order(*cards, lines=lines))
    told = []
    for number in range(2):
        part = back(world, f"r{number}", lines=[{"line": 0}])
        again = back(world, f"c{number}", kind="cancel", order=f"r{number}")
        assert (part["refund"], again["refund"], again["payment"]) == ("60.00", "-60.00", None)
        told.append((part["payment"]["total"], part["payment"]["rest"]))
    # The cards have their money back since the first time: from then on the customer paid otherwise.
    assert told == [("-60.00", "-5.00"), ("-60.00", "-60.00")]
    whole = back(world, "all", kind="cancel")
    assert (whole["refund"], whole["payment"]["rest"]) == ("100.00", "-100.00")
    assert_sound(world)
