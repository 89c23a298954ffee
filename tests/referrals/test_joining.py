"""Who has brought a friend: by a code, by an address, and who may not be one's friend."""

import json
from typing import Any

import pytest

from api_world import World, assert_problem
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
    rows,
    stars,
    states,
)


def test_a_code_is_read_as_people_write_it_and_stays_the_same(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada")
    code = code_of(world, ada)
    assert len(code) == 10
    assert code_of(world, ada) == code
    member(world, "bob", referral_code=f" {code[:5].lower()}-{code[5:]} ")
    assert states(world) == [("joined", None)]
    assert listed(world)[0]["referrer"] == ada


def test_codes_are_given_in_bulk_and_strangers_get_none(world: World) -> None:
    open_shop(world, link="https://shop.example/join?ref={code}")
    people = [member(world, f"p{number}") for number in range(30)]
    closed = people[3]
    world.call("POST", f"/v1/members/{closed}/close", json={"reason": "test"})
    nobody = ["mem_" + "0" * 32, "no id"]
    body = world.call("POST", "/v1/referrals/codes", json={"members": [*people, *nobody, people[0]]}).json()
    assert [one["member"] for one in body["codes"]] == [who for who in people if who != closed]
    assert body["unknown"] == [closed, *nobody]
    codes = {one["code"] for one in body["codes"]}
    assert len(codes) == 29
    assert all(one["link"] == f"https://shop.example/join?ref={one['code']}" for one in body["codes"])
    found = world.call("GET", f"/v1/members/{people[0]}/referrals").json()
    assert found == {"member": people[0], "codes": [body["codes"][0]], "counts": {}}


def test_a_code_taken_by_another_is_made_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_shop(world)
    ada, bob = member(world, "ada"), member(world, "bob")
    made = iter(["AAAAAAAAAA", "AAAAAAAAAA", "BBBBBBBBBB"])
    monkeypatch.setattr("setia.referrals.codes._made", lambda: next(made))
    assert (code_of(world, ada), code_of(world, bob)) == ("AAAAAAAAAA", "BBBBBBBBBB")
    eve = member(world, "eve")
    monkeypatch.setattr("setia.referrals.codes._made", lambda: "AAAAAAAAAA")
    answer = world.call("POST", "/v1/referrals/codes", json={"members": [eve]})
    assert answer.status_code == 500


@pytest.mark.parametrize("code", ["nonsense", "", "0" * 100, "\u00e4\u00f6\u00fc"])
def test_an_unknown_code_enrols_nobody(world: World, code: str) -> None:
    open_shop(world)
    answer = enrol(world, "bob", referral_code=code)
    if not code:
        assert answer.status_code == 201  # no code at all
        return
    body = assert_problem(answer, 422, "unknown_referral_code")
    assert [item["pointer"] for item in body["errors"]] == ["#/referral_code"]
    assert world.count("member") == 0
    assert enrol(world, "bob").status_code == 201


def test_codes_of_others_who_cannot_refer_are_as_unknown_as_any(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada")
    code = code_of(world, ada)
    nonsense = enrol(world, "bob", referral_code="NONSENSE22").json()
    world.call("POST", f"/v1/members/{ada}/suspend", json={"reason": "test"})
    suspended = enrol(world, "bob", referral_code=code).json()
    world.call("POST", f"/v1/members/{ada}/reactivate", json={"reason": "test"})
    theirs = world.call(
        "POST",
        "/v1/members",
        json={"identifiers": {"external_id": "x"}, "referral_code": code},
        key=world.stranger,
    ).json()
    for one in (nonsense, suspended, theirs):
        one.pop("request_id")
    assert nonsense == suspended == theirs
    open_shop(world, live=True)
    assert enrol(world, "bob", referral_code=code).status_code == 422


def test_a_kind_that_is_switched_off_takes_nobody_more(world: World) -> None:
    open_shop(world, live=True, after="1d")
    ada, bob = pair(world)
    code = code_of(world, ada)
    invite(world, ada, email="kim@example.com")
    open_shop(world, live=True, after="0d", enabled=False)
    assert enrol(world, "eve", referral_code=code).status_code == 422
    member(world, "kim", identifiers={"email": "kim@example.com"})
    body = world.call("POST", "/v1/referrals/codes", json={"members": [bob]})
    assert_problem(body, 422, "invalid_referral")
    assert_problem(invite(world, ada, email="x@example.com"), 422, "invalid_referral")
    buy(world, bob)
    assert states(world) == [("void", "already_member"), ("won", None)]


def test_of_two_invitations_the_earlier_one_counts(world: World) -> None:
    open_shop(world)
    ada, eve = member(world, "ada"), member(world, "eve")
    for who in (ada, eve, ada):
        invite(world, who, phone="0151 2345678")
    assert stars(world, ada, eve) == [1, 1]
    bob = member(world, "bob", identifiers={"phone": "+49 151 2345678"})
    assert states(world) == [("void", "other_referrer"), ("joined", None)]
    assert listed(world, referrer=ada)[0]["friend"] == bob
    assert stars(world, ada, eve) == [11, 1]
    assert_sound(world)


def test_a_code_counts_more_than_an_invitation(world: World) -> None:
    open_shop(world)
    ada, eve = member(world, "ada"), member(world, "eve")
    invite(world, ada, email="bob@example.com")
    invite(world, eve, email="bob@example.com")
    member(world, "bob", identifiers={"email": "bob@example.com"}, referral_code=code_of(world, eve))
    assert states(world, referrer=ada) == [("void", "other_referrer")]
    assert states(world, referrer=eve) == [("joined", None)]
    assert world.count("referral") == 2


def test_an_invitation_of_a_suspended_member_leads_to_nobody(world: World) -> None:
    open_shop(world)
    ada, eve = member(world, "ada"), member(world, "eve")
    invite(world, ada, email="bob@example.com")
    invite(world, eve, email="bob@example.com")
    world.call("POST", f"/v1/members/{ada}/suspend", json={"reason": "test"})
    assert_problem(invite(world, ada, email="kim@example.com"), 409, "cannot_refer")
    member(world, "bob", identifiers={"email": "bob@example.com"})
    assert states(world, referrer=eve) == [("joined", None)]


def test_the_same_invitation_again_is_the_first_and_tells_nothing(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada", identifiers={"email": "ada@example.com"})
    member(world, "eve", identifiers={"email": "eve@example.com"})
    first = invite(world, ada, email="bob@example.com")
    again = invite(world, ada, email=" BOB@example.com")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for taken in ("eve@example.com", "ada+me@example.com"):
        answer = invite(world, ada, email=taken)
        assert answer.status_code == 201
        assert answer.json().keys() == first.json().keys()
    assert states(world) == [("blocked", "same_email"), ("blocked", "already_member"), ("invited", None)]
    assert stars(world, ada) == [1]
    assert_sound(world)


@pytest.mark.parametrize(
    ("ada", "bob", "reason"),
    [
        ({"identifiers": {"email": "ada@example.com"}}, {"identifiers": {"email": "ada+2@example.com"}}, "same_email"),
        ({"identifiers": {"email": "a.da@gmail.com"}}, {"fingerprints": {"email": "ada@googlemail.com"}}, "same_email"),
        ({"fingerprints": {"phone": "+49 151 99"}}, {"fingerprints": {"phone": ["1", "0049 15199"]}}, "same_phone"),
        ({"identifiers": {"card": "4711"}}, {"fingerprints": {"card": "47-11"}}, "same_card"),
        (
            {"fingerprints": {"address": "Hauptstr. 1, 10115 Berlin"}},
            {"fingerprints": {"address": "hauptstr 1  10115 BERLIN"}},
            "same_address",
        ),
        ({"fingerprints": {"device": "d1"}}, {"fingerprints": {"device": ["d0", "d1"]}}, "same_device"),
        ({"fingerprints": {"payment": ["p1", "p2"]}}, {"fingerprints": {"payment": "p2"}}, "same_payment"),
    ],
)
def test_nobody_refers_oneself(world: World, ada: Any, bob: Any, reason: str) -> None:
    open_shop(world)
    first = member(world, "ada", **ada)
    second = member(world, "bob", referral_code=code_of(world, first), **bob)
    assert states(world) == [("blocked", reason)]
    buy(world, second)
    assert stars(world, first, second) == [0, 0]
    assert_sound(world)


def test_only_what_blocks_is_compared(world: World) -> None:
    open_shop(world, blocks=["payment"])
    pair(world, fingerprints={"device": "d1"})
    [one] = listed(world)
    answer = world.call("PUT", f"/v1/members/{one['referrer']}/fingerprints", json={"fingerprints": {"device": "d1"}})
    assert answer.json() == {"kept": {"device": 1}}
    buy(world, one["friend"])
    assert states(world) == [("won", None)]


def test_one_person_with_many_accounts_is_one_friend(world: World) -> None:
    open_shop(world, distinct=["device", "payment"])
    ada, eve = member(world, "ada"), member(world, "eve")
    code = code_of(world, ada)
    friends = [
        member(world, "f1", referral_code=code, fingerprints={"device": "d1", "address": "Hauptstr. 1"}),
        member(world, "f2", referral_code=code, fingerprints={"device": ["d0", "d1"]}),
        member(world, "f3", referral_code=code, fingerprints={"address": "Hauptstr. 1", "device": "d0"}),
        member(world, "f4", referral_code=code_of(world, eve), fingerprints={"device": "d1"}),
    ]
    for friend in friends:
        buy(world, friend, order=friend)
    # f2 has the device of f1; f3 that of f2, who is no friend; f4 is somebody else's.
    assert states(world) == [("won", None), ("won", None), ("blocked", "other_friend"), ("won", None)]
    assert stars(world, ada, eve) == [220, 110]
    assert_sound(world)


def test_who_was_invited_first_and_came_last_is_one_person_too(world: World) -> None:
    open_shop(world, distinct=["device"])
    ada = member(world, "ada")
    invite(world, ada, email="bob@example.com")
    same = {"device": "d1"}
    cid = member(world, "cid", referral_code=code_of(world, ada), fingerprints=same)
    bob = member(world, "bob", identifiers={"email": "bob@example.com"}, fingerprints=same)
    for friend in (bob, cid):
        buy(world, friend, order=friend)
    assert states(world, friend=cid) == [("won", None)]
    assert states(world, friend=bob) == [("blocked", "other_friend")]


def test_who_enrols_with_a_date_of_before_was_not_there_before_who_was_rewarded(world: World) -> None:
    open_shop(world, distinct=["device"])
    code, same = code_of(world, member(world, "ada")), {"device": "d1"}
    buy(world, member(world, "cid", referral_code=code, fingerprints=same))
    member(world, "bob", referral_code=code, fingerprints=same, enrolled_at="2020-02-29T09:00:00Z")
    assert states(world) == [("blocked", "other_friend"), ("won", None)]


def test_a_phone_blocks_however_it_is_written(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada", identifiers={"phone": "+49 151 1234567"})
    given = {"phone": ["no phone", "0151 1234567"]}
    bob = member(world, "bob", referral_code=code_of(world, ada), fingerprints=given)
    buy(world, bob)
    assert states(world) == [("blocked", "same_phone")]
    eve = member(world, "eve", referral_code=code_of(world, ada))
    world.call("PUT", f"/v1/members/{eve}/fingerprints", json={"fingerprints": {"phone": "0151/1234567"}})
    buy(world, eve, order="o2")
    assert states(world, friend=eve) == [("blocked", "same_phone")]


def test_what_becomes_known_while_both_wait_blocks_them(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world, fingerprints={"payment": "p1"})
    buy(world, bob)
    world.call("PUT", f"/v1/members/{ada}/fingerprints", json={"fingerprints": {"payment": ["p0", "p1"]}})
    later(world, 15)
    assert states(world) == [("blocked", "same_payment")]
    assert stars(world, ada, bob) == [10, 5]
    assert_sound(world)


def test_nothing_that_was_given_can_be_read(world: World) -> None:
    open_shop(world)
    ada = member(world, "ada", fingerprints={"device": "device-of-ada"}, identifiers={"email": "ada@example.com"})
    invite(world, ada, email="bob@example.com")
    found = rows(world, "SELECT member_id::text, kind, encode(hash, 'escape') FROM member_fingerprint")
    found += rows(world, "SELECT r::text FROM referral r") + rows(world, "SELECT body::text FROM event")
    assert len(found) > 3
    assert "ada@" not in str(found)
    assert "device-of" not in str(found)
    assert "bob@" not in str(found)


def test_a_member_without_referrals_in_the_program_is_enrolled_all_the_same(world: World) -> None:
    assert enrol(world, "ada", fingerprints={"device": "d"}).status_code == 201
    assert world.count("member_fingerprint") == 0
    assert_problem(enrol(world, "bob", referral_code="ABC"), 422, "unknown_referral_code")
    assert_problem(world.call("POST", "/v1/referrals/codes", json={"members": ["x"]}), 422, "invalid_referral")


def test_the_same_enrolment_again_joins_nobody_twice(world: World) -> None:
    open_shop(world)
    code = code_of(world, member(world, "ada"))
    body = {"identifiers": {"external_id": "bob"}, "referral_code": code, "fingerprints": {"device": "d"}}
    first = world.call("POST", "/v1/members", json=body, headers={"Idempotency-Key": "k"})
    again = world.call("POST", "/v1/members", json=body, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert world.count("referral") == 1
    other = world.call("POST", "/v1/members", json=body | {"referral_code": "X"}, headers={"Idempotency-Key": "k"})
    assert_problem(other, 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "more",
    [
        {"referral_code": "A\x00B"},
        {"referral_code": "\ud800"},
        {"referral_code": 7},
        {"referral_code": "x" * 101},
        {"fingerprints": {"shoe": "43"}},
        {"fingerprints": {"device": ""}},
        {"fingerprints": {"device": []}},
        {"fingerprints": {"device": ["d"] * 11}},
        {"fingerprints": {"device": "\x07"}},
        {"fingerprints": ["d"]},
    ],
)
def test_what_cannot_be_read_is_refused(world: World, more: dict[str, Any]) -> None:
    open_shop(world)
    body = json.dumps({"identifiers": {"external_id": "bob"}, **more}).encode()
    answer = world.call("POST", "/v1/members", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert world.count("member") == 0


@pytest.mark.parametrize("fingerprints", [{}, {"device": "\x00"}, {"shoe": "43"}, None])
def test_fingerprints_that_are_none_are_refused(world: World, fingerprints: Any) -> None:
    open_shop(world)
    ada = member(world, "ada")
    answer = world.call("PUT", f"/v1/members/{ada}/fingerprints", json={"fingerprints": fingerprints})
    assert_problem(answer, 422, "validation_failed")
