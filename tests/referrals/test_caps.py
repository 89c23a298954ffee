"""How often a member wins; and members who are not there any more when it is time."""

from api_world import World, definition
from referrals.friends import CAMPAIGNS, assert_sound, buy, code_of, later, member, open_shop, pair, stars, states
from setia.program.definition import Program
from setia.versions.service import publish


def bring(world: World, code: str, *names: str) -> list[str]:
    """Let friends join by a code and buy."""
    friends = [member(world, name, referral_code=code) for name in names]
    for name, friend in zip(names, friends, strict=True):
        buy(world, friend, order=f"order of {name}")
    return friends


def test_a_cap_per_month_begins_again_with_the_month(world: World) -> None:
    open_shop(world, caps={"referrer": "2 per month"})
    ada = member(world, "ada")
    code = code_of(world, ada)
    friends = bring(world, code, "f1", "f2", "f3")
    assert states(world) == [("capped", None), ("won", None), ("won", None)]
    assert stars(world, ada, *friends) == [3 * 10 + 200, 55, 55, 55]
    later(world, 30)
    bring(world, code, "f4")
    assert states(world)[0] == ("won", None)
    assert stars(world, ada) == [4 * 10 + 300]
    assert_sound(world)


def test_several_caps_hold_together(world: World) -> None:
    open_shop(world, caps={"referrer": ["1 per day", 2]})
    ada = member(world, "ada")
    code = code_of(world, ada)
    bring(world, code, "f1", "f2")
    later(world, 1)
    bring(world, code, "f3")
    later(world, 1)
    bring(world, code, "f4")
    assert [state for state, _ in states(world)] == ["capped", "won", "capped", "won"]
    assert stars(world, ada) == [4 * 10 + 200]


def test_a_cap_counts_the_day_on_which_it_was_due(world: World) -> None:
    open_shop(world, caps={"referrer": "1 per day"}, after="14d")
    code = code_of(world, member(world, "ada"))
    bring(world, code, "f1")
    later(world, 1)
    bring(world, code, "f2")
    later(world, 60)
    assert [state for state, _ in states(world)] == ["won", "won"]


def test_a_suspended_referrer_wins_nothing_and_the_friend_is_rewarded(world: World) -> None:
    open_shop(world)
    ada, bob = pair(world)
    world.call("POST", f"/v1/members/{ada}/suspend", json={"reason": "test"})
    buy(world, bob)
    assert states(world) == [("void", "referrer_inactive")]
    assert stars(world, ada, bob) == [10, 55]
    assert_sound(world)


def test_a_friend_who_has_left_brings_nothing(world: World) -> None:
    open_shop(world, after="14d")
    ada, bob = pair(world)
    buy(world, bob)
    world.call("POST", f"/v1/members/{bob}/close", json={"reason": "test"})
    later(world, 14)
    assert states(world) == [("void", "friend_inactive")]
    assert stars(world, ada, bob) == [10, 5]
    assert_sound(world)


def test_somebody_above_who_is_capped_or_gone_is_passed_over(world: World) -> None:
    campaigns = {"won": {"on": "referral_won", "earn": {"stars": {"expression": "10 * event.data.level"}}}}
    open_shop(world, campaigns=campaigns, levels=3, caps={"referrer": 1})
    ada, bob = pair(world)
    eve = member(world, "eve", referral_code=code_of(world, bob))
    kim = member(world, "kim", referral_code=code_of(world, eve))
    buy(world, bob, order="o1")
    assert stars(world, ada, bob, eve) == [10, 0, 0]
    world.call("POST", f"/v1/members/{bob}/suspend", json={"reason": "test"})
    buy(world, kim, order="o2")
    # ada has won once already, bob is suspended.
    assert stars(world, ada, bob, eve) == [10, 0, 10]
    assert [state for state, _ in states(world)] == ["won", "joined", "won"]
    assert_sound(world)


def test_each_kind_has_caps_of_its_own(world: World) -> None:
    kinds = {"friends": {"caps": {"referrer": 1}}, "experts": {"caps": {"referrer": 1}}}
    open_shop(world)
    program = Program.model_validate(definition("brought", campaigns=CAMPAIGNS, referrals=kinds))
    with world.database.transaction() as tx:
        publish(tx, program, "test", mode="test")
    ada = member(world, "ada")
    for number, kind in enumerate(("friends", "experts", "experts")):
        body = {"members": [ada], "referral": kind}
        [code] = world.call("POST", "/v1/referrals/codes", json=body).json()["codes"]
        bring(world, code["code"], f"f{number}")
    assert [state for state, _ in states(world)] == ["capped", "won", "won"]
    assert stars(world, ada) == [3 * 10 + 200]
    assert_sound(world)
