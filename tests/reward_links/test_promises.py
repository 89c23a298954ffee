"""What a link has promised, whatever becomes of the program and of the member it was sent for."""

from typing import Any

from api_world import World, assert_problem
from gift_cards.drawer import findings, issued, post, program, rows
from reward_links.test_links import LINKS, REWARDS, choose, look, send, sent, shop
from setia.program.definition import Program
from setia.versions.service import publish


def replaced(world: World, **more: Any) -> None:
    """Publish another version, in the mode in which the program is since it has a clock."""
    with world.database.transaction() as tx:
        assert publish(tx, Program.model_validate(program(**more)), "test", mode="test").is_new


def offered(world: World, link: dict[str, Any]) -> list[str]:
    return [one["reward"] for one in look(world, link).json()["choices"]]


def test_a_kind_that_is_no_more_is_offered_as_it_was_when_the_link_was_sent(world: World) -> None:
    shop(world)
    first, second, third = (sent(world, key) for key in "abc")
    before = offered(world, first)
    assert "card" in before
    # the kind of link goes, its rewards with it, and the kind of card
    replaced(world, gift_cards={}, rewards={}, reward_links={})
    assert offered(world, first) == before
    chosen = choose(world, first, "card").json()
    assert world.call("POST", "/v1/gift-cards/look-up", json={"code": chosen["code"]}).json()["balance"] == 5000
    assert choose(world, first, "card").json()["code"] == chosen["code"]
    assert choose(world, second, "cinema").json()["code"] == "KINO-0000"
    assert_problem(choose(world, third, "cinema"), 409, "reward_not_offered")
    # who takes a promise back says so
    assert world.call("POST", f"/v1/reward-links/{third['id']}/withdraw").status_code == 200
    assert look(world, third).json()["choices"] == []
    assert findings(world) == []


def test_a_kind_that_is_there_is_offered_as_it_is_now(world: World) -> None:
    shop(world)
    link = sent(world)
    replaced(world, rewards=REWARDS, reward_links={**LINKS, "thanks": {**LINKS["thanks"], "rewards": ["tree"]}})
    assert offered(world, link) == ["tree"]


def test_a_link_of_before_offers_nothing_when_its_kind_is_no_more(world: World) -> None:
    shop(world)
    link = sent(world)
    with world.database.raw_connection() as connection:
        connection.execute("UPDATE reward_link SET program_version = NULL")
    replaced(world, rewards={}, reward_links={})
    assert offered(world, link) == []
    assert_problem(choose(world, link, "card"), 409, "reward_not_offered")


def test_who_is_closed_is_given_no_card_and_no_link(world: World) -> None:
    shop(world)
    who = str(world.enrol(card="1")["id"])
    link, loose = sent(world, member=who), issued(world, 100)
    assert post(world, f"gift-cards/{loose['id']}/assign", "early", member=who).status_code == 200
    assert world.call("POST", f"/v1/members/{who}/close", json={"reason": "left"}).status_code == 200
    assert_problem(send(world, "late", member=who), 409, "member_status_conflict")
    assert_problem(post(world, "gift-cards", kind="classic", amount=100, member=who), 409, "member_status_conflict")
    assert_problem(post(world, f"gift-cards/{loose['id']}/assign", "late", member=who), 409, "member_status_conflict")
    nobody = "mem_" + "0" * 32
    assert_problem(post(world, f"gift-cards/{loose['id']}/assign", "x", member=nobody), 404, "member_not_found")
    # what was asked before is answered as it was; to part the card from the member is fine
    again = post(world, f"gift-cards/{loose['id']}/assign", "early", member=who)
    assert again.headers["idempotent-replayed"] == "true"
    assert post(world, f"gift-cards/{loose['id']}/assign", "part", member=None).json()["member"] is None
    # who holds the link still chooses, and the card is nobody's
    assert choose(world, link, "card").status_code == 200
    assert rows(world, "SELECT count(*) FROM gift_card WHERE member_id IS NOT NULL") == [(0,)]
    assert findings(world) == []
