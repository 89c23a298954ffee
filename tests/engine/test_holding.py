"""The level by right, the one given by hand, and the one that shows."""

from __future__ import annotations

import pytest

from engine.tier_world import ladder
from setia.engine.decision import Outcome, TierChange
from setia.engine.holding import floor_level, hold, own_level
from setia.engine.state import Counters, Floor

[SET] = ladder("window: lifetime").tier_sets


@pytest.mark.parametrize(
    ("counters", "own", "floor"),
    [
        (Counters(), 0, 0),
        (Counters(tiers={"t": "gold"}), 1, 0),
        (Counters(tiers={"t": "black"}, beneath={"t": "gold"}, floors={"t": Floor("black")}), 1, 2),
        (Counters(tiers={"t": "black"}, floors={"t": Floor("gold")}), 2, 1),
        (Counters(tiers={"t": "gone"}, floors={"t": Floor("gone too")}), 0, 0),
    ],
)
def test_places(counters: Counters, own: int, floor: int) -> None:
    assert (own_level(SET, counters), floor_level(SET, counters)) == (own, floor)


def test_what_shows_is_the_higher_one() -> None:
    outcome = Outcome()
    hold(SET, Counters(tiers={"t": "black"}, beneath={"t": "gold"}, floors={"t": Floor("black")}), 0, outcome)
    assert (outcome.tiers, outcome.beneath) == ([], {"t": "green"})
    outcome = Outcome()
    hold(SET, Counters(tiers={"t": "gold"}, beneath={"t": "green"}, floors={"t": Floor("gold")}), 2, outcome)
    assert (outcome.tiers, outcome.beneath) == ([TierChange("t", "gold", "black")], {"t": None})


def test_several_steps_of_one_outcome() -> None:
    outcome = Outcome(tiers=[TierChange("other", "a", "b")])
    counters = Counters(floors={"t": Floor("gold")}, tiers={"t": "gold"}, beneath={"t": "green"})
    hold(SET, counters, 2, outcome)
    hold(SET, counters, 0, outcome, campaign="down")
    assert outcome.tiers[1:] == [TierChange("t", "gold", "black"), TierChange("t", "black", "gold", "down")]
    assert outcome.beneath == {}  # as before


def test_a_level_that_is_gone_is_named_once_more() -> None:
    outcome = Outcome()
    hold(SET, Counters(tiers={"t": "gone"}), 0, outcome)
    assert outcome.tiers == [TierChange("t", "gone", "green")]
