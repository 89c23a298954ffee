"""Points for money through the API: packages and prices, limits by year, own lots, and back."""

import datetime as dt
from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from events.shop import enrolled, findings, go_live, program, rows
from faults.test_reward_races import assert_sound, at_once, statuses
from rewards.counter import REWARDS, ask
from setia.events.rebuild import rebuild_states

POINTS = {"stars": {"expiry": {"after": "6mo"}, "name": {"en": "stars", "de": "Sterne"}}}
SALES: dict[str, Any] = {
    "top_up": {
        "points": "stars",
        "packages": [{"points": 100, "money": "1.00"}, {"points": 1000, "money": "9.00"}],
        "per_member": {"every": "year", "points": 2000},
        "valid_for": "12mo",
    },
    "single": {"points": "stars", "price": "0.015", "least": 10, "most": 500, "refund": "whole"},
    "final": {"points": "stars", "price": "0.01", "refund": "never", "valid_for": "48h"},
    "off": {"points": "stars", "price": "0.01", "enabled": False},
}


@pytest.fixture
def who(world: World) -> str:
    """A member, in a program that sells points."""
    go_live(world, program(points=POINTS, sales=SALES, rewards={"coffee": REWARDS["coffee"]}))
    return enrolled(world)


def buy(world: World, who: str, points: int, money: int, sale: str = "top_up", **more: Any) -> Response:
    body = {"member": who, "sale": sale, "points": points, "money": money, "reference": "p1", **more}
    return world.call("POST", "/v1/point-sales", json={key: value for key, value in body.items() if value is not None})


