"""The events of published cases as ours, and their results compared."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import accumulate
from typing import Any

from engine.case_program import CaseProgram, Data, NotExpressible, cents, known, labels_of
from engine.shop_world import decided, happening, line, member, purchase, total, verdicts
from setia.engine.calendar import add_to_day
from setia.engine.compiled import CompiledProgram, compile_program
from setia.engine.decision import Decision
from setia.engine.occurrences import Line, Occurrence
from setia.engine.state import Counters
from setia.program.definition import Program
from setia.program.lint import compile_check
from setia.program.names import Period

PURCHASE_WORDS = (
    *("type", "date", "member", "store", "tier", "birthday", "codes", "pay_with_gift_card", "items", "base_points"),
    *("gross", "basis", "items_total", "items_tax", "order_total", "order_tax", "total", "eligible", "amount"),
    *("net", "tax_pct"),
)
NOT_OURS = ("total", "to_pay", "cards", "tier_until")
"""Prices are the till's, cards the ledger's, and how long a level lasts the review's."""


class Translation(CaseProgram):
    """One case as a program of ours, and its events as ours."""

    def __init__(self, case: Data) -> None:
        super().__init__(case)
        self.events: list[Data] = case["events"]
        self.expect: Any = case["expect"]

    def run(self) -> tuple[Any, Any]:
        """What was published, and what we come to."""
        self.translate()
        return self._outcome()

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
        counters: dict[str, Counters] = {}
        decisions = [self._decision(compiled, event, counters) for event in self.events]
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
        known(event, *PURCHASE_WORDS)
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
        wanted = {key: value for key, value in self.expect.items() if key not in NOT_OURS}
        if not wanted:
            raise NotExpressible("nothing for the engine")
        found: Data = {}
        for key, value in wanted.items():
            look = getattr(self, f"_found_{key}", None)
            if look is None:
                raise NotExpressible(f"expect {key}")
            found[key] = look(value, compiled, decisions)
        return wanted, found

    def _found_points_earned(self, value: Any, _: CompiledProgram, decisions: list[Decision]) -> Any:
        points = [total(decision, "p") for decision in decisions]
        return points if isinstance(value, list) else sum(points)

    _found_credited = _found_points_earned

    def _found_points(self, _: Any, __: CompiledProgram, decisions: list[Decision]) -> list[int]:
        """The balance after each event, where events without a decision change nothing."""
        running = (total(decision, "p") for decision in decisions)
        steps = (0 if event["type"] == "change_birthday" else next(running) for event in self.events)
        return list(accumulate(steps))

    def _found_cashback(self, _: Any, __: CompiledProgram, decisions: list[Decision]) -> str:
        return f"{Decimal(sum(total(decision, 'p') for decision in decisions)).scaleb(-2):.2f}"

    _found_basis = _found_cashback  # measured by a campaign that earns 100 points for each 1.00

    def _found_condition_met(self, _: Any, __: CompiledProgram, decisions: list[Decision]) -> bool:
        return bool(total(decisions[0], "p"))

    def _found_applied(self, value: Any, _: CompiledProgram, decisions: list[Decision]) -> Any:
        applied = [bool(decision.outcome.custom) for decision in decisions]
        # where the source answers with an error, a campaign of ours does nothing
        return [step or "error" for step in applied] if isinstance(value, list) else applied[0]

    def _found_breakdown(self, _: Any, __: CompiledProgram, decisions: list[Decision]) -> Data:
        return {self.campaigns[effect.campaign]["name"]: effect.amount for effect in decisions[0].outcome.points}

    def _found_explanation(self, _: Any, __: CompiledProgram, decisions: list[Decision]) -> str:
        assert set(verdicts(decisions[0]).values()) == {"matched"}
        return ", ".join(self.campaigns[name]["name"] for name in decisions[0].outcome.uses)

    def _found_tier(self, value: str, compiled: CompiledProgram, decisions: list[Decision]) -> str:
        level = compiled.levels_of(decisions[-1].counters)["t"]
        return value if value.lower() == level else level

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
