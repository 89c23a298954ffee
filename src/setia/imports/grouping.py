"""Which rows are one order, and in which order orders come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from setia.imports.envelopes import Mapper
from setia.imports.mapping import RowsMap
from setia.imports.readings import FaultyOrder
from setia.imports.spill import Spill
from setia.imports.values import Row

Faulty = Callable[[Row, FaultyOrder], None]


def gather(rows: Iterator[Row], form: RowsMap, mapper: Mapper, faulty: Faulty) -> Iterator[list[Row]]:
    """Rows that are one order, order by order. `faulty` hears of rows that do not say which order they belong to."""
    if form.sort == "occurred_at" or mapper.counts_occurrences or (form.group and form.group.rows == "anywhere"):
        return _sorted(rows, form, mapper, faulty)
    if form.group is None:
        return ([row] for row in rows)
    return _neighbours(rows, mapper, faulty)


def _neighbours(rows: Iterator[Row], mapper: Mapper, faulty: Faulty) -> Iterator[list[Row]]:
    order: list[Row] = []
    current: str | None = None
    for row in rows:
        try:
            key = mapper.key(row)
        except FaultyOrder as fault:
            faulty(row, fault)
            continue
        if order and key != current:
            yield order
            order = []
        current = key
        order.append(row)
    if order:
        yield order


def _sorted(rows: Iterator[Row], form: RowsMap, mapper: Mapper, faulty: Faulty) -> Iterator[list[Row]]:
    by_time, grouped = form.sort == "occurred_at", form.group is not None
    with Spill() as spill:
        for row in rows:
            try:
                key = mapper.key(row) if grouped else ""
            except FaultyOrder as fault:
                faulty(row, fault)
                continue
            spill.add(row, key, mapper.instant(row) if by_time else 0)
        order: list[Row] = []
        current: str | None = None
        for key, row in spill.rows(by_time=by_time, grouped=grouped, occurrences=mapper.counts_occurrences):
            if order and (not grouped or key != current):
                yield order
                order = []
            current = key
            order.append(row)
        if order:
            yield order


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
