"""Exchanges through the API: the rate, what it leaves over, ends, limits."""

import datetime as dt

import pytest

from api_world import World, assert_problem
from moving.movers import available, exchange, give, lots, member, open_club, post, rows, sound, told


@pytest.fixture
def who(world: World) -> str:
    """Somebody with 1,000 miles, of which 100 give 3 stars."""
    open_club(world)
    found = member(world, "1")
    give(world, found, 1000, "miles")
    return found


def test_what_the_rate_leaves_over_stays(world: World, who: str) -> None:
    done = exchange(world, who, 250).json()
    # 7.5 stars are 7, and 7 take 234 miles: 233 would give 6.99.
    assert (done["gave"]["amount"], done["got"]["amount"]) == (234, 7)
    assert (available(world, who, "miles"), available(world, who)) == (766, 7)
    assert done["gave"]["balance_after"]["available"] == 766
    assert told(world, who) == ["234 miles exchanged.", "7 stars in exchange."]
    assert told(world, who, "de")[1] == "7 Sterne im Tausch erhalten."
    sound(world)


def test_in_whole_steps(world: World) -> None:
    open_club(world, exchanges={"miles_to_stars": {"give": {"miles": 100}, "get": {"stars": 3}, "steps": True}})
    who = member(world, "1")
    give(world, who, 1000, "miles")
    done = exchange(world, who, 250).json()
    assert (done["gave"]["amount"], done["got"]["amount"]) == (200, 6)
    [reason] = assert_problem(exchange(world, who, 99), 409, "move_refused")["reasons"]
    assert reason == {"code": "comes_to_nothing", "least": 100}


def test_what_comes_to_nothing_says_from_when_on_it_would_not(world: World, who: str) -> None:
    [reason] = assert_problem(exchange(world, who, 33), 409, "move_refused")["reasons"]
    assert reason == {"code": "comes_to_nothing", "least": 34}
    assert exchange(world, who, 34).json()["got"]["amount"] == 1


def test_new_points_end_as_if_earned_now_or_keep_their_ends(world: World) -> None:
    keep = {"give": {"stars": 3}, "get": {"miles": 2}, "expiry": "keep"}
    fresh = {"give": {"stars": 3}, "get": {"miles": 2}}
    open_club(world, exchanges={"miles_to_stars": keep, "anew": fresh})
    who = member(world, "1")
    ends = [(dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).replace(microsecond=0) for days in (1, 2, 3)]
    for end in ends:
        give(world, who, 1, expires_at=end.isoformat())
    give(world, who, 4)
    done = exchange(world, who, 5).json()
    # Five stars are three and a third miles, and three take five stars. By running sums the four lots that give them
    # bring 0, 1, 0 and 2.
    assert (done["gave"]["amount"], done["got"]["amount"]) == (5, 3)
    texts = [end.isoformat().replace("+00:00", "Z") for end in ends]
    assert lots(world, who, "miles") == [(1, texts[1]), (2, None)]
    assert exchange(world, who, 2, exchange="anew").json()["got"]["amount"] == 1
    give(world, who, 1, "miles")
    assert lots(world, who, "miles")[-1][1] == lots(world, who, "miles")[-2][1]
    sound(world)


def test_points_that_only_count_can_be_got(world: World) -> None:
    open_club(world, exchanges={"miles_to_stars": {"give": {"miles": 10}, "get": {"status": 1}}})
    who = member(world, "1")
    give(world, who, 100, "miles")
    assert exchange(world, who, 55).json()["got"] == {
        "points": "status",
        "amount": 5,
        "balance_after": {"available": 5, "pending": 0, "held": 0},
    }
    # Exchanging is no earning.
    assert rows(world, "SELECT counters::jsonb -> 'earned' FROM member_state WHERE seq > 0")[0][0] is None
    sound(world)


def test_limits_and_who_may(world: World) -> None:
    rule = {
        "give": {"miles": 100},
        "get": {"stars": 3},
        "least": 50,
        "most": 500,
        "per_member": [{"every": "month", "points": 600}, {"times": 2}],
        "members_older_than": "1d",
    }
    open_club(world, exchanges={"miles_to_stars": rule})
    long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=3)).isoformat()
    who, young = member(world, "1", enrolled_at=long_ago), member(world, "2")
    give(world, who, 2000, "miles")

    def codes(*asked: object) -> list[str]:
        body = assert_problem(exchange(world, *asked), 409, "move_refused")  # type: ignore[arg-type]  # (member, amount)
        return [one["code"] for one in body["reasons"]]

    assert codes(young, 40) == ["too_few", "member_too_new", "points_missing"]
    assert codes(who, 501) == ["too_many"]
    assert exchange(world, who, 500).status_code == 201
    assert codes(who, 200) == ["limit"]
    assert exchange(world, who, 100).status_code == 201
    assert codes(who, 50) == ["limit", "limit"]
    sound(world)


def test_the_same_request_exchanges_once(world: World, who: str) -> None:
    first = exchange(world, who, 100, key="k")
    exchange(world, who, 200)
    again = exchange(world, who, 100, key="k")
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", first.json())
    by_reference = exchange(world, who, 100, reference="r")
    again = exchange(world, who, 100, reference="r")
    assert again.json() == by_reference.json()
    assert_problem(exchange(world, who, 101, reference="r"), 409, "reference_used")
    assert available(world, who, "miles") == 1000 - 100 - 200 - 100
    body = {"member": {"id": who}, "exchange": "miles_to_stars", "amount": 100}
    assert_problem(post(world, "/v1/exchanges", body), 400, "idempotency_key_required")
    assert_problem(exchange(world, who, 100, exchange="other"), 404, "exchange_not_found")
    sound(world)


def test_a_preview_keeps_nothing(world: World, who: str) -> None:
    body = {"member": {"id": who}, "exchange": "miles_to_stars", "amount": 250}
    answer = post(world, "/v1/exchanges/preview", body)
    assert (answer.status_code, answer.json()["got"]["amount"]) == (200, 7)
    assert (available(world, who, "miles"), world.count("exchange")) == (1000, 0)


def test_a_failing_commit_keeps_nothing(world: World, who: str) -> None:
    world.refuse_commits_to("exchange")
    assert exchange(world, who, 100).status_code >= 500
    assert (available(world, who, "miles"), world.count("exchange")) == (1000, 0)


@pytest.mark.parametrize("steps", [False, True])
def test_more_than_one_entry_can_say_does_not_come_at_once(world: World, *, steps: bool) -> None:
    rich = {"give": {"miles": 2}, "get": {"stars": 10**11}, "steps": steps}
    open_club(world, exchanges={"miles_to_stars": rich})
    who = member(world, "1")
    give(world, who, 10**6, "miles")
    [reason] = assert_problem(exchange(world, who, 20000), 409, "move_refused")["reasons"]
    assert reason == {"code": "too_many", "most": 19998 if steps else 19999}
    done = exchange(world, who, reason["most"])
    assert done.status_code == 201, done.text
    assert available(world, who) == done.json()["got"]["amount"] < 10**15
    sound(world)
