"""What expressions read: every name of the vocabulary, on one purchase and one visit, judged by conditions."""

from __future__ import annotations

import pytest

from engine.shop_world import NOON, at, decided, happening, line, member, program, purchase, verdicts
from setia.engine.facts import decimal_of
from setia.engine.state import Balance, Counters

PROGRAM = """
points: {stars: {}, cash: {decimals: 2}}
members:
  attributes:
    city: {type: string}
    age: {type: integer}
    height: {type: number}
    vegan: {type: boolean}
    birthday: {type: date}
    likes: {type: string_list}
    secret: {type: string, personal: true}
locations: {mitte: {region: berlin, labels: [seats]}, bare: {}}
tiers: [{id: status, metric: spend, levels: [{id: green, from: 0}, {id: gold, from: 500}]}]
events: {review: {data: {type: object, properties: {rating: {type: integer}}}}}
campaigns:
  a: {on: %s, when: %s, earn: {stars: 1}}
"""
BUYER = member(
    attributes={"city": "Bonn", "age": 61, "height": 1.8, "vegan": False, "birthday": "1990-03-04", "likes": ["tea"]},
    tags=("vip",),
    counters=Counters(
        tiers={"status": "gold"},
        lifetime={"orders": 3, "visits": 2, "spend": 12345},
        earned={"stars": 7, "cash": 250},
        first_purchase_at=NOON,
    ),
)
BUYER.balances = {"stars": Balance(available=5, pending=2), "cash": Balance(available=150)}
BASKET = purchase(
    line(1190, "tea", "2", tax=190, discount=110, name="Green", category="drinks", brand="Acme", labels=("iced",)),
    line(5000, "card", labels=("gift_card",)),
    at=at("2026-03-29T01:05:00+00:00"),  # 03:05 in Berlin, a Sunday, the day the clocks change
    shipping=500,
    shipping_tax=80,
    discount=0,
    channel="app",
    location="mitte",
    labels=("christmas",),
    tenders=(("cash", 6690),),
)

PURCHASE = (
    'event.id == "evt_1" && event.type == "purchase" && event.source == "till"',
    'event.occurred_at == timestamp("2026-03-29T01:05:00Z")',
    'event.channel == "app" && event.location == "mitte" && "christmas" in event.labels && event.currency == "EUR"',
    "event.total == 11.90",  # the program's basis: without the gift card and shipping
    "event.gross == 66.90",
    "event.shipping == 5 && event.tax == 2.70 && event.discount == 1.10 && event.quantity == 3",
    "event.lines.size() == 2 && event.lines[0].amount == 11.90",
    "event.lines[1].amount == 0 && event.lines[1].gross == 50",
    'event.lines.exists(l, l.sku == "tea" && l.name == "Green" && l.category == "drinks" && l.brand == "Acme")',
    'event.lines.exists(l, l.tax == 1.90 && l.discount == 1.10 && l.quantity == 2 && "iced" in l.labels)',
    'event.tenders.exists(t, t.type == "cash" && t.amount == 66.90)',
    'location.id == "mitte" && location.region == "berlin" && "seats" in location.labels',
    "time.year == 2026 && time.month == 3 && time.day == 29 && time.hour == 3 && time.minute == 5",
    'time.weekday == 7 && time.week == 13 && time.date == "2026-03-29" && time.clock == "03:05"',
    "!member.first_purchase",
)
MEMBER = (
    'member.id == "mem_1" && "vip" in member.tags',
    'member.enrolled_at < timestamp("2026-02-01T00:00:00Z")',
    'member.attributes.city == "Bonn" && member.attributes.age == 61 && member.attributes.height == 1.8',
    'member.attributes.vegan == false && member.attributes.birthday == "1990-03-04"',
    '"tea" in member.attributes.likes',
    'member.tiers.status == "gold"',
    "member.points.stars == 5 && member.pending.stars == 2 && member.points.cash == 1.50 && member.pending.cash == 0",
    "member.lifetime.orders == 3 && member.lifetime.visits == 2 && member.lifetime.spend == 123.45",
    "member.lifetime.earned.stars == 7 && member.lifetime.earned.cash == 2.50",
)


