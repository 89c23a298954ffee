"""What members are told about a return, in each language."""

from __future__ import annotations

import pytest

from engine.return_world import NOON, ReturnedLine, Shop, line
from engine.shop_world import campaigns, program
from setia.engine.decision import Decision, Explanation, Outcome, PointsEffect, Undone
from setia.engine.sentences import sentences


def _told(shop: Shop, decision: Decision, language: str = "en") -> list[str]:
    return sentences(shop.program, decision.outcome, decision.explanation, language)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "40 stars of “base” taken back."),
        ("de", "40 stars von „base“ zurückgenommen."),
        ("ms", "40 stars daripada “base” ditarik balik."),
    ],
)
def test_what_was_taken_back(language: str, sentence: str) -> None:
    shop = Shop(campaigns("base: {on: purchase, earn: {stars: 1 per 1.00}}"))
    shop.buy(line(4000), line(1000))
    assert _told(shop, shop.give_back(0, ReturnedLine(0)), language) == [sentence]


def test_what_a_return_gives_and_a_cancelled_one_gives_again() -> None:
    shop = Shop(
        campaigns(
            "base: {on: purchase, earn: {stars: 1 per 1.00}}\n"
            "small: {on: purchase, when: event.total < 20.0, earn: {stars: 4}}"
        )
    )
    shop.buy(line(4000), line(1000))
    assert _told(shop, shop.give_back(0, ReturnedLine(0))) == [
        "40 stars of “base” taken back.",
        "4 stars for “small” after the return.",
    ]
    assert _told(shop, shop.cancel(0, 0)) == [
        "40 stars for “base” again: the return was cancelled.",
        "4 stars of “small” taken back.",
    ]


@pytest.mark.parametrize(
    ("effect", "cancels", "sentence"),
    [
        (PointsEffect("stars", -10, "a", -40), None, "10 stars of “a” taken back. Only 10 of 40 were there."),
        (PointsEffect("stars", 0, "a", -40), None, "0 stars of “a” taken back. Only 0 of 40 were there."),
        (
            PointsEffect("stars", 10, "a", 40),
            "evt_2",
            "10 stars for “a” again: the return was cancelled. That is what the return had taken of 40.",
        ),
    ],
)
def test_what_had_been_spent_is_told(effect: PointsEffect, cancels: str | None, sentence: str) -> None:
    compiled = campaigns("a: {on: purchase, earn: {stars: 1 per 1.00}}")
    outcome = Outcome(points=[effect], undoes=Undone("evt_1", NOON, cancels=cancels))
    assert sentences(compiled, outcome, Explanation(), "en") == [sentence]


def test_a_level_that_is_lost_was_not_reached() -> None:
    shop = Shop(
        program(
            "tiers: [{id: t, metric: spend, window: lifetime, levels: [{id: green, from: 0}, {id: gold, from: 50}]}]\n"
            "campaigns: {}"
        )
    )
    shop.buy(6000)
    assert _told(shop, shop.give_back(0)) == ["You are green again."]
    assert _told(shop, shop.cancel(0, 0)) == ["You have reached gold."]


def test_the_progress_of_an_offer_is_told_as_it_stands() -> None:
    shop = Shop(
        campaigns(
            "o: {on: purchase, offer: {progress: {spend: 100.00}, for: everybody, repeat: always, carry_over: true}, "
            "effect: {name: gift}}"
        )
    )
    shop.buy(8000)
    shop.buy(4000)
    assert _told(shop, shop.give_back(0)) == ["“o”: 0.00 of 100.00 EUR."]
    assert _told(shop, shop.give_back(1)) == ["“o”: 0.00 of 100.00 EUR."]
