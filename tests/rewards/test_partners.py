"""Rewards of partners by webhook: asked after the commit, tried again, refused, given up, and booked once."""

import base64
import datetime as dt
import hmac
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from api_world import SECRET, World, assert_problem
from partner import Partner, says
from rewards.counter import ask, do, done, findings, member, open_shop, redeemed, rows, wallet
from setia.db.engine import driver_connection
from setia.partners import outbox
from setia.partners.addresses import parse_networks
from setia.partners.egress import Timeouts
from setia.partners.outbox import MOST_TRIES, PAUSES
from setia.partners.signing import PartnerKeys
from setia.rewards.partner_sender import PartnerSender

HOME = parse_networks("127.0.0.0/8")
CODE = says(200, b'{"code": "KINO-77"}')
DOWN = says(500, b"sorry")


def shop(world: World, partner: Partner, **more: Any) -> None:
    reward = {
        "kind": "partner",
        "partner": "Odeon",
        "cost": {"stars": 100},
        "stock": 2,
        "refund_within": "0d",
        "quantities": {"most": 2},
        "webhook": {"url": partner.url, "data": {"sku": "ticket"}},
        **more,
    }
    open_shop(world, rewards={"film": reward})


def sender(world: World, **more: Any) -> PartnerSender:
    return PartnerSender(
        world.database,
        world.app.state.programs,
        SECRET.encode,
        **{"networks": HOME, "timeouts": Timeouts(1, 0.3, 0.6), **more},
    )


def send(world: World, after: dt.timedelta = dt.timedelta(seconds=1), **more: Any) -> int:
    return sender(world, **more).send_due(dt.datetime.now(dt.UTC) + after)


