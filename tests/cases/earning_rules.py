"""`rules` of a case as campaigns of ours, by the words each kind of rule has."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cases.amounts import decimal_text, exact, number
from cases.coupons import instant_reward, next_order_coupon
from cases.draft import POINTS, Draft, identifier
from cases.narrowing import COMMON, aliased, narrowed
from cases.published import Data, NotExpressible, known
from cases.referrals import write_referral
from cases.words import MODES, meaning, plain

_SCOPES = {"rule": "campaign", "order": "event", "event": "event", "purchase": "event", "line": "line", "item": "line"}


def rounding(draft: Draft, rule: Data) -> None:
    """Take over how a rule rounds. Rounding belongs to the point type: two rules may not differ."""
    if rule.get("round") is None:
        return
    text, _, scope = str(rule["round"]).partition(" per ")
    mode: Any = meaning(MODES, text, "rounding")
    if scope:
        mode = {"mode": mode, "scope": meaning(_SCOPES, scope, "rounding per")}
    if draft.points.setdefault("rounding", mode) != mode:
        raise NotExpressible("two ways of rounding one kind of points")


def by_whole_steps(draft: Draft, points: Any, per: Any, rule: Data) -> str | None:
    """The rate of a rule whose points are whole before anything multiplies them; None where no whole step says it.

    Our rounding comes after multipliers; so many points for money, cut off, are one for each whole step.
    """
    if plain(rule.get("round")) == "floor per rule":
        factors = any("multiplier" in str(other.get("kind")) for other in draft.settings.get("rules", []))
        step = exact(per) / exact(points)
        if (factors or "round" in draft.settings) and step == step.quantize(_STEP):
            return f"1 per whole {number(step)}"
    return None


_STEP = Decimal("0.000000001")


_BASES: dict[str, Data] = {
    word: {key: value}
    for words, key, value in (
        (("before tax", "tax excluded", "excluding tax", "net", "untaxed"), "tax", "excluded"),
        (("after tax", "tax included", "including tax", "gross"), "tax", "included"),
        (("before discounts", "before discount"), "discounts", "before"),
        (("after discounts", "after discount"), "discounts", "after"),
        (("order total", "order"), "of", "order"),
        (("items total", "items", "goods"), "of", "goods"),
    )
    for word in words
}


def basis_of(rule: Data) -> Data:
    """A money basis of a rule's own."""
    found: Data = {}
    if "basis" in rule:
        found |= meaning(_BASES, rule["basis"], "basis")
    return found


def _points_per_currency_unit(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "rate", "delivery_cost_counts", "round", "basis", "per")
    rate = by_whole_steps(draft, rule["rate"], rule.get("per", 1), rule)
    if rate is None:
        rounding(draft, rule)
        rate = f"{number(rule['rate'])} per {number(rule.get('per', 1))}"
    campaign = draft.campaign(earn={POINTS: rate})
    basis = basis_of(rule)
    if basis:
        campaign["basis"] = basis
    return campaign


def _points_per_amount(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points", "per", "round", "basis", "proportional")
    rate = by_whole_steps(draft, rule["points"], rule["per"], rule)
    if rate is None:
        rounding(draft, rule)
        # A source that does not say how a part of the step counts gives points for whole steps.
        whole = "" if rule.get("proportional") or "round" in rule else "whole "
        rate = f"{number(rule['points'])} per {whole}{number(rule['per'])}"
    campaign = draft.campaign(earn={POINTS: rate})
    basis = basis_of(rule)
    if basis:
        campaign["basis"] = basis
    return campaign


def _fixed(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points", "per")
    if rule.get("per", "order") not in {"order", "purchase", "visit"}:
        return _points_per_unit(draft, {word: value for word, value in rule.items() if word != "per"})
    return draft.campaign(earn={POINTS: number(rule["points"])})


def _product_bonus(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "points")
    return draft.campaign(earn={POINTS: f"{number(rule['points'])} per line"})


def _points_per_unit(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "rate", "points")
    return draft.campaign(earn={POINTS: f"{number(rule.get('rate', rule.get('points')))} per unit"})


_EVENT_OF = {"signup bonus": "account_created", "birthday bonus": "birthday", "first purchase bonus": "first_purchase"}
"""The event that a kind of rule names itself."""


def _event_bonus(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "event", "points")
    name = str(rule["event"] if "event" in rule else _EVENT_OF[plain(rule["kind"])])
    campaign = draft.campaign(earn={POINTS: number(rule["points"])}, on=trigger(draft, name))
    if name == "first_purchase":
        campaign["when"] = "member.first_purchase"
    return campaign


def _referral(draft: Draft, rule: Data) -> Data:
    """A rule about friends: the terms of `referral`, in the words of a rule."""
    words = {word: value for word, value in rule.items() if word not in {"kind", "name", "id"}}
    if "reward_type" in words:
        words["reward"] = words.pop("reward_type")
    draft.settings.setdefault("referral", words)
    write_referral(draft, words)
    made: Data = draft.campaigns[list(draft.campaigns)[-1]]
    return made


def _multiplier(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "factor", "multiplier", "round")
    rounding(draft, rule)
    return draft.campaign(multiply={"by": number(rule.get("factor", rule.get("multiplier")))})


def _birthday_month_multiplier(draft: Draft, rule: Data) -> Data:
    known(rule, *COMMON, "by_tier", "factor")
    born = draft.attribute("birthday", "date")
    month = f"int({born}.substring(5, 7)) == time.month"
    if plain(rule["kind"]) == "birthday day multiplier":
        month = f"{born}.substring(5, 10) == time.date.substring(5, 10)"
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
    **dict.fromkeys(("birthday_month_multiplier", "birthday_day_multiplier"), _birthday_month_multiplier),
    "next_order_coupon": next_order_coupon,
    "instant_reward": instant_reward,
    "referral": _referral,
    **dict.fromkeys(("points_per_item", "item_based", "per_item", "fixed_per_unit"), _points_per_unit),
    **dict.fromkeys(("points_per_visit", "visit", "visit_based"), _fixed),
    **dict.fromkeys(("spend", "points_per_spend", "points_per_unit_of_money", "spend_based"), _points_per_amount),
    **dict.fromkeys(("custom_event", "event", "action"), _event_bonus),
    **dict.fromkeys(("signup_bonus", "birthday_bonus", "first_purchase_bonus"), _event_bonus),
    **dict.fromkeys(("bonus", "fixed_bonus", "order_bonus"), _fixed),
    **dict.fromkeys(("category_multiplier", "label_multiplier", "tier_multiplier", "sku_multiplier"), _multiplier),
}


def write_rules(draft: Draft, rules: list[Data]) -> None:
    """Every rule becomes one campaign."""
    over = False
    for one in rules:
        rule = aliased(one)
        kind = plain(rule.get("kind")).replace(" ", "_")
        if kind not in _KINDS:
            raise NotExpressible(f"rule {kind}")
        campaign = _KINDS[kind](draft, rule)
        if "members_with" in rule:
            raise NotExpressible("audiences")
        if kind != "referral":
            narrowed(draft, campaign, rule)
        if over:
            campaign["enabled"] = False
        if rule.get("last"):
            if {"when", "lines", "schedule", "limits"} & campaign.keys():
                raise NotExpressible("a last rule that does not always apply")
            over = True
