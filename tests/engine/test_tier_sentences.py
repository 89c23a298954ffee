"""What members read about their levels."""

import datetime as dt

import pytest

from engine.shop_world import program
from setia.engine.decision import Outcome, TierChange
from setia.engine.tier_sentences import tier_sentences

LADDER = program(
    "tiers:\n"
    "  - {id: t, metric: spend, levels: [{id: green, name: {en: Green, de: Grün}, from: 0}, {id: gold, from: 100}]}\n"
    "campaigns: {gift: {name: Gift, on: visit, tier: {t: gold}}}"
)
UNTIL = dt.datetime(2026, 7, 31, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(tiers=[TierChange("t", "green", "gold")]), "You have reached gold."),
        (Outcome(tiers=[TierChange("t", "gold", "green")]), "You are Green again."),
        (Outcome(tiers=[TierChange("t", "green", "gold", "gift")]), "You are now gold: “Gift”."),
        (Outcome(renewed=["t"], levels={"t": "gold"}), "You keep the level gold."),
        (Outcome(graced={"t": UNTIL}, levels={"t": "gold"}), "The level gold stays until 2026-08-01 all the same."),
        (Outcome(tiers=[TierChange("gone", "a", "b")]), "You have reached b."),
        (Outcome(renewed=["gone"], levels={"gone": "a"}), "You keep the level a."),
    ],
)
def test_a_sentence_for_each(outcome: Outcome, told: str) -> None:
    assert tier_sentences(LADDER, outcome, "en") == [told]


def test_in_other_languages() -> None:
    falls = Outcome(tiers=[TierChange("t", "gold", "green")], renewed=["t"], levels={"t": "green"})
    assert tier_sentences(LADDER, falls, "de") == ["Du bist wieder Grün.", "Du behältst die Stufe Grün."]
    assert tier_sentences(LADDER, falls, "ms") == ["Anda kembali ke Green.", "Anda mengekalkan tahap Green."]
