"""The codes of redemptions: made or taken from a pool when one is asked for, shown when it is confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import psycopg

from setia.db.ids import new_id
from setia.program.rewards import Reward
from setia.rewards.codes import CodeBook, hint_of
from setia.rewards.redemption import Redemption
from setia.rewards.stock import StockExhausted

_ASSIGN = """
UPDATE reward_code SET redemption_id = %b, reward = %b WHERE id = (
    SELECT id FROM reward_code
    WHERE program_id = %b AND pool = %b AND redemption_id IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_UNASSIGN = "UPDATE reward_code SET redemption_id = NULL, reward = NULL WHERE redemption_id = %b AND pool IS NOT NULL"
_MAKE = """
INSERT INTO reward_code (id, redemption_id, created_at, valid_from, valid_until, uses, worth, program_id, reward, hint,
                         hash)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
_OPEN_POOLED = """
UPDATE reward_code SET valid_from = %b, valid_until = %b, uses = %b, worth = %b WHERE redemption_id = %b
RETURNING id, sealed
"""
_READ = "SELECT id, sealed, used, spent FROM reward_code WHERE redemption_id = %b AND voided_at IS NULL"
_VOID = """
UPDATE reward_code SET voided_at = %b
WHERE redemption_id = %b AND used = 0 AND spent = 0 AND voided_at IS NULL
"""
_USED = "SELECT count(*) FROM reward_code WHERE redemption_id = %b AND (used > 0 OR spent > 0)"

SHOWN_FOR = dt.timedelta(days=1)
"""How long the request that confirmed can be repeated and its code is in the answer."""


def reserve(connection: psycopg.Connection[Any], row: Redemption, reward: Reward) -> None:
    """Take a code out of the reward's pool, if it has one; raises `StockExhausted` where the pool is empty."""
    if reward.code is not None and reward.code.pool is not None:
        values = (row.id, row.reward, row.program_id, reward.code.pool)
        if connection.execute(_ASSIGN, values, prepare=True).fetchone() is None:
            raise StockExhausted(reward.code.pool)


def unreserve(connection: psycopg.Connection[Any], row: Redemption) -> None:
    """Put a code back that nobody has seen."""
    connection.execute(_UNASSIGN, (row.id,), prepare=True)


def issue(connection: psycopg.Connection[Any], book: CodeBook, row: Redemption, reward: Reward) -> str | None:
    """Hand out the code of a redemption that is confirmed now; None where its reward has none."""
    if not reward.gives_code:
        return None
    code = reward.code
    if code is not None and code.static is not None:
        return code.static
    uses = _uses(reward, row.confirmed)
    if code is not None and code.pool is not None:
        values = (row.valid_from, row.valid_until, uses, row.worth, row.id)
        found = connection.execute(_OPEN_POOLED, values, prepare=True).fetchone()
        return None if found is None else book.unseal(found[0], bytes(found[1]))
    text = book.code_of(row.id)
    connection.execute(
        _MAKE,
        (
            *(new_id(), row.id, row.confirmed_at, row.valid_from, row.valid_until, uses, row.worth),
            *(row.program_id, row.reward, hint_of(text), book.hash_of(row.program_id, text)),
        ),
        prepare=True,
    )
    return text


def shown_again(
    connection: psycopg.Connection[Any], book: CodeBook, row: Redemption, reward: Reward | None, now: dt.datetime
) -> str | None:
    """The code of a confirmed redemption, for who repeats the request: for a day, and until it is used."""
    if row.state not in {"confirmed", "partly"} or row.confirmed_at is None or now - row.confirmed_at > SHOWN_FOR:
        return None
    if reward is not None and reward.code is not None and reward.code.static is not None:
        return reward.code.static
    found = connection.execute(_READ, (row.id,), prepare=True).fetchone()
    if found is None or found[2] or found[3]:
        return None
    return book.code_of(row.id) if found[1] is None else book.unseal(found[0], bytes(found[1]))


def is_used(connection: psycopg.Connection[Any], redemption: UUID) -> bool:
    """Whether the code of a redemption has been used at a till and not been released."""
    [(used,)] = connection.execute(_USED, (redemption,), prepare=True).fetchall()
    return bool(used)


def void(connection: psycopg.Connection[Any], row: Redemption, now: dt.datetime) -> None:
    """Let nobody use the code of a redemption any more. What a till uses at this moment, `is_used` finds after it."""
    connection.execute(_VOID, (now, row.id), prepare=True)


def _uses(reward: Reward, quantity: int) -> int | None:
    """How often the code can be used: a gift card until it is empty, a discount once, other things one by one."""
    each = 1 if reward.code is None else reward.code.uses
    if reward.kind == "gift_card":
        return None
    return each if reward.kind == "discount" else each * quantity
