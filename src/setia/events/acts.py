"""Acts: points moved by somebody's decision, not by an event: redemptions, transfers, exchanges.

Whoever acts locks all members at once, in the order of their ids, after what time has done to them was booked; then
takes and gives points lot by lot; and writes everything in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.columns import uuids
from setia.db.exchange import Exchange, Value
from setia.db.ids import new_id
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Explanation, Outcome, PointsEffect, as_json
from setia.engine.due import next_due
from setia.engine.state import Balance
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, balance_of, lock_in_play
from setia.events.settling import Settling
from setia.events.warned import due_with
from setia.events.watching import Watch, Watched
from setia.events.writing import Writing
from setia.ledger.debts import debts_paid
from setia.ledger.entries import MEMBER_ACCOUNTS, Account, JournalEntry, Kind, LotKey, Posting
from setia.ledger.freezing import refuse_frozen
from setia.ledger.lots import Lot, LotsExhausted, burn
from setia.ledger.refusals import InsufficientPoints
from setia.ledger.wallets import LOTS, open_lots


class By(NamedTuple):
    """Who acts and why; the key makes it happen once, for ever, with the digest of what was asked."""

    actor: str
    reason: str | None = None
    key: str | None = None
    digest: bytes | None = None


class Part(NamedTuple):
    """Points of one lot, or (None) of no lot."""

    lot: Lot | None
    amount: int


class Acts:
    """What is done to some members in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, now: dt.datetime) -> None:
        self._connection = connection
        self._live = live
        self._now = live.now(now)
        self._writing = Writing(connection, live.program_id, live.compiled.tracking)
        self._watch = Watch(connection, live.compiled, live.program_id)
        self._members: dict[UUID, InPlay] = {}
        self._lots: dict[tuple[UUID, str], list[Lot]] = {}

    @property
    def now(self) -> dt.datetime:
        """What time it is for the program."""
        return self._now

    def lock(self, members: Collection[UUID]) -> dict[UUID, InPlay]:
        """Lock members, all that the act is about at once, and book what is due of them; strangers are left out.

        In place of who was merged the member stands for it, under both ids.
        """
        named = self._lock(members)
        found = {member.id: member for member in named.values()}
        self._members.update(found)
        settling = Settling(self._connection, self._live, self._now, self._writing, self._members)
        settling.settle(found.values())
        self._writing.write(self._members.values())
        settling.finish()
        return named

    def _lock(self, members: Collection[UUID]) -> dict[UUID, InPlay]:
        named = lock_in_play(self._connection, self._live.compiled, self._live.program_id, sorted(members))
        while moved := {one: member.merged_into for one, member in named.items() if member.merged_into is not None}:
            known = {member.id: member for member in named.values()}
            mains = sorted(set(moved.values()) - known.keys())
            known |= lock_in_play(self._connection, self._live.compiled, self._live.program_id, mains)
            named |= {one: known[main] for one, main in moved.items()}
        return named

    def ask_lots(self, exchange: Exchange, members: Collection[UUID]) -> Callable[[], None]:
        """Ask for all lots of locked members at once, which `take` else reads one wallet after the other."""
        reply = exchange.ask(LOTS, uuids(list(members)))

        def read() -> None:
            wallets = {(member.id, points) for member in self._members.values() for points in member.state.balances}
            self._lots = {wallet: [] for wallet in wallets if wallet[0] in set(members)}
            for member, points, *lot in reply.rows:
                self._lots.setdefault((member, points), []).append(Lot(*lot))

        return read

    def beside(self, statement: str, *values: Value) -> None:
        """A statement that `write` sends with what was booked."""
        self._writing.beside(statement, *values)

    def take(
        self, member: InPlay, points: str, amount: int, *, only: Callable[[Lot], bool] | None = None
    ) -> list[Part]:
        """Choose the lots that give points, those that end first; nothing is booked by it, but they are spoken for.

        Whatever spends points comes through here, so this is where frozen ones are refused. `only` says of a lot
        whether it may give any.

        Raises:
            InsufficientPoints: the member has fewer that can be spent.
            PointsFrozen: the member has frozen them.
        """
        refuse_frozen(member.state.id, member.state.counters)
        point_type = self._live.compiled.definition.points[points]
        available = member.state.balances.get(points, Balance()).available
        if amount > available:
            raise InsufficientPoints(member.id, points, available=available, wanted=amount)
        if not point_type.in_lots:
            return [Part(None, amount)]
        key = member.id, points
        if key not in self._lots:
            self._lots[key] = open_lots(self._connection, member.id, points)
        lots = self._lots[key]
        try:
            chosen = lots if only is None else [lot for lot in lots if only(lot)]
            parts = [Part(lot, part) for lot, part in burn(chosen, amount, self._now)]
        except LotsExhausted as short:
            raise InsufficientPoints(member.id, points, available=short.available, wanted=amount) from short
        taken = {part.lot.key: part.amount for part in parts if part.lot is not None}
        self._lots[key] = [lot._replace(remaining=lot.remaining - taken.get(lot.key, 0)) for lot in lots]
        return parts

    def book(
        self,
        member: InPlay,
        kind: Kind,
        postings: Sequence[Posting],
        by: By,
        *,
        outcome: Outcome | None = None,
        explanation: Explanation | None = None,
    ) -> JournalEntry:
        """Book an entry for a locked member; its balances move along. `outcome.points` follow from the postings.

        Raises:
            VelocityExceeded: a rule of the program refuses it; nothing was booked.
        """
        told = outcome or Outcome()
        program = self._live.compiled
        watched = self._watched(member, kind, postings, by)
        if watched is not None:
            told.velocity = watched[1].uses
        opens = {
            posting.point_type: floor_of(program, posting.point_type)
            for posting in postings
            if posting.point_type not in member.state.balances
        }
        if not told.moves:  # what was done to lots that were there is said by the moves
            told.points = told.points or _effects(kind, postings)
        for posting in postings:
            _move(balance_of(member.state, posting.point_type, opens.get(posting.point_type)), posting)
        postings = (*postings, *debts_paid(member.seq + 1, postings, member.state.balances))
        told.balances = {name: (b.available, b.pending, b.held) for name, b in member.state.balances.items()}
        told.levels = program.levels_of(member.state.counters)
        member.seq += 1
        member.updated_at = member.moment(self._now)
        member.booked = True
        item = next_due(program, member.state, member.updated_at)
        member.due_soonest = due_with(program, None if item is None else item.at, postings, member.updated_at)
        entry = JournalEntry(
            member_id=member.id,
            seq=member.seq,
            id=new_id(),
            program_id=self._live.program_id,
            program_version=program.version,
            kind=kind,
            occurred_at=self._now,
            booked_at=member.updated_at,
            actor=by.actor,
            reason=by.reason,
            idempotency_key=by.key,
            input_digest=by.digest,
            outcome=as_json(told),
            explanation=as_json(explanation or Explanation()),
            postings=postings,
            opens=opens,
        )
        self._writing.entry(entry)
        self._watch.keep(watched, entry.id, entry.seq, entry.booked_at, ())
        return entry

    def _watched(self, member: InPlay, kind: Kind, postings: Sequence[Posting], by: By) -> Watched:
        """What velocity rules count of an entry: points that are spent on rewards, held or taken."""
        if kind != "redemption" or not self._live.compiled.velocity:
            return None
        spent = [
            PointsEffect(one.point_type, -one.amount, kind)
            for one in postings
            if one.source == "available" and one.destination in {"held", "redeemed"}
        ]
        return self._watch.redemption(member.id, by.actor, spent, self._now) if spent else None

    def lock_spenders(self, actors: Collection[str]) -> None:
        """Lock by whom several redemptions are counted by velocity rules, all at once; after the members."""
        self._watch.lock_spenders(actors, self._now)

    def write(self) -> None:
        """Write what was booked; the caller commits."""
        self._writing.write(self._members.values())
        self._lots.clear()


