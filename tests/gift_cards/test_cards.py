"""Gift cards: issued, loaded, moved, blocked, extended, ended; each once, and each in an entry."""

import datetime as dt
import re
from typing import Any

import pytest

from api_world import World, assert_problem
from gift_cards.drawer import act, acted, at, card, findings, history, issued, money, open_shop, post, rows, use, used
from setia.due.works import WORKS


def test_a_card_is_issued_with_a_code_that_is_nowhere(world: World) -> None:
    open_shop(world)
    made = issued(world)
    assert re.fullmatch(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){3}", made["code"])
    assert (made["balance"], made["held"], made["state"], made["currency"]) == (5000, 0, "active", "EUR")
    assert made["hint"] == made["code"][-4:]
    shown = card(world, made)
    assert shown["code"] is None
    text = str(rows(world, "SELECT c, e, k FROM gift_card c, gift_card_entry e, idempotency_key k"))
    assert made["code"] not in text
    assert made["code"].replace("-", "") not in text
    assert history(world, made) == ["issued"]
    assert findings(world) == []


def test_the_same_request_issues_one_card_and_shows_its_code_until_it_is_used(world: World) -> None:
    open_shop(world)
    first, again = (post(world, "gift-cards", "k1", kind="classic", amount=100) for _ in range(2))
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(post(world, "gift-cards", "k1", kind="classic", amount=200), 422, "idempotency_key_reused")
    used(world, first.json(), 10)
    assert post(world, "gift-cards", "k1", kind="classic", amount=100).json()["code"] is None
    assert world.count("gift_card") == 1


