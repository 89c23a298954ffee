"""Settings about levels: how they are reached, what they are worth, when they end."""

from __future__ import annotations

import json
import re
from typing import Any

from cases.amounts import decimal_text, exact, number
from cases.draft import LADDER, POINTS, Draft, Setting
from cases.published import Data, NotExpressible, known
from cases.words import meaning, plain

_METRICS = {
    **dict.fromkeys(("spend", "spending", "spent", "amount spent", "total spend", "total spent", "revenue"), "spend"),
    **dict.fromkeys(
        ("balance", "points balance", "point balance", "active points", "current points", "available points"),
        f"points.{POINTS}.balance",
    ),
    **dict.fromkeys(
        ("earned", "points", "points earned", "earned points", "lifetime points", "total points", "total earned"),
        f"points.{POINTS}.earned",
    ),
    **dict.fromkeys(("orders", "transactions", "purchases", "number of orders", "number of transactions"), "orders"),
    **dict.fromkeys(
        ("points earned since last review", "earned since last review", "total points since review"),
        f"points.{POINTS}.earned",
    ),
    **dict.fromkeys(("visits", "number of visits"), "visits"),
}
_UNITS = {"day": "d", "week": "w", "month": "mo", "year": "y"}
_LENGTH = re.compile(r"^(?:every |rolling |last |the last )?(\d+) (day|week|month|year)s?$")
_USUAL = ("Bronze", "Silver", "Gold")
"""The levels of a case that speaks of levels and lists none; each asks for a hundred more than the one before."""


def length(text: str) -> str:
    """A length of time as definitions have it: `12 months` is 12mo."""
    found = _LENGTH.match(text.strip())
    if found is None:
        raise NotExpressible(f"levels that last {text}")
    return f"{found[1]}{_UNITS[found[2]]}"


def _ladder(draft: Draft) -> Data:
    """The ladder; made of the usual levels where the case lists none."""
    if not draft.tiers:
        tiers(draft, list(_USUAL))
    return draft.tiers[0]


def tiers(draft: Draft, value: Any) -> None:
    """The ladder, from the lowest level to the highest: a list, or a mapping to what levels ask for."""
    if isinstance(value, dict):
        value = [
            {"name": name, **(least if isinstance(least, dict) else {"min": least})} for name, least in value.items()
        ]
    by_name = all(isinstance(level, str) for level in value)
    if by_name and not {"tier_basis", "review_basis", "tier_duration_days", "tier_window"} & draft.settings.keys():
        draft.levels_by_hand(value)
        return
    levels: list[Data] = [
        dict(level) if isinstance(level, dict) else {"name": level, "min": place * 100}
        for place, level in enumerate(value)
    ]
    if any("min_spend" in level for level in levels):
        draft.ladder(levels, "spend")
        _rates_of_levels(draft, levels)
        return
    word = str(draft.settings.get("tier_basis", draft.settings.get("review_basis", "balance")))
    draft.ladder(levels, meaning(_METRICS, word, "levels by"))
    _rates_of_levels(draft, levels)


_RATES = ("rate", "points_per_currency_unit", "collection_factor", "multiplier", "bonus_pct")
_LEVEL = ("name", "min", "min_spend", "from", "keep", *_RATES)


def _rates_of_levels(draft: Draft, levels: list[Data]) -> None:
    """What levels earn, where the ladder itself says it: points for money, or a factor on what rules give."""
    for place, level in enumerate(levels):
        known(level, *_LEVEL)
        when = _held_with_this(draft, levels, place)
        for word in ("rate", "points_per_currency_unit"):
            if word in level:
                draft.campaign(when=when, earn={POINTS: f"{number(level[word])} per 1"})
        if "collection_factor" in level:
            draft.campaign(when=when, earn={POINTS: f"1 per {number(level['collection_factor'])}"})
        factor = level.get("multiplier", 1 + exact(level["bonus_pct"]) / 100 if "bonus_pct" in level else None)
        if factor is not None:
            draft.campaign(when=when, multiply={"by": number(factor)})


