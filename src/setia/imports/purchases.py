"""From rows to the draft of one purchase, by the map; what cannot be mapped is said with a place in the event."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from setia.events.arrivals import Draft, draft
from setia.imports.mapping import ImportMap, LineForm, MemberForm, Value
from setia.imports.values import NoValue, Read, Reader, Row
from setia.problems import Problem
from setia.program.findings import DefinitionError
from setia.program.positions import Sources

_ROUNDING = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_LINE_POINTER = re.compile(r"#/lines/([0-9]+)(?:/|$)")
_ORDER_TEXTS = ("currency", "channel", "location")
_ORDER_MONEY = ("discount", "shipping", "shipping_tax")
_LINE_TEXTS = ("sku", "name", "category", "brand")
_LINE_NUMBERS = ("amount", "quantity", "tax", "discount")
_encode = msgspec.json.Encoder(order="sorted").encode


class Fault(msgspec.Struct):
    """What is wrong with an order, and in which of its rows; None means all of them."""

    row: int | None
    code: str
    message: str
    pointer: str = ""
    hint: str = ""


class FaultyOrder(Exception):  # noqa: N818 - it is a faulty order
    """The order cannot be booked."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


class Sifted(msgspec.Struct, gc=False):
    """What the conditions of the map say of a row that is not to be booked."""

    fate: Literal["skipped", "set_aside"]
    name: str
    matched: tuple[str, ...] = ()


class Order(msgspec.Struct):
    """One purchase on its way in, with the rows it came from."""

    draft: Draft
    rows: Sequence[Row]
    money: Decimal
    member: str
    """Who it is about, in some fixed form: orders of one member go the same way."""
    in_skipped_hour: bool = False
    """Whether its local time never was, because the change of the clocks skips it."""


