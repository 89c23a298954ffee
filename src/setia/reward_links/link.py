"""Reward links as they are kept, and how they are found, locked and counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg

LinkState = Literal["sent", "opened", "redeemed", "expired", "withdrawn"]
Fulfilment = Literal["open", "packed", "shipped", "delivered", "failed"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link. `amount` is in the smallest unit of `currency`; `reward` is what was chosen.

    `stock_keys` are those under which that is counted with what members redeem of the reward. `program_version` is the
    one that was live when it was sent; None of links that are older than that column.
    """

    id: UUID
    created_at: dt.datetime
    expires_at: dt.datetime
    opened_at: dt.datetime | None
    chosen_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    member_id: UUID | None
    card_id: UUID | None
    amount: int
    program_id: int
    program_version: int | None
    kind: str
    currency: str
    reason: str | None
    reward: str | None
    fulfilment: Fulfilment | None
    stock_keys: list[str]
    actor: str

    def state_at(self, now: dt.datetime) -> LinkState:
        """The state at a moment. A link whose time has passed has expired, and nothing has to book that."""
        if self.chosen_at is not None:
            return "redeemed"
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.expires_at <= now:
            return "expired"
        return "sent" if self.opened_at is None else "opened"


class LinkTotals(NamedTuple):
    """The links of one kind and currency that were made in a time; sums in the smallest unit.

    Of them `opened` were looked at (redeemed ones too). `cost` is what the redeemed ones come to, `open_amount` what
    those come to that can still be chosen.
    """

    kind: str
    currency: str
    sent: int
    opened: int
    redeemed: int
    expired: int
    withdrawn: int
    sent_amount: int
    cost: int
    open_amount: int


_COLUMNS = ", ".join(field.name for field in msgspec.structs.fields(Link))
_INSERT = f"""
INSERT INTO reward_link ({_COLUMNS}, hash)
VALUES ({", ".join(["%b"] * len(msgspec.structs.fields(Link)))}, %b)
"""
_BY_ID = f"SELECT {_COLUMNS} FROM reward_link WHERE program_id = %b AND id = %b"
_BY_TOKEN = f"SELECT {_COLUMNS} FROM reward_link WHERE hash = %b"
_LIST = f"SELECT {_COLUMNS} FROM reward_link WHERE program_id = %b AND id < %b ORDER BY id DESC LIMIT %b"
_MOVES = ("opened_at", "chosen_at", "withdrawn_at", "card_id", "reward", "fulfilment", "stock_keys")
_UPDATE = f"UPDATE reward_link SET {', '.join(f'{name} = %b' for name in _MOVES)} WHERE id = %b"
_TOTALS = """
SELECT l.kind, l.currency, count(*), count(*) FILTER (WHERE l.opened_at IS NOT NULL),
       count(*) FILTER (WHERE l.chosen_at IS NOT NULL),
       count(*) FILTER (WHERE l.chosen_at IS NULL AND l.withdrawn_at IS NULL AND l.expires_at <= %(now)s),
       count(*) FILTER (WHERE l.withdrawn_at IS NOT NULL),
       sum(l.amount)::bigint,
       coalesce(sum(l.amount) FILTER (WHERE l.chosen_at IS NOT NULL), 0)::bigint,
       coalesce(sum(l.amount) FILTER (WHERE l.chosen_at IS NULL AND l.withdrawn_at IS NULL
                                      AND l.expires_at > %(now)s), 0)::bigint
FROM reward_link l
WHERE l.program_id = %(program)s AND l.created_at >= coalesce(%(since)s::timestamptz, '-infinity')
  AND l.created_at < coalesce(%(until)s::timestamptz, 'infinity')
GROUP BY l.kind, l.currency ORDER BY l.kind, l.currency
"""


def insert(connection: psycopg.Connection[Any], link: Link, token: bytes) -> None:
    """Write a new one; `token` is the hash of its token."""
    connection.execute(_INSERT, (*msgspec.structs.astuple(link), token), prepare=True)


def save(connection: psycopg.Connection[Any], link: Link) -> None:
    """Write what became of a locked one."""
    connection.execute(_UPDATE, [*(getattr(link, name) for name in _MOVES), link.id], prepare=True)


def find(connection: psycopg.Connection[Any], program_id: int, link: UUID, *, lock: bool = False) -> Link | None:
    """One link of a program."""
    return next(iter(_all(connection, _BY_ID + " FOR UPDATE" * lock, (program_id, link))), None)


def find_by_token(connection: psycopg.Connection[Any], token: bytes, *, lock: bool = False) -> Link | None:
    """The link of a token, given as its hash; of any program, for tokens do not say which."""
    return next(iter(_all(connection, _BY_TOKEN + " FOR UPDATE" * lock, (token,))), None)


def list_links(connection: psycopg.Connection[Any], program_id: int, *, before: UUID | None, most: int) -> list[Link]:
    """The links of a program, the newest first."""
    return _all(connection, _LIST, (program_id, before or UUID(int=2**128 - 1), most))


def link_totals(
    connection: psycopg.Connection[Any],
    program_id: int,
    now: dt.datetime,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> list[LinkTotals]:
    """The figures of the links that were made from `since` until before `until`."""
    values = {"program": program_id, "now": now, "since": since, "until": until}
    return [LinkTotals(*row) for row in connection.execute(_TOTALS, values)]


def _all(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> list[Link]:
    rows = connection.execute(query, values, prepare=True)
    return [Link(**dict(zip(Link.__struct_fields__, row, strict=True))) for row in rows]
