"""Rewards of an order whose return is cancelled: what had come back from them is spent on them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.db.ids import parse_id
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import REDEMPTION, PointsEffect
from setia.engine.rewards import stock_keys
from setia.engine.state import Balance, MemberState
from setia.events.cart import GivenBack
from setia.events.problems import InvalidEvent
from setia.ledger.entries import LotKey, Posting
from setia.ledger.freezing import refuse_frozen
from setia.ledger.lots import Lot, burn
from setia.ledger.wallets import open_lots
from setia.rewards import redemption, stock
from setia.rewards.redemption import Redemption, Taken

_HINT = "Send the order again, as a new one."


def pay_again(
    connection: psycopg.Connection[Any],
    program: CompiledProgram,
    program_id: int,
    state: MemberState,
    standing: Mapping[UUID, Mapping[str, int]],
    now: dt.datetime,
    *,
    keep: bool,
) -> GivenBack:
    """Spend on redemptions what is missing to `standing` (redemption -> point type -> what stands of it).

    It may come from other lots than before: those that end first, like all that is spent. Without `keep` nothing is
    written, and stock is not asked for. The member is locked.

    Raises:
        InvalidEvent: the points have been spent since, or the stock is gone.
        PointsFrozen: the member has frozen them.
    """
    member = parse_id("mem", state.id)
    lots: dict[str, list[Lot]] = {}
    postings: list[Posting] = []
    for one, points in sorted(standing.items()):
        row = redemption.find(connection, program_id, one)
        missing = {} if row is None else _missing(row, points)
        if row is None or not missing:
            continue
        refuse_frozen(state.id, state.counters)
        parts = [
            part
            for name, amount in missing.items()
            for part in _taken(lots.setdefault(name, open_lots(connection, member, name)), state, name, amount, now)
        ]
        postings += [_posting(part) for part in parts]
        if keep:
            _save(connection, program, program_id, row, parts)
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.point_type] = sums.get(posting.point_type, 0) + posting.amount
    return GivenBack(postings, [PointsEffect(name, -amount, REDEMPTION) for name, amount in sums.items()], None)


def _missing(row: Redemption, points: Mapping[str, int]) -> dict[str, int]:
    spent: dict[str, int] = {}
    for part in row.parts if row.state == "confirmed" else ():
        spent[part.points] = spent.get(part.points, 0) + part.amount
    return {name: amount - spent.get(name, 0) for name, amount in points.items() if amount > spent.get(name, 0)}


def _taken(lots: list[Lot], state: MemberState, points: str, amount: int, now: dt.datetime) -> list[Taken]:
    """Parts of lots; `lots` are left as they are after it."""
    available = min(
        state.balances.get(points, Balance()).available, sum(lot.remaining for lot in lots if lot.is_spendable(now))
    )
    if available < amount:
        message = f"The rewards of the order cost {amount} {points} again, and {max(0, available)} are there."
        raise InvalidEvent.at("#/data/order", f"{message} So its return cannot be cancelled.", _HINT)
    chosen = burn(lots, amount, now)
    left = {lot.key: part for lot, part in chosen}
    lots[:] = [lot._replace(remaining=lot.remaining - left.get(lot.key, 0)) for lot in lots]
    return [Taken(points, part, (*lot.key,), lot.expires_at) for lot, part in chosen]


def _posting(part: Taken) -> Posting:
    lot = None if part.lot is None else LotKey(*part.lot)
    return Posting(point_type=part.points, source="available", destination="redeemed", amount=part.amount, lot=lot)


def _save(
    connection: psycopg.Connection[Any], program: CompiledProgram, program_id: int, row: Redemption, parts: list[Taken]
) -> None:
    if row.state == "confirmed":
        redemption.save(connection, msgspec.structs.replace(row, parts=[*row.parts, *parts]))
        return
    redemption.save(connection, msgspec.structs.replace(row, state="confirmed", ended_at=None, parts=parts))
    reward = program.rewards.get(row.reward)
    limits = {} if reward is None else stock_keys(program, reward, row.created_at, None)
    try:
        known = {key: most for key, most in limits.items() if key in row.stock_keys}
        stock.take(connection, program_id, row.reward, known, row.confirmed)
    except stock.StockExhausted as gone:
        message = f"Others have taken what was left of {row.reward!r}, so its return cannot be cancelled."
        raise InvalidEvent.at("#/data/order", message, _HINT) from gone
    # Of what has no limit any more is counted only how many are taken.
    stock.give_back(connection, program_id, row.reward, set(row.stock_keys) - known.keys(), -row.confirmed)
