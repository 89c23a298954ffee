"""From rows to the draft of one event, by the first case of the map that takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from setia.imports.envelopes import Envelope, Order
from setia.imports.event_mapping import EventForm, EventsMap
from setia.imports.goods import Goods
from setia.imports.readings import Fault, FaultyOrder, Readings, asked
from setia.imports.values import NoValue, Read, Reader, Row
from setia.program.findings import DefinitionError
from setia.program.positions import Sources

_encode_data = msgspec.json.Encoder(decimal_format="number").encode


class EventMapper(Envelope):
    """A map of events made ready for the columns of one file."""

    def __init__(
        self, form: EventsMap, sources: Sources, columns: Collection[str] | None, digits: int, looked_at: int = 0
    ) -> None:
        """Compile everything. `columns` are those of the file, or of so many rows that were looked at.

        Raises:
            DefinitionError: with every expression and column that does not fit.
        """
        reader = Reader(sources, columns, looked_at)
        super().__init__(form, reader)
        self._cases = [_Case(case, form, reader, digits, ("events", place)) for place, case in enumerate(form.events)]
        if reader.findings:
            raise DefinitionError(reader.findings)

    def order(self, rows: Sequence[Row], received_at: dt.datetime) -> Order:
        """The event that these rows are. Raises FaultyOrder, with every fault found."""
        case = self._case(rows[0])
        for row in rows[1:]:
            if self._case(row) is not case:
                message = f"Row {row.number} is another kind of event than row {rows[0].number} of the same order."
                raise FaultyOrder(Fault(None, "order_contradicts_itself", message, "#/events"))
        body, skipped_hour = self.begin(rows)
        body |= case.read(rows)
        return self.finish(body, rows, received_at, skipped_hour=skipped_hour)

    def _case(self, row: Row) -> _Case:
        for case in self._cases:
            if case.takes(row):
                return case
        hint = "Add a case for it, or name it under `skip` or `set_aside`."
        raise FaultyOrder(Fault(None, "no_case", "No case of the map takes the row.", "#/events", hint))


class _Case:
    """One entry under `events`."""

    def __init__(
        self, form: EventForm, rows: EventsMap, reader: Reader, digits: int, path: tuple[str | int, ...]
    ) -> None:
        self._place = "/".join(map(str, path))
        self._holds: Callable[[Row], bool] | None = None
        if form.when is not None:
            self._holds = reader.condition(form.when, (*path, "when"))
        self._type: str | Read = form.type if isinstance(form.type, str) else _read(reader, form.type, (*path, "type"))
        self._goods = Goods(form, form.lines, rows, reader, digits, path)
        self._has_lines = form.lines is not None
        self._data = {
            name: (_read(reader, value, (*path, "data", name)), value.optional) for name, value in form.data.items()
        }

    def takes(self, row: Row) -> bool:
        """Whether a row is of this kind."""
        return self._holds is None or asked(self._holds, row, f"{self._place}/when")

    def read(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The fields of an event. Raises FaultyOrder."""
        if len(rows) > 1 and not self._has_lines:
            message = (
                f"Rows {', '.join(str(row.number) for row in rows[:5])} are one order, and only purchases have lines."
            )
            raise FaultyOrder(Fault(None, "order_contradicts_itself", message, "#/events"))
        values = Readings(rows[0], None)
        kind = self._type if isinstance(self._type, str) else values.text(self._type, "type")
        body = {"type": kind, **self._goods.read(rows)}
        if self._data:
            body["data"] = msgspec.Raw(_encode_data(self._read_data(rows[0], values)))
        return body

    def _read_data(self, row: Row, values: Readings) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, (read, optional) in self._data.items():
            if optional:
                try:
                    value = read(row)
                except NoValue:
                    continue
                if value == "":
                    continue
            else:
                value = values.read(read, f"data/{name}")
            data[name] = _plain(value)
        return data


def _plain(value: Any) -> Any:
    """A value as JSON has it: a whole number without decimals, a moment as RFC 3339."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() and value.adjusted() < 18 else value
        case dt.datetime():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            return value


def _read(reader: Reader, value: Any, path: tuple[str | int, ...]) -> Read:
    read = reader.value(value, path)
    assert read is not None  # noqa: S101 - a value that is there has a reader
    return read
