"""Money of another currency, in that of the program."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from setia.program.currencies import minor_digits

# The longest amount and the longest rate have 35 digits together: nothing is rounded before the end.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def converted(amount: int, currency: str, rate: Decimal, digits: int) -> int:
    """An amount in the smallest unit of `currency`, in that of the program's, which has so many decimals; half up.

    `rate` is what one whole unit of it counts in whole ones of the program's.
    """
    exact = _EXACT.multiply(Decimal(amount), rate).scaleb(digits - minor_digits(currency), _EXACT)
    return int(exact.to_integral_value(ROUND_HALF_UP, _EXACT))
