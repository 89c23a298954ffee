"""What members are told about offers, in three languages."""

from __future__ import annotations

import pytest

from engine.shop_world import NOON, campaigns, decided, happening, line, member, purchase
from setia.engine.decision import Explanation, OfferChange, Outcome
from setia.engine.occurrences import Occurrence
from setia.engine.sentences import sentences
from setia.engine.state import Counters, OfferState

PROGRAM = campaigns(
    """
    spend: {name: {en: Spring, de: Frühling}, on: purchase, offer: {valid_for: 7d, progress: {spend: 1200}},
            earn: {stars: 5}}
    card: {on: purchase, offer: {for: everybody, progress: {units: 10}, repeat: always}, tag: [fan]}
    trio: {on: purchase, offer: {activation: by_member, progress: {items: [A, B, C]}}, earn: {stars: 5}}
    """
)


def told(event: Occurrence, language: str, **offers: OfferState) -> list[str]:
    decision = decided(PROGRAM, event, member(counters=Counters(offers=offers), tags=("fan",)))
    return sentences(PROGRAM, decision.outcome, decision.explanation, language)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "“Spring” is yours until 2026-03-11."),
        ("de", "„Frühling“ gehört dir bis 11.03.2026."),
        ("ms", "“Spring” milik anda hingga 11/03/2026."),
    ],
)
def test_an_assignment_with_an_end(language: str, sentence: str) -> None:
    assert told(happening("offer_assigned", data={"offer": "spend"}), language) == [sentence]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "“trio” is yours."), ("de", "„trio“ gehört dir."), ("ms", "“trio” milik anda.")],
)
def test_an_assignment_without_one(language: str, sentence: str) -> None:
    assert told(happening("offer_assigned", data={"offer": "trio"}), language) == [sentence]


def test_an_end_at_midnight_is_the_day_before() -> None:
    event = happening("offer_assigned", data={"offer": "spend", "ends": "2026-04-01T00:00:00+02:00"})
    assert told(event, "en") == ["“Spring” is yours until 2026-03-31."]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "“trio” is activated."), ("de", "„trio“ ist aktiviert."), ("ms", "“trio” telah diaktifkan.")],
)
def test_an_activation(language: str, sentence: str) -> None:
    assert told(happening("offer_activated", data={"instance": "a"}), language, a=OfferState("trio")) == [sentence]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["“Spring”: 1,150.25 of 1,200.00 EUR.", "“card”: 2.5 of 10."]),
        ("de", ["„Frühling“: 1.150,25 von 1.200,00 EUR.", "„card“: 2,5 von 10."]),
        ("ms", ["“Spring”: 1,150.25 daripada 1,200.00 EUR.", "“card”: 2.5 daripada 10."]),
    ],
)
def test_progress(language: str, expected: list[str]) -> None:
    state = OfferState("spend", progress=100_000)
    assert told(purchase(line(15_025, quantity="2.5")), language, a=state) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["“card” is completed.", "“card”: 1 of 10."]),
        ("de", ["„card“ ist geschafft.", "„card“: 1 von 10."]),
        ("ms", ["“card” telah selesai.", "“card”: 1 daripada 10."]),
    ],
)
def test_a_card_that_begins_again_with_something(language: str, expected: list[str]) -> None:
    assert told(purchase(line(1, quantity="11")), language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["“card” is completed 2 times."]),
        ("de", ["„card“ ist 2 Mal geschafft."]),
        ("ms", ["“card” telah selesai 2 kali."]),
    ],
)
def test_several_completions_at_once(language: str, expected: list[str]) -> None:
    assert told(purchase(line(1, quantity="20")), language) == expected


def test_articles_are_counted() -> None:
    state = OfferState("trio", activated_at=NOON)
    assert told(purchase(line(1, "A", "0.000001"), line(1, "C", "0.000001")), "en", a=state) == [
        "“card”: 0.000002 of 10.",
        "“trio”: 2 of 3.",
    ]


def test_an_offer_that_the_program_does_not_know_is_told_all_the_same() -> None:
    change = OfferChange("counted", "a", OfferState("gone", progress=3), 10, 1)
    assert sentences(PROGRAM, Outcome(offers=[change]), Explanation(), "en") == ["“gone”: 3 of 10."]