def test_many_are_issued_at_once_or_none(world: World) -> None:
    open_shop(world)
    body: dict[str, Any] = {"kind": "classic", "count": 40, "amount": 0}
    first, again = (post(world, "gift-cards/batch", "k", **body) for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    cards = first.json()["cards"]
    assert len({one["code"] for one in cards}) == world.count("gift_card") == 40
    acted(world, cards[3], "load", amount=500)
    used(world, cards[3], 1)
    codes = [one["code"] for one in post(world, "gift-cards/batch", "k", **body).json()["cards"]]
    assert codes == [one["code"] if one != cards[3] else None for one in cards]
    for more in ({"kind": "none"}, {"count": 501}, {"count": 0}, {"kind": "small", "amount": 5000}):
        assert post(world, "gift-cards/batch", "k2", **body | more).status_code == 422
    assert world.count("gift_card") == 40
    assert findings(world) == []


def test_after_a_day_a_repetition_does_not_show_the_code(world: World) -> None:
    open_shop(world)
    at(world, "2026-01-01T10:00:00Z")
    assert post(world, "gift-cards", "k1", kind="classic", amount=100).json()["code"]
    at(world, "2026-01-02T10:00:01Z")
    assert post(world, "gift-cards", "k1", kind="classic", amount=100).json()["code"] is None


def test_writes_need_a_key(world: World) -> None:
    open_shop(world)
    made = issued(world)
    for path, body in {
        "gift-cards": {"kind": "classic"},
        f"gift-cards/{made['id']}/load": {"amount": 1},
        f"gift-cards/{made['id']}/block": {"reason": "x"},
    }.items():
        assert_problem(world.call("POST", f"/v1/{path}", json=body), 400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "none"}, "#/kind"),
        ({"kind": "small", "amount": 2001}, "#/amount"),
        ({"kind": "small", "amount": -1}, "#/amount"),
    ],
)
def test_what_no_kind_allows_is_not_issued(world: World, body: dict[str, Any], pointer: str) -> None:
    open_shop(world)
    answer = post(world, "gift-cards", **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert world.count("gift_card") == 0


def test_a_kind_says_what_is_on_it_and_how_much_it_takes(world: World) -> None:
    open_shop(world)
    made = issued(world, None, "small")
    assert made["balance"] == 500
    assert_problem(act(world, made, "load", amount=100), 409, "gift_card_unusable")
    empty = issued(world, 0, "small")
    assert (empty["balance"], history(world, empty)) == (0, ["issued"])
    assert acted(world, empty, "load", amount=2000)["balance"] == 2000
    assert_problem(act(world, empty, "load", amount=100), 409, "gift_card_unusable")


def test_a_card_holds_no_more_than_its_kind_allows(world: World) -> None:
    open_shop(world, gift_cards={"small": {"most_balance": "30.00", "least": "5.00"}})
    made = issued(world, 2000, "small")
    assert_problem(act(world, made, "load", amount=1001), 422, "invalid_gift_card")
    assert_problem(act(world, made, "load", amount=499), 422, "invalid_gift_card")
    assert acted(world, made, "load", amount=1000, funding="granted")["balance"] == 3000


def test_a_card_of_another_currency(world: World) -> None:
    open_shop(world)
    made, other = issued(world, 100, "swiss"), issued(world, 100)
    assert made["currency"] == "CHF"
    assert_problem(act(world, made, "transfer", to=other["id"], reason="x"), 422, "invalid_gift_card")
    assert_problem(act(world, made, "transfer", to=made["id"], reason="x"), 422, "invalid_gift_card")


def test_a_lost_card_is_blocked_and_replaced(world: World) -> None:
    open_shop(world)
    lost, fresh = issued(world), issued(world, 0)
    assert acted(world, lost, "block", reason="lost")["state"] == "blocked"
    assert_problem(use(world, lost, 1), 409, "gift_card_unusable")
    assert_problem(act(world, lost, "load", amount=1), 409, "gift_card_unusable")
    assert_problem(act(world, lost, "pay-out", reason="x"), 409, "gift_card_unusable")
    both = acted(world, lost, "transfer", to=fresh["id"], amount=3000, reason="lost")
    assert (both["source"]["balance"], both["target"]["balance"]) == (2000, 3000)
    assert_problem(act(world, fresh, "transfer", to=lost["id"], reason="x"), 409, "gift_card_unusable")
    assert acted(world, lost, "unblock", reason="found")["state"] == "active"
    acted(world, lost, "transfer", to=fresh["id"], reason="all")
    assert_problem(act(world, lost, "transfer", to=fresh["id"], reason="x"), 409, "gift_card_unusable")
    assert (money(world, lost), money(world, fresh)) == ((0, 0), (5000, 0))
    assert history(world, lost) == ["issued", "blocked", "sent", "unblocked", "sent"]
    assert findings(world) == []


def test_more_than_there_is_is_neither_moved_nor_paid_out(world: World) -> None:
    open_shop(world)
    made, other = issued(world, 100), issued(world, 100)
    assert_problem(
        act(world, made, "transfer", to=other["id"], amount=101, reason="x"), 409, "gift_card_balance_too_low"
    )
    assert_problem(act(world, made, "pay-out", amount=101, reason="x"), 409, "gift_card_balance_too_low")
    assert acted(world, made, "pay-out", reason="the rest")["balance"] == 0
    assert_problem(act(world, made, "pay-out", reason="x"), 409, "gift_card_unusable")


def test_a_card_ends_by_the_law_of_its_country(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world)
    assert made["expires_at"] == "2029-12-31T23:00:00Z"
    at(world, "2029-12-31T22:59:59Z")
    assert card(world, made)["state"] == "active"
    used(world, made, 100)
    at(world, "2029-12-31T23:00:00Z")
    assert_problem(use(world, made, 100, "2"), 409, "gift_card_unusable")
    assert card(world, made) | {"code": None} == made | {
        "code": None,
        "balance": 0,
        "state": "expired",
        "expires_at": "2029-12-31T23:00:00Z",
    }
    assert history(world, made) == ["issued", "redeemed", "expired"]
    assert_problem(act(world, made, "transfer", to=issued(world)["id"], reason="x"), 409, "gift_card_unusable")


def test_the_job_books_what_has_ended(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made, other = issued(world, 100, "yearly"), issued(world)
    held = used(world, other, 50, capture=False)
    at(world, "2027-05-06T10:00:00Z")
    assert _expire(world) == 2
    assert _expire(world) == 0
    assert rows(world, "SELECT sum(balance), sum(held) FROM gift_card") == [(5000, 0)]
    assert world.call("GET", f"/v1/gift-card-uses/{held['id']}").json()["state"] == "expired"
    assert history(world, made) == ["issued", "expired"]
    assert findings(world) == []


def _expire(world: World) -> int:
    [work] = [work for work in WORKS if work.name == "gift_cards"]
    return work.do(world.database, world.app.state.programs, dt.datetime.now(dt.UTC), None)


def test_the_test_clock_books_the_end_on_its_way(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world, 100, "yearly")
    answer = world.call("POST", "/v1/clock", json={"to": "2027-06-01T00:00:00Z"})
    assert answer.status_code == 200, answer.text
    assert rows(world, "SELECT kind, booked_at FROM gift_card_entry ORDER BY seq")[1:] == [
        ("expired", dt.datetime(2027, 5, 5, 22, tzinfo=dt.UTC))
    ]
    assert card(world, made)["state"] == "expired"


def test_a_card_is_sold_later_and_its_time_begins_then(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world, 0, "yearly")
    at(world, "2027-03-01T10:00:00Z")
    assert acted(world, made, "load", amount=100)["expires_at"] == "2028-03-01T23:00:00Z"
    assert acted(world, made, "load", amount=100)["expires_at"] == "2028-03-01T23:00:00Z"


def test_a_later_end(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    made = issued(world, 100, "yearly")
    assert_problem(act(world, made, "extend", expires_at="2027-01-01T00:00:00Z", reason="x"), 422, "invalid_gift_card")
    assert acted(world, made, "extend", expires_at="2030-01-01T01:00:00+01:00", reason="x")["expires_at"] == (
        "2030-01-01T00:00:00Z"
    )
    assert acted(world, made, "extend", expires_at=None, reason="goodwill")["expires_at"] is None
    assert_problem(act(world, made, "extend", expires_at=None, reason="x"), 422, "invalid_gift_card")


def test_a_transfer_keeps_the_longer_end(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    short, long, ever = issued(world, 100, "yearly"), issued(world), issued(world, 500, "small")
    assert acted(world, long, "transfer", to=short["id"], amount=1, reason="x")["target"]["expires_at"] == (
        "2029-12-31T23:00:00Z"
    )
    assert acted(world, ever, "transfer", to=short["id"], amount=1, reason="x")["target"]["expires_at"] is None


def test_a_card_of_a_member(world: World) -> None:
    open_shop(world)
    who, other = world.enrol(card="1")["id"], world.enrol(card="2")["id"]
    made = issued(world, member=who)
    assert made["member"] == who
    issued(world)
    listed = world.call("GET", f"/v1/gift-cards?member={who}").json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert acted(world, made, "assign", member=other)["member"] == other
    assert world.call("GET", f"/v1/gift-cards?member={who}").json()["items"] == []
    nobody = "mem_" + "0" * 32
    assert_problem(act(world, made, "assign", member=nobody), 404, "member_not_found")
    assert_problem(post(world, "gift-cards", kind="classic", member=nobody), 404, "member_not_found")
    assert_problem(world.call("GET", "/v1/gift-cards?member=x"), 404, "member_not_found")
    assert acted(world, made, "assign", member=None)["member"] is None
    assert world.count("gift_card") == 2


def test_lists_come_in_pages(world: World) -> None:
    open_shop(world)
    made = [issued(world, 100)["id"] for _ in range(3)]
    first = world.call("GET", "/v1/gift-cards?limit=2").json()
    second = world.call("GET", f"/v1/gift-cards?limit=2&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in first["items"] + second["items"]] == made[::-1]
    place = f"/v1/gift-cards/{made[0]}/entries"
    acted(world, {"id": made[0]}, "load", amount=1)
    first = world.call("GET", f"{place}?limit=1").json()
    second = world.call("GET", f"{place}?limit=1&cursor={first['next_cursor']}").json()
    assert [(one["kind"], one["balance"]) for one in first["items"] + second["items"]] == [
        ("loaded", 101),
        ("issued", 100),
    ]
    assert_problem(world.call("GET", f"{place}?cursor=x"), 422, "invalid_cursor")


def test_another_programs_cards_are_none(world: World) -> None:
    open_shop(world)
    made = issued(world)
    for method, path in (("GET", ""), ("GET", "/entries"), ("POST", "/load"), ("POST", "/block")):
        more: dict[str, Any] = (
            {"json": {"amount": 1} if path == "/load" else {"reason": "x"}} if method == "POST" else {}
        )
        headers = {"Idempotency-Key": "x"}
        answer = world.call(method, f"/v1/gift-cards/{made['id']}{path}", key=world.stranger, headers=headers, **more)
        assert_problem(answer, 404, "gift_card_not_found")
    assert_problem(world.call("GET", "/v1/gift-cards/x"), 404, "gift_card_not_found")
    body = {"code": made["code"], "amount": 1, "till": "t", "reference": "1"}
    assert_problem(world.call("POST", "/v1/gift-card-uses", key=world.stranger, json=body), 404, "gift_card_not_found")
    assert world.call("GET", "/v1/gift-cards", key=world.stranger).json()["items"] == []
    assert money(world, made) == (5000, 0)


def test_the_report_explains_every_balance(world: World) -> None:
    open_shop(world)
    at(world, "2026-05-05T10:00:00Z")
    one, two = issued(world, 5000), issued(world, 1000, "yearly", funding="granted")
    taken = used(world, one, 1500)
    assert (
        world.call(
            "POST", f"/v1/gift-card-uses/{taken['id']}/refund", headers={"Idempotency-Key": "r"}, json={"amount": 500}
        ).status_code
        == 200
    )
    used(world, one, 700, "2", capture=False)
    acted(world, one, "transfer", to=two["id"], amount=100, reason="x")
    acted(world, one, "pay-out", amount=50, reason="x")
    report = world.call("GET", "/v1/reports/gift-cards").json()
    assert report["agrees"] is True
    classic, yearly = report["totals"]
    assert classic == {
        "kind": "classic",
        "currency": "EUR",
        "cards": 1,
        "sold": 5000,
        "granted": 0,
        "taken_back": 0,
        "redeemed": 1500,
        "refunded": 500,
        "expired": 0,
        "paid_out": 50,
        "transferred": -100,
        "available": 3150,
        "held": 700,
        "outstanding": 3850,
        "difference": 0,
    }
    assert (yearly["granted"], yearly["transferred"], yearly["outstanding"]) == (1000, 100, 1100)
    past = world.call("GET", "/v1/reports/gift-cards?at=2026-05-05T09:59:59Z").json()
    assert past["totals"] == []
    now = world.call("GET", "/v1/reports/gift-cards?at=2026-05-05T10:00:00Z").json()
    assert [total["outstanding"] for total in now["totals"]] == [3850, 1100]
    assert [total["difference"] for total in now["totals"]] == [None, None]


def test_a_card_holds_no_more_than_one_entry_can_move(world: World) -> None:
    open_shop(world)
    full, empty = issued(world, 10**13, "yearly"), issued(world, 0, "yearly")
    assert_problem(act(world, full, "load", amount=1), 422, "invalid_gift_card")
    assert acted(world, full, "transfer", to=empty["id"], reason="x")["target"]["balance"] == 10**13


def test_cards_of_who_was_merged_are_found_by_who_stands_for_both(world: World) -> None:
    open_shop(world)
    ada, twin = (world.enrol(external_id=name)["id"] for name in ("ada", "twin"))
    cards = [issued(world, 100, member=owner)["id"] for owner in (ada, twin)]
    body, headers = {"duplicate": twin, "reason": "one person"}, {"Idempotency-Key": "m"}
    assert world.call("POST", f"/v1/members/{ada}/merge", json=body, headers=headers).status_code == 200
    found = world.call("GET", f"/v1/gift-cards?member={ada}").json()["items"]
    assert [one["id"] for one in found] == cards[::-1]
