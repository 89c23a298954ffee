"""Reward links: sent, opened without a key, chosen once, paid for only then; expired, withdrawn, counted."""

from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from gift_cards.drawer import at, findings, money, open_shop, rows, used
from setia.reward_links import public_router

LINKS: dict[str, Any] = {
    "thanks": {
        "name": {"en": "Thank you", "de": "Danke"},
        "amount": "50.00",
        "rewards": ["card", "swiss", "tree", "cinema", "mug"],
        "valid_for": "30d",
    },
    "survey": {"currency": "CHF", "rewards": ["swiss", "card"]},
    "films": {"amount": "10.00", "rewards": ["cinema"]},
}
REWARDS: dict[str, Any] = {
    "card": {"kind": "gift_card", "card": "classic", "worth": {"amount": 0}, "name": {"de": "Karte", "en": "Card"}},
    "swiss": {"kind": "gift_card", "card": "swiss", "worth": {"amount": 0}},
    "tree": {"kind": "donation", "name": "A tree"},
    "mug": {"kind": "physical", "enabled": False},
    "cinema": {"kind": "partner", "partner": "Kino", "code": {"pool": "cinema"}},
}


def shop(world: World, films: int = 1) -> None:
    open_shop(world, rewards=REWARDS, reward_links=LINKS)
    at(world, "2026-05-05T10:00:00Z")
    if films:
        codes = {"codes": [f"KINO-{n:04d}" for n in range(films)]}
        assert world.call("POST", "/v1/code-pools/cinema/codes", json=codes).status_code == 200


def send(world: World, key: str = "k", **more: Any) -> Response:
    body = {"kind": "thanks", **more}
    return world.call("POST", "/v1/reward-links", json=body, headers={"Idempotency-Key": key})


