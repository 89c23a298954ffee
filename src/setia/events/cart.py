"""Rewards redeemed with an order, in the transaction of its booking: what is taken of them, kept, and given back.

Redemptions are those of `setia.rewards`, which stands on this folder; what is asked of it is said here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
import psycopg

from setia.db.engine import Database
from setia.db.ids import format_id, new_id, parse_id
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision, Outcome, PointsEffect, RewardEffect
from setia.engine.occurrences import Occurrence, Wished
from setia.engine.returned import BoughtWith
from setia.engine.reward_reasons import RefusedReward
from setia.engine.rewards import Used, stock_keys
from setia.engine.state import MemberState
from setia.events.faults import Faults
from setia.events.problems import RewardUnavailable
from setia.events.schemas import EventIn
from setia.ledger.entries import LotKey, Posting

REDEMPTION_PREFIX = "red"


class LotPart(NamedTuple):
    """Points of one lot (None: of no lot), which ends at `expires_at`."""

    points: str
    amount: int
    lot: LotKey | None
    expires_at: dt.datetime | None


class CartRedemption(NamedTuple):
    """A reward that was redeemed with an order, as it is kept."""

    id: UUID
    member_id: UUID
    event_id: UUID
    source: str
    actor: str
    seq: int
    at: dt.datetime
    effect: RewardEffect
    parts: list[LotPart]


class GivenBack(NamedTuple):
    """Postings that bring points back, what they do to the member, and when the first of those lots ends."""

    postings: Sequence[Posting]
    effects: Sequence[PointsEffect]
    ends: dt.datetime | None


class StockMoved(Exception):  # noqa: N818 - says what happened
    """Others took what was left of a reward meanwhile: undo, and decide again on what is left now."""


class CartRewards(Protocol):
    """What redemptions do for orders, in the caller's transaction, with the member locked."""

    def used_of(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        member: UUID,
        rewards: Collection[str],
        now: dt.datetime,
    ) -> dict[str, Used]:
        """What is taken of some rewards."""
        ...

    def keep(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        redemptions: Sequence[CartRedemption],
    ) -> None:
        """Write redemptions; their stock is taken later."""
        ...

    def take_stock(
        self, connection: psycopg.Connection[Any], program_id: int, taken: Mapping[tuple[str, str], tuple[int, int]]
    ) -> None:
        """Count (reward, key) -> (how many there are, how many are taken), in order; raises `StockMoved`."""
        ...

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

        Without `keep` nothing is written.
        """
        ...

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
        """Spend again what redemptions need of what had come back from them, from whatever the member has.

        Without `keep` nothing is written. Raises a `Problem` where points or stock are not there any more.
        """
        ...

    def bought_with(
        self, connection: psycopg.Connection[Any], program_id: int, member: UUID, lots: Collection[LotKey]
    ) -> list[tuple[UUID | None, BoughtWith]]:
        """The redemptions of a member that stand and took points of some lots, each with its order if it had one."""
        ...

    def free_overdue(self, database: Database, programs: Any, now: dt.datetime, program_id: int) -> int:
        """Book the end of holds whose time has passed, in transactions of its own; gives how many.

        `programs` are those of `events.live`, which stands on this module. What such holds keep of a stock would else
        be refused to orders until the job comes by.
        """
        ...


class Cart:
    """The redemptions of one transaction."""

    def __init__(
        self, connection: psycopg.Connection[Any], program: CompiledProgram, program_id: int, rewards: CartRewards
    ) -> None:
        self._connection, self._program, self._program_id, self._rewards = connection, program, program_id, rewards
        self._taken: dict[tuple[str, str], tuple[int, int]] = {}

    def used(self, member: UUID, event: Occurrence, now: dt.datetime) -> dict[str, Used] | None:
        """What is taken of the rewards that an order redeems; None where it redeems none."""
        if not event.redeem:
            return None
        names = {wished.reward for wished in event.redeem}
        found = self._rewards.used_of(self._connection, self._program, self._program_id, member, names, now)
        for (reward, key), (_, quantity) in self._taken.items():
            if reward in found:
                found[reward].stock[key] = found[reward].stock.get(key, 0) + quantity
        return found

    def keep(self, redemptions: Sequence[CartRedemption]) -> None:
        """Write the redemptions of an order, and note their stock: it is taken last, by `finish`."""
        self._rewards.keep(self._connection, self._program, self._program_id, redemptions)
        for one in redemptions:
            reward = self._program.rewards[one.effect.reward]
            for key, most in stock_keys(self._program, reward, one.at, None).items():
                _, before = self._taken.get((reward.id, key), (most, 0))
                self._taken[reward.id, key] = most, before + one.effect.quantity

    def give_back(self, staying: Mapping[str, Mapping[str, int]], now: dt.datetime, *, keep: bool) -> GivenBack:
        """Give back what redemptions cost but for what stays spent; without `keep` say what that is."""
        named = {parse_id(REDEMPTION_PREFIX, name): points for name, points in staying.items()}
        return self._rewards.give_back(self._connection, self._program, self._program_id, named, now, keep=keep)

    def pay_again(
        self,
        state: MemberState,
        standing: Mapping[str, Mapping[str, int]],
        now: dt.datetime,
        *,
        keep: bool,
    ) -> GivenBack:
        """Spend again what redemptions need of what had come back from them; without `keep` say what that is."""
        named = {parse_id(REDEMPTION_PREFIX, name): points for name, points in standing.items()}
        return self._rewards.pay_again(self._connection, self._program, self._program_id, state, named, now, keep=keep)

    def bought_with(self, member: UUID, order: UUID, lots: Collection[LotKey]) -> list[BoughtWith]:
        """What points of lots were spent on, apart from the rewards of the order itself."""
        found = self._rewards.bought_with(self._connection, self._program_id, member, lots)
        return [bought for event, bought in found if event != order]

    def finish(self) -> None:
        """Take the stock. Raises `StockMoved`."""
        if self._taken:
            self._rewards.take_stock(self._connection, self._program_id, self._taken)
            self._taken = {}


def check_granted(decision: Decision) -> None:
    """Raise `RewardUnavailable` where a reward cannot be had: the order is then not booked at all."""
    if decision.refused:
        raise unavailable(decision.refused)


def unavailable(refused: Sequence[RefusedReward]) -> RewardUnavailable:
    """The problem that says which rewards cannot be had, and why."""
    first = min(refused, key=lambda one: one.place)
    reasons = [
        {"reward": one.reward, "place": one.place, **msgspec.to_builtins(reason)}
        for one in refused
        for reason in one.reasons
    ]
    codes = ", ".join(dict.fromkeys(str(reason["code"]) for reason in reasons))
    message = f"{first.reward!r} at #/redeem/{first.place} cannot be redeemed with this order. Why not: {codes}."
    return RewardUnavailable(message, extra={"reasons": reasons})


def named(outcome: Outcome) -> None:
    """Give the redemptions of an order their ids."""
    outcome.redeemed = [
        msgspec.structs.replace(effect, redemption=format_id(REDEMPTION_PREFIX, new_id()))
        for effect in outcome.redeemed
    ]


def parts_of(
    outcome: Outcome, postings: Sequence[Posting], ends: Mapping[LotKey, dt.datetime | None]
) -> list[list[LotPart]]:
    """Which points each redemption of an order took: the postings give them in the order of the redemptions."""
    given: dict[str, list[tuple[LotKey | None, int]]] = {}
    for posting in postings:
        if posting.destination == "redeemed":
            given.setdefault(posting.point_type, []).append((posting.lot, posting.amount))
    found = []
    for effect in outcome.redeemed:
        parts: list[LotPart] = []
        for points, cost in effect.points.items():
            left, there = cost, given.get(points, [])
            while left:
                lot, amount = there[0]
                part = min(left, amount)
                parts.append(LotPart(points, part, lot, None if lot is None else ends.get(lot)))
                left -= part
                there[0] = lot, amount - part
                if part == amount:
                    del there[0]
        found.append(parts)
    return found


def wishes(program: CompiledProgram, event: EventIn, faults: Faults) -> tuple[Wished, ...]:
    """The rewards that a purchase redeems; what is wrong with them goes to `faults`."""
    if event.redeem and event.pricing == "final":
        message = "Rewards change prices, and these are final."
        faults.add("redeem", message, "Send the prices before promotions, with `pricing: before`.")
    if event.redeem and event.member is None:
        faults.add("redeem", "A reward is redeemed by a member.", "Name the member.")
    seen: set[str] = set()
    for place, one in enumerate(event.redeem):
        pointer = f"redeem/{place}"
        reward = program.rewards.get(one.reward)
        if reward is None:
            faults.add(f"{pointer}/reward", f"The program has no reward {one.reward!r}.")
        elif not reward.definition.in_cart:
            message = f"A {reward.definition.kind} makes no order cheaper."
            faults.add(f"{pointer}/reward", message, "Redeem it with POST /v1/redemptions.")
        elif one.reward in seen:
            faults.add(pointer, f"{one.reward!r} stands twice.", "Say how many with `quantity`.")
        elif reward.definition.kind == "product":
            _check_article(pointer, reward.definition.items, one.sku, faults)
        elif one.sku is not None:
            faults.add(f"{pointer}/sku", "Only of a free product an article is chosen.", "Leave it out.")
        if one.quantity is not None and one.points is not None:
            faults.add(pointer, "How many is said by `quantity` or by `points`.", "Leave one of them out.")
        seen.add(one.reward)
    return tuple(Wished(one.reward, one.quantity or 1, one.points, one.sku) for one in event.redeem)


def _check_article(pointer: str, items: Sequence[str], sku: str | None, faults: Faults) -> None:
    if sku is None and not items:
        faults.add(f"{pointer}/sku", "The reward does not say which product is free.", "Say it with `sku`.")
    elif sku is not None and items and sku not in items:
        faults.add(f"{pointer}/sku", f"{sku!r} is not among the products of this reward.")
