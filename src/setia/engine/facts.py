"""What expressions read: event, lines, member, location and local time, as `program.vocabulary` names them.

Values are made when they are read, because most expressions read few of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

from setia.engine.basis import BasisAmounts, gross
from setia.engine.dates import date_of
from setia.engine.occurrences import Line, Occurrence
from setia.engine.state import Counters, MemberState
from setia.program.events import Location

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it decorates like `property`
    """A value that is made when it is first read.

    Unlike functools.cached_property (3.11) it takes no lock: facts belong to one decision and one thread, and the lock
    cost more than most values.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> T:
        value = instance.__dict__[self._name] = self._make(instance)
        return value


def decimal_of(amount: int, digits: int) -> Decimal:
    """A whole number of smallest units as an exact decimal: (1250, 2) is 12.50."""
    return Decimal(amount).scaleb(-digits)


class LineFacts:
    """One line. `amount` is what of it counts on the program's money basis; `gross` what it cost."""

    __slots__ = ("_basis", "_digits", "_line", "brand", "category", "labels", "name", "quantity", "sku")

    def __init__(self, line: Line, basis: int, digits: int) -> None:
        self._line = line
        self._basis = basis
        self._digits = digits
        self.sku = line.sku
        self.name = line.name
        self.category = line.category
        self.brand = line.brand
        self.labels = line.labels
        self.quantity = line.quantity

    @property
    def amount(self) -> Decimal:
        return decimal_of(self._basis, self._digits)

    @property
    def gross(self) -> Decimal:
        return decimal_of(self._line.amount, self._digits)

    @property
    def tax(self) -> Decimal:
        return decimal_of(self._line.tax, self._digits)

    @property
    def discount(self) -> Decimal:
        return decimal_of(self._line.discount, self._digits)


class TenderFacts:
    """How a part was paid."""

    __slots__ = ("amount", "type")

    def __init__(self, type_: str, amount: Decimal) -> None:
        self.type = type_
        self.amount = amount


class EventFacts:
    """The event."""

    def __init__(self, event: Occurrence, basis: BasisAmounts, digits: int) -> None:
        self._event = event
        self._basis = basis
        self._digits = digits
        self.id = event.id
        self.type = event.type
        self.source = event.source
        self.occurred_at = event.occurred_at
        self.channel = event.channel
        self.location = event.location
        self.labels = event.labels
        self.currency = event.currency
        self.data = event.data

    @lazy
    def lines(self) -> tuple[LineFacts, ...]:
        digits = self._digits
        return tuple(
            LineFacts(line, basis, digits) for line, basis in zip(self._event.lines, self._basis.lines, strict=True)
        )

    @lazy
    def total(self) -> Decimal:
        return decimal_of(self._basis.total, self._digits)

    @lazy
    def gross(self) -> Decimal:
        return decimal_of(gross(self._event), self._digits)

    @lazy
    def shipping(self) -> Decimal:
        return decimal_of(self._event.shipping, self._digits)

    @lazy
    def tax(self) -> Decimal:
        tax = sum(line.tax for line in self._event.lines) + self._event.shipping_tax
        return decimal_of(tax, self._digits)

    @lazy
    def discount(self) -> Decimal:
        discount = sum(line.discount for line in self._event.lines) + self._event.discount
        return decimal_of(discount, self._digits)

    @lazy
    def quantity(self) -> Decimal:
        return sum((line.quantity for line in self._event.lines), Decimal(0))

    @lazy
    def tenders(self) -> tuple[TenderFacts, ...]:
        return tuple(
            TenderFacts(tender.type, decimal_of(tender.amount, self._digits)) for tender in self._event.tenders
        )


class LifetimeFacts:
    """Sums over all of a member's history, before this event."""

    __slots__ = ("_counts", "_earned", "_point_digits", "_spend_digits")

    def __init__(
        self, counts: Mapping[str, int], earned: Mapping[str, int], spend_digits: int, point_digits: Mapping[str, int]
    ) -> None:
        self._counts = counts
        self._earned = earned
        self._spend_digits = spend_digits
        self._point_digits = point_digits

    @property
    def orders(self) -> int:
        return self._counts.get("orders", 0)

    @property
    def visits(self) -> int:
        return self._counts.get("visits", 0)

    @property
    def spend(self) -> Decimal:
        return decimal_of(self._counts.get("spend", 0), self._spend_digits)

    @property
    def earned(self) -> dict[str, int | Decimal]:
        return {points: _points(self._earned.get(points, 0), digits) for points, digits in self._point_digits.items()}


