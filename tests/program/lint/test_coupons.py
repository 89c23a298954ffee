"""What lint says of campaigns that give coupons."""

from __future__ import annotations

import pytest

from setia.program.lint import lint
from setia.program.yaml_text import load

HEAD = "program: {id: shop, name: Shop, currency: EUR}\npoints: {stars: {}}\n"
PROMOTIONS = """campaigns:
  own: {on: purchase, discount: {coupon: {amount: own}}}
  tenth: {on: purchase, discount: {percent: 10, coupon: true}}
  plain: {on: purchase, discount: {percent: 5}}
  off: {on: purchase, enabled: false, discount: {percent: 5, coupon: true}}
"""


def findings(campaign: str) -> list[tuple[str, str]]:
    text = f"{HEAD}{PROMOTIONS}  gift: {campaign}\n"
    return [(finding.code, finding.path) for finding in lint(load(text))]


@pytest.mark.parametrize(
    ("campaign", "code", "path"),
    [
        ("{on: visit, coupon: {of: nothing}}", "unknown_promotion", "of"),
        ("{on: visit, coupon: {of: plain}}", "unknown_promotion", "of"),
        ("{on: visit, coupon: {of: off}}", "never_matches", "of"),
        ("{on: visit, coupon: {of: own}}", "bad_coupon", ""),
        ("{on: visit, coupon: {of: tenth, amount: 5}}", "bad_coupon", "amount"),
        ("{on: purchase, coupon: {of: tenth, percent: 5}}", "bad_coupon", "percent"),
        ("{on: [purchase, visit], coupon: {of: own, percent: 5}}", "no_lines", "percent"),
        ("{on: visit, coupon: {of: own, amount: 0.005}}", "amount_too_fine", "amount"),
        ("{on: purchase, coupon: {of: own, percent: 5, step: 0.005}}", "amount_too_fine", "step"),
        ("{on: purchase, coupon: {of: own, percent: 5, at_most: 0.005}}", "amount_too_fine", "at_most"),
    ],
)
def test_what_is_wrong_with_a_coupon_is_said_at_its_place(campaign: str, code: str, path: str) -> None:
    assert findings(campaign) == [(code, "/campaigns/gift/coupon" + (f"/{path}" if path else ""))]


@pytest.mark.parametrize(
    "campaign",
    [
        "{on: visit, coupon: {of: own, amount: 5}}",
        "{on: purchase, coupon: {of: own, percent: 5, step: 0.50, at_least: 1, at_most: 20, valid_for: 30d}}",
        "{on: [visit, member_enrolled], coupon: {of: tenth, usable_after: 1d}}",
    ],
)
def test_nothing_is_said_of_coupons_that_are_right(campaign: str) -> None:
    assert findings(campaign) == []


def test_the_hint_names_what_could_be_meant() -> None:
    text = f"{HEAD}{PROMOTIONS}  gift: {{on: visit, coupon: {{of: tenht}}}}\n"
    [finding] = lint(load(text))
    assert "tenth" in finding.hint