def sent(world: World, key: str = "k", **more: Any) -> dict[str, Any]:
    answer = send(world, key, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def look(world: World, link: dict[str, Any], language: str = "en") -> Response:
    return world.call("GET", f"/v1/links/{link['token']}?locale={language}", key=None)


def choose(world: World, link: dict[str, Any], reward: str) -> Response:
    return world.call("POST", f"/v1/links/{link['token']}/choose", key=None, json={"reward": reward})


def link(world: World, shown: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = world.call("GET", f"/v1/reward-links/{shown['id']}").json()
    return found


def test_a_link_is_sent_opened_and_chosen_once(world: World) -> None:
    shop(world)
    made = sent(world, reason="referral won")
    assert (made["state"], made["amount"], made["currency"]) == ("sent", 5000, "EUR")
    assert made["expires_at"] == "2026-06-04T10:00:00Z"
    seen = look(world, made, "de").json()
    assert (seen["program"], seen["name"], seen["state"], seen["amount"]) == ("Coffee Stars", "Danke", "opened", 5000)
    assert [(one["reward"], one["name"]) for one in seen["choices"]] == [
        ("card", "Karte"),
        ("tree", "A tree"),
        ("cinema", "cinema"),
    ]
    assert "referral" not in str(seen)
    assert world.count("gift_card") == 0
    first, again = choose(world, made, "card"), choose(world, made, "card")
    assert first.status_code == 200
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(choose(world, made, "tree"), 409, "reward_link_chosen")
    after = link(world, made)
    assert (after["state"], after["reward"], after["opened_at"]) == ("redeemed", "card", "2026-05-05T10:00:00Z")
    assert money(world, {"id": after["card"]}) == (5000, 0)
    ended = look(world, made).json()
    assert (ended["choices"], ended["reward"], ended["code"]) == ([], "card", first.json()["code"])
    used(world, first.json(), 100)
    assert look(world, made).json()["code"] is None
    assert choose(world, made, "card").json()["code"] is None
    assert findings(world) == []


def test_the_token_is_kept_nowhere_and_shown_again_until_the_link_has_ended(world: World) -> None:
    shop(world)
    made = sent(world)
    assert made["token"] not in str(rows(world, "SELECT l, k FROM reward_link l, idempotency_key k"))
    assert link(world, made)["token"] is None
    again = send(world)
    assert again.json() == made
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(send(world, amount=1), 422, "idempotency_key_reused")
    choose(world, made, "tree")
    assert send(world).json()["token"] is None
    assert world.count("reward_link") == 1


def test_the_recipient_has_until_a_date(world: World) -> None:
    shop(world)
    made = sent(world, valid_for="1d")
    at(world, "2026-05-06T09:59:59Z")
    assert look(world, made).json()["state"] == "opened"
    at(world, "2026-05-06T10:00:00Z")
    seen = look(world, made).json()
    assert (seen["state"], seen["choices"]) == ("expired", [])
    assert assert_problem(choose(world, made, "card"), 410, "reward_link_over")["state"] == "expired"
    assert world.call("POST", f"/v1/reward-links/{made['id']}/withdraw").json()["state"] == "expired"
    assert world.count("gift_card") == 0


def test_a_link_is_withdrawn(world: World) -> None:
    shop(world)
    made, other = sent(world), sent(world, "other")
    for _ in range(2):
        assert world.call("POST", f"/v1/reward-links/{made['id']}/withdraw").json()["state"] == "withdrawn"
    assert_problem(choose(world, made, "card"), 410, "reward_link_over")
    choose(world, other, "card")
    assert_problem(world.call("POST", f"/v1/reward-links/{other['id']}/withdraw"), 409, "reward_link_chosen")


def test_what_is_delivered_has_a_state(world: World) -> None:
    shop(world)
    made, card = sent(world), sent(world, "2")
    answer = choose(world, made, "tree").json()
    assert (answer["code"], link(world, made)["fulfilment"]) == (None, "open")
    place = f"/v1/reward-links/{made['id']}/fulfilment"
    assert world.call("POST", place, json={"state": "delivered"}).json()["fulfilment"] == "delivered"
    place = f"/v1/reward-links/{card['id']}/fulfilment"
    assert_problem(world.call("POST", place, json={"state": "open"}), 422, "invalid_reward_link")


def test_codes_of_a_pool_go_to_one_link_each(world: World) -> None:
    shop(world, films=2)
    one, two, three = sent(world, "1"), sent(world, "2"), sent(world, "3")
    codes = {choose(world, each, "cinema").json()["code"] for each in (one, two)}
    assert codes == {"KINO-0000", "KINO-0001"}
    assert choose(world, one, "cinema").json()["code"] in codes
    assert "cinema" not in [each["reward"] for each in look(world, three).json()["choices"]]
    assert_problem(choose(world, three, "cinema"), 409, "reward_not_offered")
    assert world.call("GET", "/v1/code-pools").json()["pools"] == [{"pool": "cinema", "codes": 2, "left": 0}]
    assert_problem(send(world, "4", kind="films"), 422, "invalid_reward_link")
    at(world, "2026-05-06T10:00:01Z")
    assert choose(world, one, "cinema").json()["code"] is None


def test_a_link_in_another_currency_offers_what_fits(world: World) -> None:
    shop(world)
    made = sent(world, kind="survey", amount=2500)
    assert [one["reward"] for one in look(world, made).json()["choices"]] == ["swiss"]
    assert_problem(choose(world, made, "card"), 409, "reward_not_offered")
    choose(world, made, "swiss")
    found = world.call("GET", f"/v1/gift-cards/{link(world, made)['card']}").json()
    assert (found["balance"], found["currency"]) == (2500, "CHF")


def test_a_link_of_a_member(world: World) -> None:
    shop(world)
    who = world.enrol(card="1")["id"]
    made = sent(world, member=who)
    choose(world, made, "card")
    assert world.call("GET", f"/v1/gift-cards/{link(world, made)['card']}").json()["member"] == who
    assert_problem(send(world, "2", member="mem_" + "0" * 32), 404, "member_not_found")
    assert_problem(send(world, "3", member="x"), 404, "member_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "none"}, "#/kind"),
        ({"kind": "survey"}, "#/amount"),
        ({"valid_for": "soon"}, "#/valid_for"),
        ({"valid_for": "0d"}, "#/valid_for"),
        ({"valid_for": "9999y"}, "#/valid_for"),
    ],
)
def test_what_is_no_link(world: World, body: dict[str, Any], pointer: str) -> None:
    shop(world)
    answer = send(world, **body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert world.count("reward_link") == 0


def test_a_wrong_link_and_another_programs_are_none(world: World) -> None:
    shop(world)
    made = sent(world)
    assert_problem(look(world, {"token": "AAAAA-AAAAA-AAAAA-AAAAA"}), 404, "reward_link_not_found")
    assert_problem(choose(world, {"token": "x"}, "card"), 404, "reward_link_not_found")
    for place in (made["id"], "rwl_" + "0" * 32, "x"):
        answer = world.call("GET", f"/v1/reward-links/{place}", key=world.stranger)
        assert_problem(answer, 404, "reward_link_not_found")
        answer = world.call("POST", f"/v1/reward-links/{place}/withdraw", key=world.stranger)
        assert_problem(answer, 404, "reward_link_not_found")
    assert link(world, made)["state"] == "sent"


def test_who_asks_too_often_has_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_router, "PER_SECOND", 3)
    shop(world)
    world.app.state.link_door = public_router.Door()
    made = sent(world)
    statuses = [look(world, made).status_code for _ in range(8)]
    assert statuses[:6] == [200] * 6
    assert 429 in statuses[6:]


def test_all_together_may_be_wrong_so_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_router, "WRONG_PER_SECOND", 1)
    shop(world)
    world.app.state.link_door = public_router.Door()
    wrong = [look(world, {"token": f"x{n}"}).status_code for n in range(5)]
    assert wrong[:2] == [404, 404]
    assert 429 in wrong[2:]
    assert look(world, sent(world)).status_code == 200


