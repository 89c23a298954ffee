"""The codes of redemptions: made or taken from a pool when one is asked for, shown when it is confirmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.db.exchange import Exchange
from setia.db.ids import new_id
from setia.gift_cards.rewarded import issued_by
from setia.program.rewards import Reward
from setia.rewards import partnered
from setia.rewards.codes import CodeBook, hint_of
from setia.rewards.redemption import Redemption
from setia.rewards.stock import StockExhausted

_ASSIGN = """
UPDATE reward_code SET redemption_id = %b, reward = %b WHERE id = (
    SELECT id FROM reward_code
    WHERE program_id = %b AND pool = %b AND redemption_id IS NULL AND link_id IS NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_UNASSIGN = "UPDATE reward_code SET redemption_id = NULL, reward = NULL WHERE redemption_id = %b AND pool IS NOT NULL"
_COLUMNS = "id, redemption_id, created_at, valid_from, valid_until, uses, worth, program_id, reward, hint, hash"
_MAKE_ALL = f"""
INSERT INTO reward_code ({_COLUMNS}, used, spent)
SELECT {_COLUMNS}, 0, 0 FROM json_populate_recordset(NULL::reward_code, $1::json)
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

_encode = msgspec.json.Encoder().encode

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
    made = make(book, row, reward)
    if made is None:
        return None
    exchange = Exchange(connection)
    exchange.ask(*making([made]))
    exchange.send()
    return made.text


class Made(NamedTuple):
    """A code that was made for a redemption, and is still to be written."""

    text: str
    row: dict[str, Any]


def make(book: CodeBook, row: Redemption, reward: Reward) -> Made | None:
    """Make the code of a redemption that is confirmed now; None where its reward hands out no code of its own."""
    code = reward.code
    if not reward.gives_code or reward.card is not None or (code is not None and (code.static or code.pool)):
        return None
    text = book.code_of(row.id)
    return Made(
        text,
        {
            "id": new_id(),
            "redemption_id": row.id,
            "created_at": row.confirmed_at,
            "valid_from": row.valid_from,
            "valid_until": row.valid_until,
            "uses": _uses(reward, row.confirmed),
            "worth": row.worth,
            "program_id": row.program_id,
            "reward": row.reward,
            "hint": hint_of(text),
            "hash": f"\\x{book.hash_of(row.program_id, text).hex()}",
        },
    )


def making(made: Sequence[Made]) -> tuple[str, bytes]:
    """The statement that writes several codes, for an exchange, and its value."""
    return _MAKE_ALL, _encode([one.row for one in made])


def shown_again(
    connection: psycopg.Connection[Any], book: CodeBook, row: Redemption, reward: Reward | None, now: dt.datetime
) -> str | None:
    """The code of a confirmed redemption, for who repeats the request: for a day, and until it is used."""
    if reward is not None and reward.kind == "partner":
        delivered = partnered.seen(connection, book, row, dt.datetime.now(dt.UTC))
        if delivered is not None:
            return delivered.code
    if row.state not in {"confirmed", "partly"} or row.confirmed_at is None or now - row.confirmed_at > SHOWN_FOR:
        return None
    if reward is not None and reward.code is not None and reward.code.static is not None:
        return reward.code.static
    if reward is not None and reward.card is not None:
        card = issued_by(connection, row.id)
        return None if card is None else book.code_of(card)
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


def _uses(reward: Reward, quantity: int) -> int:
    """How often the code can be used: a discount once, other things one by one."""
    each = 1 if reward.code is None else reward.code.uses
    return each if reward.kind == "discount" else each * quantity
