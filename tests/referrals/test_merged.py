"""Members who turn out to be one while a friend is on the way."""

import datetime as dt

import pytest

from api_world import World
from referrals.friends import (
    assert_sound,
    buy,
    code_of,
    enrol,
    invite,
    later,
    listed,
    member,
    open_shop,
    pair,
    stars,
    states,
)
from setia.referrals.due import go_on_due


def merge(world: World, main: str, duplicate: str) -> str:
    """Merge a duplicate into a member; give the merge's id."""
    answer = world.call(
        "POST",
        f"/v1/members/{main}/merge",
        json={"duplicate": duplicate, "reason": "one person"},
        headers={"Idempotency-Key": f"{main}-{duplicate}"},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_who_stands_for_the_referrer_wins(world: World) -> None:
    open_shop(world, after="14d", caps={"referrer": 1})
    ada, bob = pair(world)
    main = member(world, "ada again")
    kim = member(world, "kim", referral_code=code_of(world, main))
    merge(world, main, ada)
    buy(world, bob)
    later(world, 14)
    buy(world, kim, order="o2")
    later(world, 14)
    # 10 for each friend, and one win: what either had won counts for the cap.
    assert stars(world, main, bob, kim) == [20 + 100, 55, 55]
    assert [state for state, _ in states(world)] == ["capped", "won"]
    assert world.call("GET", f"/v1/members/{main}/referrals").json()["counts"] == {"capped": 1, "won": 1}
    assert_sound(world)


def test_codes_and_invitations_of_a_duplicate_lead_to_who_stands_for_it(world: World) -> None:
    open_shop(world)
    ada, main = member(world, "ada"), member(world, "ada again")
    code = code_of(world, ada)
    invite(world, ada, email="kim@example.com")
    merge(world, main, ada)
    bob = member(world, "bob", referral_code=code)
    kim = member(world, "kim", identifiers={"email": "kim@example.com"})
    assert invite(world, ada, email="eve@example.com").json()["referrer"] == main
    buy(world, bob)
    buy(world, kim, order="o2")
    assert [state for state, _ in states(world)] == ["invited", "won", "won"]
    assert stars(world, main, bob, kim) == [2 * 1 + 2 * 110, 55, 55]
    assert [one["code"] for one in world.call("GET", f"/v1/members/{main}/referrals").json()["codes"]] == [code]
    world.call("POST", f"/v1/members/{main}/suspend", json={"reason": "test"})
    assert enrol(world, "zoe", referral_code=code).status_code == 422
    assert_sound(world)


def test_a_friend_who_was_a_member_before_is_none(world: World) -> None:
    open_shop(world, after="14d")
    old = member(world, "old", enrolled_at="2026-01-01T00:00:00Z")
    ada, bob = pair(world)
    buy(world, bob)
    merge(world, old, bob)
    later(world, 14)
    assert states(world) == [("blocked", "already_member")]
    assert stars(world, ada) == [10]
    assert_sound(world)


def test_a_friend_with_a_second_account_stays_one(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    later(world, 1)
    second = member(world, "bob again")
    merge(world, second, bob)
    buy(world, second)
    assert states(world) == [("qualified", None)]
    later(world, 14)
    assert states(world) == [("won", None)]
    assert stars(world, ada, second) == [110, 55]
    assert_sound(world)


def test_nobody_is_the_friend_of_the_member_that_they_are(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    merge(world, ada, bob)
    later(world, 14)
    assert states(world) == [("blocked", "same_member")]
    assert stars(world, ada) == [15]
    assert_sound(world)


def test_what_a_duplicate_has_in_common_blocks_too(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world, fingerprints={"payment": "p1"})
    other = member(world, "ada again", fingerprints={"payment": "p1"})
    merge(world, ada, other)
    buy(world, bob)
    later(world, 14)
    assert states(world) == [("blocked", "same_payment")]


def test_a_circle_made_by_a_merge_rewards_nobody_twice(world: World) -> None:
    open_shop(world, levels=3)
    ada, bob = pair(world)
    eve = member(world, "eve", referral_code=code_of(world, bob))
    kim = member(world, "kim", referral_code=code_of(world, eve))
    merge(world, eve, ada)
    buy(world, kim)
    assert_sound(world)
    assert [state for state, _ in states(world, friend=kim)] == ["won"]


def test_what_is_bought_by_who_stands_for_a_friend_is_found_by_the_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shop(world, live=True)
    ada, bob = pair(world)
    monkeypatch.setattr("setia.referrals.service.go_on", lambda *_: False)
    young = member(world, "bob again")
    merge(world, young, bob)
    programs, now = world.app.state.programs, dt.datetime.now(dt.UTC)
    assert go_on_due(world.database, programs, now) == 1  # the merge alone
    assert go_on_due(world.database, programs, now) == 0
    buy(world, young)
    assert go_on_due(world.database, programs, dt.datetime.now(dt.UTC)) == 1
    assert (stars(world, ada, young), states(world)) == ([110, 55], [("won", None)])
    assert_sound(world)


def test_a_merge_with_who_was_a_member_before_is_found_by_the_job(world: World) -> None:
    open_shop(world, live=True)
    old = member(world, "bob of old")
    ada, bob = pair(world)
    merge(world, old, bob)
    assert go_on_due(world.database, world.app.state.programs, dt.datetime.now(dt.UTC)) == 1
    assert states(world) == [("blocked", "already_member")]
    assert stars(world, ada, old) == [10, 5]


@pytest.mark.parametrize("parted", [False, True])
def test_who_referred_a_duplicate_is_above_who_stands_for_it(world: World, *, parted: bool) -> None:
    above = {"on": "referral_won", "when": "event.data.level == 2", "earn": {"stars": 30}}
    open_shop(world, campaigns={"above": above}, levels=3, after="14d")
    ada, bob = pair(world)
    main = member(world, "bob again")
    kim = member(world, "kim", referral_code=code_of(world, main))
    identity = merge(world, main, bob)
    buy(world, kim)
    if parted:
        body, headers = {"reason": "two after all"}, {"Idempotency-Key": "u"}
        assert world.call("POST", f"/v1/merges/{identity}/undo", json=body, headers=headers).status_code == 200
    later(world, 14)
    # The one above wins at the second level, as long as the two are one.
    assert stars(world, ada) == [0 if parted else 30]
    assert {one["friend"] for one in listed(world, referrer=main)} == {kim}
    assert {one["friend"] for one in listed(world, friend=main)} == (set() if parted else {bob})
    assert_sound(world)


def test_an_invitation_of_a_duplicate_is_that_of_who_stands_for_it(world: World) -> None:
    open_shop(world)
    ada, main = member(world, "ada"), member(world, "ada again")
    code = code_of(world, main)
    first = invite(world, ada, email="kim@example.com").json()["id"]
    merge(world, main, ada)
    assert invite(world, main, email="kim@example.com").json()["id"] == first
    assert [one["id"] for one in listed(world, referrer=main)] == [first]
    assert listed(world, referrer=ada) == listed(world, referrer=main)
    # By the code of the one and the address that the other one gave: one referral.
    kim = member(world, "kim", identifiers={"email": "kim@example.com"}, referral_code=code)
    assert [(one["id"], one["friend"]) for one in listed(world)] == [(first, kim)]
    assert_sound(world)