def _held_with_this(draft: Draft, levels: list[Data], place: int) -> str:
    """The condition that a level is held; where a purchase counts towards its own level, with what it brings."""
    if "tier_at_purchase" not in draft.settings:
        return draft.level_is(str(levels[place]["name"]))
    spent = "(member.lifetime.spend + event.total)"
    conditions = [f"{spent} >= {decimal_text(levels[place].get('min_spend', 0))}"]
    if place + 1 < len(levels):
        conditions.append(f"{spent} < {decimal_text(levels[place + 1].get('min_spend', 0))}")
    return " && ".join(conditions)


def tier_basis(draft: Draft, _value: str) -> None:
    """What levels are counted by; read with the ladder."""
    _ladder(draft)


def tier_window(draft: Draft, value: str) -> None:
    """The time over which the metric is summed."""
    ladder = _ladder(draft)
    if value.endswith(" from entry"):
        ladder |= {"window": "period", "validity": length(value.removesuffix(" from entry"))}
    elif plain(value) in {"calendar year", "lifetime", "anniversary"}:
        ladder["window"] = plain(value).replace(" ", "_")
    else:
        ladder["window"] = f"rolling {length(value)}"


def kept(draft: Draft, value: str) -> None:
    """How long a level lasts that was reached."""
    following = {"after": "1y", "align": "year_end"}
    words: dict[str, Any] = {
        **dict.fromkeys(("this year", "until the end of the year", "calendar year"), "calendar_year"),
        **dict.fromkeys(
            ("this year and the next", "until the end of the next year", "end of next year", "this year and next year"),
            following,
        ),
        **dict.fromkeys(("for ever", "forever", "lifetime"), "for_ever"),
    }
    _ladder(draft)["validity"] = words[plain(value)] if plain(value) in words else length(value)


def tier_duration_days(draft: Draft, value: int) -> None:
    """A level lasts so many days after the day on which it was reached."""
    _ladder(draft)["validity"] = f"{value}d"


def downgrade(draft: Draft, value: str) -> None:
    """Where members fall to."""
    words = {
        **dict.fromkeys(
            ("to the highest tier still met", "balance_based", "to fit", "multi level", "full reassessment"), "to_fit"
        ),
        **dict.fromkeys(
            ("one level", "one_down", "one level at a time", "one tier down", "single level", "one tier at a time"),
            "one_level",
        ),
        **dict.fromkeys(("never", "none", "no downgrade"), "never"),
    }
    ladder = _ladder(draft)
    ladder["downgrade"] = meaning(words, value, "downgrade")
    if any(event["type"] == "tier_expires" for event in draft.case.events):
        # The level that the case lets end has to have an end.
        ladder.setdefault("validity", "1y")


def grace(draft: Draft, value: Data | None) -> None:
    """How long a level stays at least, counted from the day it was reached, which is the first one."""
    if value is None:
        return
    known(value, "days", "weeks", "months", "years", "round_up")
    [after] = [f"{value[f'{unit}s']}{short}" for unit, short in _UNITS.items() if f"{unit}s" in value]
    validity: Data = {"after": after, "first_day_counts": True}
    if "round_up" in value:
        validity["align"] = f"{value['round_up']}_end"
    _ladder(draft)["validity"] = validity


def review(draft: Draft, value: str) -> None:
    """When levels are judged."""
    every, _, since = value.partition(" from ")
    if since not in {"registration", "enrolment", "enrollment", "sign up", "joining"}:
        raise NotExpressible(f"reviews {value}")
    ladder = _ladder(draft)
    ladder["validity"] = {"every": length(every)}
    if "since" in plain(draft.settings.get("review_basis", "")):
        # A review sees what was earned since the one before it.
        ladder["window"] = f"rolling {length(every)}"


