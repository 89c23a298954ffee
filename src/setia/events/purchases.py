"""Purchases on their way in: amounts as whole numbers of the smallest unit, checked against each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from setia.engine.compiled import CompiledProgram
from setia.engine.occurrences import Line, Tender
from setia.events.card_tenders import check_tenders
from setia.events.cart import wishes
from setia.events.converting import in_program_money
from setia.events.faults import Faults
from setia.events.schemas import EventIn, LineIn
from setia.program.currencies import minor_digits

MAX_MONEY = 10**13
"""The largest amount of one field, in the smallest unit: a hundred billion euros."""
MAX_QUANTITY = 10**9
QUANTITY_DECIMALS = 6
_ONE = Decimal(1)


def purchase_values(program: CompiledProgram, event: EventIn, faults: Faults) -> dict[str, Any]:
    """What a purchase has beyond other events, in smallest units; what is wrong with it goes to `faults`."""
    currency, rate = _currency(program, event, faults)
    if not event.lines:
        faults.add("lines", "A purchase has at least one line.")
    money = _Money(program.currency_digits if rate is None else minor_digits(currency), currency, faults)
    discount = money("discount", event.discount)
    shipping, shipping_tax = money("shipping", event.shipping), money("shipping_tax", event.shipping_tax)
    lines = tuple(
        _line(f"lines/{index}", line, event.tax_included, money, faults) for index, line in enumerate(event.lines or ())
    )
    whole = sum(line.amount for line in lines)
    if discount > whole:
        faults.add("discount", "The discount is larger than the lines together.")
    if not event.tax_included:
        shipping += shipping_tax
    if shipping_tax > shipping:
        faults.add("shipping_tax", "The tax is larger than the shipping it is contained in.")
    check_tenders(event, faults)
    tenders = tuple(
        Tender(tender.type, money(f"tenders/{index}/amount", tender.amount))
        for index, tender in enumerate(event.tenders)
        if tender.code is None
    )
    cards = tuple(
        (tender.code, None if tender.amount is None else money(f"tenders/{index}/amount", tender.amount))
        for index, tender in enumerate(event.tenders)
        if tender.code is not None
    )
    if sum(tender.amount for tender in tenders) > whole - discount + shipping and not faults.items:
        faults.add("tenders", "The parts paid are more than the order costs.")
    values = {
        "currency": currency,
        "lines": lines,
        "tenders": tenders,
        "cards": cards,
        "shipping": shipping,
        "shipping_tax": shipping_tax,
        "discount": discount,
        "pricing": event.pricing,
        "codes": _codes(event, faults),
        "redeem": wishes(program, event, faults) if event.redeem else (),
    }
    return values if rate is None or faults.items else in_program_money(program, values, rate, MAX_MONEY, faults)


def _currency(program: CompiledProgram, event: EventIn, faults: Faults) -> tuple[str, Decimal | None]:
    """The currency of a purchase, and its rate where it is not the program's."""
    identity = program.definition.program
    if event.currency is None or event.currency == identity.currency:
        return identity.currency, None
    rate = identity.rates.get(event.currency)
    if rate is None:
        also = f", or in {', '.join(identity.rates)}" if identity.rates else ""
        message = f"The program counts in {identity.currency}{also}, not in {event.currency}."
        give = f"give the program a rate: `rates: {{{event.currency}: ...}}`"
        hint = f"Convert the amounts to {identity.currency}, or {give}."
        faults.add("currency", message, hint)
        return identity.currency, None
    hint = f"Send the order in {identity.currency}, or its final prices, and redeem before."
    if event.pricing == "before":
        faults.add("pricing", f"Promotions take off {identity.currency}, and this is in {event.currency}.", hint)
    if event.redeem:
        faults.add("redeem", f"Rewards take off {identity.currency}, and this is in {event.currency}.", hint)
    for place, tender in enumerate(event.tenders):
        if tender.code is not None:
            message = f"An order in {event.currency} is not paid by a card that Setia takes money from."
            faults.add(f"tenders/{place}/code", message, "Use the card first, and tell its amount without the code.")
    return event.currency, rate