def bought(world: World, *args: Any, **more: Any) -> dict[str, Any]:
    answer = buy(world, *args, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refund(world: World, sale: dict[str, Any]) -> Response:
    return world.call("POST", f"/v1/point-sales/{sale['id']}/refund", json={"reason": "By mistake"})


def wallet(world: World) -> list[tuple[Any, ...]]:
    return rows(world, "SELECT available FROM wallet WHERE point_type = 'stars' ORDER BY member_id")


def test_the_catalogue_has_prices(world: World, who: str) -> None:
    top_up, single, final = world.call("GET", "/v1/sales").json()["sales"]
    assert top_up["packages"] == [{"points": 100, "money": 100}, {"points": 1000, "money": 900}]
    assert (single["price"], single["least"], single["most"], final["least"]) == ("0.015", 10, 500, None)


def test_bought_points_lie_in_a_lot_of_their_own(world: World, who: str) -> None:
    found = bought(world, who, 1000, 900)
    assert (found["amount"], found["money"], found["balance_after"]["available"]) == (1000, 900, 1000)
    assert buy(world, who, 1000, 900).headers["idempotent-replayed"] == "true"
    assert buy(world, who, 1000, 900).json() == found
    [(granted, campaign, ends)] = rows(world, "SELECT granted, campaign, expires_at FROM lot")
    assert (granted, campaign) == (1000, "sale")
    assert dt.timedelta(days=360) < ends - dt.datetime.now(dt.UTC) < dt.timedelta(days=370)
    item = world.call("GET", f"/v1/members/{who}/statement?locale=de").json()["items"][0]
    assert (item["kind"], item["sentences"], item["reason"]) == ("sale", ["1.000 Sterne gekauft."], "top_up")
    assert world.call("GET", f"/v1/point-sales?member={who}").json()["items"][0]["id"] == found["id"]
    assert world.call("GET", f"/v1/point-sales/{found['id']}").json() == found | {"balance_after": None}
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_what_is_left_comes_back_in_proportion(world: World, who: str) -> None:
    found = bought(world, who, 1000, 900)
    assert ask(world, who, confirm=True).status_code == 201
    back = refund(world, found)
    assert (back.json()["refunded"], back.json()["money_back"]) == (850, 765)
    assert refund(world, found).headers["idempotent-replayed"] == "true"
    assert wallet(world) == [(0,)]
    # The first answer says what it said, whatever became of it.
    assert buy(world, who, 1000, 900).json() == found
    sentences = world.call("GET", f"/v1/members/{who}/statement").json()["items"][0]["sentences"]
    assert sentences == ["850 bought stars given back."]
    assert findings(world) == []


def test_what_cannot_come_back(world: World, who: str) -> None:
    whole = bought(world, who, 200, 300, "single", reference="a")
    assert ask(world, who, confirm=True).status_code == 201
    assert assert_problem(refund(world, whole), 409, "sale_not_refundable")["reason"] == "spent"
    never = bought(world, who, 100, 100, "final", reference="b")
    assert assert_problem(refund(world, never), 409, "sale_not_refundable")["reason"] == "never"
    late = bought(world, who, 100, 100, reference="c")
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE point_sale SET bought_at = bought_at - interval '15 days'")
    assert assert_problem(refund(world, late), 409, "sale_not_refundable")["reason"] == "too_late"


@pytest.mark.parametrize(
    ("points", "money", "sale", "status", "code"),
    [
        (1000, 899, "top_up", 422, "invalid_sale"),
        (500, 450, "top_up", 422, "invalid_sale"),
        (9, 14, "single", 422, "invalid_sale"),
        (501, 752, "single", 422, "invalid_sale"),
        (11, 16, "single", 422, "invalid_sale"),
        (100, 100, "off", 404, "sale_not_found"),
        (100, 100, "none", 404, "sale_not_found"),
    ],
)
def test_what_is_not_sold(world: World, who: str, points: int, money: int, sale: str, status: int, code: str) -> None:
    assert_problem(buy(world, who, points, money, sale), status, code)
    assert world.count("point_sale") == 0


def test_a_price_is_rounded_up(world: World, who: str) -> None:
    assert bought(world, who, 11, 17, "single")["money"] == 17


def test_a_year_has_its_limit_and_a_refund_makes_room(world: World, who: str) -> None:
    first = bought(world, who, 1000, 900, reference="1")
    bought(world, who, 1000, 900, reference="2")
    problem = assert_problem(buy(world, who, 100, 100, reference="3"), 409, "sale_limit")
    assert (problem["left"], problem["every"]) == (0, "year")
    refund(world, first)
    assert buy(world, who, 1000, 900, reference="3").status_code == 201


def test_requests_are_known_again_and_not_mixed_up(world: World, who: str) -> None:
    bought(world, who, 100, 100)
    assert_problem(buy(world, who, 1000, 900), 409, "reference_used")
    assert_problem(buy(world, who, 100, 100, reference=None), 400, "idempotency_key_required")
    body = {"member": who, "sale": "top_up", "points": 100, "money": 100}
    first = world.call("POST", "/v1/point-sales", json=body, headers={"Idempotency-Key": "k"})
    assert world.call("POST", "/v1/point-sales", json=body, headers={"Idempotency-Key": "k"}).json() == first.json()
    other = world.call("POST", "/v1/point-sales", json=body | {"points": 1000}, headers={"Idempotency-Key": "k"})
    assert_problem(other, 422, "idempotency_key_reused")


def test_strangers_suspended_members_and_failing_commits(world: World, who: str) -> None:
    found = bought(world, who, 100, 100)
    assert_problem(world.call("GET", f"/v1/point-sales/{found['id']}", key=world.stranger), 404, "sale_not_found")
    stranger = world.call("POST", f"/v1/point-sales/{found['id']}/refund", json={"reason": "x"}, key=world.stranger)
    assert_problem(stranger, 404, "sale_not_found")
    assert_problem(world.call("GET", "/v1/point-sales/psl_x"), 404, "sale_not_found")
    assert_problem(buy(world, "mem_x", 100, 100), 404, "member_not_found")
    assert_problem(buy(world, "mem_" + "0" * 32, 100, 100), 404, "member_not_found")
    world.refuse_commits_to("point_sale")
    assert buy(world, who, 100, 100, reference="2").status_code == 500
    assert refund(world, found).status_code == 500
    assert wallet(world) == [(100,)]
    world.call("POST", f"/v1/members/{who}/suspend", json={"reason": "x"})
    assert_problem(buy(world, who, 100, 100, reference="3"), 409, "member_status_conflict")


def test_points_that_end_by_inactivity_live_longer_by_buying(world: World) -> None:
    points = {"stars": {"expiry": {"inactivity": "6mo"}}}
    go_live(world, program(points=points, sales={"final": {"points": "stars", "price": 0}}))
    who = enrolled(world)
    bought(world, who, 5, 0, "final")
    assert rows(world, "SELECT counters -> 'active_at' ->> 'stars' IS NOT NULL FROM member_state") == [(True,)]
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0


def test_verify_compares_sales_with_postings(world: World, who: str) -> None:
    bought(world, who, 100, 100)
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE point_sale SET amount = 200")
    assert [one.kind for one in findings(world)] == ["sale_points"]


@pytest.mark.slow
def test_limits_and_references_hold_under_races(world: World, who: str) -> None:
    answers = at_once([lambda n=n: buy(world, who, 1000, 900, reference=str(n)) for n in range(20)])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 2, 409: 18}
    others = [enrolled(world, str(number)) for number in range(2, 12)]
    answers = at_once([lambda one=one: buy(world, one, 100, 100, reference="same") for one in others])  # type: ignore[misc]  # the default binds the loop variable
    assert statuses(answers) == {201: 1, 409: 9}
    found = world.call("GET", f"/v1/point-sales?member={who}").json()["items"][0]
    answers = at_once([lambda: refund(world, found) for _ in range(20)])
    assert statuses(answers) == {200: 20}
    assert sum(amount for (amount,) in wallet(world)) == 1100
    assert_sound(world)


def test_what_was_sold_is_given_back_as_it_was_sold(world: World, who: str) -> None:
    found = bought(world, who, 100, 100)
    go_live(world, program(points=POINTS, sales={"top_up": SALES["top_up"] | {"refund": "never"}}))
    assert (refund(world, found).json()["money_back"], wallet(world)) == (100, [(0,)])
    go_live(world, program(points=POINTS))
    assert refund(world, found).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("currency", "price", "points", "money"),
    [
        ("JPY", "1.5", 3, 5),
        ("KWD", "0.0015", 3, 5),
        ("KWD", "0.250", 4, 1000),
        ("EUR", "0.123456789", 987_654_321_987, 12_193_263_123_449),
        ("JPY", "999999.123456789", 999_999_999, 999_999_122_456_790),
    ],
)
def test_money_of_any_currency_is_exact(world: World, currency: str, price: str, points: int, money: int) -> None:
    sales = {"single": {"points": "stars", "price": price}}
    whole = program(points=POINTS, sales=sales)
    go_live(world, whole | {"program": {**whole["program"], "currency": currency}})
    who = enrolled(world)
    assert_problem(buy(world, who, points, money - 1, "single"), 422, "invalid_sale")
    assert bought(world, who, points, money, "single")["money"] == money
    assert findings(world) == []
