"""Settings about money: what counts of it, taxes, cashback, currencies."""

from __future__ import annotations

import json
from typing import Any

from cases.amounts import decimal_text, exact, number
from cases.draft import POINTS, Draft, Setting
from cases.earning_rules import rounding
from cases.narrowing import boundary
from cases.published import Data, NotExpressible, known

_PERIODS = {
    "lifetime": "lifetime",
    "12 months": "rolling 12mo",
    "1 year": "rolling 1y",
    "calendar year": "calendar_year",
    "year": "calendar_year",
    "1 month": "rolling 1mo",
}
"""Over which time bands are counted."""
_UNITS = {"days": "d", "weeks": "w", "months": "mo", "years": "y"}


def basis(draft: Draft, value: str) -> None:
    """What counts, told by the engine where a case asks for the basis itself."""
    words: dict[str, Data] = {
        "items_total": {"of": "goods"},
        "order_total": {"of": "order"},
        "before tax": {"tax": "excluded"},
        "after tax": {"tax": "included"},
        "before tax, less refunds": {"tax": "excluded"},
        "after tax, less refunds": {"tax": "included"},
    }
    if value not in words:
        raise NotExpressible(f"basis {value!r}")
    draft.money |= words[value]
    if isinstance(draft.case.expect, dict) and "basis" in draft.case.expect:
        draft.effect("basis", amount="event.total")


def include_tax(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """Whether tax counts."""
    draft.money["tax"] = "included" if value else "excluded"


def tax(draft: Draft, value: Data) -> None:
    """The till adds or extracts it; see `basket`."""
    if "mode" in value and value["mode"] not in {"exclusive", "included", "inclusive"}:
        raise NotExpressible(f"tax {value['mode']}")


_COMPARISONS = {
    "order_total_at_least": "event.total >=",
    "order_total_more_than": "event.total >",
    "order_total_at_most": "event.total <=",
    "order_total_less_than": "event.total <",
    "items_at_least": "event.quantity >=",
    "min_qty": "event.quantity >=",
}


def condition(draft: Draft, value: Data) -> None:
    """A condition by itself: whether it is met."""
    known(value, *_COMPARISONS, "iso_days", "from", "to", "skus")
    campaign = draft.campaign(effect={"name": "applied"}, on=["purchase", "visit"])
    comparisons = [f"{left} {decimal_text(value[word])}" for word, left in _COMPARISONS.items() if word in value]
    if comparisons:
        campaign |= {"when": " && ".join(comparisons), "on": "purchase"}
    if "skus" in value:
        campaign |= {"lines": f"line.sku in {json.dumps(value['skus'])}", "on": "purchase"}
    schedule: Data = {}
    if "iso_days" in value:
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        schedule["days"] = [names[int(day) - 1] for day in value["iso_days"]]
    schedule |= {
        ours: boundary(str(value[name])) for name, ours in (("from", "starts"), ("to", "ends")) if name in value
    }
    if schedule:
        campaign["schedule"] = schedule


def cashback(draft: Draft, value: Data) -> None:
    """Points that are money: of each category a percentage, or of everything."""
    if "value_per_point" in value:
        known(value, "value_per_point", "currency")
        draft.points["value"] = number(value["value_per_point"])
        return
    draft.points["decimals"] = 2
    rounding(draft, {"round": draft.settings.get("round", "nearest")})
    for category, percent in value.items():
        campaign = draft.campaign(earn={POINTS: f"{number(percent)} per 100"})
        if category != "all":
            campaign["lines"] = f"line.category == {json.dumps(category)}"
        elif draft.settings.get("membership") is not None:
            campaign["when"] = f'{draft.attribute("membership")} == "paid"'


def membership(draft: Draft, value: Any) -> None:
    """A membership that costs something, as an attribute of the member that rates depend on."""
    if isinstance(value, dict) and "length" in value:
        known(value, "length", "unit")
        draft.ladder([{"name": "nobody"}, {"name": "member"}])
        period_of = f"{value['length']}{_UNITS[value['unit']]}"
        draft.tiers[0]["validity"] = {"after": period_of, "first_day_counts": True}
        return
    if isinstance(value, dict) and "upgrade_fee" not in value:
        raise NotExpressible("memberships with a price")
    draft.attribute("membership")
    # A membership with an upgrade fee is one that members do not have yet.
    paid = not isinstance(value, dict) or "upgrade_fee" not in value
    if isinstance(value, dict) and "upgrade_fee" in value:
        own = draft.own_event("upgrade", months_left="integer")
        fee = f"{decimal_text(value['upgrade_fee'])} * event.data.months_left / 12"
        draft.campaign(on=own, effect={"name": "upgrade", "values": {"fee": fee}}, set={"membership": '"paid"'})
    draft.enrolled_with["membership"] = "paid" if paid else "ordinary"


def on_downgrade(draft: Draft, value: str) -> None:
    """What becomes of the points of a member who goes back to the ordinary membership."""
    if value != "forfeit":
        raise NotExpressible(f"on_downgrade {value!r}")
    own = draft.own_event("downgrade_membership")
    draft.campaign(on=own, deduct={POINTS: {"expression": f"member.points.{POINTS}"}}, set={"membership": '"ordinary"'})


def cashback_bands(draft: Draft, bands: list[Data]) -> None:
    """Marginal rates over what a period's purchases come to."""
    draft.points["decimals"] = 2
    parts: list[str] = []
    floor = "0.0"
    window = _PERIODS.get(str(draft.settings.get("period", "lifetime")))
    if window is None:
        raise NotExpressible(f"period {draft.settings['period']!r}")
    draft.more["sums"] = {"spent": {"metric": "spend", "window": window}}
    before = "member.sums.spent"
    for band in bands:
        known(band, "up_to", "above", "pct")
        rate = decimal_text(exact(band["pct"]) / 100)
        end = f"({before} + event.total)"
        low = f"max({before}, {floor})"
        if "up_to" in band:
            top = decimal_text(band["up_to"])
            parts.append(f"max(0.0, min({end}, {top}) - {low}) * {rate}")
            floor = top
        else:
            parts.append(f"max(0.0, {end} - max({before}, {decimal_text(band['above'])})) * {rate}")
    draft.campaign(earn={POINTS: {"expression": " + ".join(parts)}})


def points_per_base_unit(draft: Draft, value: Any) -> None:
    """What a price is worth in points."""
    draft.campaign(earn={POINTS: f"{number(value)} per 1"})


def round_(draft: Draft, value: str) -> None:
    """How the program rounds."""
    rounding(draft, {"round": value})


def nothing(draft: Draft, value: Any) -> None:
    """A setting that is read elsewhere."""


MONEY_SETTINGS: dict[str, Setting] = {
    "basis": basis,
    "include_tax": include_tax,
    "tax": tax,
    "condition": condition,
    "cashback": cashback,
    "membership": membership,
    "on_downgrade": on_downgrade,
    "cashback_bands": cashback_bands,
    "period": nothing,
    "points_per_base_unit": points_per_base_unit,
    "base_currency": nothing,
    "round": round_,
}
