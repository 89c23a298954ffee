"""From rows to one event: what a map can say, and what a row can lack."""

import pytest

from import_world import HEADER, MAP, Shop


def test_all_of_an_order_can_be_mapped(shop: Shop) -> None:
    form = """
file: {format: jsonl}
source: web
external_id: {column: id}
member: {external_id: row.who, email: row.mail}
occurred_at: timestamp(row.at)
currency: row.cur
channel: {const: web}
location: row["shop.name"]
labels: '[row.label, "imported"]'
discount: row.off
shipping: row.ship
shipping_tax: {const: "0"}
tax_included: false
rounding: half_even
lines:
  sku: row.sku
  amount: double(row.qty) * double(row.price)
  quantity: row.qty
  tax: row.tax
  discount: {const: "0.50"}
  name: row.sku
  category: {const: c}
  brand: {const: b}
  labels: row.label
"""
    row = (
        '{"id": 7, "who": "ann", "mail": null, "at": "2026-01-01T10:00:00+01:00", "cur": "EUR",'
        ' "shop": {"name": "Mitte"},'
        ' "label": "vip", "off": 1, "ship": 4.9, "sku": "A", "qty": 3, "price": 3.335, "tax": 0.7}\n'
    )
    assert shop.rows(row, form) == {"read": 1, "imported": 1}
    [(body,)] = shop.query("SELECT body::jsonb FROM event WHERE type = 'purchase'")
    assert body["lines"][0] | {"sku": "A", "amount": 1070, "quantity": 3} == body["lines"][0]
    assert (body["channel"], body["location"], body["labels"]) == ("web", "Mitte", ["vip", "imported"])
    assert (body["discount"], body["shipping"]) == (100, 490)
    assert shop.query("SELECT occurred_at::text FROM event WHERE type = 'purchase'") == [("2026-01-01 09:00:00+00",)]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("row.amount", "row.amount == '1'", "not_a_number"),
        ("row.who", "{cel: '[row.who]'}", "not_a_text"),
        ("row.who", "row.who.substring(9)", "no_value"),
        ("{column: at, timezone: Europe/Berlin}", "{column: at}", "not_a_moment"),
        ("{column: at, timezone: Europe/Berlin}", "row_number", "not_a_moment"),
        ("lines: {", "lines: {labels: row_number, ", "not_a_text"),
        ("source: till", "source: till\nskip: {a: row.who.substring(9) == ''}", "no_value"),
        ("source: till", "source: till\ncurrency: {const: USD}", "invalid_event"),
    ],
)
def test_what_a_row_has_no_value_for_is_refused(shop: Shop, before: str, after: str, code: str) -> None:
    assert shop.rows(HEADER + "1,ann,2026-01-01,1\n", MAP.replace(before, after)) == {"read": 1, "refused": {code: 1}}
    assert shop.purchases() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-10-26 02:30", "2025-10-26 00:30:00+00"),  # the hour that comes twice: the first one
        ("2026-03-29 02:30", "2026-03-29 01:30:00+00"),  # the hour that is skipped
        ("2026-03-29T02:30:00+05:00", "2026-03-28 21:30:00+00"),  # an offset of its own wins
    ],
)
def test_moments_are_local_unless_they_say_otherwise(shop: Shop, text: str, expected: str) -> None:
    assert shop.rows(HEADER + f"1,ann,{text},1\n") == {"read": 1, "imported": 1}
    assert shop.query("SELECT occurred_at::text FROM event WHERE type = 'purchase'") == [(expected,)]


def test_an_amount_beyond_everything_is_refused_and_not_rounded(shop: Shop) -> None:
    told = shop.rows(HEADER + "1,ann,2026-01-01,1e300\n", MAP + "rounding: half_up\n")
    assert told == {"read": 1, "refused": {"invalid_event": 1}}
