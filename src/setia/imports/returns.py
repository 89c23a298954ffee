"""Rows that are goods coming back: matched to earlier orders of the same member and article in the same file.

Which order a row comes back of follows from the file alone, never from what is booked already: so the same import again
makes the same returns, under the same ids, and they are known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import msgspec

from setia.imports.bought import Bought, Line, Part, TooFew
from setia.imports.envelopes import Envelope, Order, member_of
from setia.imports.mapping import LineForm, ReturnForm
from setia.imports.readings import Fault, FaultyOrder, Readings, asked
from setia.imports.values import Reader, Row

NEVER_BOUGHT, MORE_THAN_BOUGHT = "return_never_bought", "return_more_than_bought"


class Unmatched(msgspec.Struct, frozen=True):
    """A row that comes back of nothing, and why."""

    row: Row
    code: str
    message: str


class CameBack(msgspec.Struct):
    """What rows that belong together come to: a return for each order they are of, and rows that are of none."""

    orders: list[Order]
    unmatched: list[Unmatched]


class Returns:
    """Tells which rows come back, and of which orders."""

    def __init__(
        self, form: ReturnForm, lines: LineForm, reader: Reader, envelope: Envelope, bought: Bought, digits: int
    ) -> None:
        """Compile the form; what is wrong with it is in the reader's findings."""
        self._condition = reader.condition(form.rows, ("returns", "rows"))
        quantity = form.quantity or lines.quantity
        path = ("returns", "quantity") if form.quantity is not None else ("lines", "quantity")
        self._quantity = reader.value(quantity, path)
        self._sku = reader.value(lines.sku, ("lines", "sku"))
        self._envelope, self._bought = envelope, bought
        self._exponent = Decimal(1).scaleb(-digits)

    def are_back(self, rows: Sequence[Row]) -> bool:
        """Whether rows that belong together are goods coming back. Raises FaultyOrder where only some are."""
        back = [asked(self._condition, row, "returns/rows") for row in rows]
        if any(back) and not all(back):
            message = f"Row {rows[back.index(False)].number} of the same order is bought, and others come back."
            raise FaultyOrder(Fault(None, "order_contradicts_itself", message, "#/returns/rows"))
        return back[0]

    def note(self, order: Order) -> None:
        """An order that was bought: what comes back later may be of it."""
        sent = order.draft.sent
        lines = [Line(line.sku, line.quantity, line.amount) for line in sent.lines or ()]
        self._bought.add(order.member, sent.external_id or "", _utc(sent.occurred_at), lines)

    def match(self, rows: Sequence[Row], received_at: dt.datetime) -> CameBack:
        """The returns that these rows are. Raises FaultyOrder.

        A row comes back whole, of the newest orders first, or not at all.
        """
        body, skipped_hour = self._envelope.begin(rows)
        found = CameBack([], [])
        member, at = member_of(body), _utc(dt.datetime.fromisoformat(body["occurred_at"]))
        parts: dict[str, list[Part]] = {}
        own: dict[str, list[Row]] = {}
        for index, row in enumerate(rows):
            values = Readings(row, index)
            sku = "" if self._sku is None else values.text(self._sku, f"lines/{index}/sku")
            quantity = Decimal(1) if self._quantity is None else abs(values.number(self._quantity, "returns/quantity"))
            try:
                taken = self._bought.take(member, sku, quantity, at)
            except TooFew as few:
                found.unmatched.append(_unmatched(row, sku, quantity, few))
                continue
            for part in taken:
                parts.setdefault(part.order, []).append(part)
            if taken:
                own.setdefault(taken[0].order, []).append(row)
            else:
                found.unmatched.append(Unmatched(row, NEVER_BOUGHT, "Nothing comes back: the quantity is 0."))
        for order, of_order in parts.items():
            event = {**body, "type": "return", "external_id": f"{body['external_id']}:{order}", "data": _data(of_order)}
            made = self._envelope.finish(event, own.get(order, []), received_at, skipped_hour=skipped_hour)
            made.returned = self._money(of_order)
            found.orders.append(made)
        return found

    def _money(self, parts: Sequence[Part]) -> Decimal:
        """What came back had cost, rounded once for each return."""
        whole = sum((part.money for part in parts), Fraction(0))
        exact = Decimal(whole.numerator) / Decimal(whole.denominator)
        return exact.quantize(self._exponent, ROUND_HALF_UP)


def _data(parts: Sequence[Part]) -> dict[str, object]:
    quantities: dict[int, Decimal] = {}
    for part in parts:
        quantities[part.line] = quantities.get(part.line, Decimal(0)) + part.quantity
    lines = [{"line": line, "quantity": str(quantity)} for line, quantity in sorted(quantities.items())]
    return {"order": parts[0].order, "lines": lines}


def _unmatched(row: Row, sku: str, quantity: Decimal, few: TooFew) -> Unmatched:
    if not few.bought:
        return Unmatched(row, NEVER_BOUGHT, f"The member has no earlier order with {sku!r} in this file.")
    message = f"{quantity:f} of {sku!r} come back, and of earlier orders in this file {few.left:f} are left."
    return Unmatched(row, MORE_THAN_BOUGHT, message)


def _utc(moment: dt.datetime | None) -> str:
    """A moment as text that sorts in time."""
    return "" if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
