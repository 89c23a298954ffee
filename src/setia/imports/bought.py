"""What was bought so far in a file, by member and article: in a database of SQLite like that of `spill.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Self

_MEMORY_KB = 64 * 1024


class Part(NamedTuple):
    """So much of a line of an order, and what that cost."""

    order: str
    line: int
    quantity: Decimal
    money: Fraction


class Line(NamedTuple):
    """A line of an order that was bought."""

    sku: str
    quantity: Decimal
    amount: Decimal


class TooFew(Exception):  # noqa: N818 - says what is wrong
    """Fewer are left of an article than come back; `bought` says whether any was bought at all."""

    def __init__(self, left: Decimal, *, bought: bool) -> None:
        super().__init__(left)
        self.left, self.bought = left, bought


class Bought:
    """Takes orders, and tells of which of them an article comes back."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_MEMORY_KB}", "temp_store = FILE"):
            self._database.execute(f"PRAGMA {pragma}")
        # Without a row id of its own the table lies in the order in which it is asked: one page for one article.
        self._database.execute(
            "CREATE TABLE line (member TEXT, sku TEXT, n INTEGER, line INTEGER, id TEXT, at TEXT, quantity TEXT, "
            "left_over TEXT, amount TEXT, PRIMARY KEY (member, sku, n, line)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._orders = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._database.close()

    def add(self, member: str, order: str, at: str, lines: Iterable[Line]) -> None:
        """An order that was bought at a moment (UTC, as text that sorts)."""
        self._orders += 1
        self._database.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (member, one.sku, self._orders, place, order, at, str(one.quantity), str(one.quantity), str(one.amount))
                for place, one in enumerate(lines)
            ],
        )

    def take(self, member: str, sku: str, quantity: Decimal, at: str) -> list[Part]:
        """Take so many of an article from what the member had bought by then, the newest order first.

        Raises `TooFew`, and takes nothing, where that is less.
        """
        found = self._database.execute(
            "SELECT n, line, id, quantity, left_over, amount FROM line "
            "WHERE member = ? AND sku = ? AND at <= ? ORDER BY n DESC, line",
            (member, sku, at),
        ).fetchall()
        left = [Decimal(one[4]) for one in found]
        if sum(left, Decimal(0)) < quantity:
            raise TooFew(sum(left, Decimal(0)), bought=bool(found))
        parts = []
        for (number, line, order, whole, _, amount), there in zip(found, left, strict=True):
            taken = min(there, quantity)
            if taken:
                money = Fraction(amount) * Fraction(taken) / Fraction(whole)
                parts.append(Part(order, line, taken, money))
                self._database.execute(
                    "UPDATE line SET left_over = ? WHERE member = ? AND sku = ? AND n = ? AND line = ?",
                    (str(there - taken), member, sku, number, line),
                )
                quantity -= taken
        return parts
