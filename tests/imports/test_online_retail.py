"""Real and dirty: Online Retail. Invoices are orders, rows are lines, and every row is accounted for."""

import csv
import lzma
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from import_world import Shop
from setia.db.engine import Database

HERE = Path(__file__).parent
CENT = Decimal("0.01")

pytestmark = pytest.mark.slow


@dataclass
class Control:
    """What the file holds, found without any of our code."""

    rows: int = 0
    cancelled: int = 0
    no_customer: int = 0
    both: int = 0
    lines: int = 0
    free_lines: int = 0
    customers: set[str] = field(default_factory=set)
    invoices: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def _control(file: Path) -> Control:
    found = Control()
    with lzma.open(file, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            found.rows += 1
            cancelled, stranger = row["InvoiceNo"].startswith("C"), not row["CustomerID"]
            found.cancelled += cancelled
            found.no_customer += stranger
            found.both += cancelled and stranger
            if not cancelled and not stranger:
                amount = (int(row["Quantity"]) * Decimal(row["UnitPrice"])).quantize(CENT, ROUND_HALF_UP)
                found.lines += 1
                found.free_lines += not amount
                found.customers.add(row["CustomerID"])
                found.invoices[row["InvoiceNo"]] += amount
    return found


def test_the_whole_of_online_retail(module_database: Database, real_data: Path, tmp_path: Path) -> None:
    file = real_data / "online_retail" / "online_retail_2010-12_2011-12.csv.xz"
    control = _control(file)
    assert (control.rows, control.cancelled, control.no_customer) == (541_909, 9_288, 135_080)
    shop = Shop.open(module_database, tmp_path, HERE / "online-retail.program.yaml")
    aside = tmp_path / "aside.csv"
    report = shop.bring(file, HERE / "online-retail.map.yaml", program="gift-shop", set_aside=aside)
    told = report.as_dict()
    assert {name: rows for name, rows in told["rows"].items() if rows} == {
        "read": 541_909,
        "imported": control.lines,
        "set_aside": {
            "cancelled": {"rows": 9_288, "matched": 9_288},
            "no_customer": {"rows": 135_080 - control.both, "matched": 135_080},
        },
    }
    assert control.lines + 9_288 + 135_080 - control.both == 541_909
    assert (told["orders"]["imported"], told["members_new"]) == (len(control.invoices), len(control.customers))
    assert told["money"]["imported"] == str(sum(control.invoices.values()))
    # A point for each whole pound of an invoice.
    assert told["points"]["points"]["imported"] == str(sum(int(amount) for amount in control.invoices.values()))
    assert report.is_fine
    _what_is_booked(shop, control)
    with aside.open(encoding="utf-8", newline="") as text:
        assert sum(1 for _ in csv.DictReader(text)) == 541_909 - control.lines
    shop.assert_clean()


def _what_is_booked(shop: Shop, control: Control) -> None:
    booked = shop.query(
        "SELECT e.external_id, count(*), sum((l->>'amount')::bigint)::bigint, "
        "count(*) FILTER (WHERE (l->>'amount')::bigint = 0) "
        "FROM event e, json_array_elements(e.body->'lines') l WHERE e.type = 'purchase' GROUP BY 1"
    )
    assert {row[0]: row[2] for row in booked} == {name: int(amount * 100) for name, amount in control.invoices.items()}
    assert sum(row[1] for row in booked) == control.lines
    assert sum(row[3] for row in booked) == control.free_lines