@pytest.mark.parametrize("condition", PURCHASE + MEMBER)
def test_every_name_on_a_purchase(condition: str) -> None:
    compiled = program(PROGRAM % ("purchase", f"'{condition}'"))
    assert verdicts(decided(compiled, BASKET, BUYER)) == {"a": "matched"}


@pytest.mark.parametrize("condition", MEMBER)
def test_a_member_is_the_same_on_a_visit(condition: str) -> None:
    compiled = program(PROGRAM % ("visit", f"'{condition}'"))
    assert verdicts(decided(compiled, happening("visit"), BUYER)) == {"a": "matched"}


@pytest.mark.parametrize(
    "condition",
    [
        'member.tiers.status == "green" && member.points.stars == 0 && member.pending.cash == 0',
        "member.lifetime.orders == 0 && member.lifetime.spend == 0 && member.lifetime.earned.cash == 0",
        "!has(member.attributes.city) && member.tags.size() == 0",
        'location.id == "" && location.region == "" && location.labels.size() == 0',
        "!member.first_purchase",
    ],
)
def test_a_new_member_visits_nowhere_in_particular(condition: str) -> None:
    compiled = program(PROGRAM % ("visit", f"'{condition}'"))
    assert verdicts(decided(compiled, happening("visit"))) == {"a": "matched"}


@pytest.mark.parametrize("location", ["bare", "nowhere"])
def test_a_location_of_which_little_is_known(location: str) -> None:
    condition = f'location.id == "{location}" && location.region == "" && location.labels.size() == 0'
    compiled = program(PROGRAM % ("visit", f"'{condition}'"))
    assert verdicts(decided(compiled, happening("visit", location=location))) == {"a": "matched"}


def test_the_first_purchase() -> None:
    compiled = program(PROGRAM % ("purchase", "member.first_purchase"))
    first = decided(compiled, purchase(100))
    assert verdicts(first) == {"a": "matched"}
    assert verdicts(decided(compiled, purchase(100), member(counters=first.counters))) == {"a": "condition"}


def test_a_visit_before_does_not_spoil_the_first_purchase() -> None:
    compiled = program(PROGRAM % ("purchase", "member.first_purchase"))
    visited = decided(compiled, happening("visit"))
    assert verdicts(decided(compiled, purchase(100), member(counters=visited.counters))) == {"a": "matched"}


def test_an_attribute_set_to_nothing_is_missing() -> None:
    compiled = program(PROGRAM % ("visit", "has(member.attributes.city)"))
    assert verdicts(decided(compiled, happening("visit"), member(attributes={"city": None}))) == {"a": "condition"}


def test_a_level_that_is_no_longer_defined_counts_as_the_first() -> None:
    # given a member who holds a level of an earlier version
    state = member(counters=Counters(tiers={"status": "bronze"}))
    compiled = program(PROGRAM % ("visit", """'member.tiers.status == "green"'"""))
    # then conditions read what the member's page shows
    assert compiled.levels_of(state.counters) == {"status": "green"}
    assert verdicts(decided(compiled, happening("visit"), state)) == {"a": "matched"}


@pytest.mark.parametrize(
    ("amount", "digits", "text"), [(1250, 2, "12.50"), (5, 3, "0.005"), (1250, 0, "1250"), (-5, 2, "-0.05")]
)
def test_money_is_an_exact_decimal(amount: int, digits: int, text: str) -> None:
    assert str(decimal_of(amount, digits)) == text


@pytest.mark.parametrize(
    ("currency", "cents", "total"), [("JPY", 1250, "1250"), ("KWD", 1250, "1.250"), ("EUR", 1250, "12.50")]
)
def test_money_in_the_decimals_of_the_currency(currency: str, cents: int, total: str) -> None:
    compiled = program(
        f"campaigns: {{a: {{on: purchase, when: event.total == {total}, earn: {{stars: 1}}}}}}", currency=currency
    )
    assert verdicts(decided(compiled, purchase(cents, currency=currency))) == {"a": "matched"}
