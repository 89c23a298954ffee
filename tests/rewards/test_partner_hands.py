"""Deliveries of partners: what a partner wishes about the next try, and what people do by hand."""

import datetime as dt
import threading
import time
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest

from api_world import World, assert_problem
from partner import Partner, says
from rewards.counter import do, findings, member, open_shop, redeemed, rows, wallet
from rewards.test_partners import CODE, DOWN, at_once, delivery, send, sender, shop, taken
from setia.db.engine import driver_connection
from setia.partners import outbox
from setia.partners.answer import LONGEST_WAIT
from setia.partners.egress import Timeouts
from setia.partners.outbox import IN_FLIGHT, PAUSES

LATER = PAUSES[0] + dt.timedelta(seconds=3)


def hand(world: World, redemption: str, what: str, **more: Any) -> Any:
    body = {"reason": "asked by telephone"} if what == "give-up" else None
    return world.call("POST", f"/v1/redemptions/{redemption}/delivery/{what}", json=body, **more)


def waits_for(world: World) -> float:
    [(seconds,)] = rows(world, "SELECT extract(epoch FROM due_at - now())::float FROM partner_delivery")
    return float(seconds)


@pytest.mark.parametrize("written", ["600", "date"])
def test_a_partner_says_how_long_it_wants_to_be_left_alone(world: World, written: str) -> None:
    date = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=600), usegmt=True)
    with Partner(says(503, b"", Retry_After=date if written == "date" else written), CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        send(world)
        assert 590 < waits_for(world) < 670
        assert send(world, LATER) == 0
        assert send(world, dt.timedelta(seconds=670)) == 1
    assert delivery(world, made["id"])["code"] == "KINO-77"


def test_a_wait_that_is_wished_is_none_for_ever_and_never_shorter_than_the_pause(world: World) -> None:
    replies = [says(429, b"", Retry_After=written) for written in ("999999999999999999999", "0")]
    with Partner(*replies).open() as partner:
        shop(world, partner)
        redeemed(world, member(world), "film", confirm=True)
        send(world)
        assert LONGEST_WAIT.total_seconds() - 9 < waits_for(world) <= 1.1 * LONGEST_WAIT.total_seconds()
        send(world, dt.timedelta(hours=5))
        assert waits_for(world) > 0.9 * PAUSES[1].total_seconds()


def test_a_partner_that_is_gone_is_not_asked_again(world: World) -> None:
    with Partner(says(410)).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        assert send(world) == 1
        found = delivery(world, made["id"])
        assert (found["state"], found["delivery"]["state"]) == ("refunded", "refused")
        assert "410" in found["delivery"]["why"]
        assert send(world, dt.timedelta(days=1)) == 0
    assert (wallet(world), taken(world)) == ([(400, 0)], 0)
    assert findings(world) == []


def test_those_that_failed_together_do_not_come_again_in_one_moment(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner, stock=20)
        for number in range(4):
            redeemed(world, member(world, card=str(number)), "film", str(number), confirm=True)
        send(world)
    [(different, least, most)] = rows(
        world,
        "SELECT count(DISTINCT due_at), extract(epoch FROM min(due_at) - now())::float, "
        "extract(epoch FROM max(due_at) - now())::float FROM partner_delivery",
    )
    assert different == 4
    assert 0.9 * 60 - 10 < least < most <= 62


def test_a_person_asks_again_at_once(world: World) -> None:
    with Partner(DOWN, CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        send(world)
        assert send(world) == 0
        again = hand(world, made["id"], "retry")
        assert (again.status_code, again.json()["state"], again.json()["redemption"]) == (200, "waiting", made["id"])
        assert send(world) == 1
        assert delivery(world, made["id"])["code"] == "KINO-77"
        assert_problem(hand(world, made["id"], "retry"), 409, "redemption_state_conflict")
        assert_problem(hand(world, made["id"], "give-up"), 409, "redemption_state_conflict")
    assert len(partner.seen) == 2


def test_a_person_gives_it_up_once_and_the_points_come_back(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        send(world)
        given_up = hand(world, made["id"], "give-up")
        assert (given_up.json()["state"], given_up.json()["why"]) == ("failed", "given up: asked by telephone")
        again = hand(world, made["id"], "give-up")
        assert (again.json(), again.headers["idempotent-replayed"]) == (given_up.json(), "true")
        assert send(world, dt.timedelta(days=1)) == 0
    found = delivery(world, made["id"])
    assert (found["state"], found["fulfilment"]) == ("refunded", "failed")
    assert (wallet(world), taken(world)) == ([(400, 0)], 0)
    newest = world.call("GET", f"/v1/members/{found['member']}/statement").json()["items"][0]
    assert newest["actor"].startswith("key")
    assert findings(world) == []


def test_what_is_being_sent_is_neither_given_up_nor_sent_twice(world: World) -> None:
    reached, answer = threading.Event(), threading.Event()

    def slow(handler: Any) -> None:
        reached.set()
        answer.wait(5)
        CODE(handler)

    with Partner(slow).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        worker = threading.Thread(target=sender(world, timeouts=Timeouts(1, 5, 6)).send_due)
        worker.start()
        reached.wait(5)
        assert_problem(hand(world, made["id"], "give-up"), 409, "redemption_state_conflict")
        assert hand(world, made["id"], "retry").status_code == 200
        assert send(world) == 0
        answer.set()
        worker.join()
        assert len(partner.seen) == 1
    assert delivery(world, made["id"])["code"] == "KINO-77"
    assert findings(world) == []


def test_who_died_with_a_try_is_not_waited_for_for_ever(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
    since = dt.datetime.now(dt.UTC) - IN_FLIGHT
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE partner_delivery SET tries = 1, begun_at = %s", (since,))
    assert hand(world, made["id"], "give-up").json()["state"] == "failed"
    assert wallet(world) == [(400, 0)]
    assert findings(world) == []


@pytest.mark.parametrize("reply", [CODE, says(200, b'{"refused": "no"}'), DOWN])
def test_giving_up_and_sending_at_the_same_moment_never_gives_both(world: World, reply: Any) -> None:
    with Partner(reply).open() as partner:
        shop(world, partner, stock=100)
        for turn in range(5):
            who = member(world, card=str(turn))
            made = redeemed(world, who, "film", str(turn), confirm=True)
            sent = len(partner.seen)
            _, given_up = at_once(partial(send, world), partial(hand, world, made["id"], "give-up"))
            found = delivery(world, made["id"])
            if given_up.status_code == 200 and "idempotent-replayed" not in given_up.headers:
                assert found["delivery"]["state"] == "failed"
                assert len(partner.seen) == sent or reply is DOWN
            assert (found["state"] == "refunded") == (found["delivery"]["state"] in {"failed", "refused"})
    assert findings(world) == []


def test_deliveries_are_listed_by_their_state_page_by_page(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner, stock=20)
        made = [
            redeemed(world, member(world, card=str(number)), "film", str(number), confirm=True)["id"]
            for number in range(4)
        ]
        assert send(world) == 4
    hand(world, made[0], "give-up")
    seen, cursor = [], ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = world.call("GET", "/v1/partner-deliveries", params={"limit": 3, **more})
        seen += [(one["redemption"], one["why"]) for one in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert seen == [(one, "it answered 500") for one in reversed(made[1:])]
    [failed] = world.call("GET", "/v1/partner-deliveries?state=failed").json()["items"]
    assert failed["redemption"] == made[0]
    assert world.call("GET", "/v1/partner-deliveries?state=lost").status_code == 422
    assert world.call("GET", "/v1/partner-deliveries", key=world.stranger).json()["items"] == []


def test_only_who_may_redeem_does_it_and_only_in_its_own_program(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
    other = redeemed(world, made["member"], "film", "held")
    reader = world.key("rewards:read")
    for what in ("retry", "give-up"):
        assert hand(world, made["id"], what, key=reader).status_code == 403
        assert_problem(hand(world, "red_" + "0" * 32, what), 404, "redemption_not_found")
        assert_problem(hand(world, other["id"], what), 409, "redemption_state_conflict")
    with_program = world.call("POST", f"/v1/redemptions/{made['id']}/delivery/retry", key=world.stranger)
    assert_problem(with_program, 404, "redemption_not_found")
    empty = world.call("POST", f"/v1/redemptions/{made['id']}/delivery/give-up", json={"reason": " "})
    assert empty.status_code == 422
    assert do(world, other["id"], "cancel").status_code == 200
    assert delivery(world, made["id"])["delivery"]["state"] == "waiting"


def test_giving_up_that_cannot_be_committed_keeps_nothing(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
    world.refuse_commits_to("partner_delivery")
    assert hand(world, made["id"], "give-up").status_code == 500
    assert hand(world, made["id"], "retry").status_code == 500
    found = delivery(world, made["id"])
    assert (found["state"], found["delivery"]["state"], wallet(world)) == ("confirmed", "waiting", [(300, 0)])


def test_a_name_that_is_not_found_in_time_holds_up_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = __import__("socket").getaddrinfo
    released = threading.Event()

    def stuck(host: str, *rest: Any, **more: Any) -> Any:
        if host.endswith(".example"):
            released.wait(10)
        return real("127.0.0.1", *rest, **more)

    film = {"kind": "partner", "partner": "Odeon", "webhook": {"url": "https://slow.example/"}}
    open_shop(world, rewards={"film": film})
    made = redeemed(world, member(world), "film", confirm=True)
    monkeypatch.setattr("setia.partners.egress.socket.getaddrinfo", stuck)
    began = time.monotonic()
    try:
        assert send(world) == 1
    finally:
        released.set()
    assert time.monotonic() - began < 3
    assert "not found within 1 seconds" in delivery(world, made["id"])["delivery"]["why"]


def test_addresses_take_turns_whoever_has_waited_longest(world: World) -> None:
    with Partner(DOWN).open() as one, Partner(DOWN).open() as two, Partner(CODE).open() as quick:
        reward = {"kind": "partner", "webhook": {"url": ""}}
        urls = {"a": one.url, "b": two.url, "c": quick.url}
        rewards = {name: {**reward, "partner": name, "webhook": {"url": url}} for name, url in urls.items()}
        open_shop(world, rewards=rewards)
        who = member(world)
        for name, number in [("a", 6), ("b", 6), ("c", 2)]:
            for turn in range(number):
                redeemed(world, who, name, f"{name}{turn}", confirm=True)
        with world.database.transaction() as tx:
            claimed = outbox.claim(driver_connection(tx), dt.datetime.now(dt.UTC), 8, (), 3)
            assert [sum(one.reward == name for one in claimed) for name in "abc"] == [3, 3, 2]
            assert outbox.claim(driver_connection(tx), dt.datetime.now(dt.UTC), 8, urls.values()) == []
        with world.database.raw_connection() as connection:
            connection.execute("UPDATE partner_delivery SET tries = 0, begun_at = NULL, due_at = created_at")
        # those that do not answer are left alone then
        assert send(world) == 8
        assert (len(one.seen), len(two.seen), len(quick.seen)) == (3, 3, 2)


def test_a_slow_partner_leaves_room_for_a_quick_one(world: World) -> None:
    released = threading.Event()

    def slow(handler: Any) -> None:
        released.wait(5)
        CODE(handler)

    with Partner(slow).open() as tardy, Partner(CODE).open() as quick:
        rewards = {
            name: {"kind": "partner", "partner": name, "webhook": {"url": partner.url}}
            for name, partner in (("a", tardy), ("b", quick))
        }
        open_shop(world, rewards=rewards)
        who = member(world)
        for turn in range(20):
            for name in "ab":
                redeemed(world, who, name, f"{name}{turn}", confirm=True)
        worker = threading.Thread(target=sender(world, timeouts=Timeouts(1, 9, 9)).send_due)
        worker.start()
        deadline = time.monotonic() + 5
        while len(quick.seen) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (len(quick.seen), len(tardy.seen)) == (20, 4)
        released.set()
        worker.join()
        assert len(tardy.seen) == 20
    assert rows(world, "SELECT count(*) FROM partner_delivery WHERE state = 'delivered'") == [(40,)]
    assert findings(world) == []