def test_the_report_counts_what_was_sent_and_what_it_costs(world: World) -> None:
    shop(world)
    links = [sent(world, str(n)) for n in range(5)]
    sent(world, "chf", kind="survey", amount=100)
    look(world, links[0])
    choose(world, links[1], "card")
    world.call("POST", f"/v1/reward-links/{links[2]['id']}/withdraw")
    sent(world, "short", valid_for="1d", amount=700)
    at(world, "2026-05-07T10:00:00Z")
    swiss, euro = sorted(
        world.call("GET", "/v1/reports/reward-links").json()["totals"], key=lambda one: one["currency"]
    )
    assert swiss["kind"] == "survey"
    assert euro == {
        "kind": "thanks",
        "currency": "EUR",
        "sent": 6,
        "opened": 2,
        "redeemed": 1,
        "expired": 1,
        "withdrawn": 1,
        "sent_amount": 25_700,
        "cost": 5000,
        "open_amount": 15_000,
    }
    assert world.call("GET", "/v1/reports/reward-links?until=2026-05-05T10:00:00Z").json()["totals"] == []
    assert world.call("GET", "/v1/reports/reward-links?since=2026-05-05T10:00:01Z").json()["totals"] == []
    first = world.call("GET", "/v1/reward-links?limit=4").json()
    rest = world.call("GET", f"/v1/reward-links?limit=4&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]][-1] == links[0]["id"]
    assert len(first["items"] + rest["items"]) == 7


def test_a_commit_that_fails_hands_out_nothing(world: World) -> None:
    shop(world)
    made = sent(world)
    world.refuse_commits_to("reward_link")
    assert send(world, "other").status_code == 500
    assert choose(world, made, "card").status_code == 500
    assert (world.count("reward_link"), world.count("gift_card")) == (1, 0)
    assert rows(world, "SELECT count(*) FROM idempotency_key WHERE key = 'other'") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reward_link SET amount = amount + 1 WHERE card_id IS NOT NULL",
        "UPDATE reward_link SET chosen_at = NULL WHERE reward = 'card'",
        "UPDATE reward_link SET chosen_at = NULL WHERE reward = 'cinema'",
        "UPDATE reward_link SET fulfilment = NULL WHERE reward = 'tree'",
        "UPDATE reward_code SET link_id = NULL",
        "UPDATE reward_code SET link_id = (SELECT id FROM reward_link WHERE reward = 'tree')",
    ],
)
def test_verify_names_what_links_have_not_handed_out(world: World, change: str) -> None:
    shop(world)
    for reward in ("card", "tree", "cinema"):
        assert choose(world, sent(world, reward), reward).status_code == 200
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert {finding.kind for finding in findings(world)} == {"reward_link"}
