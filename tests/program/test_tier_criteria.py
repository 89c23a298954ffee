"""Tier sets: criteria of levels, what follows where nothing is said, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from setia.program.definition import Program
from setia.program.lint import lint
from setia.program.tiers import Level, TierSet
from setia.program.yaml_text import load

GREEN: dict[str, Any] = {"id": "green", "from": 0}
GOLD: dict[str, Any] = {"id": "gold", "from": 100}


def tier_set(*levels: dict[str, Any], **more: Any) -> TierSet:
    return TierSet.model_validate({"id": "t", "metric": "spend", "levels": [GREEN, *(levels or (GOLD,))], **more})


def criterion(metric: str = "spend", **more: Any) -> dict[str, Any]:
    return {"metric": metric, "from": 10, **more}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "for_ever"),
        ({"window": "rolling 12mo"}, "current"),
        ({"metric": "points.stars.balance"}, "current"),
        ({"window": "calendar_year"}, "calendar_year"),
        ({"window": "anniversary"}, "anniversary"),
        ({"window": {"starts": "2026-01-01", "ends": "2026-12-31"}}, "for_ever"),
        ({"window": "rolling 12mo", "validity": "12mo"}, "after"),
    ],
)
def test_how_long_levels_are_held_where_nothing_is_said(settings: dict[str, Any], kind: str) -> None:
    assert tier_set(**settings).held_for.kind == kind


def test_the_shortest_lived_window_decides() -> None:
    mixed = {"id": "gold", "any": [criterion(window="anniversary"), criterion("orders", window="calendar_year")]}
    assert tier_set(mixed).held_for.kind == "calendar_year"
    assert tier_set({"id": "gold", "all": [criterion(), criterion("points.stars.balance")]}).held_for.kind == "current"


def test_what_is_measured_is_named_once() -> None:
    levels = [
        {"id": "gold", "any": [criterion(), criterion("orders")]},
        {"id": "black", "all": [criterion("orders"), criterion(window="calendar_year")]},
    ]
    measured = [(metric, window.kind) for metric, window in tier_set(*levels).measured]
    assert measured == [("spend", "lifetime"), ("orders", "lifetime"), ("spend", "calendar_year")]
    assert TierSet.model_validate({"id": "t", "levels": [GREEN]}).measured == ()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"id": "a"}, "exactly one of `from`, `any` and `all`"),
        ({"id": "a", "from": 1, "any": [criterion()]}, "exactly one of"),
        ({"id": "a", "any": [criterion()], "all": [criterion()]}, "exactly one of"),
        ({"id": "a", "any": [criterion()], "keep_from": 1}, "`keep_from` goes with `from`"),
        ({"id": "a", "from": 1, "keep_from": 2}, "cannot ask for more than reaching it"),
        ({"id": "a", "any": [criterion(keep_from=11)]}, "cannot ask for more than reaching it"),
        ({"id": "a", "any": [criterion("steps")]}, "pattern"),
    ],
)
def test_levels_that_cannot_be_meant(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Level.model_validate(written)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": [GOLD]}, "starts at 100"),
        ({"levels": [{"id": "gold", "any": [criterion()]}]}, "has criteria"),
        ({"levels": [GREEN, GREEN]}, "stands twice"),
        ({"levels": [GREEN, GOLD, {"id": "black", "from": 100}]}, "levels rise"),
        ({"metric": None}, "needs a `metric`"),
        ({"window": "period"}, "needs a `validity` that ends it"),
        ({"window": "period", "validity": "current"}, "needs a `validity` that ends it"),
        ({"window": "period", "validity": "for_ever"}, "needs a `validity` that ends it"),
        ({"reset_points": ["stars"]}, "waits for a review"),
        ({"reset_points": ["stars"], "window": "rolling 30d"}, "waits for a review"),
        ({"grace": "12h"}, "counted in days"),
        ({"grace": "0d"}, "counted in days"),
    ],
)
def test_tier_sets_that_cannot_be_meant(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        tier_set(**settings)


def test_a_criteria_level_may_stand_between_others() -> None:
    levels = tier_set({"id": "silver", "any": [criterion()]}, GOLD, {"id": "black", "from": 200}).levels
    assert [len(level.criteria) for level in levels] == [0, 1, 0, 0]


HEAD = "program: {id: shop, name: Shop, timezone: UTC, currency: EUR}\npoints: {stars: {}}\n"
CAMPAIGNS = "campaigns: {base: {on: purchase, earn: {stars: 1 per 1.00}}}\n"


@pytest.mark.parametrize(
    ("levels", "code", "place"),
    [
        ("[{id: a, from: 0}, {id: b, any: [{metric: points.starz.earned, from: 1}]}]", "unknown_point_type", 4),
        ("[{id: a, from: 0}, {id: b, all: [{metric: spend, from: 1.001}]}]", "amount_too_fine", 4),
        ("[{id: a, from: 0}, {id: b, all: [{metric: spend, from: 2, keep_from: 1.999}]}]", "amount_too_fine", 4),
    ],
)
def test_criteria_are_looked_at(levels: str, code: str, place: int) -> None:
    source = load(f"{HEAD}{CAMPAIGNS}tiers: [{{id: t, validity: 12mo, levels: {levels}}}]\n")
    [finding] = lint(source)
    assert (finding.code, finding.line) == (code, place)


def test_points_that_are_reset_are_looked_at() -> None:
    source = load(
        f"{HEAD}{CAMPAIGNS}tiers:\n  - id: t\n    metric: spend\n    window: calendar_year\n"
        "    reset_points: [stars, starz]\n    levels: [{id: a, from: 0}, {id: b, from: 1}]\n"
    )
    [finding] = lint(source)
    assert (finding.code, finding.line) == ("unknown_point_type", 8)
    assert "stars" in (finding.hint or "")


def test_a_definition_with_all_of_it_is_written_out_and_read_again() -> None:
    whole = load(
        f"{HEAD}{CAMPAIGNS}tiers:\n  - id: t\n    validity: {{after: 12mo, align: month_end}}\n    grace: 2mo\n"
        "    downgrade: one_level\n    extend: at_once\n    reset_points: [stars]\n    on_change: at_once\n"
        "    levels: [{id: a, from: 0}, {id: b, any: [{metric: spend, window: period, from: 10, keep_from: 8}]}]\n"
    ).require()
    assert Program.model_validate_json(whole.model_dump_json(by_alias=True)) == whole
