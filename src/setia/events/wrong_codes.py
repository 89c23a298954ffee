"""Codes of orders that are none: counted after the answer, so that nobody guesses the codes of coupons.

A code that Setia made proves itself, and a promotion's own is no secret: only what may be the code of an imported
coupon can be guessed. A wrong one counts once an hour, however often a shop asks what the same cart costs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from setia.codes import guesses
from setia.coupons.codes import ShownCode
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Outcome


def check_codes(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    shown: Iterable[ShownCode],
    who: str,
    uncounted: int = 0,
) -> None:
    """Raise `TooManyGuesses` before codes are looked up that could be guessed; by the real time.

    `uncounted` are wrong ones that this transaction has found so far: a batch would else try codes without end.
    """
    promotions = program.plans["purchase"].promotions
    if any(one.number is None and not any(one.kept.casefold() in each.codes for each in promotions) for one in shown):
        guesses.check_cart(connection, program_id, who, dt.datetime.now(dt.UTC), uncounted)


def wrong_codes(shown: Mapping[str, ShownCode], outcome: Outcome) -> list[bytes]:
    """The hashes of the codes that were shown (by their text in small letters) and that are of nothing."""
    unknown = {one.code.casefold() for one in outcome.refused if one.reason == "unknown"}
    known = {(one.code or "").casefold() for one in outcome.discounts}
    known |= {one.code.casefold() for one in outcome.refused if one.reason != "unknown"}
    # The same code in another spelling is no guess.
    right = {shown[code].hash for code in known & shown.keys()}
    found = {shown[code].hash for code in unknown & shown.keys() if shown[code].number is None}
    return sorted(found - right)


def count_wrong(
    connection: psycopg.Connection[Any], program_id: int, wrong: Sequence[bytes], who: str, now: dt.datetime
) -> None:
    """Note wrong codes, each once an hour for who asks, in a transaction of its own."""
    for code in wrong:
        guesses.count_cart(connection, program_id, who, code, now)
