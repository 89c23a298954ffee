"""Links and cards of somebody who was merged into another member: theirs as long as the two are one, and back again."""

from api_world import World
from moving.pairs import merged, parted
from reward_links.test_links import choose, look, sent, shop


def cards(world: World, member: str) -> int:
    """How many gift cards a member is listed with."""
    answer = world.call("GET", f"/v1/gift-cards?member={member}")
    assert answer.status_code == 200, answer.text
    return len(answer.json()["items"])


def test_a_card_chosen_by_a_link_of_a_duplicate_follows(world: World) -> None:
    shop(world)
    main, duplicate = (str(world.enrol(card=card)["id"]) for card in "12")
    early, late = sent(world, "k1", member=duplicate), sent(world, "k2", member=duplicate)
    assert choose(world, early, "card").status_code == 200
    assert (cards(world, main), cards(world, duplicate)) == (0, 1)
    identity = merged(world, main, duplicate)
    assert look(world, late).status_code == 200
    assert choose(world, late, "card").status_code == 200
    # Whoever asks for one of the two is told of both.
    assert (cards(world, main), cards(world, duplicate)) == (2, 2)
    parted(world, identity)
    # What was sent to the duplicate is the duplicate's.
    assert (cards(world, main), cards(world, duplicate)) == (0, 2)