def _codes(event: EventIn, faults: Faults) -> tuple[str, ...]:
    """The codes that were shown, without space around them and each once: capitals do not matter."""
    shown = {code.strip().casefold(): code.strip() for code in reversed(event.codes)}
    if "" in shown:
        faults.add("codes", "A code is empty.", "Leave it out.")
    if shown and event.pricing == "final":
        message = "Codes change prices, and these are final."
        faults.add("codes", message, "Send the prices before promotions, with `pricing: before`, or leave codes out.")
    return tuple(reversed(shown.values()))


def _line(pointer: str, line: LineIn, tax_included: bool, money: _Money, faults: Faults) -> Line:  # noqa: FBT001 - a field, passed on
    amount = money(f"{pointer}/amount", line.amount)
    # Most lines have neither; a NaN is true.
    tax = money(f"{pointer}/tax", line.tax) if line.tax else 0
    discount = money(f"{pointer}/discount", line.discount) if line.discount else 0
    quantity = line.quantity
    if quantity == _ONE:  # as of most lines
        pass
    elif not quantity.is_finite() or quantity <= 0:
        faults.add(
            f"{pointer}/quantity",
            f"A quantity is more than 0, not {_short(quantity)}.",
            "A return is not a purchase with a negative quantity.",
        )
        quantity = Decimal(1)
    elif quantity > MAX_QUANTITY or quantity.as_tuple().exponent < -QUANTITY_DECIMALS:  # type: ignore[operator]  # finite, as was checked above
        faults.add(
            f"{pointer}/quantity",
            f"A quantity is at most {MAX_QUANTITY} and has at most {QUANTITY_DECIMALS} decimals.",
        )
        quantity = Decimal(1)
    if not tax_included:
        amount += tax
    if tax > amount:
        faults.add(f"{pointer}/tax", "The tax is larger than the amount it is contained in.")
    return Line(line.sku, quantity, amount, tax, discount, line.name, line.category, line.brand, line.labels)


# A shop has few prices, and checking one takes longer than finding it.
_KNOWN: dict[tuple[Decimal, int], int] = {}
_MOST_KNOWN = 5_000


class _Money:
    """Decimal text to whole numbers of the smallest unit."""

    def __init__(self, digits: int, currency: str, faults: Faults) -> None:
        self._digits = digits
        self._currency = currency
        self._faults = faults

    def __call__(self, pointer: str, value: Decimal | None) -> int:
        if not value:  # most amounts are not given, or zero; a NaN is true
            return 0
        # Size and exponent are looked at first: 1E+999999999 is a short text and a number that fills the memory. Within
        # these bounds an amount has 28 digits at most, so that decimal arithmetic does not round it.
        if not value.is_finite() or value < 0:
            hint = "A return is not a purchase with negative amounts."
            self._faults.add(pointer, f"An amount is 0 or more, not {_short(value)}.", hint)
            return 0
        known = _KNOWN.get((value, self._digits))
        if known is not None:
            return known
        if value.adjusted() > 13:
            self._too_large(pointer, value)
            return 0
        if value.as_tuple().exponent < -14:  # type: ignore[operator]  # finite, as was checked above
            self._too_fine(pointer, value)
            return 0
        scaled = value.scaleb(self._digits)
        units = int(scaled)
        if units != scaled:
            self._too_fine(pointer, value)
        elif units > MAX_MONEY:
            self._too_large(pointer, value)
        else:
            if len(_KNOWN) >= _MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[value, self._digits] = units
        return units

    def _too_large(self, pointer: str, value: Decimal) -> None:
        most = f"{MAX_MONEY // 10**self._digits} {self._currency}"
        self._faults.add(pointer, f"{_short(value)} is beyond the largest amount, {most}.")

    def _too_fine(self, pointer: str, value: Decimal) -> None:
        message = f"{_short(value)} has more decimals than {self._currency}, which has {self._digits}."
        self._faults.add(pointer, message, "Round it as your receipt does.")


def _short(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
