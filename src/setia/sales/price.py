"""What points cost, and what of it comes back. Pure."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

from setia.engine.compiled import CompiledProgram
from setia.problems import ErrorItem, NotFound, Unprocessable
from setia.program.sales import Sale


class NoSuchSale(NotFound):
    """The program sells no points under this name, or there is no such sale."""

    code = "sale_not_found"
    title = "There is no such sale"


class InvalidSale(Unprocessable):
    """An amount that is not sold, or money that is not its price."""

    code = "invalid_sale"
    title = "Points are not sold so"


def price_of(program: CompiledProgram, sale: Sale, amount: int) -> int:
    """What so many points (smallest unit) cost, in the smallest unit of the currency; rounded up.

    Raises:
        InvalidSale: so many are not sold.
    """
    unit = program.units[sale.points]
    if sale.price is None:
        packages = {int(one.points * unit): one.money for one in sale.packages}
        if amount not in packages:
            known = ", ".join(str(points) for points in packages)
            raise _fault("points", f"{amount} {sale.points} are not sold", f"There are packages of {known}.")
        return _whole(packages[amount], 1, program.currency_digits)
    least = unit if sale.least is None else int(sale.least * unit)
    if amount < least or (sale.most is not None and amount > sale.most * unit):
        most = "" if sale.most is None else f" and at most {int(sale.most * unit)}"
        raise _fault("points", f"{amount} {sale.points} are not sold", f"At least {least}{most} are sold at once.")
    return _whole(sale.price, Fraction(amount, unit), program.currency_digits)


def check_paid(program: CompiledProgram, price: int, paid: int) -> None:
    """Whether what was paid is the price; raises `InvalidSale`."""
    if paid != price:
        currency = program.definition.program.currency
        raise _fault(
            "money", f"is not what they cost: {price} in the smallest unit of {currency}", "Ask for the price."
        )


def comes_back(amount: int, money: int, left: int) -> int:
    """The money for what is left of bought points: its share, rounded down."""
    return money * left // amount


def _whole(money: Decimal, times: Fraction | int, digits: int) -> int:
    # As fractions: a long price of many points has more digits than decimals are computed with.
    return ceil(Fraction(money) * times * Fraction(10**digits))


def _fault(field: str, message: str, hint: str) -> InvalidSale:
    return InvalidSale("Nothing was sold.", errors=[ErrorItem(pointer=f"#/{field}", message=message, hint=hint)])
