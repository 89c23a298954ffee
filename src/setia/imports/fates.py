"""What became of every row, and the sums that prove that none was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from setia.imports.sources import Unreadable
from setia.imports.values import Row
from setia.program.currencies import minor_digits

Booked = Literal["imported", "known", "kept", "guest", "checked"]
"""An order's good end: booked now, booked before, kept for a stranger, booked without a member; only checked."""
GOOD: tuple[Booked, ...] = ("imported", "known", "kept", "guest", "checked")


class Reject(msgspec.Struct):
    """A row that was not booked, and why."""

    row: Row | Unreadable
    fate: Literal["refused", "set_aside"]
    code: str
    """Of the problem; of a row set aside, the name of the condition."""
    message: str
    pointer: str = ""
    hint: str = ""


class Tally:
    """Counts as rows meet their fates."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.rows: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.set_aside: Counter[str] = Counter()
        self.matched: Counter[str] = Counter()
        """Rows that a condition of set_aside holds for, whichever of several names them."""
        self.refused: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        """Events booked now, by their type."""
        self.members_new = 0
        self.skipped_hour = 0
        """Orders at a local time that never was, because the change of the clocks skips it."""
        self.money: dict[str, Decimal] = {}
        self.returned: dict[str, Decimal] = {}
        """What goods had cost that came back, by the fate of their returns."""
        self.points: dict[str, Counter[str]] = {}

    def booked(
        self, fate: Booked, rows: int, money: Decimal, points: Mapping[str, int], kind: str = "purchase"
    ) -> None:
        """An order or event met a good end."""
        if fate != "known":
            self.types[kind] += 1
        self.orders[fate] += 1
        self.rows[fate] += rows
        self.money[fate] = self.money.get(fate, Decimal(0)) + money
        self.points.setdefault(fate, Counter()).update(points)

    def came_back(self, fate: Booked, money: Decimal) -> None:
        """A return met a good end."""
        if money:
            self.returned[fate] = self.returned.get(fate, Decimal(0)) + money

    def rejected(self, reject: Reject) -> None:
        """A row was refused or set aside."""
        (self.refused if reject.fate == "refused" else self.set_aside)[reject.code] += 1

    @property
    def not_reached(self) -> int:
        """Rows that were read and left, because the run was stopped or had its limit."""
        return self.rows["not_reached"]

    @property
    def accounted(self) -> int:
        """The sum of all fates."""
        return sum(sum(fates.values()) for fates in (self.rows, self.skipped, self.set_aside, self.refused))

    @property
    def is_balanced(self) -> bool:
        """Whether every row has exactly one fate."""
        return self.accounted == self.rows_read


class Stopped(msgspec.Struct, frozen=True):
    """What ended a run before the file did."""

    by: Literal["limit", "interrupted", "file_damaged", "database_away"]
    detail: str


class Report(msgspec.Struct, frozen=True):
    """What an import did."""

    file: str
    program: str
    source: str
    currency: str
    decimals: Mapping[str, int]
    """Of each point type."""
    tally: Tally
    seconds: float
    dry_run: bool = False
    stopped: Stopped | None = None
    of: Literal["orders", "events"] = "orders"
    """What the rows became."""

    @property
    def is_fine(self) -> bool:
        """Whether nothing was refused, and the run went as far as it should."""
        as_asked = self.stopped is None or self.stopped.by == "limit"
        # A return of several orders can be refused for one of them, though its rows stand with another.
        refused = self.tally.refused or self.tally.orders["refused"]
        return as_asked and self.tally.is_balanced and not refused

    @property
    def per_second(self) -> int:
        """Orders or events that met a good end, per second."""
        return round(sum(self.tally.orders[fate] for fate in GOOD) / self.seconds) if self.seconds else 0

    def as_dict(self) -> dict[str, Any]:
        """The report for programs. Money and points are decimal text."""
        tally = self.tally
        return {
            "file": self.file,
            "program": self.program,
            "source": self.source,
            "dry_run": self.dry_run,
            "complete": self.stopped is None,
            "stopped_by": None if self.stopped is None else self.stopped.by,
            "balanced": tally.is_balanced,
            "rows": {
                "read": tally.rows_read,
                **{fate: tally.rows[fate] for fate in GOOD},
                "skipped": dict(sorted(tally.skipped.items())),
                "set_aside": {
                    name: {"rows": tally.set_aside[name], "matched": tally.matched[name]}
                    for name in sorted(tally.set_aside.keys() | tally.matched.keys())
                },
                "refused": dict(sorted(tally.refused.items())),
                "not_reached": tally.not_reached,
            },
            self.of: {**{fate: tally.orders[fate] for fate in GOOD}, "refused": tally.orders["refused"]},
            **({"by_type": dict(sorted(tally.types.items()))} if self.of == "events" or tally.returned else {}),
            "members_new": tally.members_new,
            f"{self.of}_in_skipped_hour": tally.skipped_hour,
            "money": {
                "currency": self.currency,
                **{fate: f"{money(tally.money.get(fate, Decimal(0)), self.currency):f}" for fate in GOOD},
            },
            **(
                {"returned": {fate: f"{money(amount, self.currency):f}" for fate, amount in tally.returned.items()}}
                if tally.returned
                else {}
            ),
            "points": {
                name: {fate: points_text(tally.points[fate][name], decimals) for fate in GOOD if fate in tally.points}
                for name, decimals in self.decimals.items()
            },
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(tally.rows_read / self.seconds) if self.seconds else 0,
            f"{self.of}_per_second": self.per_second,
        }


def money(amount: Decimal, currency: str) -> Decimal:
    """An amount with all decimals of its currency; more, where an order that was only checked has more."""
    exponent = amount.as_tuple().exponent
    digits = minor_digits(currency)
    if isinstance(exponent, int) and -exponent > digits:
        return amount
    return amount.quantize(Decimal(1).scaleb(-digits))


def points_text(units: int, decimals: int) -> str:
    """An amount of points as people write it."""
    return f"{Decimal(units).scaleb(-decimals):f}"
