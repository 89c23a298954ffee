"""The settings of published cases as programs of ours, by rules for their words."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

Data = dict[str, Any]


class NotExpressible(Exception):  # noqa: N818 - it is a finding, not an error
    """The rules below do not know a word of the case."""


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def known(data: Data, *names: str) -> Data:
    """The settings, if they are all among `names`."""
    unknown = data.keys() - set(names)
    if unknown:
        raise NotExpressible(", ".join(sorted(unknown)))
    return data


def quoted(values: list[str]) -> str:
    return json.dumps(values)


def labels_of(item: Data) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in item.get("labels", {}).items())


class CaseProgram:
    """The settings of one case as a program of ours."""

    def __init__(self, case: Data) -> None:
        self.settings: Data = case["program"]
        self.definition: Data = {
            "program": {"id": "case", "name": "Case", "currency": "EUR", "timezone": "UTC"},
            "points": {"p": {}},
            "campaigns": {},
        }
        self.campaigns: Data = self.definition["campaigns"]

    def translate(self) -> None:
        """Put the settings into `definition`."""
        for key, value in self.settings.items():
            translate = getattr(self, f"_set_{key}", None)
            if translate is None:
                raise NotExpressible(f"program.{key}")
            translate(value)

    def _campaign(self, **campaign: Any) -> Data:
        name = f"c{len(self.campaigns)}"
        made: Data = {"on": "purchase", **campaign}
        self.campaigns[name] = made
        return made

    def _set_rules(self, rules: list[Data]) -> None:
        for rule in rules:
            translate = getattr(self, f"_rule_{rule['kind']}", None)
            if translate is None:
                raise NotExpressible(f"rule {rule['kind']}")
            campaign = translate({key: value for key, value in rule.items() if key not in {"kind", "name", "id"}})
            if "name" in rule or "id" in rule:
                campaign["name"] = str(rule.get("name", rule.get("id")))

    def _rule_points_per_currency_unit(self, rule: Data) -> Data:
        known(
            rule,
            "rate",
            "delivery_cost_counts",
            "excluded_skus",
            "excluded_labels",
            "included_labels",
            "label_mode",
            "round",
            "categories",
        )
        rate = Decimal(str(rule["rate"]))
        if rule.get("round"):
            self.definition["points"]["p"]["rounding"] = {"ceil": "ceil", "floor": "floor"}[rule["round"]]
        if rate != int(rate):
            raise NotExpressible("points with decimals of an unknown number")
        campaign = self._campaign(earn={"p": f"{rate} per 1.00"})
        wanted = []
        if rule.get("excluded_skus"):
            wanted.append(f"!(line.sku in {quoted(rule['excluded_skus'])})")
        if rule.get("categories"):
            wanted.append(f"line.category in {quoted(rule['categories'])}")
        including = rule.get("label_mode") == "include"
        for label in rule.get("included_labels" if including else "excluded_labels", []):
            [text] = labels_of({"labels": label})
            wanted.append(f"{'' if including else '!'}({json.dumps(text)} in line.labels)")
        if wanted:
            campaign["lines"] = " && ".join(wanted)
        return campaign

    def _rule_points_per_amount(self, rule: Data) -> Data:
        known(rule, "points", "per", "round", "basis", "proportional")
        if rule.get("round", "floor per rule") != "floor per rule":
            raise NotExpressible(f"round {rule['round']}")
        campaign = self._campaign(earn={"p": f"{rule['points']} per {rule['per']}"})
        if "basis" in rule:
            campaign["basis"] = {"tax": {"before tax": "excluded", "after tax": "included"}[rule["basis"]]}
        return campaign

    def _rule_fixed(self, rule: Data) -> Data:
        known(rule, "points", "stackable", "priority")
        return self._campaign(
            earn={"p": rule["points"]}, exclusive=not rule.get("stackable", True), priority=rule.get("priority", 0)
        )

    def _rule_product_bonus(self, rule: Data) -> Data:
        known(rule, "skus", "points")
        return self._campaign(lines=f"line.sku in {quoted(rule['skus'])}", earn={"p": f"{rule['points']} per unit"})

    def _rule_points_per_unit(self, rule: Data) -> Data:
        known(rule, "skus", "rate")
        return self._campaign(lines=f"line.sku in {quoted(rule['skus'])}", earn={"p": f"{rule['rate']} per unit"})

    def _rule_event_bonus(self, rule: Data) -> Data:
        known(rule, "event", "points", "stores", "max_per_year")
        campaign = self._campaign(earn={"p": rule["points"]}, on=self._trigger(rule["event"]))
        if rule["event"] == "first_purchase":
            campaign["when"] = "member.first_purchase"
        if "stores" in rule:
            campaign["when"] = f"{campaign.get('when', 'true')} && event.location in {quoted(rule['stores'])}"
        if "max_per_year" in rule:
            campaign["limits"] = [{"every": "year", "uses": rule["max_per_year"]}]
        return campaign

    def _rule_multiplier(self, rule: Data) -> Data:
        known(rule, "factor", "skus")
        return self._campaign(lines=f"line.sku in {quoted(rule['skus'])}", multiply={"by": rule["factor"]})

    def _rule_birthday_month_multiplier(self, rule: Data) -> Data:
        known(rule, "by_tier")
        self._birthday()
        self._ladder([{"name": name} for name in rule["by_tier"]])
        factors = " : ".join(
            f"member.tiers.t == {json.dumps(name.lower())} ? {factor}.0" for name, factor in rule["by_tier"].items()
        )
        return self._campaign(
            when="int(member.attributes.birthday.substring(0, 2)) == time.month", multiply={"by": f"{factors} : 1.0"}
        )

    def _trigger(self, name: str) -> str:
        names = {"account_created": "member_enrolled", "first_purchase": "purchase"}
        if name in names:
            return names[name]
        own = name.replace("-", "_")
        self.definition.setdefault("events", {})[own] = {}
        return own

    def _birthday(self) -> None:
        self.definition["members"] = {"attributes": {"birthday": {"type": "string"}}}

    def _set_basis(self, value: str) -> None:
        if value not in {"items_total", "order_total"}:
            raise NotExpressible(f"basis {value}")
        self._money(of="order" if value == "order_total" else "goods")
        self._campaign(earn={"p": "100 per 1.00"})

    def _set_include_tax(self, value: bool) -> None:  # noqa: FBT001 - a setting of the case
        self._money(tax="included" if value else "excluded")

    def _money(self, **settings: str) -> None:
        self.definition.setdefault("money", {}).update(settings)

    def _set_condition(self, value: Data) -> None:
        known(value, "order_total_at_least", "iso_days")
        if "iso_days" in value:
            self._campaign(on=["visit"], earn={"p": 1}, schedule={"days": [DAYS[day - 1] for day in value["iso_days"]]})
        else:
            self._campaign(earn={"p": 1}, when=f"event.total >= {value['order_total_at_least']}")

    def _set_tax(self, value: Data) -> None:
        known(value, "rate", "mode")
        if value["mode"] != "exclusive":
            raise NotExpressible("tax per product")

    def _set_promotions(self, promotions: list[Data]) -> None:
        for promotion in promotions:
            match promotion:
                case {"min_amount": least, "min_amount_tax": tax, "free_product": _} if len(promotion) == 3:
                    # whether it applies is our question; what it gives is a reward
                    net = "event.lines.map(l, l.gross - l.tax)" if tax == "excl" else "event.lines.map(l, l.gross)"
                    self._campaign(when=f"sum({net}) >= {least}", effect={"name": "applied"})
                case {"percent_off_order": _, "min_amount": _} | {"code": _, "percent_off_category": _}:
                    pass  # what takes money off happens at the till, before us
                case {"points_addition": points} if len(promotion) == 1:
                    self._campaign(earn={"p": points})
                case {"multiplier": factor}:
                    known(promotion, "multiplier", "round")
                    self._campaign(multiply={"by": float(factor)})
                case {"auto": True, "max_per_member": uses} if len(promotion) == 2:
                    self._campaign(effect={"name": "applied"}, limits=[{"uses": uses}])
                case _:
                    raise NotExpressible(f"promotion {', '.join(promotion)}")

    def _ladder(self, levels: list[Data], metric: str = "spend") -> None:
        floors = [level.get("min_spend", level.get("min", number * 10**9)) for number, level in enumerate(levels)]
        self.definition["tiers"] = [
            {
                "id": "t",
                "metric": metric,
                "levels": [
                    {"id": level["name"].lower().replace(" ", "_"), "from": floor}
                    for level, floor in zip(levels, floors, strict=True)
                ],
            }
        ]

    def _set_tiers(self, value: list[Any]) -> None:
        if not all(isinstance(level, dict) and "min_spend" in level for level in value):
            raise NotExpressible("tiers without a minimum of spend")
        self._ladder(value)

    def _set_tier_at_purchase(self, value: str) -> None:
        if value != "spend so far + this purchase":
            raise NotExpressible(value)

    def _set_tier_window(self, value: str) -> None:
        if value != "calendar year":
            raise NotExpressible(f"window {value}")
        self.definition["tiers"][0]["window"] = "calendar_year"

    def _set_kept(self, value: str) -> None:
        pass  # falling is the review's business; the level that is reached is ours

    def _set_rate_by_tier(self, value: Data) -> None:
        self._ladder([{"name": name} for name in value])
        self._campaign(earn={"p": "1 per 1.00"})
        for name, rate in value.items():
            self._campaign(when=f"member.tiers.t == {json.dumps(name.lower())}", multiply={"by": float(rate)})

    def _set_tier_bonus_pct(self, value: Data) -> None:
        self._ladder([{"name": "none"}, *({"name": name} for name in value)])
        for name, percent in value.items():
            by = float(1 + Decimal(percent) / 100)
            self._campaign(when=f"member.tiers.t == {json.dumps(name.lower())}", multiply={"by": by})

    def _set_cashback(self, value: Data) -> None:
        if not all(str(rate).isdigit() for rate in value.values()):
            raise NotExpressible("cashback as a value of points")
        self.definition["points"]["p"] = {"decimals": 2}
        for category, percent in value.items():
            if category == "all":
                raise NotExpressible("cashback of a paid membership")
            self._campaign(lines=f"line.category == {json.dumps(category)}", earn={"p": f"{percent} per 100.00"})

    def _set_cashback_bands(self, bands: list[Data]) -> None:
        # What was spent before is a lifetime sum of ours; a period of twelve months would need the window's sum.
        self.definition["points"]["p"] = {"decimals": 2}
        parts, floor = [], "0.00"
        for band in bands:
            low = f"(member.lifetime.spend > {floor} ? member.lifetime.spend : {floor})"
            end = "(member.lifetime.spend + event.total)"
            if "above" in band:
                continue
            top = band["up_to"]
            high = f"({end} < {top} ? {end} : {top})"
            parts.append(f"({high} > {low} ? ({high} - {low}) * {band['pct']} / 100 : 0.0)")
            floor = top
        self._campaign(earn={"p": {"expression": " + ".join(parts)}})

    def _set_period(self, value: str) -> None:
        pass  # every case has one period

    def _set_birthday_points_by_tier(self, value: Data) -> None:
        self.definition["events"] = {"birthday": {}}
        self._ladder([{"name": name} for name in value])
        for name, points in value.items():
            self._campaign(on="birthday", when=f"member.tiers.t == {json.dumps(name.lower())}", earn={"p": points})

    def _set_register_days_before(self, value: int) -> None:
        pass  # when the birthday is due is a matter of time, which gives the event; what it pays is ours

    def _set_max_points_per_day(self, value: int) -> None:
        schema = {"type": "object", "properties": {"points": {"type": "integer"}}}
        self.definition["events"] = {"earn": {"data": schema}}
        self._campaign(
            on="earn", earn={"p": {"expression": "event.data.points"}}, limits=[{"every": "day", "earn": f"{value} p"}]
        )

    def _set_from(self, value: str) -> None:
        for campaign in self.campaigns.values():
            campaign.setdefault("schedule", {})["starts"] = self._date(value)

    def _set_to(self, value: str) -> None:
        for campaign in self.campaigns.values():
            campaign.setdefault("schedule", {})["ends"] = self._date(value)

    @staticmethod
    def _date(text: str) -> str:
        today = dt.date(2026, 3, 4)
        if not text.startswith("today"):
            return text
        words = text.removeprefix("today").removesuffix(" days")
        return str(today + dt.timedelta(days=int(words or 0)))

    def _set_membership(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise NotExpressible("paid membership")


def cents(text: object) -> int:
    return int(Decimal(str(text)) * 100)
