"""Limits on guessing codes: so many wrong ones an hour for each API key, and for a program in all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from setia.codes.problems import TooManyGuesses

MOST_OF_KEY = 50
MOST_IN_ALL = 500
_ALL = "*"
_COUNT = """
INSERT INTO code_guess AS g (program_id, who, hour, failures)
SELECT %b::int, w.who, %b::timestamptz, 1 FROM unnest(%b::text[]) AS w (who) ORDER BY w.who
ON CONFLICT (program_id, who, hour) DO UPDATE SET failures = g.failures + 1
"""
_READ = "SELECT who, failures FROM code_guess WHERE program_id = %b AND hour = %b AND who = ANY (%b)"
_FORGET = "DELETE FROM code_guess WHERE program_id = %b AND hour < %b"


def check(connection: psycopg.Connection[Any], program_id: int, who: str, now: dt.datetime) -> None:
    """Raise `TooManyGuesses` for who has asked for too many codes that are none, or when all together have."""
    hour = _hour(now)
    failures = dict(connection.execute(_READ, (program_id, hour, [who, _ALL]), prepare=True).fetchall())
    if failures.get(who, 0) >= MOST_OF_KEY or failures.get(_ALL, 0) >= MOST_IN_ALL:
        wait = int((hour + dt.timedelta(hours=1) - now).total_seconds()) + 1
        raise TooManyGuesses("Wait until the next full hour.", retry_after=wait)


def count(connection: psycopg.Connection[Any], program_id: int, who: str, now: dt.datetime) -> None:
    """Note a wrong one, in a transaction of its own: that of the refusal is undone."""
    hour = _hour(now)
    connection.execute(_FORGET, (program_id, hour))
    connection.execute(_COUNT, (program_id, hour, sorted([who, _ALL])), prepare=True)


def _hour(now: dt.datetime) -> dt.datetime:
    return now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
