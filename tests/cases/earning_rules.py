"""`rules` of a case as campaigns of ours, by the words each kind of rule has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases.amounts import decimal_text, number
from cases.coupons import instant_reward, next_order_coupon
from cases.draft import POINTS, Draft, identifier
from cases.narrowing import COMMON, narrowed
from cases.published import Data, NotExpressible, known

_MODES = {
    **dict.fromkeys(("ceil", "ceiling", "up", "round up"), "ceil"),
    **dict.fromkeys(("floor", "down", "round down", "drop fractions", "truncate", "none"), "floor"),
    **dict.fromkeys(("nearest", "half up", "half_up", "nearest whole", "round"), "half_up"),
    **dict.fromkeys(("half even", "half_even", "bankers"), "half_even"),
}
_SCOPES = {"rule": "campaign", "order": "event", "event": "event", "purchase": "event", "line": "line", "item": "line"}


def rounding(draft: Draft, rule: Data) -> None:
    """Take over how a rule rounds. Rounding belongs to the point type: two rules may not differ."""
    if rule.get("round") is None:
        return
    text, _, scope = str(rule["round"]).partition(" per ")
    if text not in _MODES or scope not in {"", *_SCOPES}:
        raise NotExpressible(f"rounding {rule['round']!r}")
    mode: Any = _MODES[text]
    if scope:
        mode = {"mode": mode, "scope": _SCOPES[scope]}
    if draft.points.setdefault("rounding", mode) != mode:
        raise NotExpressible("two ways of rounding one kind of points")


def basis_of(rule: Data) -> Data:
    """A money basis of a rule's own."""
    found: Data = {}
    if "basis" in rule:
        words = {
            "before tax": {"tax": "excluded"},
            "tax excluded": {"tax": "excluded"},
            "after tax": {"tax": "included"},
            "tax included": {"tax": "included"},
            "before discounts": {"discounts": "before"},
            "after discounts": {"discounts": "after"},
            "order total": {"of": "order"},
            "items total": {"of": "goods"},
            "order_total": {"of": "order"},
            "items_total": {"of": "goods"},
        }
        if rule["basis"] not in words:
            raise NotExpressible(f"basis {rule['basis']!r}")
        found |= words[rule["basis"]]
    return found


def _points_per_currency_unit(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "rate", "delivery_cost_counts", "round", "basis", "per")
    rounding(draft, rule)
    campaign = draft.campaign(earn={POINTS: f"{number(rule['rate'])} per {number(rule.get('per', 1))}"})
    basis = basis_of(rule)
    if basis:
        campaign["basis"] = basis
    return campaign


def _points_per_amount(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points", "per", "round", "basis", "proportional")
    rounding(draft, rule)
    # A source that does not say how a part of the step counts gives points for whole steps.
    whole = "" if rule.get("proportional") or "round" in rule else "whole "
    campaign = draft.campaign(earn={POINTS: f"{number(rule['points'])} per {whole}{number(rule['per'])}"})
    basis = basis_of(rule)
    if basis:
        campaign["basis"] = basis
    return campaign


def _fixed(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points")
    return draft.campaign(earn={POINTS: number(rule["points"])})


def _product_bonus(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points")
    return draft.campaign(earn={POINTS: f"{number(rule['points'])} per line"})


def _points_per_unit(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "rate", "points")
    return draft.campaign(earn={POINTS: f"{number(rule.get('rate', rule.get('points')))} per unit"})


def _event_bonus(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "event", "points")
    name = str(rule["event"])
    campaign = draft.campaign(earn={POINTS: number(rule["points"])}, on=trigger(draft, name))
    if name == "first_purchase":
        campaign["when"] = "member.first_purchase"
    return campaign


def _multiplier(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "factor", "round")
    rounding(draft, rule)
    return draft.campaign(multiply={"by": number(rule["factor"])})


def _birthday_month_multiplier(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "by_tier", "factor")
    month = f"int({draft.attribute('birthday', 'date')}.substring(5, 7)) == time.month"
    if "by_tier" not in rule:
        return draft.campaign(when=month, multiply={"by": number(rule["factor"])})
    draft.levels_by_hand(list(rule["by_tier"]))
    factors = "".join(f"{draft.level_is(name)} ? {decimal_text(by)} : " for name, by in rule["by_tier"].items())
    return draft.campaign(when=month, multiply={"by": f"{factors}1.0"})


def trigger(draft: Draft, name: str) -> str:
    """The event of ours that a case's event is."""
    built_in = {"account_created": "member_enrolled", "enrolled": "member_enrolled", "signup": "member_enrolled"}
    built_in |= {"first_purchase": "purchase", "purchase": "purchase", "visit": "visit"}
    if name == "birthday":
        # Time lets it happen; the trigger is declared with the events of the case.
        return name
    return built_in[name] if name in built_in else draft.own_event(identifier(name))


_KINDS: dict[str, Callable[[Draft, Data], Data]] = {
    "points_per_currency_unit": _points_per_currency_unit,
    "points_per_amount": _points_per_amount,
    "fixed": _fixed,
    **dict.fromkeys(("fixed_per_order", "points_per_order", "fixed_points"), _fixed),
    "product_bonus": _product_bonus,
    "points_per_unit": _points_per_unit,
    "event_bonus": _event_bonus,
    "multiplier": _multiplier,
    "product_multiplier": _multiplier,
    "birthday_month_multiplier": _birthday_month_multiplier,
    "next_order_coupon": next_order_coupon,
    "instant_reward": instant_reward,
}
_LATER = {
    "referral": "referrals",
}


def write_rules(draft: Draft, rules: list[Data]) -> None:
    """Every rule becomes one campaign."""
    for rule in rules:
        kind = str(rule.get("kind"))
        if kind in _LATER:
            raise NotExpressible(_LATER[kind])
        if kind not in _KINDS:
            raise NotExpressible(f"rule {kind}")
        campaign = _KINDS[kind](draft, rule)
        if "members_with" in rule:
            raise NotExpressible("audiences")
        narrowed(draft, campaign, rule)
