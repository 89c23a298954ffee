"""Published behaviour of other systems that concerns earning and tiers, reproduced by programs of ours.

Each case is translated by general rules for the vocabulary of its `program` and `events`, and never by its id. What the
rules do not know is "not expressible here" and counted; the cases themselves are no part of this project.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.shop_world import decided, happening, line, member, purchase, total, verdicts
from setia.engine.calendar import add_to_day
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.decision import Decision
from setia.engine.occurrences import Line, Occurrence
from setia.engine.state import Counters
from setia.program.definition import Program
from setia.program.lint import compile_check
from setia.program.names import Period

FILE = Path(__file__).parents[3] / "shared" / "cases" / "published.jsonl"
AT_LEAST = 70
Data = dict[str, Any]


class NotExpressible(Exception):  # noqa: N818 - it is a finding, not an error
    """The rules below do not know a word of the case."""


def _cases() -> list[Data]:
    return [json.loads(text) for text in FILE.read_text().splitlines()] if FILE.exists() else []


CASES = _cases()
needs_cases = pytest.mark.skipif(not CASES, reason="THE PUBLISHED CASES ARE NOT HERE: ../shared/cases/published.jsonl")


@needs_cases
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_published_case(case: Data) -> None:
    try:
        expected, found = Translation(case).run()
    except NotExpressible as reason:
        pytest.skip(f"not expressible here: {reason}")
    assert found == expected


@needs_cases
def test_how_many_cases_are_expressible() -> None:
    found: Counter[str] = Counter()
    for case in CASES:
        try:
            Translation(case).run()
        except NotExpressible:
            continue
        found[case["basis"]] += 1
    assert sum(found.values()) >= AT_LEAST, found


# ------------------------------------------------------------------------------------------------------- vocabulary

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


class Translation:
    """One case as a program of ours, and its events as ours."""

    def __init__(self, case: Data) -> None:
        self.settings: Data = case["program"]
        self.events: list[Data] = case["events"]
        self.expect: Any = case["expect"]
        self.definition: Data = {
            "program": {"id": "case", "name": "Case", "currency": "EUR", "timezone": "UTC"},
            "points": {"p": {}},
            "campaigns": {},
        }
        self.campaigns: Data = self.definition["campaigns"]

    def run(self) -> tuple[Any, Any]:
        """What was published, and what we come to."""
        self._program()
        return self._outcome()

    # -- programs

    def _program(self) -> None:
        for key, value in self.settings.items():
            translate = getattr(self, f"_set_{key}", None)
            if translate is None:
                raise NotExpressible(f"program.{key}")
            translate(value)

    def _campaign(self, **campaign: Any) -> Data:
        name = f"c{len(self.campaigns)}"
        self.campaigns[name] = {"on": "purchase", **campaign}
        return self.campaigns[name]

    def _set_rules(self, rules: list[Data]) -> None:
        for rule in rules:
            translate = getattr(self, f"_rule_{rule['kind']}", None)
            if translate is None:
                raise NotExpressible(f"rule {rule['kind']}")
            campaign = translate({key: value for key, value in rule.items() if key not in {"kind", "name", "id"}})
            if "name" in rule or "id" in rule:
                campaign["name"] = str(rule.get("name", rule.get("id")))

    def _rule_points_per_currency_unit(self, rule: Data) -> Data:
        known(rule, "rate", "delivery_cost_counts", "excluded_skus", "excluded_labels", "included_labels", "label_mode", "round", "categories")
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

    # -- events and results

    def _outcome(self) -> tuple[Any, Any]:
        if "membership" in self.settings:
            return self._periods()
        if not self.campaigns and "tiers" not in self.definition:
            raise NotExpressible("nothing for the engine")
        if not self.campaigns:
            self._campaign(on="visit", earn={"p": 1})
        if any("base_points" in event for event in self.events):
            schema_free = {"expression": "event.total"}  # the case gives base points: a euro each
            self._campaign(earn={"p": schema_free})
        compiled = self._compiled()
        decisions = []
        counters: dict[str, Counters] = {}
        for event in self.events:
            decisions.append(self._decision(compiled, event, counters))
        return self._compared(compiled, [decision for decision in decisions if decision is not None])

    def _compiled(self) -> CompiledProgram:
        definition = Program.model_validate(self.definition)
        errors = [finding for finding in compile_check(definition) if finding.severity == "error"]
        assert errors == []
        return compile_program(definition, 1)

    def _decision(self, compiled: CompiledProgram, event: Data, counters: dict[str, Counters]) -> Decision | None:
        if event["type"] == "state":
            return self._opening(compiled, event, counters)
        name = event.get("member", "m")
        if name is None or event["type"] in {"variant", "change_birthday"}:
            if event["type"] == "change_birthday":
                return None
            raise NotExpressible("a guest or a variant")
        held = counters.get(name, Counters())
        if "tier" in event:
            held.tiers = {"t": event["tier"].lower()}
        attributes = {"birthday": event["birthday"]} if "birthday" in event else {}
        occurrence = self._occurrence(event)
        decision = decided(compiled, occurrence, member(counters=held, attributes=attributes))
        counters[name] = decision.counters
        return decision

    @staticmethod
    def _opening(compiled: CompiledProgram, event: Data, counters: dict[str, Counters]) -> None:
        known(event, "type", "total_spend", "gift_card")
        if "total_spend" in event:
            spent = int(event["total_spend"]) * 100
            [tier_set] = compiled.tier_sets
            counters["m"] = Counters(lifetime={"spend": spent}, windows={tier_set.window_key: {"ever": spent}})

    def _occurrence(self, event: Data) -> Occurrence:
        text = event.get("at") or event.get("date") or "2026-03-04"
        moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        match event["type"]:
            case "event":
                if event["name"] == "first_purchase":
                    return purchase(100, at=moment, location=event.get("store", ""))
                names = {"account_created": "member_enrolled"}
                if "key" in event:
                    raise NotExpressible("the same event twice is known before the engine is asked")
                return happening(names.get(event["name"], event["name"].replace("-", "_")), at=moment)
            case "birthday" | "birthday_run":
                return happening("birthday", at=moment)
            case "evaluate":
                return happening("visit", at=moment)
            case "earn" if "max_points_per_day" in self.settings:
                return happening("earn", at=moment, data={"points": event["points"]})
            case "purchase" | "purchases_in_period":
                return self._purchase(event, moment)
            case other:
                raise NotExpressible(f"event {other}")

    def _purchase(self, event: Data, moment: dt.datetime) -> Occurrence:
        known(
            event, "type", "items", "gross", "basis", "items_total", "items_tax", "order_total", "order_tax", "total", "date",
            "eligible", "tier", "birthday", "net", "tax_pct", "amount", "member", "store", "base_points", "codes",
            "pay_with_gift_card",
        )  # fmt: skip
        if "items" in event:
            return self._basket(event, moment)
        if "items_total" in event:
            shipping = cents(event["order_total"]) - cents(event["items_total"])
            shipping_tax = cents(event["order_tax"]) - cents(event["items_tax"])
            goods = line(cents(event["items_total"]), tax=cents(event["items_tax"]))
            return purchase(goods, at=moment, shipping=shipping, shipping_tax=shipping_tax)
        if "net" in event:
            net = cents(event["net"])
            tax = net * event["tax_pct"] // 100
            return purchase(line(net + tax, tax=tax), at=moment)
        for name in ("order_total", "total", "gross", "basis", "eligible", "amount"):
            if name in event:
                return purchase(cents(event[name]), at=moment, location=event.get("store", ""))
        return purchase(event.get("base_points", 1) * 100, at=moment)

    def _basket(self, event: Data, moment: dt.datetime) -> Occurrence:
        lines, shipping, discount = [], 0, 0
        rate = self.settings.get("tax", {}).get("rate", 0)
        delivery_counts = any(rule.get("delivery_cost_counts") for rule in self.settings.get("rules", []))
        for item in event["items"]:
            known(item, "sku", "qty", "gross", "labels", "delivery", "unit_price", "category", "amount")
            net = cents(item.get("gross") or item.get("amount") or "0") or cents(item["unit_price"]) * item["qty"]
            if item.get("delivery") and not delivery_counts:
                shipping += net
                continue
            lines.append(self._line(item, net, net * rate // 100))
        total_amount = sum(part.amount for part in lines)
        for promotion in self.settings.get("promotions", []):
            if "percent_off_order" in promotion and total_amount >= cents(promotion.get("min_amount", "0")):
                discount = total_amount * promotion["percent_off_order"] // 100
        tenders: tuple[tuple[str, int], ...] = ()
        if "pay_with_gift_card" in event:
            card = next(cents(state["gift_card"]) for state in self.events if "gift_card" in state)
            tenders = (("gift_card", card), ("card", total_amount - card))
        return purchase(*lines, at=moment, shipping=shipping, discount=discount, tenders=tenders)

    def _line(self, item: Data, net: int, tax: int) -> Line:
        off = sum(
            net * promotion["percent_off_category"].get(item.get("category"), 0) // 100
            for promotion in self.settings.get("promotions", [])
            if "percent_off_category" in promotion
        )
        sku, quantity = item.get("sku", "X"), str(item.get("qty", 1))
        category = item.get("category", "")
        return line(net + tax - off, sku, quantity, tax=tax, discount=off, category=category, labels=labels_of(item))

    def _compared(self, compiled: CompiledProgram, decisions: list[Decision]) -> tuple[Any, Any]:
        points = [total(decision, "p") for decision in decisions]
        wanted: Data = {}
        found: Data = {}
        for key, value in self.expect.items():
            wanted[key] = value
            match key:
                case "points_earned" | "credited":
                    found[key] = points if isinstance(value, list) else sum(points)
                case "points":
                    found[key] = self._running(points)
                case "cashback":
                    found[key] = f"{Decimal(sum(points)).scaleb(-2):.2f}"
                case "basis":
                    found[key] = f"{Decimal(points[0]).scaleb(-2):.2f}"
                case "condition_met":
                    found[key] = bool(points[0])
                case "applied":
                    applied: Any = [bool(decision.outcome.custom) for decision in decisions]
                    found[key] = applied if isinstance(value, list) else applied[0]
                    wanted[key] = [step is True for step in value] if isinstance(value, list) else value
                case "breakdown":
                    names = {name: campaign["name"] for name, campaign in self.campaigns.items()}
                    found[key] = {names[effect.campaign]: effect.amount for effect in decisions[0].outcome.points}
                case "explanation":
                    used = [self.campaigns[name]["name"] for name in decisions[0].outcome.uses]
                    found[key] = ", ".join(used)
                    assert set(verdicts(decisions[0]).values()) == {"matched"}
                case "tier":
                    found[key] = compiled.levels_of(decisions[-1].counters)["t"]
                    wanted[key] = value.lower()
                case "total" | "to_pay" | "cards" | "tier_until":
                    del wanted[key]  # prices are the till's, cards the ledger's, and how long a level lasts the review's
                case _:
                    raise NotExpressible(f"expect {key}")
        if not wanted:
            raise NotExpressible("nothing for the engine")
        return wanted, found

    def _running(self, points: list[int]) -> list[int]:
        """The balance after each event, where events without a decision change nothing."""
        running, balances = iter(points), []
        balance = 0
        for event in self.events:
            balance += 0 if event["type"] == "change_birthday" else next(running)
            balances.append(balance)
        return balances

    def _periods(self) -> tuple[Any, Any]:
        membership = known(self.settings["membership"], "length", "unit")
        length = Period(count=membership["length"], unit=membership["unit"])
        [event] = self.events if len(self.events) == 1 else [{"type": "several"}]
        if event["type"] not in {"join", "next_date"}:
            raise NotExpressible("memberships one after the other")
        start = dt.date.fromisoformat(event["date"])
        following = add_to_day(start, length)
        if event["type"] == "next_date":
            return self.expect, {"next_date": str(following)}
        return self.expect, {"member_from": str(start), "member_to": str(following - dt.timedelta(days=1))}


def cents(text: object) -> int:
    return int(Decimal(str(text)) * 100)
