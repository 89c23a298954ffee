"""Codes: how they are made and kept, and what tills do with them."""

from uuid import UUID

import pytest

from api_world import World, assert_problem
from rewards.counter import REWARDS, ask, code, do, done, findings, member, open_shop, redeemed, rows
from setia.codes import guesses
from setia.rewards import pools
from setia.rewards.codes import CodeBook, UnreadableCode, hint_of

ONE, TWO = UUID(int=1), UUID(int=2)


def test_a_code_follows_from_the_secret_and_the_redemption() -> None:
    book, other = CodeBook(b"secret"), CodeBook(b"other")
    assert book.code_of(ONE) == book.code_of(ONE)
    assert len({book.code_of(ONE), book.code_of(TWO), other.code_of(ONE)}) == 3
    assert len(book.code_of(ONE)) == 23
    assert len({CodeBook(b"s").code_of(UUID(int=number)) for number in range(2000)}) == 2000


def test_slips_of_the_hand_mean_the_same_code() -> None:
    book = CodeBook(b"secret")
    text = "01AB-CDEF"
    assert {book.hash_of(1, one) for one in (text, "o1ab cdef", "OLABCDEF")} == {book.hash_of(1, text)}
    assert book.hash_of(2, text) != book.hash_of(1, text)
    assert (hint_of("ABCDEFGH"), hint_of("ABCDEFGHIJKLMNOPQRST")) == ("GH", "QRST")


def test_what_is_sealed_opens_under_its_id_and_secret_only() -> None:
    book = CodeBook(b"secret")
    text = "a partner's long code " * 4
    sealed = book.seal(ONE, text)
    assert book.unseal(ONE, sealed) == text
    assert text.encode() not in sealed
    for reader, identifier, body in ((CodeBook(b"x"), ONE, sealed), (book, TWO, sealed), (book, ONE, b"x" + sealed)):
        with pytest.raises(UnreadableCode):
            reader.unseal(identifier, body)


@pytest.fixture
def who(world: World) -> str:
    open_shop(world)
    return member(world, 1000)


def test_a_voucher_is_used_once_and_released(world: World, who: str) -> None:
    found = redeemed(world, who, confirm=True)
    good = code(world, "validate", code=found["code"].lower()).json()
    assert (good["valid"], good["reward"], good["uses_left"], good["member"]) == (True, "coffee", 1, who)
    assert found["code"].endswith(good["hint"])
    used = code(world, "redeem", code=found["code"], reference="b1", till="t1")
    assert (used.status_code, used.json()["uses_left"]) == (200, 0)
    again = code(world, "redeem", code=found["code"], reference="b1", till="t1")
    assert (again.json(), again.headers["idempotent-replayed"]) == (used.json(), "true")
    assert (
        assert_problem(code(world, "redeem", code=found["code"], reference="b2"), 409, "code_unusable")["reason"]
        == "used"
    )
    assert_problem(do(world, found["id"], "refund"), 409, "code_unusable")
    # A repetition of the request does not show a code that has been used.
    assert ask(world, who, confirm=True).json()["code"] is None
    released = code(world, "release", reference="b1", till="t1").json()
    assert (released["uses_left"], released["released_at"] is None) == (1, False)
    assert code(world, "release", reference="b1", till="t1").headers["idempotent-replayed"] == "true"
    assert_problem(code(world, "release", reference="b9", till="t1"), 404, "code_use_not_found")
    done(world, found["id"], "refund")
    assert code(world, "validate", code=found["code"]).json()["reason"] == "void"
    assert findings(world) == []


def test_two_coffees_are_one_code_with_two_uses(world: World, who: str) -> None:
    text = redeemed(world, who, quantity=2, confirm=True)["code"]
    assert [code(world, "redeem", code=text, reference=n).status_code for n in "abc"] == [200, 200, 409]
    other = redeemed(world, who, reference="2", confirm=True)["code"]
    assert_problem(code(world, "redeem", code=other, reference="a"), 409, "reference_used")


def test_a_gift_card_has_money_and_no_code_of_a_reward(world: World, who: str) -> None:
    text = redeemed(world, who, "card", confirm=True)["code"]
    assert_problem(code(world, "redeem", code=text, reference="a"), 404, "code_not_found")
    body = {"code": text, "amount": 1250, "till": "t", "reference": "1"}
    assert world.call("POST", "/v1/gift-card-uses", json=body).json()["left"] == 750
    assert world.count("reward_code") == 0


def test_points_into_money_and_percent(world: World, who: str) -> None:
    cash = redeemed(world, who, "cash", "1", quantity=500, confirm=True)
    assert (cash["worth"], cash["price"]["points"]) == (500, {"stars": 500})
    assert code(world, "validate", code=cash["code"], total=320).json()["off"] == 320
    assert_problem(code(world, "redeem", code=cash["code"], reference="a"), 422, "invalid_redemption")
    assert code(world, "redeem", code=cash["code"], reference="a", amount=5, total=320).status_code == 422
    assert code(world, "redeem", code=cash["code"], reference="a", total=320).json()["amount"] == 320
    tenth = redeemed(world, who, "tenth", "2", confirm=True)["code"]
    assert [code(world, "validate", code=tenth, total=n).json()["off"] for n in (1999, 2000, 4999, 90000)] == [
        *(0, 200, 499, 500)
    ]
    assert code(world, "validate", code=tenth, total=1).json()["reason"] == "total_too_low"


