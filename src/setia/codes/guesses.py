"""Limits on guessing codes: so many wrong ones an hour for each API key, and for a program in all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from setia.codes.problems import TooManyGuesses

MOST_OF_KEY = 50
MOST_IN_ALL = 500
MOST_OF_KEY_IN_CARTS = 200
MOST_IN_ALL_IN_CARTS = 2_000
"""Of different codes in carts: a shop sends what its customers mistype, and all of them by one key."""
_ALL = "*"
_CART = "cart:"
_COUNT = """
INSERT INTO code_guess AS g (program_id, who, hour, failures)
SELECT %b::int, w.who, %b::timestamptz, 1 FROM unnest(%b::text[]) AS w (who) ORDER BY w.who
ON CONFLICT (program_id, who, hour) DO UPDATE SET failures = g.failures + 1
"""
_NEW = """
INSERT INTO code_guess (program_id, who, hour, failures) VALUES (%b, %b, %b, 1) ON CONFLICT DO NOTHING
"""
_READ = "SELECT who, failures FROM code_guess WHERE program_id = %b AND hour = %b AND who = ANY (%b)"
_FORGET = "DELETE FROM code_guess WHERE program_id = %b AND hour < %b"


def check(connection: psycopg.Connection[Any], program_id: int, who: str, now: dt.datetime) -> None:
    """Raise `TooManyGuesses` for who has asked for too many codes that are none, or when all together have."""
    _check(connection, program_id, (who, MOST_OF_KEY), (_ALL, MOST_IN_ALL), now)


def check_cart(
    connection: psycopg.Connection[Any], program_id: int, who: str, now: dt.datetime, uncounted: int = 0
) -> None:
    """The same for the codes of carts, which are counted apart by `count_cart`: tills go on meanwhile.

    `uncounted` are wrong ones of the same key that will be counted when the caller's transaction is committed.
    """
    key = _CART + who, MOST_OF_KEY_IN_CARTS - uncounted
    everybody = _CART + _ALL, MOST_IN_ALL_IN_CARTS - uncounted
    _check(connection, program_id, key, everybody, now)


def _check(
    connection: psycopg.Connection[Any],
    program_id: int,
    key: tuple[str, int],
    everybody: tuple[str, int],
    now: dt.datetime,
) -> None:
    hour = _hour(now)
    failures = dict(connection.execute(_READ, (program_id, hour, [key[0], everybody[0]]), prepare=True).fetchall())
    if any(failures.get(name, 0) >= most for name, most in (key, everybody)):
        wait = int((hour + dt.timedelta(hours=1) - now).total_seconds()) + 1
        raise TooManyGuesses("Wait until the next full hour.", retry_after=wait)


def count(connection: psycopg.Connection[Any], program_id: int, who: str, now: dt.datetime) -> None:
    """Note a wrong one, in a transaction of its own: that of the refusal is undone."""
    _count(connection, program_id, (who, _ALL), now)


def count_cart(connection: psycopg.Connection[Any], program_id: int, who: str, code: bytes, now: dt.datetime) -> None:
    """Note a wrong one of a cart by its hash. It counts once an hour: the same cart is asked for again and again.

    There are as many such notes as are counted, and so never many more than `MOST_IN_ALL_IN_CARTS`.
    """
    note = f"{_CART}{who} {code.hex()}"
    if connection.execute(_NEW, (program_id, note, _hour(now))).rowcount:
        _count(connection, program_id, (_CART + who, _CART + _ALL), now)


def _count(connection: psycopg.Connection[Any], program_id: int, who: tuple[str, str], now: dt.datetime) -> None:
    hour = _hour(now)
    connection.execute(_FORGET, (program_id, hour))
    connection.execute(_COUNT, (program_id, hour, sorted(who)), prepare=True)


def _hour(now: dt.datetime) -> dt.datetime:
    return now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
