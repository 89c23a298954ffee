"""Returns on the wire: the order they name, and what comes back of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned, ReturnedLine
from setia.engine.returns import remaining
from setia.events.problems import InvalidEvent
from setia.events.schemas import ExternalId


class ReturnedLineIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back of one line, named by its place in the order (from 0) or by its sku.

    All that is left of it, or so much of its quantity, or so much of its amount.
    """

    line: Annotated[int, Meta(ge=0, lt=1000)] | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    quantity: Annotated[Decimal, Meta()] | None = None
    amount: Decimal | None = None


class ReturnIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `data` of a return: the order by its external id (of `source`, else of the return's own source)."""

    order: ExternalId
    source: Annotated[str, Meta(min_length=1, max_length=63)] | None = None
    lines: Annotated[tuple[ReturnedLineIn, ...], Meta(max_length=1000)] = ()
    amount: Decimal | None = None


def read_return(data: dict[str, Any] | None) -> ReturnIn:
    """Read the data of a return; raises `msgspec.ValidationError`, with the place in its message."""
    return msgspec.convert(data or {}, ReturnIn)


def returned_of(
    asked: ReturnIn, event_type: str, order: Occurrence, before: Sequence[Returned], digits: int
) -> Returned:
    """What comes back, by the lines of the order; of a sku that stands on several lines the first ones first.

    Raises:
        InvalidEvent: it cannot come back of this order.
    """
    if event_type == "cancel" or (not asked.lines and asked.amount is None):
        return Returned()
    if asked.lines and asked.amount is not None:
        raise InvalidEvent.at("#/data/amount", "A return names either lines or an amount.", "Remove one of them.")
    if asked.amount is not None:
        return Returned(amount=_money(asked.amount, digits, "#/data/amount"))
    left = remaining(order, before)
    lines: list[ReturnedLine] = []
    for place, part in enumerate(asked.lines):
        pointer = f"#/data/lines/{place}"
        if (part.line is None) == (part.sku is None):
            raise InvalidEvent.at(pointer, "A returned line is named by `line` or by `sku`.", "Give exactly one.")
        if part.quantity is not None and part.amount is not None:
            raise InvalidEvent.at(pointer, "Either a quantity or an amount comes back.", "Remove one of them.")
        if part.quantity is not None and not (part.quantity.is_finite() and 0 < part.quantity <= 10**9):
            raise InvalidEvent.at(f"{pointer}/quantity", "A quantity that comes back is more than 0.")
        amount = None if part.amount is None else _money(part.amount, digits, f"{pointer}/amount")
        if part.line is not None:
            lines.append(ReturnedLine(part.line, part.quantity, amount))
        else:
            lines += _of_sku(part, amount, left, lines, pointer)
    return Returned(tuple(lines))


def _of_sku(
    part: ReturnedLineIn, amount: int | None, left: Occurrence | None, taken: Sequence[ReturnedLine], pointer: str
) -> list[ReturnedLine]:
    gone: dict[int, Decimal] = {}
    for one in taken:
        if one.quantity is not None:
            gone[one.line] = gone.get(one.line, Decimal(0)) + one.quantity
    there = (
        {}
        if left is None
        else {
            index: line.quantity - gone.get(index, Decimal(0))
            for index, line in enumerate(left.lines)
            if line.sku == part.sku and line.quantity > gone.get(index, Decimal(0))
        }
    )
    if not there:
        raise InvalidEvent.at(pointer, f"Nothing is left of {part.sku!r} on this order.")
    if amount is not None:
        return [ReturnedLine(next(iter(there)), amount=amount)]
    wanted = sum(there.values(), Decimal(0)) if part.quantity is None else part.quantity
    found = []
    for index, quantity in there.items():
        if wanted > 0:
            found.append(ReturnedLine(index, min(quantity, wanted)))
            wanted -= min(quantity, wanted)
    if wanted > 0:
        raise InvalidEvent.at(f"{pointer}/quantity", f"Fewer are left of {part.sku!r} on this order.")
    return found


def _money(value: Decimal, digits: int, pointer: str) -> int:
    if not value.is_finite() or value <= 0 or value.adjusted() > 13:
        raise InvalidEvent.at(pointer, "An amount that comes back is more than 0.")
    scaled = value.scaleb(digits)
    if scaled != int(scaled):
        raise InvalidEvent.at(pointer, f"The amount has more than {digits} decimals.")
    return int(scaled)