def test_a_code_ends_and_one_begins_later(world: World, who: str) -> None:
    open_shop(world, rewards=REWARDS | {"later": {"kind": "voucher", "lead_time": "2d"}})
    text = redeemed(world, who, "later", "2", confirm=True)["code"]
    assert code(world, "validate", code=text).json()["reason"] == "not_yet"
    text = redeemed(world, who, confirm=True)["code"]
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE reward_code SET valid_until = now()")
    assert code(world, "validate", code=text).json()["reason"] == "expired"
    open_shop(world, rewards={})
    assert code(world, "validate", code=text).json()["kind"] == "voucher"  # what it was redeemed as


def test_a_static_code_is_everybodys(world: World, who: str) -> None:
    open_shop(world, rewards={"ten": {"kind": "voucher", "code": {"static": "TENOFF"}}})
    assert redeemed(world, who, "ten", confirm=True)["code"] == "TENOFF"
    assert ask(world, who, "ten", confirm=True).json()["code"] == "TENOFF"
    assert world.count("reward_code") == 0


def test_a_pool_gives_each_code_once(world: World, who: str) -> None:
    path = "/v1/code-pools/cinema/codes"
    sent = {"codes": ["KINO-1111", "KINO-2222", "x", "kino1111"]}
    done_ = world.call("POST", path, json=sent).json()
    assert done_ == {"pool": "cinema", "added": 2, "known": 1, "unusable": [3]}
    assert world.call("POST", path, json=sent).json()["added"] == 0
    assert code(world, "validate", code="KINO-1111").json()["reason"] == "not_handed_out"
    held = redeemed(world, who, "cinema", "1")
    assert world.call("GET", "/v1/code-pools").json() == {"pools": [{"pool": "cinema", "codes": 2, "left": 1}]}
    done(world, held["id"], "cancel")
    given = {redeemed(world, who, "cinema", n, confirm=True)["code"] for n in "23"}
    assert given == {"kino1111", "KINO-2222"}
    assert ask(world, who, "cinema", "3", confirm=True).json()["code"] in given
    [reason] = assert_problem(ask(world, who, "cinema", "4"), 409, "reward_unavailable")["reasons"]
    assert reason == {"code": "no_codes_left", "left": 0}
    assert code(world, "redeem", code="KINO-1111", reference="a").status_code == 200


def test_a_pool_is_counted_as_far_as_somebody_wants_to_know(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MOST_COUNTED", 2)
    for start in (0, 3):
        codes = [f"KINO-{number:04d}" for number in range(start, start + 5)]
        world.call("POST", "/v1/code-pools/cinema/codes", json={"codes": codes})
    assert world.call("GET", "/v1/code-pools").json() == {"pools": [{"pool": "cinema", "codes": 8, "left": 2}]}
    assert world.call("GET", "/v1/code-pools", key=world.stranger).json() == {"pools": []}
    assert findings(world) == []


def test_who_guesses_has_to_wait(world: World, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "MOST_OF_KEY", 3)
    good = redeemed(world, who, confirm=True)["code"]
    for _ in range(3):
        assert_problem(code(world, "validate", code="nothing"), 404, "code_not_found")
    answer = code(world, "redeem", code=good, reference="1")
    assert_problem(answer, 429, "too_many_guesses")
    assert 0 < int(answer.headers["retry-after"]) <= 3601
    other = world.key("codes:redeem")
    assert world.call("POST", "/v1/codes/validate", json={"code": good}, key=other).json()["valid"]
    monkeypatch.setattr(guesses, "MOST_IN_ALL", 3)
    assert_problem(world.call("POST", "/v1/codes/validate", json={"code": good}, key=other), 429, "too_many_guesses")
    assert rows(world, "SELECT failures FROM code_guess ORDER BY who") == [(3,), (3,)]


def test_a_failing_commit_keeps_no_use(world: World, who: str) -> None:
    text = redeemed(world, who, confirm=True)["code"]
    world.refuse_commits_to("code_use")
    assert code(world, "redeem", code=text, reference="1").status_code >= 500
    assert rows(world, "SELECT used FROM reward_code") == [(0,)]


STATIC = {
    "kind": "discount",
    "cost": {"stars": 1},
    "worth": {"amount": "3.00", "least_total": "10"},
    "code": {"static": "SUMMER-26"},
}


def test_a_code_that_is_everybodys_is_good_as_often_as_somebody_comes(world: World) -> None:
    open_shop(world, rewards={**REWARDS, "summer": STATIC})
    handed = redeemed(world, member(world), "summer", "1", confirm=True)
    assert handed["code"] == "SUMMER-26"
    found = code(world, "validate", code="summer 26", total=2000).json()
    assert (found["valid"], found["reward"], found["off"], found["uses_left"]) == (True, "summer", 300, None)
    assert code(world, "validate", code="SUMMER-26", total=999).json()["reason"] == "total_too_low"
    for number in range(3):
        used = code(world, "redeem", code="SUMMER-26", till="t", reference=str(number), total=2000).json()
        assert used["amount"] == 300
    assert code(world, "release", till="t", reference="1").status_code == 200
    assert rows(world, "SELECT used FROM reward_code WHERE reward = 'summer'") == [(2,)]
    assert findings(world) == []
    # It is what the live version says: switched off, over, or another one.
    for more, why in (
        ({"enabled": False}, "expired"),
        ({"schedule": {"ends": "2020-01-01"}}, "expired"),
        ({"schedule": {"starts": "2199-01-01"}}, "not_yet"),
        ({"code": {"static": "WINTER-26"}}, "void"),
    ):
        open_shop(world, rewards={**REWARDS, "summer": {**STATIC, **more}})
        assert code(world, "validate", code="SUMMER-26", total=2000).json()["reason"] == why
    open_shop(world)
    assert code(world, "validate", code="SUMMER-26", total=2000).json()["reason"] == "void"
    assert_problem(code(world, "validate", code="WINTER-26"), 404, "code_not_found")
