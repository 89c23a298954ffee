"""Purchases in another currency: every amount in the program's, so that all that is counted is of one kind."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from setia.engine.compiled import CompiledProgram
from setia.engine.converting import converted
from setia.engine.occurrences import Line, Tender
from setia.events.faults import Faults
from setia.program.currencies import minor_digits


def in_program_money(
    program: CompiledProgram, values: dict[str, Any], rate: Decimal, largest: int, faults: Faults
) -> dict[str, Any]:
    """The values of a purchase that is right in its own currency, converted, with the rate beside them.

    Each amount is rounded by itself, half up. What is contained in another is never more than that for it: a tax, a
    discount of the order, the parts paid. Beyond `largest` it is a fault.
    """
    money = partial(converted, currency=values["currency"], rate=rate, digits=program.currency_digits)
    lines = tuple(_line(line, money(line.amount), money(line.tax), money(line.discount)) for line in values["lines"])
    whole, shipping = sum(line.amount for line in lines), money(values["shipping"])
    if max(whole, shipping) > largest:
        faults.add("currency", "The order is beyond the largest amount in the currency of the program.")
    discount = min(money(values["discount"]), whole)
    left = whole - discount + shipping
    tenders = []
    for tender in values["tenders"]:
        part = min(money(tender.amount), left)
        left -= part
        tenders.append(Tender(tender.type, part))
    return values | {
        "rate": rate,
        "lines": lines,
        "tenders": tuple(tenders),
        "shipping": shipping,
        "shipping_tax": min(money(values["shipping_tax"]), shipping),
        "discount": discount,
    }


def finest_digits(program: CompiledProgram) -> int:
    """The decimals of the finest currency in which purchases are counted."""
    return max(program.currency_digits, *map(minor_digits, program.definition.program.rates), 0)


def _line(line: Line, amount: int, tax: int, discount: int) -> Line:
    return msgspec.structs.replace(line, amount=amount, tax=min(tax, amount), discount=discount)
