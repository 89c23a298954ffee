"""What a purchase is made of: its lines and its money, each row a line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation
from typing import Any

from setia.imports.mapping import LineForm, OrderForm, RowsMap
from setia.imports.readings import Fault, FaultyOrder, Readings, readers
from setia.imports.values import Reader, Row
from setia.program.currencies import minor_digits

_ROUNDING = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}
_TEXTS = ("currency", "channel", "location")
_MONEY = ("discount", "shipping", "shipping_tax")
_LINE_TEXTS = ("sku", "name", "category", "brand")
_LINE_NUMBERS = ("amount", "quantity", "tax", "discount")


class Goods:
    """Reads lines, money, and what else stands once in an event."""

    def __init__(
        self,
        form: OrderForm,
        lines: LineForm | None,
        rows: RowsMap,
        reader: Reader,
        digits: int,
        path: tuple[str | int, ...] = (),
    ) -> None:
        """Compile a form that stands at `path` of the map; without `lines` there are none."""
        self._texts = readers(reader, form, _TEXTS, path)
        self._money = readers(reader, form, _MONEY, path)
        self._labels = reader.value(form.labels, (*path, "labels"))
        self._has_lines = lines is not None
        self._tax_included = rows.tax_included
        self._rounding = _ROUNDING[rows.rounding] if rows.rounding else None
        self._digits = digits
        if lines is not None:
            self._line_texts = readers(reader, lines, _LINE_TEXTS, (*path, "lines"))
            self._line_numbers = readers(reader, lines, _LINE_NUMBERS, (*path, "lines"))
            self._line_labels = reader.value(lines.labels, (*path, "lines", "labels"))

    def read(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The fields of an event. Raises FaultyOrder."""
        values = Readings(rows[0], None)
        body: dict[str, Any] = {}
        body |= {name: text for name, read in self._texts.items() if (text := values.text(read, name))}
        digits = self._digits_of(body.get("currency"))
        body |= {name: self._rounded(values.number(read, name), digits) for name, read in self._money.items()}
        if self._labels is not None:
            body["labels"] = values.labels(self._labels, "labels")
        if self._has_lines:
            lines, faults = self._lines(rows, digits)
            if faults:
                raise FaultyOrder(*faults)
            body |= {"tax_included": self._tax_included, "lines": lines}
        return body

    def _lines(self, rows: Sequence[Row], digits: int) -> tuple[list[dict[str, Any]], list[Fault]]:
        lines: list[dict[str, Any]] = []
        faults: list[Fault] = []
        for index, row in enumerate(rows):
            try:
                lines.append(self._line(row, index, digits))
            except FaultyOrder as faulty:
                faults += faulty.faults
        return lines, faults

    def _line(self, row: Row, index: int, digits: int) -> dict[str, Any]:
        values = Readings(row, index)
        texts = self._line_texts.items()
        line: dict[str, Any] = {name: values.text(read, f"lines/{index}/{name}") for name, read in texts}
        for name, read in self._line_numbers.items():
            number = values.number(read, f"lines/{index}/{name}")
            line[name] = number if name == "quantity" else self._rounded(number, digits)
        if self._line_labels is not None:
            line["labels"] = values.labels(self._line_labels, f"lines/{index}/labels")
        return line

    def _digits_of(self, currency: str | None) -> int:
        """The decimals of an order's currency; of one that is none, which is refused, those of the program's."""
        try:
            return self._digits if currency is None else minor_digits(currency)
        except ValueError:
            return self._digits

    def _rounded(self, amount: Decimal, digits: int) -> Decimal:
        if self._rounding is None:
            return amount
        try:
            return amount.quantize(Decimal(1).scaleb(-digits), self._rounding)
        except InvalidOperation:  # beyond all amounts; refused where it is checked
            return amount
