"""Cards at tills: at once and in two steps, in parts, again, too late, too much; refunds; guessing."""

from typing import Any

import pytest

from api_world import World, assert_problem
from gift_cards.drawer import (
    acted,
    at,
    card,
    end,
    ended,
    findings,
    history,
    issued,
    money,
    open_shop,
    post,
    rows,
    use,
    used,
)
from setia.codes import guesses


def test_a_till_takes_parts_until_it_is_empty(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    first = used(world, made, 400)
    assert (first["state"], first["captured"], first["held"], first["left"]) == ("captured", 400, 0, 600)
    low = assert_problem(use(world, made, 601, "2"), 409, "gift_card_balance_too_low")
    assert low["available"] == 600
    rest = used(world, made, 5000, "2", partly=True)
    assert (rest["amount"], rest["left"]) == (600, 0)
    assert assert_problem(use(world, made, 1, "3"), 409, "gift_card_unusable")["reason"] == "empty"
    assert findings(world) == []


def test_codes_are_read_as_people_write_them(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    sloppy = made["code"].lower().replace("-", " ").replace("0", "o")
    assert world.call("POST", "/v1/gift-cards/look-up", json={"code": sloppy}).json()["balance"] == 1000
    assert used(world, made | {"code": sloppy}, 1)["left"] == 999


def test_a_hold_is_captured_in_part_and_the_rest_comes_back(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    held = used(world, made, 800, capture=False)
    assert (held["state"], held["held"], held["captured"], held["left"]) == ("held", 800, 0, 200)
    assert held["ended_at"] is None
    assert money(world, made) == (200, 800)
    assert_problem(end(world, held, "capture", amount=801), 422, "invalid_gift_card")
    done = ended(world, held, "capture", amount=500)
    assert (done["state"], done["captured"], done["held"], done["left"]) == ("captured", 500, 0, 500)
    assert end(world, held, "capture", amount=500).headers["idempotent-replayed"] == "true"
    assert_problem(end(world, held, "capture", amount=400), 409, "gift_card_use_state_conflict")
    assert_problem(end(world, held, "release"), 409, "gift_card_use_state_conflict")
    assert history(world, made) == ["issued", "held", "captured", "released"]
    assert findings(world) == []


def test_a_hold_is_captured_whole_or_released(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    one, two = used(world, made, 300, "1", capture=False), used(world, made, 300, "2", capture=False)
    assert ended(world, one, "capture")["captured"] == 300
    assert ended(world, two, "release")["state"] == "released"
    assert end(world, two, "release").headers["idempotent-replayed"] == "true"
    assert_problem(end(world, two, "capture"), 409, "gift_card_use_state_conflict")
    assert money(world, made) == (700, 0)


def test_a_hold_ends_by_itself(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world, 1000)
    held = used(world, made, 1000, capture=False, ttl="2h")
    assert held["hold_until"] == "2026-05-05T12:00:00Z"
    at(world, "2026-05-05T11:59:59Z")
    assert_problem(use(world, made, 1, "2"), 409, "gift_card_unusable")
    at(world, "2026-05-05T12:00:00Z")
    assert_problem(end(world, held, "capture"), 409, "gift_card_use_state_conflict")
    assert used(world, made, 1000, "2")["left"] == 0
    found = world.call("GET", f"/v1/gift-card-uses/{held['id']}").json()
    assert (found["state"], found["held"], found["captured"]) == ("expired", 0, 0)
    assert end(world, held, "release").headers["idempotent-replayed"] == "true"
    assert findings(world) == []


@pytest.mark.parametrize("ttl", ["0min", "32d", "soon"])
def test_how_long_it_is_held(world: World, ttl: str) -> None:
    open_shop(world)
    made = issued(world, 1000)
    assert_problem(use(world, made, 1, capture=False, ttl=ttl), 422, "invalid_gift_card")
    assert money(world, made) == (1000, 0)


def test_a_blocked_cards_holds_can_be_ended(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    one, two = used(world, made, 300, "1", capture=False), used(world, made, 300, "2", capture=False)
    acted(world, made, "block", reason="stolen")
    assert ended(world, one, "capture")["state"] == "captured"
    assert ended(world, two, "release")["state"] == "released"
    assert ended(world, one, "refund", amount=100)["left"] == 800
    assert_problem(use(world, made, 1, "3"), 409, "gift_card_unusable")


def test_the_same_reference_gives_the_first_answer(world: World) -> None:
    open_shop(world)
    made, other = issued(world, 1000), issued(world, 1000)
    first = use(world, made, 400, capture=False)
    ended(world, first.json(), "capture", amount=100)
    used(world, made, 50, "2")
    again = use(world, made, 400, capture=False)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(use(world, made, 401, capture=False), 409, "reference_used")
    assert_problem(use(world, other, 400, capture=False), 409, "reference_used")
    assert_problem(use(world, made | {"code": "none"}, 400, capture=False), 409, "reference_used")
    simple = use(world, made, 10, "3")
    assert use(world, made, 10, "3").json() == simple.json()
    assert world.count("gift_card_use") == 3


def test_a_lost_answer_can_be_asked_for(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    taken = used(world, made, 400)
    found = world.call("GET", "/v1/gift-card-uses?till=t1&reference=1").json()
    assert found == taken
    assert_problem(world.call("GET", "/v1/gift-card-uses?till=t1&reference=2"), 404, "gift_card_use_not_found")
    for path in ("gcu_" + "0" * 32, "x"):
        assert_problem(world.call("GET", f"/v1/gift-card-uses/{path}"), 404, "gift_card_use_not_found")
        assert_problem(end(world, {"id": path}, "capture"), 404, "gift_card_use_not_found")


def test_a_refund_comes_back_once_for_its_key_and_never_more_than_was_taken(world: World) -> None:
    open_shop(world)
    made = issued(world, 1000)
    taken = used(world, made, 600)
    one, again = (end(world, taken, "refund", "r1", amount=250) for _ in range(2))
    assert one.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (one.json()["refunded"], one.json()["left"]) == (250, 650)
    assert_problem(end(world, taken, "refund", "r2", amount=351), 422, "invalid_gift_card")
    last = end(world, taken, "refund", "r3").json()
    assert (last["state"], last["refunded"]) == ("refunded", 600)
    assert_problem(end(world, taken, "refund", "r4"), 409, "gift_card_use_state_conflict")
    held = used(world, made, 10, "2", capture=False)
    assert_problem(end(world, held, "refund", "r5"), 409, "gift_card_use_state_conflict")
    answer = world.call("POST", f"/v1/gift-card-uses/{taken['id']}/refund")
    assert_problem(answer, 400, "idempotency_key_required")
    assert money(world, made) == (990, 10)
    assert findings(world) == []


def test_money_that_comes_back_lasts_its_grace(world: World) -> None:
    open_shop(world, gift_cards={"yearly": {"valid_for": "1y", "refund_grace": "30d"}})
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world, 1000, "yearly")
    taken = used(world, made, 600)
    at(world, "2028-01-01T10:00:00Z")
    assert card(world, made)["state"] == "expired"
    ended(world, taken, "refund", amount=200)
    assert (card(world, made)["state"], money(world, made)) == ("active", (200, 0))
    assert card(world, made)["expires_at"] == "2028-01-31T10:00:00Z"
    at(world, "2028-01-31T10:00:00Z")
    assert money(world, made) == (0, 0)
    assert history(world, made) == ["issued", "redeemed", "expired", "refunded", "expired"]
    assert findings(world) == []


def test_who_guesses_has_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world)
    made = issued(world, 1000)
    monkeypatch.setattr(guesses, "MOST_OF_KEY", 3)
    wrong = made | {"code": "7K2M9-XQ4TD-0HB3C-W8N5R"}
    assert_problem(use(world, wrong, 1), 404, "gift_card_not_found")
    for _ in range(2):
        answer = world.call("POST", "/v1/gift-cards/look-up", json={"code": wrong["code"]})
        assert_problem(answer, 404, "gift_card_not_found")
    assert_problem(use(world, made, 1), 429, "too_many_guesses")
    assert_problem(world.call("POST", "/v1/gift-cards/look-up", json={"code": made["code"]}), 429, "too_many_guesses")
    assert rows(world, "SELECT max(failures) FROM code_guess") == [(3,)]
    assert money(world, made) == (1000, 0)


@pytest.mark.parametrize("what", ["issue", "load", "use", "capture", "refund"])
def test_a_commit_that_fails_keeps_nothing(world: World, what: str) -> None:
    open_shop(world)
    made = issued(world, 1000)
    held, taken = used(world, made, 100, "1", capture=False), used(world, made, 100, "2")
    before = rows(world, "SELECT * FROM gift_card_entry ORDER BY card_id, seq")
    world.refuse_commits_to("gift_card_entry")
    act: dict[str, Any] = {
        "issue": lambda: post(world, "gift-cards", "k", kind="classic", amount=1),
        "load": lambda: post(world, f"gift-cards/{made['id']}/load", "k", amount=1),
        "use": lambda: use(world, made, 1, "3"),
        "capture": lambda: end(world, held, "capture"),
        "refund": lambda: end(world, taken, "refund", "k"),
    }
    assert act[what]().status_code == 500
    assert rows(world, "SELECT * FROM gift_card_entry ORDER BY card_id, seq") == before
    assert rows(world, "SELECT count(*) FROM gift_card") == [(1,)]
    assert rows(world, "SELECT count(*) FROM idempotency_key WHERE key = 'k'") == [(0,)]
    assert findings(world) == []
