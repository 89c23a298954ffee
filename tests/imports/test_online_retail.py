"""Real and dirty: Online Retail. Invoices are orders, those with a C bring goods back, and every row is accounted for.

What has to come out is worked out here once more, from the file alone and without any of our code.
"""

import csv
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from import_world import Shop
from setia.db.engine import Database

HERE = Path(__file__).parent
CENT = Decimal("0.01")

pytestmark = pytest.mark.slow


@dataclass
class Bought:
    """A line of an invoice."""

    quantity: int
    pence: int
    back: int = 0

    @property
    def left(self) -> int:
        """What it costs without what came back, in pence, halves up."""
        exact = Fraction(self.pence * (self.quantity - self.back), self.quantity)
        return int(exact + Fraction(1, 2))


@dataclass
class Control:
    """What the file holds, and what is left of it when the cancelling invoices have brought back what they can."""

    rows: int = 0
    no_customer: int = 0
    cancelled: int = 0
    lines: int = 0
    free_lines: int = 0
    money: Decimal = Decimal(0)
    never_bought: int = 0
    more_than_bought: int = 0
    matched: int = 0
    returns: int = 0
    back: Fraction = Fraction(0)
    units: Counter[str] = field(default_factory=Counter)
    """How many units of a customer came back."""
    invoices: dict[str, list[Bought]] = field(default_factory=lambda: defaultdict(list))
    owner: dict[str, str] = field(default_factory=dict)

    def left(self) -> dict[str, int]:
        """The whole pounds that are left of each invoice."""
        return {name: sum(line.left for line in lines) // 100 for name, lines in self.invoices.items()}


def _control(file: Path) -> Control:
    found = Control()
    with lzma.open(file, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    found.rows = len(rows)
    found.cancelled = sum(row["InvoiceNo"].startswith("C") for row in rows)
    found.no_customer = sum(not row["CustomerID"] for row in rows)
    # Invoices in the order in which the file first names them, each with all its rows.
    named = [row for row in rows if row["CustomerID"]]
    first = {row["InvoiceNo"]: place for place, row in reversed(list(enumerate(named)))}
    named.sort(key=lambda row: first[row["InvoiceNo"]])
    shelf: dict[tuple[str, str], list[tuple[str, str, Bought]]] = defaultdict(list)
    for invoice, own in groupby(named, key=lambda row: row["InvoiceNo"]):
        if invoice.startswith("C"):
            _bring_back(found, shelf, list(own))
        else:
            _buy(found, shelf, invoice, own)
    return found


Shelf = dict[tuple[str, str], list[tuple[str, str, Bought]]]
"""Customer and article -> invoice, moment and line, the newest last."""


def _buy(found: Control, shelf: Shelf, invoice: str, rows: Iterator[dict[str, str]]) -> None:
    when = ""
    fresh: dict[tuple[str, str], list[tuple[str, str, Bought]]] = defaultdict(list)
    for row in rows:
        when = when or row["InvoiceDate"]
        amount = (int(row["Quantity"]) * Decimal(row["UnitPrice"])).quantize(CENT, ROUND_HALF_UP)
        line = Bought(int(row["Quantity"]), int(amount * 100))
        found.lines += 1
        found.free_lines += not amount
        found.money += amount
        found.invoices[invoice].append(line)
        found.owner[invoice] = row["CustomerID"]
        fresh[row["CustomerID"], row["StockCode"]].append((invoice, when, line))
    for key, lines in fresh.items():
        # Of one invoice the first line comes first, and the newest invoice before all others: read from the end.
        shelf[key] += reversed(lines)


def _bring_back(found: Control, shelf: Shelf, rows: list[dict[str, str]]) -> None:
    orders: dict[str, Fraction] = defaultdict(Fraction)
    when = rows[0]["InvoiceDate"]
    for row in rows:
        there = [one for one in shelf[row["CustomerID"], row["StockCode"]] if one[1] <= when]
        wanted = -int(row["Quantity"])
        if not there:
            found.never_bought += 1
        elif sum(line.quantity - line.back for _, _, line in there) < wanted:
            found.more_than_bought += 1
        else:
            found.matched += 1
            found.units[row["CustomerID"]] += wanted
            for invoice, _, line in reversed(there):
                part = min(wanted, line.quantity - line.back)
                if part:
                    line.back += part
                    wanted -= part
                    orders[invoice] += Fraction(line.pence * part, line.quantity)
    found.returns += len(orders)
    # Money is rounded once for each order that a cancelling invoice brings something back of.
    found.back += sum(Fraction(int(pence + Fraction(1, 2)), 100) for pence in orders.values())


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
        "imported": control.lines + control.matched,
        "set_aside": {
            "no_customer": {"rows": 135_080, "matched": 135_080},
            "return_more_than_bought": {"rows": control.more_than_bought, "matched": control.more_than_bought},
            "return_never_bought": {"rows": control.never_bought, "matched": control.never_bought},
        },
    }
    assert told["by_type"] == {"purchase": len(control.invoices), "return": control.returns}
    assert told["money"]["imported"] == str(control.money)
    assert Decimal(told["returned"]["imported"]) == Decimal(control.back.numerator) / control.back.denominator
    # Whoever has only cancelling invoices that match nothing is no member.
    assert told["members_new"] == len(set(control.owner.values()))
    assert told["points"]["points"]["imported"] == str(sum(control.left().values()))
    assert report.is_fine
    _what_is_booked(shop, control)
    with aside.open(encoding="utf-8", newline="") as text:
        assert sum(1 for _ in csv.DictReader(text)) == 541_909 - control.lines - control.matched
    shop.assert_clean()


def _what_is_booked(shop: Shop, control: Control) -> None:
    booked = shop.query(
        "SELECT e.external_id, count(*), sum((l->>'amount')::bigint)::bigint, "
        "count(*) FILTER (WHERE (l->>'amount')::bigint = 0) "
        "FROM event e, json_array_elements(e.body->'lines') l WHERE e.type = 'purchase' GROUP BY 1"
    )
    sums = {name: sum(line.pence for line in lines) for name, lines in control.invoices.items()}
    assert {row[0]: row[2] for row in booked} == sums
    assert sum(row[1] for row in booked) == control.lines
    assert sum(row[3] for row in booked) == control.free_lines
    returned = shop.query(
        "SELECT i.value, sum((l->>'quantity')::numeric)::bigint "
        "FROM event e JOIN member_identifier i ON i.member_id = e.member_id, "
        "json_array_elements(e.body->'data'->'lines') l WHERE e.type = 'return' GROUP BY 1"
    )
    assert dict(returned) == control.units
    left = control.left()
    pounds: Counter[str] = Counter()
    for invoice, customer in control.owner.items():
        pounds[customer] += left[invoice]
    wallets = shop.query(
        "SELECT i.value, w.available FROM wallet w JOIN member_identifier i ON i.member_id = w.member_id"
    )
    assert Counter(dict(wallets)) == pounds
