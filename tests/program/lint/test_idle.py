"""Settings that wait for what never comes are named, with their place; those that do something are not."""

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

LEVELS = "levels: [{id: green, from: 0}, {id: gold, from: 500"
BASE = "base: {on: purchase, earn: {stars: 1}}"


def found(points: str = "", tiers: str = "", campaign: str = BASE, more: str = "") -> list[str]:
    text = (
        "program: {id: x, name: X, currency: EUR}\n"
        f"points: {{stars: {{{points}}}}}\n"
        f"tiers: [{tiers}]\n"
        f"campaigns: {{{campaign}}}\n{more}"
    )
    findings = lint(load(text))
    assert all(finding.hint for finding in findings)
    return [f"{finding.severity}:{finding.code} {finding.path}" for finding in findings]


@pytest.mark.parametrize(
    ("points", "campaign", "expected"),
    [
        ("expiry: {after: 1y, extended_by: [visit]}", BASE, ["without_effect /points/stars/expiry/extended_by"]),
        ("expiry: {inactivity: 1y, extended_by: [visit]}", BASE, []),
        ("cancel_on: visit", BASE, ["without_effect /points/stars/cancel_on"]),
        ("cancel_on: visit, available_after: 0d", BASE, ["without_effect /points/stars/cancel_on"]),
        ("cancel_on: visit, available_after: 14d", BASE, []),
        ("cancel_on: visit", "base: {on: purchase, earn: {stars: 1}, available_after: 14d}", []),
        ("cancel_on: visit", "base: {on: purchase, earn: {stars: 1}, available_on: visit}", []),
        ("available_on: return", BASE, ["without_effect /points/stars/available_on"]),
        (
            "",
            "base: {on: purchase, earn: {stars: 1}, available_on: cancel}",
            ["without_effect /campaigns/base/available_on"],
        ),
        ("cancel_on: cancel, available_after: 14d", BASE, ["without_effect /points/stars/cancel_on"]),
        (
            "expiry: {inactivity: 1y, extended_by: [visit, return]}",
            BASE,
            ["without_effect /points/stars/expiry/extended_by/1"],
        ),
        ("", "base: {on: [purchase, return, cancel], earn: {stars: 1}}", ["never_matches /campaigns/base/on"] * 2),
    ],
)
def test_points(points: str, campaign: str, expected: list[str]) -> None:
    assert found(points, campaign=campaign) == [f"warning:{one}" for one in expected]


@pytest.mark.parametrize(
    ("settings", "level", "expected"),
    [
        ("window: lifetime, grace: 1mo", "", ["/grace"]),
        ("window: lifetime", ", keep_from: 300", ["/levels/1/keep_from"]),
        ("window: lifetime", ", keep_from: 500", []),
        ("window: calendar_year, grace: 1mo", ", keep_from: 300", []),
        (
            "window: calendar_year, downgrade: never, grace: 1mo",
            ", keep_from: 300",
            ["/grace", "/levels/1/keep_from"],
        ),
        ("window: calendar_year, downgrade: never", "", []),
    ],
)
def test_levels(settings: str, level: str, expected: list[str]) -> None:
    tiers = f"{{id: status, metric: spend, {settings}, {LEVELS}{level}}}]}}"
    assert found(tiers=tiers) == [f"warning:without_effect /tiers/0{one}" for one in expected]


def test_criteria_of_a_level() -> None:
    own = "{id: gold, any: [{metric: orders, from: 9, keep_from: 5}, {metric: visits, from: 9, keep_from: 9}]}"
    tiers = f"{{id: status, metric: spend, levels: [{{id: green, from: 0}}, {own}]}}"
    assert found(tiers=tiers) == ["warning:without_effect /tiers/0/levels/1/any/0/keep_from"]


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ("", ["warning:never_matches /campaigns/stay/on"]),
        (f"{{id: s, metric: spend, {LEVELS}}}]}}", ["warning:never_matches /campaigns/stay/on"]),
        (f"{{id: s, metric: spend, window: calendar_year, {LEVELS}}}]}}", []),
    ],
)
def test_a_warning_of_levels_that_are_never_lost(tiers: str, expected: list[str]) -> None:
    assert found(tiers=tiers, campaign="stay: {on: tier_ending, earn: {stars: 1}}") == expected


@pytest.mark.parametrize(
    ("points", "campaign", "warned"),
    [
        ("", BASE, True),
        ("expiry: {after: 1y}", BASE, False),
        ("expiry: {inactivity: 1y}", BASE, False),
        ("", "base: {on: purchase, earn: {stars: 1}, expiry: {after: 1y}}", False),
    ],
)
def test_a_warning_of_points_that_never_end(points: str, campaign: str, *, warned: bool) -> None:
    more = "triggers: {soon: {expiring: {points: stars, before: 7d}}}\n"
    both = f"{campaign}, hurry: {{on: soon, earn: {{stars: 1}}}}"
    expected = ["warning:never_matches /triggers/soon/expiring/points"] if warned else []
    assert found(points, campaign=both, more=more) == expected