def floor_of(program: CompiledProgram, points: str) -> int | None:
    """How low a new wallet may go; points that the program no longer has are moved, and never owed."""
    known = program.definition.points.get(points)
    return 0 if known is None else known.floor


def moved(
    points: str, parts: Sequence[Part], source: Account, destination: Account, campaign: str | None = None
) -> list[Posting]:
    """Postings that move parts of lots from one account to another."""
    return [
        Posting(
            point_type=points,
            source=source,
            destination=destination,
            amount=part.amount,
            campaign=campaign,
            lot=None if part.lot is None else LotKey(part.lot.seq, part.lot.line),
        )
        for part in parts
    ]


def _effects(kind: str, postings: Sequence[Posting]) -> list[PointsEffect]:
    """What came and went by campaign: moves between a member's own accounts are no effect."""
    sums: dict[tuple[str, str], int] = {}
    for posting in postings:
        comes = posting.destination in MEMBER_ACCOUNTS
        if comes != (posting.source in MEMBER_ACCOUNTS):
            key = posting.point_type, posting.campaign or kind
            sums[key] = sums.get(key, 0) + (posting.amount if comes else -posting.amount)
    return [PointsEffect(points, amount, campaign) for (points, campaign), amount in sums.items() if amount]


def _move(balance: Balance, posting: Posting) -> None:
    if posting.source in MEMBER_ACCOUNTS:
        setattr(balance, posting.source, getattr(balance, posting.source) - posting.amount)
    if posting.destination in MEMBER_ACCOUNTS:
        setattr(balance, posting.destination, getattr(balance, posting.destination) + posting.amount)