class Mapper:
    """A map made ready for the columns of one file."""

    def __init__(
        self, form: ImportMap, sources: Sources, columns: Collection[str] | None, digits: int, looked_at: int = 0
    ) -> None:
        """Compile everything. `columns` are those of the file, or of so many rows that were looked at.

        Raises:
            DefinitionError: with every expression and column that does not fit.
        """
        self._form = form
        self._exponent = Decimal(1).scaleb(-digits)
        reader = Reader(sources, columns, looked_at)
        read = reader.value
        self._skip = {name: reader.condition(text, ("skip", name)) for name, text in form.skip.items()}
        self._aside = {name: reader.condition(text, ("set_aside", name)) for name, text in form.set_aside.items()}
        self._external_id = read(form.external_id, ("external_id",)) or _nobody
        self._occurred_at = read(_plain(form.occurred_at), ("occurred_at",)) or _nobody
        self._member = _all(reader, form.member, tuple(MemberForm.model_fields), ("member",))
        self._texts = _all(reader, form, _ORDER_TEXTS, ())
        self._money = _all(reader, form, _ORDER_MONEY, ())
        self._labels = read(form.labels, ("labels",))
        self._line_texts = _all(reader, form.lines, _LINE_TEXTS, ("lines",))
        self._line_numbers = _all(reader, form.lines, _LINE_NUMBERS, ("lines",))
        self._line_labels = read(form.lines.labels, ("lines", "labels"))
        self._key = read(form.group.by, ("group", "by")) if form.group else None
        if reader.findings:
            raise DefinitionError(reader.findings)
        self.counts_occurrences = "occurrence" in reader.uses
        self._digests = self.counts_occurrences or "row_digest" in reader.uses
        self._moment = lru_cache(4096)(_moments(form))

    def sift(self, row: Row) -> Sifted | None:
        """Ask the conditions of the map; None means that the row is to be booked. Raises FaultyOrder."""
        for name, holds in self._skip.items():
            if _asked(holds, row, f"skip/{name}"):
                return Sifted("skipped", name)
        matched = tuple(name for name, holds in self._aside.items() if _asked(holds, row, f"set_aside/{name}"))
        if matched:
            return Sifted("set_aside", matched[0], matched)
        if self._digests:
            row.digest = hashlib.blake2b(_encode(row.values), digest_size=12).hexdigest()
        return None

    def key(self, row: Row) -> str:
        """Which order a row belongs to. Raises FaultyOrder."""
        if self._key is None:
            return str(row.number)
        key = _Values(row, None).text(self._key, "group/by")
        if not key:
            raise FaultyOrder(Fault(None, "no_value", "The row does not say which order it belongs to.", "#/group/by"))
        return key

    def instant(self, row: Row) -> int:
        """When it happened, in microseconds, for sorting; a row that does not say stands first and is refused later."""
        try:
            moment = dt.datetime.fromisoformat(self._at(row)[0])
        except (FaultyOrder, ValueError):
            return -(2**62)
        return (moment.replace(tzinfo=None) - _EPOCH) // _MICROSECOND

    def order(self, rows: Sequence[Row], received_at: dt.datetime) -> Order:
        """The purchase that these rows are. What stands once in an order is taken from its first row.

        Raises:
            FaultyOrder: with every fault found.
        """
        first = rows[0]
        values = _Values(first, None)
        form = self._form
        body: dict[str, Any] = {"type": "purchase", "source": form.source, "tax_included": form.tax_included}
        body["external_id"] = values.text(self._external_id, "external_id")
        body["occurred_at"], in_skipped_hour = self._at(first)
        member = self._read_member(first)
        if member:
            body["member"] = member
        elif form.guests == "refuse":
            hint = "Set such rows aside by a condition, or book them without a member with `guests: book`."
            raise FaultyOrder(Fault(None, "no_member", "The order names no member.", "#/member", hint))
        for row in rows[1:]:
            if self._read_member(row) != member:
                message = f"Row {row.number} names another member than row {first.number} of the same order."
                raise FaultyOrder(Fault(None, "order_contradicts_itself", message, "#/member"))
        body |= {name: text for name, read in self._texts.items() if (text := values.text(read, name))}
        body |= {name: self._rounded(values.number(read, name)) for name, read in self._money.items()}
        if self._labels is not None:
            body["labels"] = values.labels(self._labels, "labels")
        lines, faults = self._lines(rows)
        if faults:
            raise FaultyOrder(*faults)
        body["lines"] = lines
        try:
            sent = draft(_encode(body), received_at)
        except Problem as problem:
            raise FaultyOrder(*faults_of(problem)) from None
        money = sum((line.amount for line in sent.sent.lines or ()), Decimal(0))
        who = _encode(member).decode() if member else body["external_id"]
        return Order(sent, rows, money, who, in_skipped_hour)

    def _lines(self, rows: Sequence[Row]) -> tuple[list[dict[str, Any]], list[Fault]]:
        lines: list[dict[str, Any]] = []
        faults: list[Fault] = []
        for index, row in enumerate(rows):
            try:
                lines.append(self._line(row, index))
            except FaultyOrder as faulty:
                faults += faulty.faults
        return lines, faults

    def _line(self, row: Row, index: int) -> dict[str, Any]:
        values = _Values(row, index)
        texts = self._line_texts.items()
        line: dict[str, Any] = {name: values.text(read, f"lines/{index}/{name}") for name, read in texts}
        for name, read in self._line_numbers.items():
            number = values.number(read, f"lines/{index}/{name}")
            line[name] = number if name == "quantity" else self._rounded(number)
        if self._line_labels is not None:
            line["labels"] = values.labels(self._line_labels, f"lines/{index}/labels")
        return line

    def _read_member(self, row: Row) -> dict[str, str]:
        values = _Values(row, None)
        given = {name: values.text(read, f"member/{name}") for name, read in self._member.items()}
        return {name: text for name, text in given.items() if text}

    def _at(self, row: Row) -> tuple[str, bool]:
        value = _Values(row, None).read(self._occurred_at, "occurred_at")
        try:
            return self._moment(value)
        except (ValueError, OverflowError, TypeError) as error:
            message = f"{str(value)[:40]!r} is no moment: {error}."
            raise FaultyOrder(Fault(None, "not_a_moment", message, "#/occurred_at")) from None

    def _rounded(self, amount: Decimal) -> Decimal:
        if self._form.rounding is None:
            return amount
        try:
            return amount.quantize(self._exponent, _ROUNDING[self._form.rounding])
        except InvalidOperation:  # beyond all amounts; refused where it is checked
            return amount


