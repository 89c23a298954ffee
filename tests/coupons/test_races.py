"""Many at once: a coupon is used as often as it can be, whoever is quicker."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from api_world import SECRET, World
from coupons.till import bought, findings, give_back, looked_up, made, open_shop, order, rows
from events.shop import booked, enrolled, send
from setia.codes.book import CodeBook
from setia.coupons.codes import CouponCodes
from setia.events.arrivals import draft
from setia.events.booking import Submission
from setia.events.clerk import Clerk

MEMBERS = 8


def race(world: World, events: list[dict[str, Any]]) -> list[Any]:
    """Book each event by a clerk of its own, all at once: as so many processes would."""
    programs = world.app.state.programs
    codes = CouponCodes(lambda: CodeBook(SECRET.encode()))

    def book(event: dict[str, Any]) -> Any:
        sent = draft(json.dumps(event).encode(), dt.datetime.now(dt.UTC))
        sent = msgspec.structs.replace(sent, shown=codes.shown(world.program_id, sent.sent.codes))
        with Clerk(world.database, programs) as clerk:
            [answer] = clerk.book(world.program_id, [Submission(sent, "test")])
        return answer

    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(book, events))


def orders_of_all(*codes: str) -> list[dict[str, Any]]:
    """An order of each member."""
    cards = map(str, range(1, MEMBERS + 1))
    return [order(f"o{card}", "10.00", *codes, member={"card": card}) for card in cards]


def used(answers: list[Any]) -> int:
    """How many of the orders used a coupon."""
    return sum(any(one.what == "used" for one in answer.outcome.coupons) for answer in answers)


def test_a_coupon_for_everybody_is_used_as_often_as_it_can_be(world: World) -> None:
    open_shop(world)
    for card in range(2, MEMBERS + 1):
        enrolled(world, card=str(card))
    code = made(world, "tenth", uses=3)
    answers = race(
        world, [order(f"o{card}", "10.00", code, member={"card": str(card)}) for card in range(1, MEMBERS + 1)]
    )
    assert used(answers) == 3
    assert looked_up(world, code)["used"] == 3
    assert findings(world) == []


def test_money_on_a_coupon_is_spent_once(world: World) -> None:
    open_shop(world)
    for card in range(2, MEMBERS + 1):
        enrolled(world, card=str(card))
    code = made(world, amount="25.00")
    answers = race(
        world, [order(f"o{card}", "10.00", code, member={"card": str(card)}) for card in range(1, MEMBERS + 1)]
    )
    taken = sorted(one.outcome.discounts[0].amount for one in answers if one.outcome.discounts)
    assert taken == [500, 1000, 1000]
    assert looked_up(world, code)["left"] == "0.00"
    assert findings(world) == []


def test_two_coupons_shown_in_either_order_lock_nobody_out(world: World) -> None:
    open_shop(world)
    for card in range(2, MEMBERS + 1):
        enrolled(world, card=str(card))
    one, other = made(world, amount="40.00"), made(world, amount="40.00")
    shown = [(one, other), (other, one)] * (MEMBERS // 2)
    answers = race(
        world,
        [order(f"o{card}", "10.00", *codes, member={"card": str(card)}) for card, codes in enumerate(shown, start=1)],
    )
    assert sum(effect.amount for one in answers for effect in one.outcome.discounts) == 8000
    assert findings(world) == []


def test_a_freed_coupon_goes_to_one_of_who_want_it(world: World) -> None:
    open_shop(world)
    enrolled(world, card="2")
    code = made(world, "tenth")
    bought(world, "1", "10.00", code)
    booked(world, give_back("r", "1"))
    reopen = give_back("c", "r") | {"type": "cancel"}
    answers = race(world, [reopen, order("2", "10.00", code, member={"card": "2"})])
    assert used(answers) == 1
    assert looked_up(world, code)["used"] == 1
    assert findings(world) == []


def test_an_order_and_its_return_meet_the_coupon_it_granted(world: World) -> None:
    open_shop(world)
    enrolled(world, card="2")
    for number in range(5):
        answer = bought(world, f"first {number}", "100.00")
        [coupon] = answer["coupons"]
        events = [give_back(f"r{number}", f"first {number}"), order(f"second {number}", "8.00", coupon["code"])]
        race(world, events)
        [(worth, spent)] = rows(
            world, "SELECT worth, spent FROM coupon WHERE hint = %s", looked_up(world, coupon["code"])["hint"]
        )
        assert worth == spent
        assert spent in {0, 800}
    assert findings(world) == []


def test_the_same_request_for_coupons_at_once_makes_them_once(world: World) -> None:
    open_shop(world)
    body = {"campaign": "tenth", "count": 20}

    def ask(_number: int) -> Any:
        return world.call("POST", "/v1/coupons", json=body, headers={"Idempotency-Key": "once"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({json.dumps(answer.json()) for answer in answers if answer.status_code == 201}) == 1
    assert world.count("coupon") == 20


def test_an_order_that_is_sent_twice_at_once_uses_its_coupon_once(world: World) -> None:
    open_shop(world)
    code = made(world, amount="10.00")
    answers = race(world, [order("1", "4.00", code)] * 4)
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True]
    assert looked_up(world, code)["left"] == "6.00"
    assert send(world, order("1", "4.00", code)).headers["Idempotent-Replayed"] == "true"


def test_everything_at_once_happens_to_a_coupon_in_some_order(world: World) -> None:
    """Orders, a return, a person who gives it back and one who withdraws it: whoever comes first."""
    open_shop(world)
    for card in range(2, MEMBERS + 1):
        enrolled(world, card=str(card))
    for number in range(3):
        code = made(world, amount="30.00")
        coupon = looked_up(world, code)["id"]
        first = bought(world, f"first {number}", "20.00", code)
        restore = {"json": {"event": first["id"], "reason": "x"}, "headers": {"Idempotency-Key": f"k{number}"}}
        paths: list[tuple[str, dict[str, Any]]] = [
            (f"/v1/coupons/{coupon}/restore", restore),
            (f"/v1/coupons/{coupon}/void", {}),
            ("/v1/events", {"json": give_back(f"r{number}", f"first {number}", amount="10.00")}),
            *(
                ("/v1/events", {"json": order(f"o{number}-{card}", "8.00", code, member={"card": str(card)})})
                for card in range(2, MEMBERS + 1)
            ),
        ]
        with ThreadPoolExecutor(len(paths)) as pool:
            answers = list(pool.map(lambda one: world.call("POST", one[0], **one[1]).status_code, paths))
        assert set(answers) <= {200, 201}
        left = looked_up(world, code)
        assert left["state"] == "void"
    assert findings(world) == []
