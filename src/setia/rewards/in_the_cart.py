"""Redemptions that come with an order: written with its booking, and refunded when all of it comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.engine import Database
from setia.db.ids import format_id
from setia.engine.compiled import CompiledProgram
from setia.engine.returned import BoughtWith
from setia.engine.rewards import Used, stock_keys
from setia.engine.state import MemberState
from setia.events.cart import CartRedemption, GivenBack, StockMoved
from setia.events.live import LivePrograms
from setia.ledger.entries import LotKey
from setia.rewards import redemption, stock
from setia.rewards.codes import digest_of
from setia.rewards.expiring import expire_due
from setia.rewards.giving_back import Returned, divided, give_back
from setia.rewards.paying_again import pay_again
from setia.rewards.redemption import Redemption, Taken

_BOUGHT_WITH = """
SELECT r.event_id, r.id, r.reward, p.part ->> 'points', sum((p.part ->> 'amount')::bigint)::bigint
FROM redemption r CROSS JOIN LATERAL jsonb_array_elements(r.parts::jsonb) AS p (part)
WHERE r.program_id = %b AND r.member_id = %b AND r.state IN ('held', 'confirmed', 'partly')
  AND ((p.part -> 'lot' ->> 0)::bigint, (p.part -> 'lot' ->> 1)::int) IN (SELECT * FROM unnest(%b::bigint[], %b::int[]))
GROUP BY r.event_id, r.id, r.reward, p.part ->> 'points' ORDER BY r.id
"""


class InTheCart:
    """What orders need of redemptions: `setia.events.cart.CartRewards`."""

    def used_of(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        member: UUID,
        rewards: Collection[str],
        now: dt.datetime,
    ) -> dict[str, Used]:
        """What is taken of some rewards, by a member and by all."""
        return stock.used_of(connection, program, program_id, member, rewards, now)

    def keep(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        redemptions: Sequence[CartRedemption],
    ) -> None:
        """Write redemptions; their stock is taken later."""
        for one in redemptions:
            redemption.insert(connection, _row(program, program_id, one))

    def take_stock(
        self, connection: psycopg.Connection[Any], program_id: int, taken: Mapping[tuple[str, str], tuple[int, int]]
    ) -> None:
        """Count what orders took, in the order of rewards and keys, in which everybody does."""
        for (reward, key), (most, quantity) in sorted(taken.items()):
            try:
                stock.take(connection, program_id, reward, {key: most}, quantity)
            except stock.StockExhausted as moved:
                raise StockMoved(reward) from moved

    def give_back(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        staying: Mapping[UUID, Mapping[str, int]],
        now: dt.datetime,
        *,
        keep: bool,
    ) -> GivenBack:
        """Refund redemptions but for the points that stay spent; those refunded before are left out.

        One of which something stays is confirmed still, and holds its stock. Without `keep` nothing is written.
        """
        found: list[Returned] = []
        refunded: list[Redemption] = []
        for one, points in staying.items():
            row = redemption.find(connection, program_id, one)
            if row is None or row.state != "confirmed":
                continue
            stays, back = divided(row.parts, points)
            found.append(give_back(program, row, back, "redeemed", now))
            if any(points.values()):
                ended = msgspec.structs.replace(row, parts=stays)
            else:
                ended = msgspec.structs.replace(row, state="refunded", ended_at=now)
                refunded.append(row)
            if keep:
                redemption.save(connection, ended)
        for row in sorted(refunded if keep else (), key=lambda row: row.reward):
            stock.give_back(connection, program_id, row.reward, row.stock_keys, row.confirmed)
        return GivenBack(
            [posting for back in found for posting in back.postings],
            [effect for back in found for effect in back.effects],
            min((back.ends for back in found if back.ends is not None), default=None),
        )

    def pay_again(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        state: MemberState,
        standing: Mapping[UUID, Mapping[str, int]],
        now: dt.datetime,
        *,
        keep: bool,
    ) -> GivenBack:
        """Spend again what redemptions need of what had come back from them; see `setia.events.cart`."""
        return pay_again(connection, program, program_id, state, standing, now, keep=keep)

    def bought_with(
        self, connection: psycopg.Connection[Any], program_id: int, member: UUID, lots: Collection[LotKey]
    ) -> list[tuple[UUID | None, BoughtWith]]:
        """The redemptions of a member that stand and took points of some lots; see `setia.events.cart`."""
        rows = connection.execute(
            _BOUGHT_WITH, (program_id, member, [lot.seq for lot in lots], [lot.line for lot in lots])
        )
        return [
            (event, BoughtWith(format_id(redemption.REDEMPTION_PREFIX, one), reward, points, amount))
            for event, one, reward, points, amount in rows
        ]

    def free_overdue(self, database: Database, programs: LivePrograms, now: dt.datetime, program_id: int) -> int:
        """Book the end of holds whose time has passed; gives how many."""
        return expire_due(database, programs, now, program_id)


def _row(program: CompiledProgram, program_id: int, one: CartRedemption) -> Redemption:
    """A redemption that was confirmed and used at once: there is no code, and nothing to send."""
    effect, reward = one.effect, program.rewards[one.effect.reward]
    return Redemption(
        id=one.id,
        member_id=one.member_id,
        event_id=one.event_id,
        created_at=one.at,
        hold_until=None,
        confirmed_at=one.at,
        ended_at=None,
        valid_from=None,
        valid_until=None,
        seq=one.seq,
        quantity=effect.quantity,
        confirmed=effect.quantity,
        money=effect.money,
        worth=effect.amount,
        program_id=program_id,
        program_version=program.version,
        state="confirmed",
        reward=effect.reward,
        date=None,
        fulfilment=None,
        till=one.source,
        # The event's own id makes it happen once; a reference here would be in the way of the till's others.
        reference=None,
        idempotency_key=None,
        digest=digest_of(one.event_id, effect.reward),
        actor=one.actor,
        stock_keys=list(stock_keys(program, reward, one.at, None)),
        cost={points: amount // effect.quantity for points, amount in effect.points.items()},
        parts=[
            Taken(part.points, part.amount, None if part.lot is None else (*part.lot,), part.expires_at)
            for part in one.parts
        ],
    )
