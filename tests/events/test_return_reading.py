"""Returns as they come in: every fault with its place, numbers that are none, and returns of strangers."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from events.returning import BASE, assert_sound, back, buy, give_back, try_back, wallet
from events.shop import batch, enrolled, go_live, program, purchase, rows, send


def _live(world: World, unknown: str = "refuse", **more: Any) -> None:
    go_live(world, program(unknown, **({"campaigns": BASE, "tiers": []} | more)))


@pytest.mark.parametrize(
    "value", ["1e-99999999999", "1E+99999999999", "0.0000001", "NaN", "-Infinity", "1_0", " 1", "0"]
)
@pytest.mark.parametrize("field", ["quantity", "amount"])
def test_numbers_that_are_none_or_too_fine_are_refused_at_once(world: World, field: str, value: str) -> None:
    _live(world)
    enrolled(world)
    buy(world, "a", ("x", "100", "50.00"))
    assert_problem(try_back(world, "r", "a", lines=[{"line": 0, field: value}]), 422, "invalid_event")
    assert_problem(try_back(world, "r", "a", lines=[{"sku": "x", field: value}]), 422, "invalid_event")
    assert wallet(world) == (50, 0)


def test_all_faults_are_told_with_their_places_in_a_batch(world: World) -> None:
    _live(world)
    enrolled(world)
    lines = [{"line": 0, "quantity": "1e-9999999"}, {"sku": "x", "line": 1}, {"line": 0, "amount": "0.001"}]
    answer = batch(world, purchase("a"), back("r", "a", lines=lines, amount="-1"))
    assert [one["pointer"] for one in answer["results"][1]["problem"]["errors"]] == [
        "#/events/1/data/amount",
        "#/events/1/data/amount",
        "#/events/1/data/lines/0/quantity",
        "#/events/1/data/lines/1",
        "#/events/1/data/lines/2/amount",
    ]
    answer = batch(world, purchase("a"), back("r", "a", line=1))
    [fault] = answer["results"][1]["problem"]["errors"]
    assert fault["pointer"] == "#/events/1/data/line"


@pytest.mark.parametrize("data", [{"lines": [{"line": 0}]}, {"amount": "1.00"}])
def test_a_cancel_is_of_the_whole(world: World, data: dict[str, Any]) -> None:
    _live(world)
    enrolled(world)
    buy(world, "a", ("x", "1", "50.00"))
    problem = assert_problem(send(world, back("c", "a", kind="cancel", **data)), 422, "invalid_event")
    assert problem["errors"][0]["pointer"] == f"#/data/{next(iter(data))}"
    assert wallet(world) == (50, 0)


def test_an_amount_of_an_article_comes_back_of_all_its_lines(world: World) -> None:
    _live(world)
    enrolled(world)
    buy(world, "a", ("x", "1", "20.00"), ("y", "1", "5.00"), ("x", "2", "10.00"))
    give_back(world, "r1", "a", lines=[{"sku": "x", "amount": "15.00"}, {"sku": "x", "amount": "8.00"}])
    assert wallet(world) == (12, 0)
    refused = try_back(world, "r2", "a", lines=[{"sku": "x", "amount": "7.01"}])
    assert "less left" in assert_problem(refused, 422, "invalid_event")["detail"]
    give_back(world, "r3", "a", lines=[{"sku": "x", "amount": "7.00"}])
    assert wallet(world) == (5, 0)
    assert_problem(try_back(world, "r4", "a", lines=[{"sku": "x", "amount": "0.01"}]), 422, "invalid_event")
    twice = try_back(world, "r5", "a", lines=[{"line": 1}, {"sku": "y"}])
    assert "Nothing is left" in assert_problem(twice, 422, "invalid_event")["detail"]
    assert_sound(world)


@pytest.mark.parametrize(
    ("currency", "whole", "part", "fine"), [("JPY", "50", "12", "0.5"), ("KWD", "50", "12.345", "0.0001")]
)
def test_amounts_have_the_decimals_of_the_currency(
    world: World, currency: str, whole: str, part: str, fine: str
) -> None:
    shop = program(campaigns={"base": {"on": "purchase", "earn": {"stars": "1 per 1"}}}, tiers=[])
    shop["program"]["currency"] = currency
    go_live(world, shop)
    enrolled(world)
    buy(world, "a", ("x", "2", whole))
    assert_problem(try_back(world, "r", "a", amount=fine), 422, "invalid_event")
    give_back(world, "r", "a", amount=part)
    assert wallet(world) == ((38 if currency == "JPY" else 37), 0)
    give_back(world, "s", "a")
    assert wallet(world) == (0, 0)
    assert_sound(world)


def test_a_return_that_is_kept_is_of_an_order_that_is(world: World) -> None:
    _live(world, "keep")
    problem = assert_problem(try_back(world, "r", "a", card="7"), 422, "unknown_order")
    assert "is kept" in problem["detail"]
    answers = batch(
        world,
        purchase("a", "20.00", member={"card": "7"}),
        back("r", "a", card="7", amount="5.00"),
        back("c", "r", kind="cancel", card="7"),
        back("s", "a", card="7", amount="8.00"),
    )
    assert [one["event"]["status"] for one in answers["results"]] == ["kept"] * 4
    assert_problem(send(world, back("t", "s", card="7")), 422, "unknown_order")  # only a cancel names a return
    enrolled(world, "7")
    assert wallet(world) == (12, 0)
    assert_sound(world)


def test_a_kept_return_that_cannot_come_back_keeps_nobody_out(world: World) -> None:
    _live(world, "keep")
    send(world, purchase("a", "20.00", member={"card": "7"}))
    assert send(world, back("r", "a", card="8")).json()["status"] == "kept"
    assert send(world, back("s", "a", card="7", amount="25.00")).json()["status"] == "kept"
    enrolled(world, "8")
    enrolled(world, "7")
    assert wallet(world) == (20, 0)
    told = rows(world, "SELECT reason FROM journal WHERE reason IS NOT NULL ORDER BY booked_at")
    assert [reason.partition(":")[0] for (reason,) in told] == ["unknown_order", "invalid_event"]
    assert_sound(world)


def test_other_peoples_orders_and_programs_are_out_of_reach(world: World) -> None:
    _live(world)
    enrolled(world)
    enrolled(world, "2")
    buy(world, "a", ("x", "1", "50.00"))
    assert_problem(try_back(world, "r", "a", card="2"), 422, "unknown_order")
    event = back("r", "a")
    assert_problem(send(world, event, key=world.stranger), 422, "unknown_member")
    assert_problem(send(world, event, key=world.colleague), 403, "missing_scope")
    done = send(world, event)
    assert (done.status_code, send(world, event).json()) == (201, done.json())
    assert_problem(send(world, {**event, "type": "cancel"}), 422, "external_id_reused")
    assert_problem(send(world, back("r", "a", amount="1.00")), 422, "external_id_reused")
    assert wallet(world) == (0, 0)
    assert_sound(world)