class MemberFacts:
    """The member as known before the event. Personal attributes are not among them."""

    def __init__(
        self,
        state: MemberState,
        event: Occurrence,
        levels: Callable[[Counters], Mapping[str, str]],
        point_digits: Mapping[str, int],
        spend_digits: int,
        attributes: Mapping[str, str],
        sums: Callable[[], Mapping[str, int | Decimal]] = dict,
    ) -> None:
        self._sums = sums
        self._state = state
        self._event = event
        self._levels = levels
        self._point_digits = point_digits
        self._spend_digits = spend_digits
        self._attribute_types = attributes
        self.id = state.id
        self.enrolled_at = state.enrolled_at
        self.tags = state.tags

    @lazy
    def attributes(self) -> dict[str, Any]:
        given = self._state.attributes
        return {
            name: Decimal(str(given[name])) if type_ == "number" else given[name]
            for name, type_ in self._attribute_types.items()
            if given.get(name) is not None
        }

    @lazy
    def dates(self) -> dict[str, DateFacts]:
        given = self._state.attributes
        return {
            name: DateFacts(date)
            for name, type_ in self._attribute_types.items()
            if type_ == "date" and (date := date_of(given.get(name))) is not None
        }

    @lazy
    def tiers(self) -> Mapping[str, str]:
        return self._levels(self._state.counters)

    @lazy
    def sums(self) -> Mapping[str, int | Decimal]:
        return self._sums()

    @lazy
    def points(self) -> dict[str, int | Decimal]:
        return self._balances("available")

    @lazy
    def pending(self) -> dict[str, int | Decimal]:
        return self._balances("pending")

    def _balances(self, bucket: str) -> dict[str, int | Decimal]:
        wallets = self._state.balances
        return {
            points: _points(getattr(wallets[points], bucket) if points in wallets else 0, digits)
            for points, digits in self._point_digits.items()
        }

    @property
    def first_purchase(self) -> bool:
        return self._event.type == "purchase" and not self._state.counters.lifetime.get("orders", 0)

    @lazy
    def lifetime(self) -> LifetimeFacts:
        counters = self._state.counters
        return LifetimeFacts(counters.lifetime, counters.earned, self._spend_digits, self._point_digits)


class DateFacts:
    """An attribute of type date by its parts."""

    __slots__ = ("day", "month", "year")

    def __init__(self, date: dt.date) -> None:
        self.year = date.year
        self.month = date.month
        self.day = date.day


class LocationFacts:
    """Where it happened. A location that the program does not know has only its id."""

    __slots__ = ("id", "labels", "region")

    def __init__(self, location: str, known: Location | None) -> None:
        self.id = location
        self.region = (known.region or "") if known else ""
        self.labels = known.labels if known else ()


class TimeFacts:
    """The moment the event occurred, on the program's calendar and clock."""

    __slots__ = ("_local",)

    def __init__(self, local: dt.datetime) -> None:
        self._local = local

    @property
    def year(self) -> int:
        return self._local.year

    @property
    def month(self) -> int:
        return self._local.month

    @property
    def day(self) -> int:
        return self._local.day

    @property
    def hour(self) -> int:
        return self._local.hour

    @property
    def minute(self) -> int:
        return self._local.minute

    @property
    def weekday(self) -> int:
        return self._local.isoweekday()

    @property
    def week(self) -> int:
        return self._local.isocalendar().week

    @property
    def date(self) -> str:
        return self._local.date().isoformat()

    @property
    def clock(self) -> str:
        return f"{self._local.hour:02d}:{self._local.minute:02d}"


def _points(amount: int, digits: int) -> int | Decimal:
    return decimal_of(amount, digits) if digits else amount
