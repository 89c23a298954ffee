"""What narrows a rule of a case: its lines, conditions, times and limits, and what it keeps out."""

from __future__ import annotations

import json

from cases.amounts import decimal_text, number
from cases.draft import POINTS, Draft, label, quoted
from cases.published import Data, NotExpressible
from cases.timeline import day_of, moment_of

_ALIASES: dict[str, tuple[str, ...]] = {
    "from": ("date_from", "starts", "start", "start_date", "starts_at", "valid_from", "from_date"),
    "to": ("date_to", "ends", "end", "end_date", "ends_at", "valid_to", "valid_until", "until", "to_date"),
    "round": ("rounding",),
    "min_amount": ("minimum_amount", "min_order_total", "minimum_order", "minimum_order_value", "order_minimum"),
    "min_qty": ("min_quantity", "minimum_qty", "minimum_quantity"),
    "max_per_member": (
        *("max_per_customer", "limit_per_member", "limit_per_customer", "limit_per_user", "per_member_limit"),
        *("max_uses_per_member", "max_uses_per_customer", "usage_limit_per_member", "uses_per_member"),
    ),
    "max_uses": ("max_total_uses", "max_uses_in_all", "limit_usage", "usage_limit", "total_limit", "limit"),
    "iso_days": ("iso_weekdays", "weekdays", "days_of_week"),
    "skus": ("products", "sku", "product"),
    "excluded_skus": ("exclude_skus", "excluded_products", "exclude_products"),
    "excluded_categories": ("exclude_categories", "excluded_category"),
    "excluded_labels": ("exclude_labels",),
    "included_labels": ("include_labels",),
    "categories": ("category",),
    "brands": ("brand",),
    "stores": ("store", "locations"),
    "channels": ("channel",),
    "tiers": ("tier", "only_tiers", "for_tiers"),
    "max_discount": ("discount_cap",),
    "max_amount": ("max_discount_amount",),
    "code": ("promo_code", "coupon_code"),
    "exclusive": ("not_combinable",),
    "last": ("last_executed_rule", "last_executed", "stop_after", "stops", "stop"),
    "cost_points": ("cost", "points_cost", "price_points", "required_for_one"),
}
"""Words that mean the same: the one that rules know, and its other spellings."""
_LISTS = ("skus", "excluded_skus", "excluded_categories", "categories", "brands", "stores", "channels", "tiers")


def aliased(data: Data, **own: str) -> Data:
    """`data` in the words that rules know; `own` are meanings that words have in this place only."""
    names = {other: word for word, others in _ALIASES.items() for other in others} | own
    found: Data = {}
    for word, value in data.items():
        known_as = names.get(word, word)
        if known_as in found or (known_as != word and known_as in data):
            raise NotExpressible(f"{word} beside {known_as}")
        found[known_as] = [value] if known_as in _LISTS and not isinstance(value, list) else value
    return found


