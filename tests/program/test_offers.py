"""Offers in a definition: what they may say, and how they are written out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.campaigns import Campaign
from setia.program.offers import PROGRESS_KINDS, Offer, Progress, Times
from setia.program.outline import sentence
from setia.program.yaml_text import load
from setia.program.yaml_writer import dump

HEAD = "program: {id: shop, name: Shop, currency: EUR}\npoints: {stars: {}}\n"


def messages(data: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Offer.model_validate(data)
    return str(caught.value)


def test_an_offer_that_says_nothing_is_one_event_for_whom_it_is_assigned_to() -> None:
    offer = Offer.model_validate({})
    assert (offer.for_, offer.end, offer.activation, offer.repeat) == ("assigned", "exclusive", "automatic", "once")
    assert (offer.progress.kind, offer.progress.events, offer.carry_over) == ("events", 1, True)
    assert (offer.valid_for, offer.most_completions) == (None, 1)


@pytest.mark.parametrize(("repeat", "most"), [("once", 1), ("always", None), ({"times": 3}, 3), (Times(times=7), 7)])
def test_how_often_it_can_be_completed(repeat: Any, most: int | None) -> None:
    assert Offer.model_validate({"repeat": repeat}).most_completions == most


@pytest.mark.parametrize(
    ("progress", "kind"),
    [
        ({"spend": "49.90"}, "spend"),
        ({"orders": 3}, "orders"),
        ({"visits": 5}, "visits"),
        ({"units": "2.5"}, "units"),
        ({"events": 1}, "events"),
        ({"items": ["a", "b"]}, "items"),
    ],
)
def test_each_kind_of_progress(progress: dict[str, Any], kind: str) -> None:
    assert Progress.model_validate(progress).kind == kind
    assert kind in PROGRESS_KINDS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"progress": {}}, "exactly one of spend, orders, visits, units, events, items"),
        ({"progress": {"spend": 5, "orders": 1}}, "exactly one of"),
        ({"progress": {"items": ["a", "b", "a"]}}, "stands twice"),
        ({"progress": {"spend": 0}}, "greater than 0"),
        ({"progress": {"orders": 0}}, "greater than or equal to 1"),
        ({"progress": {"units": "0.0000001"}}, "6 decimal places"),
        ({"progress": {"items": [""]}}, "at least 1 character"),
        ({"repeat": {"times": 0}}, "greater than or equal to 1"),
        ({"repeat": "twice"}, "'once' or 'always'"),
        ({"for": "everybody", "valid_for": "7d"}, "`valid_for` is about assignments"),
        ({"for": "everybody", "end": "inclusive"}, "`end` is about assignments"),
        ({"valid_for": "0d"}, "valid for no time"),
        ({"valid": "7d"}, "Extra inputs are not permitted"),
    ],
)
def test_what_it_may_not_say(data: dict[str, Any], message: str) -> None:
    assert message in messages(data)


def test_a_campaign_that_is_an_offer_needs_an_effect_as_any_other() -> None:
    with pytest.raises(ValidationError, match="a campaign needs an effect"):
        Campaign.model_validate({"on": "purchase", "offer": {}})


@pytest.mark.parametrize(
    "offer",
    [
        "{}",
        "{valid_for: 168h, end: inclusive, progress: {spend: 20}}",
        "{for: everybody, activation: by_member, progress: {units: 10}, repeat: always, carry_over: false}",
        "{progress: {items: [latte, cake]}, repeat: {times: 3}}",
    ],
)
def test_it_is_read_as_it_was_written(offer: str) -> None:
    program = load(f"{HEAD}campaigns: {{o: {{on: purchase, offer: {offer}, earn: {{stars: 1}}}}}}\n").require()
    assert load(dump(program)).require() == program
    assert type(program).model_validate_json(program.model_dump_json(by_alias=True)) == program
    assert offer == "{}" or "progress" in dump(program)


def test_amounts_are_exact() -> None:
    program = load(
        HEAD + "campaigns: {o: {on: purchase, offer: {progress: {spend: 0.1}}, earn: {stars: 1}}}\n"
    ).require()
    offer = program.campaigns["o"].offer
    assert offer is not None
    assert offer.progress.spend == Decimal("0.1")


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ({}, "towards events 1, for whom it is assigned to"),
        (
            {"for": "everybody", "progress": {"units": "2.5"}, "repeat": "always"},
            "towards units 2.5 again and again",
        ),
        (
            {
                "valid_for": "7d",
                "activation": "by_member",
                "progress": {"items": ["a", "b"]},
                "repeat": {"times": 3},
            },
            "towards items a, b up to 3 times, for whom it is assigned to for 7d and who activates it",
        ),
    ],
)
def test_an_offer_as_a_sentence(offer: dict[str, Any], said: str) -> None:
    campaign = Campaign.model_validate({"on": "purchase", "offer": offer, "earn": {"stars": 1}})
    assert sentence(campaign) == f"On purchase, {said}: earn 1 stars."
