"""A case's program as one of ours, while it is being written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from cases.amounts import decimals_of_points, number
from cases.levels import with_those_of
from cases.published import Case, Data, NotExpressible

Setting = Callable[["Draft", Any], None]
"""How one word of a case's program is written into ours."""
POINTS = "p"
LADDER = "t"
"""The names that every case's points and ladder have."""

_RATES = ("rates", "exchange_rates", "currency_rates", "conversion_rates")
_HIGH = 10**9
"""So much a level asks for that is reached by hand only: the case gives levels without thresholds."""


def quoted(values: list[Any]) -> str:
    """A list of texts in an expression."""
    return json.dumps([str(value) for value in values])


def identifier(name: str) -> str:
    """A name of a case as an identifier of ours."""
    text = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")
    return text if text[:1].isalpha() else f"n_{text}"


def label(key: object, value: object) -> str:
    """A label of a case, which has a key and a value, as one of ours, which is a text."""
    return f"{key}={value}"


class Draft:
    """The definition of one case's program, and what its rules leave for the events and the till."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.settings: Data = dict(case.program)
        if "tax" in self.settings and not isinstance(self.settings["tax"], dict):
            # A rate alone is added to prices, as one of a product is.
            self.settings["tax"] = {"rate": self.settings["tax"], "mode": "exclusive"}
        self.points: Data = {"decimals": decimals_of_points(case.events, case.expect)}
        self.campaigns: Data = {}
        self.money: Data = {}
        self.events: Data = {}
        self.attributes: Data = {}
        self.enrolled_with: Data = {}
        """The attributes that everybody has from the start."""
        self.tiers: list[Data] = []
        self.level_names: dict[str, str] = {}
        """Our id of a level -> what the case calls it."""
        self.currency = str(case.program.get("base_currency") or case.program.get("currency") or _currency(case))
        self.rates: Data = next((self.settings[word] for word in _RATES if word in self.settings), {})
        """What one unit of another currency is in that of the program."""
        self.has_discounts = False
        """Whether purchases come with prices before promotions, which are ours to take off."""
        self.coupons: dict[str, str] = {}
        """The name of a coupon that can be used so often -> its promotion."""
        self.other_points: Data = {}
        self.identifiers = ["external_id"]
        """What members are known by."""
        self.asides: set[str] = set()
        """Words of events that campaigns were made for."""
        self.more: Data = {}
        """Other sections of the definition."""

    def definition(self) -> Data:
        """The program, as it is published."""
        rates = {other: number(rate) for other, rate in self.rates.items() if other != self.currency}
        return {
            "program": {
                "id": identifier(f"case {self.case.id}"),
                "name": self.case.id,
                "currency": self.currency,
                **({"rates": rates} if rates else {}),
            },
            "money": self.money,
            "points": {POINTS: self.points, **self.other_points},
            "members": {"attributes": self.attributes, "identifiers": self.identifiers},
            "events": self.events,
            # A case may tell of years in any order; how late an event may be is no part of any.
            "late": {"accept_within": "99y"},
            "tiers": self.tiers,
            "campaigns": self.campaigns,
            **self.more,
        }

    def campaign(self, **campaign: Any) -> Data:
        """Add a campaign; on purchases where nothing else is said."""
        made: Data = {"on": "purchase", **campaign}
        self.campaigns[f"c{len(self.campaigns)}"] = made
        return made

    def effect(self, name: str, **values: str) -> Data:
        """Add a campaign on purchases that only tells what the engine has computed."""
        return self.campaign(effect={"name": name, "values": values})

    def own_event(self, name: str, **properties: str) -> str:
        """Declare an event of the program's own with properties of these JSON types; give its name."""
        own = identifier(name)
        schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
        self.events[own] = {"data": schema}
        return own

    def attribute(self, name: str, kind: str = "string") -> str:
        """Declare a member attribute; give how expressions read it."""
        self.attributes[name] = {"type": kind}
        return f"member.attributes.{name}"

    def ladder(self, levels: list[Data], metric: str = "spend", **more: Any) -> Data:
        """Add the tier set; levels as cases write them, from the lowest to the highest."""
        if self.tiers:
            raise NotExpressible("two ladders in one case")
        made = []
        for place, level in enumerate(levels):
            name = str(level["name"])
            self.level_names[identifier(name)] = name
            floor = level.get("min_spend", level.get("min", level.get("from", place * _HIGH)))
            made.append({"id": identifier(name), "name": name, "from": str(floor)})
            if "keep" in level:
                made[-1]["keep_from"] = str(level["keep"])
        self.tiers.append({"id": LADDER, "metric": metric, "levels": made, **more})
        return self.tiers[0]

    def levels_by_hand(self, names: list[str]) -> None:
        """Levels that members are put in, because the case does not say how they are reached."""
        if not self.tiers:
            self.ladder([{"name": name} for name in with_those_of(self.case.events, names)])

    def put_in_levels(self) -> None:
        """Let an event put members into each level of the ladder."""
        if self.tiers and "put_in_level" not in self.events:
            own = self.own_event("put_in_level", level="string")
            for level in self.tiers[0]["levels"]:
                when = f"event.data.level == {json.dumps(level['id'])}"
                self.campaign(on=own, when=when, tier={LADDER: level["id"]})

    def level_is(self, name: str) -> str:
        """The condition that a member holds a level."""
        return f"member.tiers.{LADDER} == {json.dumps(identifier(name))}"


def _currency(case: Case) -> str:
    found = {str(event["currency"]) for event in case.events if "currency" in event}
    cashback = case.program.get("cashback")
    if isinstance(cashback, dict) and "currency" in cashback:
        found.add(str(cashback["currency"]))
    if len(found) > 1:
        raise NotExpressible("purchases in several currencies, and none that the program is in")
    return found.pop() if found else "EUR"
