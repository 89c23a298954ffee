"""Settings about money: what counts of it, taxes, cashback, currencies."""

from __future__ import annotations

import json
from typing import Any

from cases.amounts import decimal_text, exact, number
from cases.draft import POINTS, Draft, Setting, quoted
from cases.earning_rules import rounding
from cases.narrowing import aliased, boundary
from cases.published import Data, NotExpressible, known
from cases.words import meaning, plain

_PERIODS = {
    "lifetime": "lifetime",
    "12 months": "rolling 12mo",
    "1 year": "rolling 1y",
    "calendar year": "calendar_year",
    "year": "calendar_year",
    "1 month": "rolling 1mo",
    **dict.fromkeys(("month", "calendar month"), "rolling 1mo"),
}
"""Over which time bands are counted."""


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
    draft.money |= meaning(words, value, "basis")
    if isinstance(draft.case.expect, dict) and "basis" in draft.case.expect:
        draft.effect("basis", amount="event.total")


def include_tax(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """Whether tax counts."""
    draft.money["tax"] = "included" if value else "excluded"


def tax(draft: Draft, value: Any) -> None:
    """The till adds or extracts it; see `basket`."""
    if isinstance(value, dict) and "mode" in value and value["mode"] not in {"exclusive", "included", "inclusive"}:
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
    value = aliased(value)
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
        if isinstance(percent, dict):
            raise NotExpressible(f"cashback of {category} up to so much a period, and another rate above")
        campaign = draft.campaign(earn={POINTS: f"{number(percent)} per 100"})
        if plain(category) in {"other", "others", "everything else", "else"}:
            campaign["lines"] = f"!(line.category in {quoted([other for other in value if other != category])})"
        elif plain(category) not in {"all", "everything"}:
            campaign["lines"] = f"line.category == {json.dumps(category)}"
        elif draft.settings.get("membership") is not None:
            campaign["when"] = f'{draft.attribute("membership")} == "paid"'


def cashback_by_tier(draft: Draft, value: Data) -> None:
    """Money back, by level."""
    draft.points["decimals"] = 2
    rounding(draft, {"round": draft.settings.get("round", "nearest")})
    draft.levels_by_hand(list(value))
    for name, percent in value.items():
        draft.campaign(when=draft.level_is(name), earn={POINTS: f"{number(percent)} per 100"})


def points_by_currency(draft: Draft, value: Data) -> None:
    """Points for each unit of a currency: the program is in one of them, and the till converts at what others earn."""
    used = {str(event["currency"]) for event in draft.case.events if "currency" in event}
    main = draft.currency if draft.currency in value else next(iter(value))
    if used - value.keys():
        raise NotExpressible(f"points for {', '.join(sorted(used - value.keys()))}")
    draft.currency = main
    own = exact(value[main])
    draft.rates = {other: exact(rate) / own for other, rate in value.items()}
    draft.campaign(earn={POINTS: f"{number(own)} per 1"})


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
    **dict.fromkeys(("cashback_by_tier", "cashback_pct_by_tier"), cashback_by_tier),
    **dict.fromkeys(("points_per_unit_by_currency", "rate_by_currency", "points_by_currency"), points_by_currency),
    "cashback_bands": cashback_bands,
    "period": nothing,
    "points_per_base_unit": points_per_base_unit,
    "base_currency": nothing,
    **dict.fromkeys(("rates", "exchange_rates", "currency_rates", "conversion_rates", "currency"), nothing),
    "round": round_,
}
