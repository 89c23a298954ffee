"""What every event has, whatever it is: an id, a moment and a member; and which rows are to become one at all."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, Protocol

import msgspec

from setia.events.arrivals import Draft, draft
from setia.imports.mapping import MemberForm, RowsMap, Value
from setia.imports.moments import moments
from setia.imports.readings import Fault, FaultyOrder, Readings, asked, faults_of, readers
from setia.imports.values import Reader, Row
from setia.problems import Problem

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - both sides of the difference are UTC without saying so
_MICROSECOND = dt.timedelta(microseconds=1)
encode = msgspec.json.Encoder(order="sorted").encode


class Sifted(msgspec.Struct, gc=False):
    """What the conditions of the map say of a row that is not to be booked."""

    fate: Literal["skipped", "set_aside"]
    name: str
    matched: tuple[str, ...] = ()


class Order(msgspec.Struct):
    """One event on its way in, with the rows it came from."""

    draft: Draft
    rows: Sequence[Row]
    money: Decimal
    member: str
    """Who it is about, in some fixed form: events of one member go the same way."""
    returned: Decimal = Decimal(0)
    """What the goods had cost that come back with it."""
    in_skipped_hour: bool = False
    """Whether its local time never was, because the change of the clocks skips it."""


class Mapper(Protocol):
    """A map made ready for the columns of one file."""

    @property
    def counts_occurrences(self) -> bool:
        """Whether the map asks how often a row of the same content came before."""

    def sift(self, row: Row) -> Sifted | None:
        """Ask the conditions of the map; None means that the row is to be booked. Raises FaultyOrder."""

    def key(self, row: Row) -> str:
        """Which order a row belongs to. Raises FaultyOrder."""

    def instant(self, row: Row) -> int:
        """When it happened, in microseconds, for sorting; a row that does not say stands first and is refused later."""

    def order(self, rows: Sequence[Row], received_at: dt.datetime) -> Order:
        """The event that these rows are. Raises FaultyOrder, with every fault found."""


class Envelope:
    """The part of a mapper that does not ask what the event is."""

    def __init__(self, form: RowsMap, reader: Reader) -> None:
        """Compile what the map says; what is wrong with it is in the reader's findings."""
        self._form = form
        self._skip = {name: reader.condition(text, ("skip", name)) for name, text in form.skip.items()}
        self._aside = {name: reader.condition(text, ("set_aside", name)) for name, text in form.set_aside.items()}
        self._external_id = reader.value(form.external_id, ("external_id",)) or _nobody
        self._occurred_at = reader.value(_plain(form.occurred_at), ("occurred_at",)) or _nobody
        self._member = readers(reader, form.member, tuple(MemberForm.model_fields), ("member",))
        self._key = reader.value(form.group.by, ("group", "by")) if form.group else None
        self._uses = reader.uses
        self._moment = lru_cache(4096)(moments(form.occurred_at))

    @property
    def counts_occurrences(self) -> bool:
        """Whether the map asks how often a row of the same content came before."""
        return "occurrence" in self._uses

    def sift(self, row: Row) -> Sifted | None:
        """Ask the conditions of the map; None means that the row is to be booked. Raises FaultyOrder."""
        for name, holds in self._skip.items():
            if asked(holds, row, f"skip/{name}"):
                return Sifted("skipped", name)
        matched = tuple(name for name, holds in self._aside.items() if asked(holds, row, f"set_aside/{name}"))
        if matched:
            return Sifted("set_aside", matched[0], matched)
        if self.counts_occurrences or "row_digest" in self._uses:
            row.digest = hashlib.blake2b(encode(row.values), digest_size=12).hexdigest()
        return None

    def key(self, row: Row) -> str:
        """Which order a row belongs to. Raises FaultyOrder."""
        if self._key is None:
            return str(row.number)
        key = Readings(row, None).text(self._key, "group/by")
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

    def begin(self, rows: Sequence[Row]) -> tuple[dict[str, Any], bool]:
        """The body of an event without its type, and whether the clocks skip its local time.

        What stands once in an event is taken from its first row. Raises FaultyOrder.
        """
        first = rows[0]
        body: dict[str, Any] = {"source": self._form.source}
        body["external_id"] = Readings(first, None).text(self._external_id, "external_id")
        body["occurred_at"], in_skipped_hour = self._at(first)
        member = self._read_member(first)
        if member:
            body["member"] = member
        elif self._form.guests == "refuse":
            hint = "Set such rows aside by a condition, or book them without a member with `guests: book`."
            raise FaultyOrder(Fault(None, "no_member", "The order names no member.", "#/member", hint))
        for row in rows[1:]:
            if self._read_member(row) != member:
                message = f"Row {row.number} names another member than row {first.number} of the same order."
                raise FaultyOrder(Fault(None, "order_contradicts_itself", message, "#/member"))
        return body, in_skipped_hour

    @staticmethod
    def finish(body: dict[str, Any], rows: Sequence[Row], received_at: dt.datetime, *, skipped_hour: bool) -> Order:
        """The event of a body. Raises FaultyOrder."""
        try:
            sent = draft(encode(body), received_at)
        except Problem as problem:
            raise FaultyOrder(*faults_of(problem)) from None
        money = sum((line.amount for line in sent.sent.lines or ()), Decimal(0))
        return Order(sent, rows, money, member_of(body), in_skipped_hour=skipped_hour)

    def _read_member(self, row: Row) -> dict[str, str]:
        values = Readings(row, None)
        given = {name: values.text(read, f"member/{name}") for name, read in self._member.items()}
        return {name: text for name, text in given.items() if text}

    def _at(self, row: Row) -> tuple[str, bool]:
        value = Readings(row, None).read(self._occurred_at, "occurred_at")
        try:
            return self._moment(value)
        except (ValueError, OverflowError, TypeError) as error:
            message = f"{str(value)[:40]!r} is no moment: {error}."
            raise FaultyOrder(Fault(None, "not_a_moment", message, "#/occurred_at")) from None


def member_of(body: dict[str, Any]) -> str:
    """Who the event of a body is about, in some fixed form; of nobody, which event it is."""
    return encode(body["member"]).decode() if "member" in body else str(body["external_id"])


def _plain(value: Value) -> Value:
    return Value(cel=value.cel, column=value.column, const=value.const)


def _nobody(_row: Row) -> str:
    return ""