_PERIODS = ("day", "week", "month", "quarter", "year")
_NARROWS = (
    *("skus", "included_skus", "excluded_skus", "categories", "excluded_categories", "brands"),
    *("labels", "included_labels", "excluded_labels", "label_mode", "tags", "only_tag"),
)
_MINIMUMS = ("min_order", "min_amount", "min_total", "min_spend", "min_order_value", "order_total_at_least")
_CONDITIONS = (
    *_MINIMUMS,
    *("stores", "channels", "partners", "tiers", "members_with", "min_qty"),
    *("first_purchase", "max_amount", "condition"),
)
_TIMES = ("from", "to", "iso_days", "days", "hours")
_STACKING = ("stackable", "exclusive", "priority", "group")
IN_ALL = ("max_uses",)
"""How often anything may be used, by whomever."""
_LIMITS = (
    *(f"max_per_{period}" for period in (*_PERIODS, "member")),
    *(f"max_points_per_{period}" for period in (*_PERIODS, "member")),
    *(*IN_ALL, "max_points", "budget"),
    *("max_points_per_event", "max_points_per_purchase", "max_points_per_order"),
)
_IN_TIME = ("expires_in_days", "expires_in_months", "expires_on", "pending_days")
_NAMES = ("id", "name", "kind", "enabled", "active", "last")
COMMON = (*_NAMES, *_IN_TIME, *_NARROWS, *_CONDITIONS, *_TIMES, *_STACKING, *_LIMITS)
"""The words that any rule may have."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def narrowed(draft: Draft, campaign: Data, rule: Data) -> Data:
    """Give a campaign the lines, conditions, times, limits and stacking that a rule names."""
    lines = _lines(rule)
    if lines:
        campaign["lines"] = " && ".join(lines)
    conditions = [campaign["when"]] if "when" in campaign else []
    conditions += _conditions(draft, rule)
    if conditions:
        campaign["when"] = " && ".join(f"({condition})" for condition in conditions)
    schedule = _schedule(rule)
    if schedule:
        campaign["schedule"] = {**campaign.get("schedule", {}), **schedule}
    campaign |= _in_time(rule)
    limits = _limits(rule)
    if limits:
        campaign["limits"] = [*campaign.get("limits", []), *limits]
    if not rule.get("stackable", True) or rule.get("exclusive"):
        campaign["exclusive"] = True
    if "priority" in rule:
        campaign["priority"] = rule["priority"]
    if not rule.get("enabled", rule.get("active", True)):
        campaign["enabled"] = False
    if "name" in rule or "id" in rule:
        campaign["name"] = str(rule.get("name", rule.get("id")))
    return campaign


def _lines(rule: Data) -> list[str]:
    found = []
    for names, path in ((("skus", "included_skus"), "sku"), (("categories",), "category"), (("brands",), "brand")):
        wanted = [value for name in names for value in rule.get(name) or []]
        if wanted:
            found.append(f"line.{path} in {quoted(wanted)}")
    if rule.get("excluded_skus"):
        found.append(f"!(line.sku in {quoted(rule['excluded_skus'])})")
    if rule.get("excluded_categories"):
        found.append(f"!(line.category in {quoted(rule['excluded_categories'])})")
    including = rule.get("label_mode", "include" if "excluded_labels" not in rule else "exclude") == "include"
    wanted = _label_texts([*(rule.get("labels") or []), *(rule.get("included_labels") or [] if including else [])])
    wanted += [
        label("tag", tag) for tag in [*(rule.get("tags") or []), *([rule["only_tag"]] if "only_tag" in rule else [])]
    ]
    if wanted:
        found.append(" || ".join(f"{json.dumps(text)} in line.labels" for text in wanted))
        found[-1] = f"({found[-1]})"
    if not including:
        found += [f"!({json.dumps(text)} in line.labels)" for text in _label_texts(rule.get("excluded_labels") or [])]
    return found


def _label_texts(labels: list[Data]) -> list[str]:
    return [label(key, value) for one in labels for key, value in one.items()]


def _conditions(draft: Draft, rule: Data) -> list[str]:
    found = []
    # A partner of a coalition is a place where members buy.
    found += [f"event.location in {quoted(rule[name])}" for name in ("stores", "partners") if name in rule]
    if "channels" in rule:
        found.append(f"event.channel in {quoted(rule['channels'])}")
    found += [f"event.total >= {decimal_text(rule[name])}" for name in _MINIMUMS if name in rule]
    if "max_amount" in rule:
        found.append(f"event.total <= {decimal_text(rule['max_amount'])}")
    if "min_qty" in rule:
        found.append(f"event.quantity >= {decimal_text(rule['min_qty'])}")
    if rule.get("first_purchase"):
        found.append("member.first_purchase")
    if "tiers" in rule:
        draft.levels_by_hand([str(name) for name in rule["tiers"]])
        found.append(" || ".join(draft.level_is(str(name)) for name in rule["tiers"]))
    if "condition" in rule:
        found += _conditions(draft, aliased(rule["condition"]))
    return found


def _schedule(rule: Data) -> Data:
    found: Data = {}
    for name, ours in (("from", "starts"), ("to", "ends")):
        if name in rule:
            found[ours] = boundary(str(rule[name]))
    if "iso_days" in rule:
        found["days"] = [_WEEKDAYS[int(day) - 1] for day in rule["iso_days"]]
    if "days" in rule:
        found["days"] = [str(day).lower()[:3] for day in rule["days"]]
    if "hours" in rule:
        begins, ends = rule["hours"]
        found |= {"from": str(begins), "to": str(ends)}
    return found


def _in_time(rule: Data) -> Data:
    """From when and until when the points of this rule can be used, in place of all others."""
    found: Data = {}
    for word, unit in (("expires_in_days", "d"), ("expires_in_months", "mo")):
        if word in rule:
            found["expiry"] = {"after": f"{rule[word]}{unit}"}
    if "expires_on" in rule:
        found["expiry"] = {"on": [str(rule["expires_on"])]}
    if "pending_days" in rule:
        found["available_after"] = f"{rule['pending_days']}d"
    return found


def boundary(text: str) -> str:
    """A first or last day, or a moment, as schedules have them."""
    return moment_of(text).isoformat() if "T" in text or ":" in text else str(day_of(text))


def _limits(rule: Data) -> list[Data]:
    found: list[Data] = []
    for period in _PERIODS:
        if f"max_per_{period}" in rule:
            found.append({"every": period, "uses": rule[f"max_per_{period}"]})
        if f"max_points_per_{period}" in rule:
            found.append({"every": period, "earn": f"{number(rule[f'max_points_per_{period}'])} {POINTS}"})
    found += [{"uses": rule["max_per_member"]}] if "max_per_member" in rule else []
    found += [{"in_all": f"{rule[name]} uses"} for name in IN_ALL if name in rule]
    points = ("max_points_per_member", "max_points")
    found += [{"earn": f"{number(rule[name])} {POINTS}"} for name in points if name in rule]
    each = ("max_points_per_event", "max_points_per_purchase", "max_points_per_order")
    found += [{"every": "event", "earn": f"{number(rule[name])} {POINTS}"} for name in each if name in rule]
    if "budget" in rule:
        found.append({"in_all": f"{number(rule['budget'])} {POINTS}"})
    return found