def reset_points_after_review(draft: Draft, value: bool) -> None:  # noqa: FBT001 - a setting of the case
    """Whether points begin anew with each review."""
    if value:
        _ladder(draft)["reset_points"] = [POINTS]


def manual_tier(draft: Draft, value: str) -> None:
    """A level given by hand is the least that a member has; the level follows the metric up and down.

    A year is the time after which an earlier sum counts no more, so that it can come out anew.
    """
    meaning(dict.fromkeys(("is a floor", "floor", "is the minimum")), value, "levels given by hand")
    _ladder(draft).setdefault("window", "rolling 1y")


def tier_any_of(draft: Draft, value: list[Data]) -> None:
    """Several ways into one level: each is enough."""
    ways = []
    for way in value:
        [(word, least)] = [(word, way[word]) for word in way if word != "in"]
        ways.append(
            {
                "metric": meaning(_METRICS, word, "levels by"),
                "window": f"rolling {length(way['in'])}",
                "from": str(least),
            }
        )
    draft.level_names |= {"n_none": "none", "reached": "reached"}
    draft.tiers.append({"id": LADDER, "levels": [{"id": "n_none", "from": "0"}, {"id": "reached", "any": ways}]})


def tier_at_purchase(draft: Draft, value: str) -> None:
    """Members rise at once, by the very purchase."""
    meaning(dict.fromkeys(("spend so far + this purchase", "with this purchase")), value, "tier at purchase")


def rate_by_tier(draft: Draft, value: Data) -> None:
    """Points for each unit of money, by level."""
    draft.levels_by_hand(list(value))
    for name, rate in value.items():
        draft.campaign(when=draft.level_is(name), earn={POINTS: f"{number(rate)} per 1"})


def tier_bonus_pct(draft: Draft, value: Data) -> None:
    """A share of the base points that a level adds."""
    draft.levels_by_hand(["no level", *value])
    for name, percent in value.items():
        draft.campaign(when=draft.level_is(name), multiply={"by": number(1 + exact(percent) / 100)})


def nothing(draft: Draft, value: Any) -> None:
    """A setting that is read elsewhere."""


def rate_by_partner(draft: Draft, value: Data) -> None:
    """Points for each unit of money, by the partner of a coalition where it is spent."""
    for name, rate in value.items():
        draft.campaign(when=f"event.location == {json.dumps(str(name))}", earn={POINTS: f"{number(rate)} per 1"})


def coalition(draft: Draft, value: Data) -> None:
    """What partners of a coalition give; what they are charged is a matter of accounts."""
    rates = value.get("rates", value.get("rate_by_partner"))
    if not isinstance(rates, dict) or len(value) != 1:
        raise NotExpressible("accounts of partners")
    rate_by_partner(draft, rates)


def multiplier_by_tier(draft: Draft, value: Data) -> None:
    """A factor on everything, by level."""
    draft.levels_by_hand(list(value))
    for name, factor in value.items():
        draft.campaign(when=draft.level_is(name), multiply={"by": number(factor)})


TIER_SETTINGS: dict[str, Setting] = {
    "tiers": tiers,
    "tier_basis": tier_basis,
    "tier_window": tier_window,
    "tier_at_purchase": tier_at_purchase,
    "rate_by_tier": rate_by_tier,
    "tier_bonus_pct": tier_bonus_pct,
    **dict.fromkeys(("multiplier_by_tier", "tier_multiplier", "tier_multipliers"), multiplier_by_tier),
    **dict.fromkeys(("rate_by_partner", "partner_rates", "rates_by_partner"), rate_by_partner),
    "coalition": coalition,
    "tier_duration": grace,
    "kept": kept,
    "manual_tier": manual_tier,
    "review": review,
    "review_basis": nothing,
    "reset_points_after_review": reset_points_after_review,
    "tier_duration_days": tier_duration_days,
    "downgrade": downgrade,
    "grace": grace,
    "tier_any_of": tier_any_of,
    "variants": nothing,
}
