"""Returns on the wire: the order they name, and what comes back of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from setia.engine.converting import converted
from setia.engine.occurrences import Occurrence
from setia.engine.returned import Returned, ReturnedLine
from setia.engine.returns import remaining
from setia.events.faults import Faults
from setia.events.problems import InvalidEvent
from setia.events.purchases import MAX_QUANTITY, QUANTITY_DECIMALS
from setia.events.schemas import ExternalId
from setia.program.currencies import minor_digits


class ReturnedLineIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back of one line, named by its place in the order (from 0) or by its sku.

    All that is left of it, or so much of its quantity, or so much of its amount.
    """

    line: Annotated[int, Meta(ge=0, lt=1000)] | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    quantity: Decimal | None = None
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


def return_faults(asked: ReturnIn, event_type: str, digits: int, faults: Faults) -> None:
    """Look for what no order could take back; whether this one can, is known when it is booked."""
    if event_type == "cancel":
        if asked.lines or asked.amount is not None:
            hint = "Send a `return` for a part of it, or leave it out."
            faults.add("data/lines" if asked.lines else "data/amount", "A cancel is of the whole order.", hint)
        return
    if asked.lines and asked.amount is not None:
        faults.add("data/amount", "A return names either lines or an amount.", "Remove one of them.")
    if asked.amount is not None:
        _amount_faults(asked.amount, digits, "data/amount", faults)
    for place, part in enumerate(asked.lines):
        pointer = f"data/lines/{place}"
        if (part.line is None) == (part.sku is None):
            faults.add(pointer, "A returned line is named by `line` or by `sku`.", "Give exactly one.")
        if part.quantity is not None and part.amount is not None:
            faults.add(pointer, "Either a quantity or an amount comes back.", "Remove one of them.")
        if part.quantity is not None:
            _quantity_faults(part.quantity, f"{pointer}/quantity", faults)
        if part.amount is not None:
            _amount_faults(part.amount, digits, f"{pointer}/amount", faults)


def returned_of(
    asked: ReturnIn, event_type: str, order: Occurrence, before: Sequence[Returned], digits: int
) -> Returned:
    """What comes back, by the lines of the order; of a sku that stands on several lines the first ones first.

    Amounts are in the currency of the order, and counted at its rate.

    `asked` is without the faults that `return_faults` finds.

    Raises:
        InvalidEvent: it cannot come back of this order.
    """
    if event_type == "cancel" or (not asked.lines and asked.amount is None):
        return Returned()
    if asked.amount is not None:
        return Returned(amount=_units(asked.amount, order, remaining(order, before), None, digits))
    left = remaining(order, before)
    lines: list[ReturnedLine] = []
    for place, part in enumerate(asked.lines):
        amount = None if part.amount is None else _units(part.amount, order, left, part, digits)
        if part.line is not None:
            lines.append(ReturnedLine(part.line, part.quantity, amount))
        else:
            lines += _of_sku(part, amount, left, lines, f"#/data/lines/{place}")
    return Returned(tuple(lines))


def _of_sku(
    part: ReturnedLineIn, amount: int | None, left: Occurrence | None, taken: Sequence[ReturnedLine], pointer: str
) -> list[ReturnedLine]:
    gone: dict[int, Decimal] = {}
    whole = {one.line for one in taken if one.quantity is None and one.amount is None}
    for one in taken:
        if one.quantity is not None:
            gone[one.line] = gone.get(one.line, Decimal(0)) + one.quantity
    there = (
        {}
        if left is None
        else {
            index: line.quantity - gone.get(index, Decimal(0))
            for index, line in enumerate(left.lines)
            if line.sku == part.sku and line.quantity > gone.get(index, Decimal(0)) and index not in whole
        }
    )
    if not there:
        raise InvalidEvent.at(pointer, f"Nothing is left of {part.sku!r} on this order.")
    if amount is not None and left is not None:
        return _amount_of(amount, {index: left.lines[index].amount for index in there}, taken)
    wanted = sum(there.values(), Decimal(0)) if part.quantity is None else part.quantity
    found = []
    for index, quantity in there.items():
        if wanted > 0:
            found.append(ReturnedLine(index, min(quantity, wanted)))
            wanted -= min(quantity, wanted)
    if wanted > 0:
        raise InvalidEvent.at(f"{pointer}/quantity", f"Fewer are left of {part.sku!r} on this order.")
    return found


def _amount_of(amount: int, there: dict[int, int], taken: Sequence[ReturnedLine]) -> list[ReturnedLine]:
    """An amount of an article, of its lines in their order; what is more than they have is the last one's fault."""
    for one in taken:
        if one.line in there and one.amount is not None:
            there[one.line] -= one.amount
    found = []
    for index, left in there.items():
        part = min(amount, left)
        if part > 0:
            found.append(ReturnedLine(index, amount=part))
            amount -= part
    if amount:
        last = found.pop() if found else ReturnedLine(next(iter(there)), amount=0)
        found.append(ReturnedLine(last.line, amount=(last.amount or 0) + amount))
    return found


def _quantity_faults(value: Decimal, pointer: str, faults: Faults) -> None:
    # The exponent is looked at before anything is counted: 1E-999999999 is a short text, and a fraction of it fills
    # the memory.
    if not value.is_finite() or value <= 0:
        faults.add(pointer, "A quantity that comes back is more than 0.")
    elif value > MAX_QUANTITY or value.as_tuple().exponent < -QUANTITY_DECIMALS:  # type: ignore[operator]  # finite, as was checked above
        message = f"A quantity is at most {MAX_QUANTITY} and has at most {QUANTITY_DECIMALS} decimals."
        faults.add(pointer, message)


def _amount_faults(value: Decimal, digits: int, pointer: str, faults: Faults) -> None:
    if not value.is_finite() or value <= 0 or value.adjusted() > 13:
        faults.add(pointer, "An amount that comes back is more than 0, and no more than the order had cost.")
    elif value.as_tuple().exponent < -14 or value.scaleb(digits) % 1:  # type: ignore[operator]  # finite, as was checked above
        faults.add(pointer, f"The amount has more than {digits} decimals.")


def _units(value: Decimal, order: Occurrence, left: Occurrence | None, part: ReturnedLineIn | None, digits: int) -> int:
    """An amount of an order, or of a part of its lines, in the smallest unit of the program's currency."""
    own = digits if order.rate is None else minor_digits(order.currency)
    scaled = value.scaleb(own)
    if scaled % 1:
        raise InvalidEvent.at("#/data", f"{value} has more than the {own} decimals of {order.currency}.")
    if order.rate is None:
        return int(scaled)
    found = converted(int(scaled), order.currency, order.rate, digits)
    there = sum(
        line.amount
        for index, line in enumerate(() if left is None else left.lines)
        if part is None or part.line == index or (part.sku is not None and part.sku == line.sku)
    )
    # Parts are rounded each by itself, and together may come to a little more than the whole.
    return there if there and found == there + 1 else max(found, 1)
