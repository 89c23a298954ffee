"""Rows that are goods coming back: matched to earlier orders of the same member and article, and the rest told why."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from import_world import Shop
from setia.db.engine import Database
from setia.imports.bought import Bought, Line, TooFew
from setia.program.findings import DefinitionError

MAP = """
file: {format: csv}
source: till
external_id: row.id
group: {by: row.id}
member: {external_id: row.who}
occurred_at: {column: at, timezone: Europe/Berlin}
lines: {sku: row.sku, quantity: row.quantity, amount: double(row.quantity) * double(row.price)}
returns: {rows: row.id.startsWith("C")}
"""
HEADER = "id,who,at,sku,quantity,price\n"


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    return Shop.open(database, tmp_path)


def text(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


def balance(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.query("SELECT available::int FROM wallet ORDER BY member_id")


def returned(shop: Shop) -> list[tuple[str, Any]]:
    rows = shop.query("SELECT external_id, body->'data' FROM event WHERE type = 'return' ORDER BY received_at, id")
    return [(row[0], row[1]["lines"]) for row in rows]


def test_goods_come_back_of_the_newest_orders_first(shop: Shop) -> None:
    content = text(
        "1,a,2026-03-01 10:00:00,mug,3,5.00",
        "1,a,2026-03-01 10:00:00,tea,2,4.00",
        "2,a,2026-03-02 10:00:00,mug,2,6.00",
        "C1,a,2026-03-03 10:00:00,mug,-4,5.50",
    )
    report = shop.bring(content, MAP)
    assert report.is_fine
    assert returned(shop) == [
        ("C1:2", [{"line": 0, "quantity": "2"}]),
        ("C1:1", [{"line": 0, "quantity": "2"}]),
    ]
    told = report.as_dict()
    assert told["rows"]["imported"] == 4
    assert told["by_type"] == {"purchase": 2, "return": 2}
    assert told["returned"] == {"imported": "22.00"}
    assert balance(shop) == [(13,)]
    shop.assert_clean()


def test_what_matches_no_order_is_set_aside_with_why(shop: Shop) -> None:
    aside = shop.folder / "aside.jsonl"
    content = text(
        "C0,a,2026-02-01 10:00:00,mug,-1,5.00",
        "1,a,2026-03-01 10:00:00,mug,3,5.00",
        "C1,a,2026-03-03 10:00:00,mug,-2,5.00",
        "C1,a,2026-03-03 10:00:00,tea,-1,5.00",
        "C2,a,2026-03-04 10:00:00,mug,-2,5.00",
        "C3,b,2026-03-04 10:00:00,mug,-1,5.00",
        "C4,a,2026-03-04 10:00:00,mug,0,5.00",
        "C5,a,2026-03-05 10:00:00,mug,-1,5.00",
    )
    report = shop.bring(content, MAP, set_aside=aside)
    told = report.as_dict()["rows"]
    assert told["imported"] == 3
    assert told["set_aside"] == {
        "return_more_than_bought": {"rows": 1, "matched": 1},
        "return_never_bought": {"rows": 4, "matched": 4},
    }
    written = [json.loads(line) for line in aside.read_text(encoding="utf-8").splitlines()]
    assert [(one["row"], one["code"]) for one in written] == [
        (1, "return_never_bought"),
        (4, "return_never_bought"),
        (5, "return_more_than_bought"),
        (6, "return_never_bought"),
        (7, "return_never_bought"),
    ]
    assert "1 are left" in written[2]["message"]
    assert [name for name, _ in returned(shop)] == ["C1:1", "C5:1"]
    assert balance(shop)[0] == (0,)
    assert report.is_fine
    shop.assert_clean()


def test_an_order_that_comes_later_brings_nothing_back_to_an_earlier_one(shop: Shop) -> None:
    content = text("1,a,2026-03-02 10:00:00,mug,1,5.00", "C1,a,2026-03-01 10:00:00,mug,-1,5.00")
    assert shop.rows(content, MAP)["set_aside"] == {"return_never_bought": {"rows": 1, "matched": 1}}


def test_the_same_import_again_changes_nothing(shop: Shop) -> None:
    content = text(
        "1,a,2026-03-01 10:00:00,mug,3,5.00",
        "C1,a,2026-03-03 10:00:00,mug,-1,5.00",
        "2,a,2026-03-04 10:00:00,mug,1,5.00",
        "C2,a,2026-03-05 10:00:00,mug,-2,5.00",
    )
    shop.bring(content, MAP)
    before = shop.query("SELECT count(*)::int, max(seq)::int FROM journal"), balance(shop), returned(shop)
    again = shop.bring(content, MAP)
    assert again.as_dict()["rows"]["known"] == 4
    assert again.as_dict()["returned"] == {"known": "15.00"}
    assert (shop.query("SELECT count(*)::int, max(seq)::int FROM journal"), balance(shop), returned(shop)) == before


def test_an_import_that_was_cut_short_goes_on_where_it_was(shop: Shop) -> None:
    rows = [
        "1,a,2026-03-01 10:00:00,mug,3,5.00",
        "C1,a,2026-03-03 10:00:00,mug,-1,5.00",
        "2,a,2026-03-04 10:00:00,mug,1,5.00",
        "C2,a,2026-03-05 10:00:00,mug,-2,5.00",
    ]
    for limit in (1, 2, 3, 4):
        shop.bring(text(*rows), MAP, limit=limit)
    assert [name for name, _ in returned(shop)] == ["C1:1", "C2:2", "C2:1"]
    assert balance(shop) == [(5,)]
    shop.assert_clean()


def test_a_return_of_an_order_that_was_refused_is_refused(shop: Shop) -> None:
    content = text("1,a,2999-03-01 10:00:00,mug,1,5.00", "C1,a,2999-03-02 10:00:00,mug,-1,5.00")
    report = shop.bring(content, MAP)
    assert sum(report.tally.refused.values()) == 2
    assert not report.is_fine


def test_an_order_is_bought_or_comes_back_whole(shop: Shop) -> None:
    form = MAP.replace('row.id.startsWith("C")', "double(row.quantity) < 0.0")
    content = text("1,a,2026-03-01 10:00:00,mug,1,5.00", "1,a,2026-03-01 10:00:00,mug,-1,5.00")
    assert shop.rows(content, form)["refused"] == {"order_contradicts_itself": 2}


def test_quantities_can_stand_elsewhere_and_dry_runs_book_nothing(shop: Shop) -> None:
    form = MAP.replace('startsWith("C")}', 'startsWith("C"), quantity: row.price}')
    content = text("1,a,2026-03-01 10:00:00,mug,3,5.00", "C1,a,2026-03-03 10:00:00,mug,9,2")
    assert shop.rows(content, form, dry_run=True)["checked"] == 2
    assert shop.rows(content, form)["imported"] == 2
    assert returned(shop) == [("C1:1", [{"line": 0, "quantity": "2"}])]


def test_an_article_without_a_quantity_comes_back_once(shop: Shop) -> None:
    form = MAP.replace("quantity: row.quantity, amount: double(row.quantity) * double(row.price)", "amount: row.price")
    content = text("1,a,2026-03-01 10:00:00,mug,3,5.00", "C1,a,2026-03-03 10:00:00,mug,-9,5.00")
    assert shop.rows(content, form)["imported"] == 2
    assert balance(shop) == [(0,)]


def test_what_is_wrong_with_the_map_is_said_at_its_place(shop: Shop) -> None:
    with pytest.raises(DefinitionError, match="no column 'nothing'"):
        shop.bring(text(), MAP.replace('row.id.startsWith("C")', 'row.nothing == ""'))


amounts = st.integers(1, 6)
steps = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("mug", "tea")), amounts, st.booleans()), max_size=40)


@given(steps)
@settings(deadline=None)
def test_what_comes_back_is_what_was_bought_and_no_more(history: list[tuple[str, str, int, bool]]) -> None:
    """Against a list that is searched from its end."""
    model: dict[tuple[str, str], list[list[int]]] = {}
    with Bought() as bought:
        for number, (member, sku, quantity, is_back) in enumerate(history):
            there = model.setdefault((member, sku), [])
            if not is_back:
                bought.add(member, str(number), "2026", [Line(sku, _decimal(quantity), _decimal(10 * quantity))])
                there.append([number, quantity])
            elif sum(left for _, left in there) < quantity:
                with pytest.raises(TooFew):
                    bought.take(member, sku, _decimal(quantity), "2026")
            else:
                expected: list[tuple[str, Decimal]] = []
                left = quantity
                for one in reversed(there):
                    part = min(one[1], left)
                    if part:
                        expected.append((str(one[0]), Decimal(part)))
                        one[1] -= part
                        left -= part
                taken = bought.take(member, sku, _decimal(quantity), "2026")
                assert [(part.order, part.quantity) for part in taken] == expected
                assert sum(part.money for part in taken) == 10 * quantity


def _decimal(number: int) -> Decimal:

    return Decimal(number)