def delivery(world: World, redemption: str, **more: Any) -> dict[str, Any]:
    answer = world.call("GET", f"/v1/redemptions/{redemption}", **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def taken(world: World) -> int:
    [(used,)] = rows(world, "SELECT coalesce(sum(used), 0)::int FROM reward_stock WHERE reward = 'film'")
    return int(used)


def test_a_partner_is_asked_after_the_commit_and_its_code_is_shown_for_a_day(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        assert (made["state"], made["fulfilment"], made["code"]) == ("confirmed", "open", None)
        found = delivery(world, made["id"])
        assert (found["delivery"]["state"], found["delivery"]["tries"], found["code"]) == ("waiting", 0, None)
        assert partner.seen == []
        assert send(world) == 1
        found = delivery(world, made["id"])
        assert (found["fulfilment"], found["code"]) == ("delivered", "KINO-77")
        assert (found["delivery"]["state"], found["delivery"]["why"]) == ("delivered", None)
        # the same request again gives it too; a key that may not redeem sees no code
        assert ask(world, found["member"], "film", confirm=True).json()["code"] == "KINO-77"
        reader = world.key("rewards:read")
        assert delivery(world, made["id"], key=reader)["code"] is None
        with world.database.raw_connection() as connection:
            connection.execute("UPDATE partner_delivery SET ended_at = ended_at - interval '25 hours'")
        assert delivery(world, made["id"])["code"] is None
        assert send(world, dt.timedelta(days=1)) == 0
        readable = "SELECT count(*) FROM partner_delivery WHERE position('KINO'::bytea IN sealed) > 0"
        assert rows(world, readable) == [(0,)]
        assert findings(world) == []


def test_a_message_says_what_was_redeemed_and_is_signed_as_standard_webhooks_are(world: World) -> None:
    with Partner(says(204)).open() as partner:
        shop(world, partner, webhook={"url": partner.url, "data": {"sku": "ticket"}, "key": 2})
        held = redeemed(world, member(world), "film", quantity=2)
        done(world, held["id"], "confirm", quantity=1)
        assert send(world) == 1
    [(headers, body)] = partner.seen
    told = json.loads(body)
    assert told["type"] == "redemption.confirmed"
    assert {name: told["data"][name] for name in ("redemption", "member", "reward", "quantity", "data")} == {
        "redemption": held["id"],
        "member": held["member"],
        "reward": "film",
        "quantity": 1,
        "data": {"sku": "ticket"},
    }
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    keys = PartnerKeys(SECRET.encode())
    for number, signature in zip((2, 1), headers["webhook-signature"].split(), strict=True):
        secret = base64.b64decode(keys.told(world.program_id, "Odeon", number).removeprefix("whsec_"))
        assert signature == "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    assert headers["webhook-id"] == delivery(world, held["id"])["delivery"]["message"]
    assert findings(world) == []


def test_a_server_that_is_down_is_asked_again_under_the_same_id(world: World) -> None:
    with Partner(DOWN, CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        send(world)
        found = delivery(world, made["id"])["delivery"]
        assert (found["state"], found["tries"], found["why"]) == ("waiting", 1, "it answered 500")
        assert send(world) == 0
        assert send(world, PAUSES[0] + dt.timedelta(seconds=3)) == 1
        assert delivery(world, made["id"])["code"] == "KINO-77"
    assert len({headers["webhook-id"] for headers, _ in partner.seen}) == 1
    assert len({body for _, body in partner.seen}) == 1


@pytest.mark.parametrize("status", [200, 422])
def test_a_refusal_gives_points_and_stock_back_and_says_why(world: World, status: int) -> None:
    with Partner(says(status, b'{"refused": "sold\\nout"}')).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        assert (wallet(world), taken(world)) == ([(300, 0)], 1)
        send(world)
    found = delivery(world, made["id"])
    # refund_within is over from the start, and does not matter
    assert (found["state"], found["fulfilment"], found["delivery"]["state"]) == ("refunded", "failed", "refused")
    assert found["delivery"]["why"] == "sold out"
    assert (wallet(world), taken(world)) == ([(400, 0)], 0)
    path = f"/v1/members/{found['member']}/statement"
    newest = world.call("GET", path).json()["items"][0]
    assert (newest["actor"], newest["reason"]) == ("partner", "film")
    assert newest["sentences"] == ["100 stars given back for “film”: the partner did not deliver it."]
    assert findings(world) == []


def test_who_never_answers_is_asked_for_hours_and_then_the_points_come_back(world: World) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        later = dt.timedelta(seconds=1)
        for pause in (*PAUSES, dt.timedelta()):
            assert send(world, later) == 1
            later += pause + dt.timedelta(seconds=2)
        found = delivery(world, made["id"])
        assert (found["state"], found["delivery"]["state"], found["delivery"]["tries"]) == (
            "refunded",
            "failed",
            MOST_TRIES,
        )
        assert send(world, dt.timedelta(days=9)) == 0
    assert len(partner.seen) == MOST_TRIES
    assert (wallet(world), taken(world)) == ([(400, 0)], 0)
    assert findings(world) == []


def test_a_crash_between_sending_and_writing_down_sends_again_and_books_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(PartnerSender, "_write_down", killed)
            with pytest.raises(KeyboardInterrupt):
                send(world)
        assert delivery(world, made["id"])["delivery"]["state"] == "waiting"
        assert send(world, PAUSES[0] + dt.timedelta(seconds=3)) == 1
        assert len({headers["webhook-id"] for headers, _ in partner.seen}) == 1
        assert len(partner.seen) == 2
    assert delivery(world, made["id"])["delivery"]["state"] == "delivered"
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'redemption'") == [(1,)]
    assert findings(world) == []


def test_an_answer_that_cannot_be_committed_is_asked_for_again(world: World) -> None:
    with Partner(says(200, b'{"refused": "no"}'), CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        world.refuse_commits_to("redemption")
        assert send(world) == 1
        assert (delivery(world, made["id"])["state"], wallet(world)) == ("confirmed", [(300, 0)])
        with world.database.raw_connection() as connection:
            connection.execute("DROP TRIGGER refuse ON redemption")
        assert send(world, PAUSES[0] + dt.timedelta(seconds=3)) == 1
    assert (delivery(world, made["id"])["code"], wallet(world)) == ("KINO-77", [(300, 0)])


def test_no_message_is_kept_of_a_redemption_that_is_not(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        who = member(world)
        held = redeemed(world, who, "film", reference="held")
        world.refuse_commits_to("partner_delivery")
        assert ask(world, who, "film", confirm=True).status_code == 500
        assert do(world, held["id"], "confirm").status_code == 500
    assert (world.count("partner_delivery"), wallet(world)) == (0, [(300, 100)])
    assert findings(world) == []


def test_a_refund_before_it_was_sent_withdraws_it_and_one_after_it_waits(world: World) -> None:
    with Partner(DOWN, says(200)).open() as partner:
        shop(world, partner, refund_within="30d")
        who = member(world)
        first = redeemed(world, who, "film", reference="1", confirm=True)
        assert_problem(do(world, first["id"], "fulfilment", state="shipped"), 409, "redemption_state_conflict")
        assert done(world, first["id"], "refund")["state"] == "refunded"
        assert delivery(world, first["id"])["delivery"]["state"] == "withdrawn"
        assert (send(world), partner.seen) == (0, [])
        second = redeemed(world, who, "film", reference="2", confirm=True)
        send(world)
        assert_problem(do(world, second["id"], "refund"), 409, "redemption_state_conflict")
        send(world, PAUSES[0] + dt.timedelta(seconds=3))
        assert done(world, second["id"], "fulfilment", state="shipped")["fulfilment"] == "shipped"
        assert done(world, second["id"], "refund")["state"] == "refunded"
    assert wallet(world) == [(400, 0)]
    assert findings(world) == []


def at_once(*works: Callable[[], Any]) -> list[Any]:
    barrier, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        found[place] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("answer", [CODE, says(200, b'{"refused": "no"}')])
def test_a_refund_and_senders_at_the_same_moment_give_points_or_the_reward_and_never_both(
    world: World, answer: Any
) -> None:
    with Partner(answer).open() as partner:
        shop(world, partner, stock=100, refund_within="30d")
        for turn in range(6):
            who = member(world, card=str(turn))
            made = redeemed(world, who, "film", reference=str(turn), confirm=True)
            sent = len(partner.seen)
            *tried, refund = at_once(
                partial(send, world), partial(send, world), partial(do, world, made["id"], "refund")
            )
            found = delivery(world, made["id"])
            assert sum(tried) == len(partner.seen) - sent <= 1
            if found["delivery"]["state"] == "withdrawn":
                assert (refund.status_code, len(partner.seen)) == (200, sent)
            elif found["delivery"]["state"] == "delivered":
                # a refund after the delivery is the shop's own decision
                assert found["state"] == ("confirmed" if refund.status_code == 409 else "refunded")
            else:
                assert (found["delivery"]["state"], found["state"]) == ("refused", "refunded")
            back = 400 if found["state"] == "refunded" else 300
            theirs = f"SELECT available FROM wallet WHERE point_type = 'stars' AND member_id = '{who[4:]}'"
            assert rows(world, theirs) == [(back,)]
    assert findings(world) == []


def test_a_confirmation_and_a_cancellation_at_the_same_moment_send_one_message_or_none(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner, stock=100)
        messages = 0
        for turn in range(6):
            held = redeemed(world, member(world, card=str(turn)), "film", reference=str(turn))
            both = at_once(partial(do, world, held["id"], "confirm"), partial(do, world, held["id"], "cancel"))
            assert sorted(answer.status_code for answer in both) == [200, 409]
            found = delivery(world, held["id"])
            assert (found["delivery"] is None) == (found["state"] == "cancelled")
            messages += found["state"] == "confirmed"
            send(world)
        assert len(partner.seen) == messages
    assert findings(world) == []


def test_a_partner_that_is_silent_does_not_keep_others_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setia.rewards.partner_sender.AT_ONCE", 3)
    monkeypatch.setattr("setia.rewards.partner_sender.OF_ONE", 2)
    with Partner(DOWN).open() as silent, Partner(CODE).open() as quick:
        one = {"kind": "partner", "partner": "A", "webhook": {"url": silent.url}}
        open_shop(world, rewards={"a": one, "b": {**one, "partner": "B", "webhook": {"url": quick.url}}})
        who = member(world)
        for number in range(5):
            redeemed(world, who, "a", f"a{number}", confirm=True)
        last = redeemed(world, who, "b", "b", confirm=True)
        assert send(world) == 3
        assert len(silent.seen) == 2
    assert delivery(world, last["id"])["code"] == "KINO-77"


def test_a_new_version_may_correct_the_address_of_what_waits(world: World) -> None:
    with Partner(DOWN).open() as wrong, Partner(CODE).open() as right:
        shop(world, wrong)
        made = redeemed(world, member(world), "film", confirm=True)
        send(world)
        shop(world, right)
        send(world, PAUSES[0] + dt.timedelta(seconds=3))
    assert delivery(world, made["id"])["code"] == "KINO-77"
    assert len(wrong.seen) == 1


def test_a_reward_that_is_no_more_is_still_asked_for_where_it_was(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        open_shop(world)
        assert send(world) == 1
    assert delivery(world, made["id"])["code"] == "KINO-77"


def test_an_address_of_our_own_network_is_not_reached(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        assert send(world, networks=()) == 1
    assert partner.seen == []
    assert "SETIA_PARTNER_NETWORKS" in delivery(world, made["id"])["delivery"]["why"]


def test_what_goes_wrong_with_one_message_is_an_answer_about_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)

        def broken(*_: Any) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr("setia.rewards.partner_sender.read_answer", broken)
        assert send(world) == 1
    assert delivery(world, made["id"])["delivery"]["why"] == "it could not be sent: RuntimeError"


def test_it_stops_when_it_is_told_to(world: World) -> None:
    with Partner(CODE).open() as partner:
        shop(world, partner)
        redeemed(world, member(world), "film", confirm=True)
        stopping = threading.Event()
        stopping.set()
        assert sender(world).send_due(None, stopping) == 0
        assert sender(world).send_due(None, threading.Event()) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE partner_delivery SET state = 'failed', due_at = NULL, ended_at = now()",
        "UPDATE redemption SET state = 'refunded', parts = '[]'",
    ],
)
def test_verify_names_a_delivery_that_does_not_agree_with_its_redemption(world: World, change: str) -> None:
    with Partner(DOWN).open() as partner:
        shop(world, partner)
        redeemed(world, member(world), "film", confirm=True)
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert "partner_deliveries" in {finding.kind for finding in findings(world)}


def test_an_answer_that_comes_when_it_has_ended_changes_nothing(world: World) -> None:
    # given two workers, of which one was so slow that the message came due again
    with Partner(says(200, b'{"code": "ONE"}'), says(200, b'{"refused": "no"}')).open() as partner:
        shop(world, partner)
        made = redeemed(world, member(world), "film", confirm=True)
        slow = sender(world)
        with world.database.transaction() as tx:
            [claimed] = outbox.claim(driver_connection(tx), dt.datetime.now(dt.UTC), 1, ())
        send(world, PAUSES[0] + dt.timedelta(seconds=3))
        slow._write_down(claimed, slow._ask(claimed))  # what it does after a claim
        assert len(partner.seen) == 2
    found = delivery(world, made["id"])
    assert (found["delivery"]["state"], found["code"], found["state"]) == ("delivered", "ONE", "confirmed")
    assert wallet(world) == [(300, 0)]
    assert findings(world) == []
