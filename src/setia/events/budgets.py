"""Budgets over all members, atomic in the booking transaction.

They are read without a lock, spent in memory while the batch is decided, and written last with a condition: if another
process has spent meanwhile, the batch is decided again with the rows locked. So members do not wait for each other
while decisions are made, and a budget is never overspent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from setia.engine.calendar import period_key
from setia.engine.compiled import CompiledProgram
from setia.engine.occurrences import Occurrence
from setia.engine.state import Budgets

_READ = "SELECT key, period, used FROM budget WHERE program_id = %b AND key = ANY (%b) ORDER BY key, period"
_OPEN = """
INSERT INTO budget (program_id, key, period, used)
SELECT %b, b.key, b.period, 0 FROM unnest(%b::text[], %b::text[]) AS b (key, period) ORDER BY key, period
ON CONFLICT DO NOTHING
"""
_SPEND = """
UPDATE budget b SET used = b.used + s.added
FROM (SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[]) AS s (key, period, added, seen)
      ORDER BY key, period) s
WHERE b.program_id = %b AND b.key = s.key AND b.period = s.period AND b.used = s.seen
"""


class BudgetsMoved(Exception):  # noqa: N818 - says what happened
    """Another transaction has spent from a budget since it was read. Decide again, with the rows locked."""


class Spending:
    """The budgets of one transaction: what was read, and what has been added."""

    def __init__(self, connection: psycopg.Connection[Any], program_id: int) -> None:
        self._connection = connection
        self._program_id = program_id
        self._asked: set[str] = set()
        self._opened: set[tuple[str, str]] = set()
        self._rows: list[psycopg.Cursor[Any]] = []
        self._added: dict[tuple[str, str], int] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._budgets = Budgets()

    def ask(self, program: CompiledProgram, events: Iterable[Occurrence], *, locked: bool) -> None:
        """Ask for the budgets of the campaigns that events can start, by their type and day.

        They are read when they are first needed, after the caller's pipeline.
        """
        wanted = {key for event in events for key in program.budgets_at(event.type, event.occurred_at)} - self._asked
        if wanted:
            self._asked |= wanted
            query = _READ + " FOR UPDATE" if locked else _READ
            self._rows.append(self._connection.execute(query, (self._program_id, sorted(wanted)), prepare=True))

    def open(self, program: CompiledProgram, event: Occurrence) -> None:
        """Make the rows of the budgets that an event can use, so that they can be locked before the first use."""
        day = event.occurred_at.astimezone(program.zone).date()
        keys = program.budgets_at(event.type, event.occurred_at)
        periods = [period_key(program.limits[key][1].every, day) for key in keys]
        new = [pair for pair in sorted(zip(keys, periods, strict=True)) if pair not in self._opened]
        if new:
            self._opened.update(new)
            columns = [key for key, _ in new], [period for _, period in new]
            self._connection.execute(_OPEN, (self._program_id, *columns), prepare=True)
            # What was read before the row was there has to be read again.
            self._asked -= {key for key, _ in new}

    @property
    def budgets(self) -> Budgets:
        """What has been used, that of this transaction included."""
        while self._rows:
            for key, period, used in self._rows.pop():
                self._seen[key, period] = used
                self._budgets.used.setdefault(key, {})[period] = used + self._added.get((key, period), 0)
        return self._budgets

    def spend(self, uses: dict[str, dict[str, int]]) -> None:
        """Take what a decision used; the next decision sees it.

        What no event of its type uses, as a return that gives back what its order took, is read and locked now.
        """
        if missing := uses.keys() - self._asked:
            self._asked |= missing
            query = _READ + " FOR UPDATE"
            self._rows.append(self._connection.execute(query, (self._program_id, sorted(missing)), prepare=True))
        budgets = self.budgets
        for key, periods in uses.items():
            for period, amount in periods.items():
                self._added[key, period] = self._added.get((key, period), 0) + amount
                used = budgets.used.setdefault(key, {})
                used[period] = used.get(period, 0) + amount

    def write(self) -> None:
        """Write what was spent.

        Raises:
            BudgetsMoved: somebody else spent meanwhile; nothing may be kept of this transaction.
        """
        if not self._added:
            return
        rows = sorted(
            (key, period, amount, self._seen.get((key, period), 0)) for (key, period), amount in self._added.items()
        )
        keys, periods, amounts, seen = (list(column) for column in zip(*rows, strict=True))
        self._connection.execute(_OPEN, (self._program_id, keys, periods), prepare=True)
        done = self._connection.execute(_SPEND, (keys, periods, amounts, seen, self._program_id), prepare=True)
        if done.rowcount != len(rows):
            raise BudgetsMoved
