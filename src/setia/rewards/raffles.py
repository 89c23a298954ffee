"""Draws of raffles: promised, drawn once from the tickets that are there then, and told with all that proves them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Json

from setia.db.ids import format_id, new_id
from setia.engine.raffle import Ticket, digest_of, draw, promise
from setia.events.live import LiveProgram
from setia.rewards.codes import CodeBook
from setia.rewards.problems import NoSuchDraw, NoSuchReward, RaffleDrawn
from setia.rewards.redemption import REDEMPTION_PREFIX
from setia.rewards.terms import terms_of

_SEED_BYTES = 32


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """One draw. What stands behind `promise` is known when it is drawn; before, the seed is sealed."""

    id: UUID
    program_id: int
    reward: str
    promised_at: dt.datetime
    promise: str
    actor: str
    sealed: bytes
    drawn_at: dt.datetime | None = None
    seed: str | None = None
    digest: str | None = None
    entropy: str | None = None
    tickets: int | None = None
    winners: int | None = None
    won: list[dict[str, Any]] | None = None


_NAMES = tuple(field.name for field in msgspec.structs.fields(Draw))
_COLUMNS = ", ".join(_NAMES)
_READ = f"SELECT {_COLUMNS} FROM raffle_draw WHERE program_id = %b"
_INSERT = """
INSERT INTO raffle_draw (id, program_id, reward, promised_at, promise, actor, sealed)
VALUES (%b, %b, %b, %b, %b, %b, %b)
ON CONFLICT (program_id, reward) WHERE drawn_at IS NULL DO NOTHING
"""
# Redemptions are in a draw once. One that is refunded at this moment holds its row until that is decided.
_GATHER = """
UPDATE redemption SET draw_id = %b
WHERE program_id = %b AND reward = %b AND draw_id IS NULL AND state IN ('confirmed', 'partly')
"""
_UNDRAWN = """
SELECT program_version FROM redemption
WHERE program_id = %b AND reward = %b AND draw_id IS NULL AND state IN ('confirmed', 'partly') LIMIT 1
"""
_TICKETS = "SELECT id, member_id, confirmed FROM redemption WHERE draw_id = %b AND id > %b ORDER BY id LIMIT %b"
_DRAWN = """
UPDATE raffle_draw SET drawn_at = %b, seed = %b, digest = %b, entropy = %b, tickets = %b, winners = %b, won = %b
WHERE id = %b
"""
_ALL = 2**62


def begin(connection: psycopg.Connection[Any], live: LiveProgram, book: CodeBook, reward: str, actor: str) -> Draw:
    """Promise the next draw of a raffle; one that is promised and not drawn yet stays. Raises `NoSuchReward`."""
    if not _is_raffle(connection, live, reward):
        raise NoSuchReward(f"The program has no raffle {reward!r}.")
    identifier, seed = new_id(), secrets.token_hex(_SEED_BYTES)
    now = live.now(dt.datetime.now(dt.UTC))
    values = (identifier, live.program_id, reward, now, promise(seed), actor, book.seal(identifier, seed))
    connection.execute(_INSERT, values)
    [made] = _all(connection, f"{_READ} AND reward = %b AND drawn_at IS NULL", (live.program_id, reward))
    return made


def _is_raffle(connection: psycopg.Connection[Any], live: LiveProgram, reward: str) -> bool:
    """Whether tickets of it are sold, or were: who has one is in a draw, though the program may sell no more."""
    found = live.compiled.definition.rewards.get(reward)
    if found is not None:
        return found.kind == "raffle"
    row = connection.execute(_UNDRAWN, (live.program_id, reward)).fetchone()
    return row is not None and terms_of(live, row[0]).compiled.definition.rewards[reward].kind == "raffle"


def draw_winners(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    book: CodeBook,
    identifier: UUID,
    *,
    winners: int,
    entropy: str,
) -> Draw:
    """Draw once; the same request again gives the same winners. Raises `NoSuchDraw`, `RaffleDrawn`."""
    found = find(connection, live.program_id, identifier, lock=True)
    if found.drawn_at is not None:
        if (found.winners, found.entropy) != (winners, entropy):
            raise RaffleDrawn("It was drawn with other values. Promise another draw for the tickets that came since.")
        return found
    connection.execute(_GATHER, (identifier, live.program_id, found.reward))
    tickets = tickets_of(connection, identifier)
    seed = book.unseal(identifier, found.sealed)
    drawn = msgspec.structs.replace(
        found,
        drawn_at=live.now(dt.datetime.now(dt.UTC)),
        seed=seed,
        digest=digest_of(tickets),
        entropy=entropy,
        tickets=sum(ticket.quantity for ticket in tickets),
        winners=winners,
        won=[{"redemption": one.redemption, "member": one.member} for one in draw(seed, entropy, tickets, winners)],
    )
    values = (drawn.drawn_at, drawn.seed, drawn.digest, drawn.entropy, drawn.tickets, drawn.winners, Json(drawn.won))
    connection.execute(_DRAWN, (*values, identifier))
    return drawn


def find(connection: psycopg.Connection[Any], program_id: int, identifier: UUID, *, lock: bool = False) -> Draw:
    """One draw; raises `NoSuchDraw`."""
    rows = _all(connection, f"{_READ} AND id = %b {'FOR UPDATE' if lock else ''}", (program_id, identifier))
    if not rows:
        raise NoSuchDraw
    return rows[0]


def draws_of(connection: psycopg.Connection[Any], program_id: int, reward: str) -> list[Draw]:
    """The draws of a raffle, the newest first."""
    return _all(connection, f"{_READ} AND reward = %b ORDER BY id DESC LIMIT 200", (program_id, reward))


def tickets_of(
    connection: psycopg.Connection[Any], identifier: UUID, *, after: UUID | None = None, most: int = _ALL
) -> list[Ticket]:
    """The tickets that took part, in the order in which they are counted."""
    rows = connection.execute(_TICKETS, (identifier, after or UUID(int=0), most))
    return [Ticket(format_id(REDEMPTION_PREFIX, row[0]), format_id("mem", row[1]), row[2]) for row in rows]


def _all(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> list[Draw]:
    rows = connection.execute(query, values)
    found = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    return [Draw(**{**row, "sealed": bytes(row["sealed"])}) for row in found]