class _Values:
    """Reads values of one row, and says where the event lacks what cannot be read."""

    def __init__(self, row: Row, index: int | None) -> None:
        self._row = row
        self._index = index

    def read(self, read: Read, name: str) -> Any:
        try:
            return read(self._row)
        except NoValue as error:
            raise self._fault("no_value", error.message, name) from None

    def text(self, read: Read, name: str) -> str:
        match value := self.read(read, name):
            case str():
                return value
            case int() | Decimal() if not isinstance(value, bool):
                return f"{value:f}" if isinstance(value, Decimal) else str(value)
            case _:
                raise self._fault("not_a_text", f"A text is needed, not {str(value)[:40]!r}.", name)

    def number(self, read: Read, name: str) -> Decimal:
        value = self.read(read, name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return Decimal(value.strip())
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return Decimal(value)
        hint = 'Thousands and currency signs are taken away by an expression: double(row.price.replace(",", ""))'
        raise self._fault("not_a_number", f"A number is needed, not {str(value)[:40]!r}.", name, hint)

    def labels(self, read: Read, name: str) -> list[str]:
        value = self.read(read, name)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not all(isinstance(label, str) for label in found):
            raise self._fault("not_a_text", f"A list of texts is needed, not {str(value)[:40]!r}.", name)
        return list(dict.fromkeys(label for label in found if label))

    def _fault(self, code: str, message: str, name: str, hint: str = "") -> FaultyOrder:
        return FaultyOrder(Fault(self._index, code, message, f"#/{name}", hint))


def faults_of(problem: Problem) -> list[Fault]:
    """The faults of an order that was refused, each with the row that it points at."""
    code = problem.code
    found = [Fault(_row_of(at.pointer), code, at.message, at.pointer, at.hint or "") for at in problem.errors]
    return found or [Fault(None, problem.code, problem.detail or problem.title)]


def _row_of(pointer: str) -> int | None:
    line = _LINE_POINTER.match(pointer)
    return int(line[1]) if line else None


def _all(
    reader: Reader, form: ImportMap | LineForm | MemberForm, names: Sequence[str], path: tuple[str, ...]
) -> dict[str, Read]:
    readers = {name: reader.value(getattr(form, name), (*path, name)) for name in names}
    return {name: read for name, read in readers.items() if read is not None}


def _plain(value: Value) -> Value:
    return Value(cel=value.cel, column=value.column, const=value.const)


def _nobody(_row: Row) -> str:
    return ""


def _asked(holds: Callable[[Row], bool], row: Row, name: str) -> bool:
    try:
        return holds(row) is True
    except NoValue as error:
        raise FaultyOrder(Fault(None, "no_value", error.message, f"#/{name}")) from None


_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - both sides of the difference are UTC without saying so
_MICROSECOND = dt.timedelta(microseconds=1)


def _moments(form: ImportMap) -> Callable[[Any], tuple[str, bool]]:
    """How to read a moment, as RFC 3339, and whether its local time is one that the clocks skip."""
    pattern = form.occurred_at.format
    zone = ZoneInfo(form.occurred_at.timezone) if form.occurred_at.timezone else None

    def moment(value: Any) -> tuple[str, bool]:
        if isinstance(value, dt.datetime):
            found = value
        elif not isinstance(value, str):
            raise TypeError("a text or a timestamp is needed")
        elif pattern is not None:
            found = dt.datetime.strptime(value.strip(), pattern)  # noqa: DTZ007 - the zone follows
        else:
            found = dt.datetime.fromisoformat(value.strip())
        if found.tzinfo is None:
            if zone is None:
                raise ValueError("it has no offset; name the timezone in the map")
            found = found.replace(tzinfo=zone)
            at = found.astimezone(dt.UTC)
            # A time that was comes back from UTC as it went; one that the clocks skipped comes back as another.
            return at.isoformat(), at.astimezone(zone).replace(tzinfo=None) != found.replace(tzinfo=None)
        return found.astimezone(dt.UTC).isoformat(), False

    return moment


def without_duplicates(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows of one order with each content once, and those that were equal to one of them."""
    seen: set[tuple[str, ...]] = set()
    kept: list[Row] = []
    duplicates: list[Row] = []
    for row in rows:
        content = tuple(row.values.values())
        (duplicates if content in seen else kept).append(row)
        seen.add(content)
    return kept, duplicates
