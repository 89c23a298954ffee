"""What can be foreseen of a file whose rows may each have other columns: those of its first rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

from setia.imports.problems import FileDamaged
from setia.imports.sources import Read, Source
from setia.imports.values import Row

ROWS = 1000
"""A column that none of so many rows has is more likely misspelt than rare; the map can name a rare one."""


class Foreseen:
    """The rows of a source, once, and the columns that a map may name."""

    columns: Collection[str] | None
    """None where nothing can be said: no row could be read."""
    looked_at: int
    """So many rows were looked at; 0 where the file itself says its columns."""

    def __init__(self, source: Source, named: Collection[str]) -> None:
        """Look. `named` are the columns that the map itself names under file.columns."""
        self._rows: Iterator[Read] = iter(source)
        self.columns = source.columns
        self.looked_at = 0
        if source.columns is not None:
            return
        first: list[Read] = []
        try:
            for read in islice(self._rows, ROWS):
                first.append(read)  # noqa: PERF402 - what was read before a break is kept
        except FileDamaged as damaged:
            # What stands before the break is imported first, here as anywhere.
            self._rows = _broken(damaged)
        self._rows = chain(first, self._rows)
        found = dict.fromkeys(name for read in first if isinstance(read, Row) for name in read.values)
        self.looked_at = len(first)
        self.columns = (*found, *(name for name in named if name not in found)) if found else None

    def __iter__(self) -> Iterator[Read]:
        return self._rows


def _broken(damaged: FileDamaged) -> Iterator[Read]:
    yield from ()
    raise damaged
