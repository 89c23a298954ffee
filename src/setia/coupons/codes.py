"""The codes of coupons: found by a number that stands in them, and proved by the rest, which only the secret can make.

So whoever grants a coupon needs no secret: settling and jobs do it too. The number is random and says nothing; it is
what the database and stored events show of a code. Imported codes are kept as keyed hash.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from setia.codes.book import CodeBook, plain

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS, _GROUP = 5, 5
_HALF = 10
"""Characters of the number, and of its proof: 50 bits each."""
_NUMBERS = 1 << _BITS * _HALF


class ShownCode(NamedTuple):
    """A code that was shown: as events keep it, and what finds its coupon."""

    kept: str
    number: int | None
    hash: bytes


class CouponCodes:
    """Makes the codes of coupons and knows them again."""

    def __init__(self, book: Callable[[], CodeBook]) -> None:
        """`book` is asked for when the first code is."""
        self._make = book

    @cached_property
    def _book(self) -> CodeBook:
        return self._make()

    def code_of(self, program_id: int, coupon: UUID) -> str:
        """The code of a coupon that Setia made: 20 characters in four groups."""
        number = number_of(coupon)
        return _grouped(_text(number) + self._proof(program_id, number))

    def shown(self, program_id: int, codes: Iterable[str]) -> dict[str, ShownCode]:
        """What codes lead to, by the codes without space around them and with small letters."""
        return {code.strip().casefold(): self._read(program_id, code.strip()) for code in codes if code.strip()}

    def hash_of(self, program_id: int, text: str) -> bytes:
        """What is stored of an imported code."""
        return self._book.hash_of(program_id, text)

    def is_own(self, program_id: int, text: str) -> bool:
        """Whether Setia has made this code, or would."""
        return self._read(program_id, text).number is not None

    def _read(self, program_id: int, text: str) -> ShownCode:
        said = plain(text)
        if len(said) == 2 * _HALF and all(one in _ALPHABET for one in said):
            number = _number(said[:_HALF])
            if hmac.compare_digest(self._proof(program_id, number), said[_HALF:]):
                return ShownCode(hint_of(number), number, b"")
        return ShownCode(text, None, self.hash_of(program_id, text))

    def _proof(self, program_id: int, number: int) -> str:
        proof = self._book.hash_of(program_id, f"coupon {number}")
        return _text(int.from_bytes(proof[:8]) % _NUMBERS)


def number_of(coupon: UUID) -> int:
    """The number by which the code of a coupon is found: random bits of its id."""
    return coupon.int % _NUMBERS


def hint_of(number: int) -> str:
    """What may be seen of the code with a number: enough to tell it apart, and nothing to use it by."""
    return f"{_grouped(_text(number))}-…"


def _text(number: int) -> str:
    return "".join(_ALPHABET[number >> _BITS * place & 31] for place in reversed(range(_HALF)))


def _number(text: str) -> int:
    number = 0
    for one in text:
        number = number << _BITS | _ALPHABET.index(one)
    return number


def _grouped(text: str) -> str:
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))
