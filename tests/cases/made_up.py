"""Cases of our own, in the words of the published ones: they keep the translation honest where those are not there."""

from __future__ import annotations

from typing import Any

from cases.published import Case, Data

LADDER = [{"name": "Base", "min_spend": 0}, {"name": "Up", "min_spend": 300}]


def case(program: Data, events: list[Data], expect: Any, *, id_: str = "OWN") -> Case:
    """A case as it would stand in the file."""
    return Case(id_, id_, "us", "derived", program, events, expect)


def bought(total: str, **more: Any) -> Data:
    """A purchase."""
    return {"type": "purchase", "total": total, **more}


def rule(kind: str, **words: Any) -> Data:
    """A rule of a program."""
    return {"rules": [{"kind": kind, **words}]}


RIGHT: dict[str, Case] = {
    "cards pay one after the other, and the last one keeps the rest": case(
        {},
        [
            {"type": "state", "gift_cards": ["3.00", "9.00"]},
            {"type": "purchase", "amount": "5.00", "pay_with_gift_cards": "all"},
        ],
        {"gift_card_left": "7.00", "gift_cards_left": ["0.00", "7.00"], "before": "5.00", "to_pay": "0.00"},
    ),
    "a card pays a part of an order": case(
        rule("points_per_currency_unit", rate=1),
        [{"type": "state", "gift_card": "30.00"}, bought("20.00", pay_with_gift_card="5.00")],
        {"to_pay": "15.00", "points_earned": 20, "gift_card_left": "25.00"},
    ),
    "a reward that is a card": case({}, [{"type": "redeem", "reward": "gift card 7.00"}], {"gift_card": "7.00"}),
    "a friend who is rewarded for enrolling, and nobody else": case(
        {"referral": {"event": "signup", "reward": "friend", "points": 9}},
        [{"type": "refer", "from": "A", "to": "B"}, {"type": "enrol", "member": "B"}, bought("5.00", member="B")],
        {"points_after_each": {"A": [0, 0, 0], "B": [0, 9, 9]}},
    ),
    "a referral that any order can complete": case(
        {"referral": {"min_first_order": "20.00", "first_order_only": False, "referrer_points": 3}},
        [bought("19.00"), bought("25.00", coupon="5.01"), bought("20.00")],
        {"referral_completed": [False, False, True]},
    ),
    "points that are given, and keep their end": case(
        {"transfer": "keeps expiry"},
        [
            {"type": "earn", "member": "A", "points": 5, "expires": "2026-09-30"},
            {"type": "transfer", "from": "A", "to": "m", "points": 3},
        ],
        {"receiver_lots": [3], "last_usable_day": "2026-09-30"},
    ),
    "three who are one": case(
        {},
        [
            {"type": "state", "members": {"A": {"points": 1, "tier": "Silver"}, "B": {"points": 2}}},
            {"type": "state", "members": {"C": {"points": 4, "tier": "Bronze"}}},
            {"type": "merge", "from": ["A", "B"], "into": "C"},
        ],
        {"balances": {"C": 7}, "C": {"tier": "Silver", "points": 7}, "lookup_of_B_returns": "C"},
    ),
    "a rate and its rounding": case(
        rule("points_per_currency_unit", rate="1.5", round="nearest"), [bought("3.00")], {"points_earned": 5}
    ),
    "a minimum and a maximum of an order": case(
        rule("fixed", points=7, min_order="10.00", max_amount="20.00"),
        [bought("9.99"), bought("10.00"), bought("20.01")],
        {"points_earned": [0, 7, 0]},
    ),
    "whole steps, where a source says nothing of parts": case(
        rule("points_per_amount", points=3, per="10.00"), [bought("29.99")], {"points_earned": 6}
    ),
    "categories and labels": case(
        rule("points_per_currency_unit", rate=1, categories=["tea"], excluded_labels=[{"sale": "yes"}]),
        [
            {
                "type": "purchase",
                "items": [
                    {"sku": "a", "amount": "4.00", "category": "tea"},
                    {"sku": "b", "amount": "8.00", "category": "tea", "labels": {"sale": "yes"}},
                    {"sku": "c", "amount": "16.00", "category": "mugs"},
                ],
            }
        ],
        {"points_earned": 4},
    ),
    "weekdays and hours": case(
        rule("fixed", points=5, iso_days=[3], hours=["10:00", "12:00"]),
        [
            bought("1.00", at="2026-03-04T10:00:00"),
            bought("1.00", at="2026-03-04T12:00:00"),
            bought("1.00", at="2026-03-05T10:00:00"),
        ],
        {"points_earned": [5, 0, 0]},
    ),
    "shops and partners": case(
        {"rules": [{"kind": "fixed", "points": 5, "stores": ["N"]}, {"kind": "fixed", "points": 9, "partners": ["P"]}]},
        [bought("1.00", store="N"), bought("1.00", partner="P"), bought("1.00")],
        {"points_earned": [5, 9, 0]},
    ),
    "a cap a day over several rules": case(
        {**rule("points_per_currency_unit", rate=1), "promotions": [{"points_addition": 30}], "max_points_per_day": 50},
        [bought("30.00", date="2026-05-01"), bought("30.00", date="2026-05-01"), bought("1.00", date="2026-05-02")],
        {"points_earned": [50, 0, 31]},
    ),
    "a cap an event": case(
        rule("points_per_currency_unit", rate=1, max_points_per_event=20), [bought("30.00")] * 2, {"points": [20, 40]}
    ),
    "levels in a calendar year": case(
        {"tiers": LADDER, "tier_window": "calendar year"},
        [bought("200.00", date="2025-12-31"), bought("200.00", date="2026-01-01"), bought("100.00", date="2026-02-01")],
        {"tier": ["Base", "Base", "Up"]},
    ),
    "how long a level lasts": case(
        {"tiers": LADDER, "tier_window": "2 months from entry"},
        [bought("300.00", date="2026-01-31")],
        {"tier_until": "2026-03-31"},
    ),
    "expiry at the end of a quarter": case(
        {"expiry": {"days": 10, "round_up_to": "quarter"}},
        [{"type": "earn", "date": "2026-03-25", "points": 1}],
        {"last_usable_day": "2026-06-30"},
    ),
    "points that end on a fixed date": case(
        {"expiry": {"fixed_date": "2026-12-31"}},
        [{"type": "earn", "date": "2026-03-25", "points": 1}],
        {"last_usable_day": "2026-12-31"},
    ),
    "lots": case(
        {"lots": "earliest_expiry_first"},
        [
            {"type": "earn", "date": "2026-01-01", "points": 30, "expires": "2026-06-30"},
            {"type": "earn", "date": "2026-01-02", "points": 20, "expires": "2026-03-31"},
            {"type": "spend", "date": "2026-02-01", "points": 25},
        ],
        {"points": 25, "open_lots": [25], "remaining_by_expiry": {"2026-06-30": 25, "2026-03-31": 0}},
    ),
    "pending points": case(
        {**rule("points_per_currency_unit", rate=1), "pending_days": 10},
        [bought("5.00", date="2026-01-01"), {"type": "query", "date": "2026-01-10"}],
        {"available": 0, "pending": 5},
    ),
    "pending points that became available": case(
        {**rule("points_per_currency_unit", rate=1), "pending_days": 10},
        [bought("5.00", date="2026-01-01"), {"type": "query", "date": "2026-01-12"}],
        {"available": 5, "pending": 0},
    ),
    "bands": case(
        {"cashback_bands": [{"up_to": "100.00", "pct": "1"}, {"above": "100.00", "pct": "2"}], "period": "12 months"},
        [{"type": "purchases_in_period", "amount": "60.00"}, {"type": "purchases_in_period", "amount": "90.00"}],
        {"cashback": ["0.60", "2.00"]},
    ),
    "a birthday known too late, either way": case(
        {"birthday_points": 10, "register_days_before": 30, "if_late": "next year"},
        [{"type": "register_birthday", "date": "2026-02-01", "birthday": "02-10"}],
        {"points_earned": 10, "paid_on": "2027-02-10"},
    ),
    "rounding over the whole order": case(
        {
            "rules": [
                {"kind": "points_per_currency_unit", "rate": 1, "round": "floor per order"},
                {"kind": "points_per_currency_unit", "rate": 2, "round": "floor per order"},
            ]
        },
        [bought("1.50")],
        {"points_earned": 4},
    ),
    "multipliers that compound": case(
        {**rule("points_per_currency_unit", rate=1), "promotions": [{"multiplier": 2}, {"multiplier": 3}]}
        | {"stacking": "product"},
        [bought("10.00")],
        {"points_earned": 60},
    ),
    "multipliers that add up": case(
        {**rule("points_per_currency_unit", rate=1), "promotions": [{"multiplier": 2}, {"multiplier": 3}]},
        [bought("10.00")],
        {"points_earned": 40},
    ),
    "rates of a coalition": case(
        {"rate_by_partner": {"A": 2, "B": "0.5"}},
        [bought("10.00", partner="A"), bought("10.00", partner="B"), bought("10.00", partner="C")],
        {"points_earned": [20, 5, 0]},
    ),
    "a paid membership with a cap": case(
        {"membership": "paid", "cashback": {"all": "2"}, "max_cashback": "50.00"},
        [{"type": "purchases_in_period", "amount": "2000.00"}, {"type": "purchases_in_period", "amount": "2000.00"}],
        {"cashback": ["40.00", "50.00"]},
    ),
    "the level that a purchase reaches decides what it earns": case(
        {
            "tiers": [
                {"name": "Bronze", "min_spend": 0, "collection_factor": 100},
                {"name": "Silver", "min_spend": 1000, "collection_factor": 50},
            ],
            "tier_at_purchase": "spend so far + this purchase",
        },
        [bought("900.00"), bought("100.00"), bought("100.00")],
        {"points_earned": [9, 2, 2], "tier": "Silver"},
    ),
    "factors of levels, held before the purchase": case(
        {
            "tiers": [{"name": "Base", "min_spend": 0}, {"name": "Up", "min_spend": 300, "multiplier": "1.5"}],
            "rules": [{"kind": "points_per_currency_unit", "rate": 1}],
        },
        [bought("300.00"), bought("100.00")],
        {"points_earned": [300, 150]},
    ),
    "a rule whose points end by themselves": case(
        rule("fixed", points=5, expires_in_days=10),
        [bought("1.00", date="2026-03-01")],
        {"last_usable_day": "2026-03-11"},
    ),
    "how long points last by level": case(
        {**rule("fixed", points=5), "expiry_by_tier": {"Base": {"months": 1}, "Up": {"months": 3}}},
        [bought("1.00", date="2026-03-01", tier="Up")],
        {"last_usable_day": "2026-06-01"},
    ),
    "pending for some hours": case(
        {**rule("fixed", points=5), "pending": {"hours": 2}},
        [bought("1.00", at="2026-03-01T10:00:00"), {"type": "query", "at": "2026-03-01T11:59:00"}],
        {"available": 0, "pending": 5},
    ),
    "a tier that follows the balance": case(
        {"tiers": [{"name": "A", "min": 0}, {"name": "B", "min": 10}], "tier_basis": "balance"},
        [{"type": "earn", "points": 10}, {"type": "spend", "points": 1}],
        {"tier": ["B", "A"]},
    ),
    "codes one after the other, and what is left of the tax": case(
        {
            "tax": {"a": 25},
            "promotions": [{"code": "FIVE", "amount_off_order": "5.00"}, {"coupon": "half", "percent_off_order": 50}],
        },
        [
            {"type": "cart", "items": [{"sku": "a", "qty": 2, "unit_price": "10.00"}]},
            {"type": "apply_code", "code": "five"},
            {"type": "apply_coupon", "code": "HALF"},
        ],
        {"totals": ["25.00", "20.00", "10.00"], "tax_at_end": "2.00", "untaxed_at_end": "8.00"},
    ),
    "the best of two discounts of an order, and a worse code": case(
        {
            "promotions": [{"coupon": name, "percent_off_order": percent} for name, percent in (("A", 9), ("B", 4))],
            "order_wide_discounts": "best only",
        },
        [
            {"type": "cart", "items": [{"sku": "a", "unit_price": "100.00"}]},
            {"type": "apply_coupon", "code": "A"},
            {"type": "variant", "instead_of_A": "B"},
        ],
        {"discounts": ["9.00"], "variant": {}},
    ),
    "what is applied in one list": case(
        {"base": "original amount"},
        [bought("100.00", apply=[{"percent": 60}, {"percent": 30}, {"amount": "20.00"}])],
        {"each": ["60.00", "30.00", "10.00"], "total": "0.00"},
    ),
    "a coupon for the next order, to whole units": case(
        rule("next_order_coupon", percent=20, round="down"), [bought("19.90")], {"coupon_value": 3}
    ),
    "three coupons, of which a third comes back": case(
        {"coupon_return": "proportional", "order": "latest expiry first"},
        [
            {
                "type": "purchase",
                "gross": "90.00",
                "coupons_used": [{"value": str(value), "expires_in_days": value} for value in (3, 6, 9)],
            },
            {"type": "return", "gross": "30.00"},
        ],
        {"coupons_returned": ["6"]},
    ),
    "points that were spent on an order end as before when it comes back": case(
        {"restore_spent": True, "restored_expiry": "as before", "expiry": {"months": 12}},
        [
            {"type": "state", "points": 50, "earned_on": "2025-06-01"},
            {"type": "purchase", "order": "X", "date": "2026-02-01", "redeem": 50, "points_earned": 7},
            {"type": "return", "order": "X", "date": "2026-02-20"},
        ],
        {"points": [7, 50]},
    ),
    "a promotion that is claimed twice": case(
        {"promotions": [{"percent_off_items": 50, "repeatable_per_unit": True}]},
        [{"type": "purchase", "items": [{"sku": "a", "qty": 2, "unit_price": "4.00"}]}, {"type": "claim", "times": 2}],
        {"totals_after_each_claim": ["4.00", "2.00"]},
    ),
}
"""What it is about -> the case."""
