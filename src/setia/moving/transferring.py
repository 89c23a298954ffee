"""Transferring: points of one member become another's, lot by lot, in one transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.codes.problems import ReferenceUsed
from setia.db.ids import format_id, new_id
from setia.engine.calendar import expires_at
from setia.engine.compiled_moving import CompiledTransfer, MovingRules
from setia.engine.counting import recount
from setia.engine.decision import Outcome
from setia.engine.moved import Moved
from setia.engine.moving import MovingReason, transfer_reasons, young_until
from setia.engine.state import Balance
from setia.events.acts import Acts, By, Part, moved
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.entries import Kind, LotKey, Posting
from setia.ledger.refusals import InsufficientPoints
from setia.ledger.wallets import all_open_lots, wallets_after
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import family_of
from setia.members.service import NoSuchMember
from setia.moving import transfer
from setia.moving.problems import NotTransferable, refused
from setia.moving.transfer import Transfer, TransferPart

TRANSFER_PREFIX = "xfr"
_KIND: Kind = "transfer"


class TransferAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to be moved, in the smallest unit of the point type.

    By `digest` the same request is known again. It is made of what was sent: whom a name means may change meanwhile.
    """

    giver: UUID
    receiver: UUID
    points: str
    amount: int
    digest: bytes
    gift: bool = False
    source: str = "api"
    reference: str | None = None


class Transferred(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer, and both members' wallets of its points right after it."""

    row: Transfer
    giver: Balance
    receiver: Balance
    replayed: bool = False


def transfer_points(
    connection: psycopg.Connection[Any], live: LiveProgram, asked: TransferAsked, actor: str, now: dt.datetime
) -> Transferred:
    """Move points in the caller's transaction; the same reference and request give the first answer again.

    Raises:
        NotTransferable, NoSuchMember, MoveRefused, ReferenceUsed, PointsFrozen: nothing was moved.
    """
    rules = live.compiled.transfers.get(asked.points)
    acts = Acts(connection, live, now)
    members = acts.lock({asked.giver, asked.receiver})
    # Under the locks: whoever sent the same at the same time has committed by now.
    earlier = made_before(connection, live, asked.source, asked.reference, asked.digest)
    if earlier is not None:
        return earlier
    if rules is None:
        known = ", ".join(live.compiled.transfers) or "none"
        raise NotTransferable(f"The program has no transfer of {asked.points!r}. It has: {known}.")
    giver, receiver = members.get(asked.giver), members.get(asked.receiver)
    if giver is None or receiver is None:
        raise NoSuchMember
    _check(connection, live, rules, (giver, receiver), asked.amount, acts.now)
    parts = take_old_enough(acts, live, giver, asked.points, asked.amount, rules.giver)
    postings = _received(connection, live, acts, rules, (giver, receiver), parts)
    return _move(connection, live, acts, asked, (giver, receiver), (parts, postings), actor)


def made_before(
    connection: psycopg.Connection[Any], live: LiveProgram, source: str, reference: str | None, digest: bytes
) -> Transferred | None:
    """The first answer to a request that was made before; raises `ReferenceUsed` where another one was."""
    earlier = transfer.find_by_reference(connection, live.program_id, source, reference)
    if earlier is None:
        return None
    if earlier.digest != digest:
        raise ReferenceUsed(f"{source} used {reference!r} for another transfer. Use a new one.")
    return told_again(connection, earlier)


def told_again(connection: psycopg.Connection[Any], row: Transfer) -> Transferred:
    """The first answer: the wallets as they were then, and nothing reversed."""
    first = msgspec.structs.replace(row, reversed=0)
    return Transferred(
        row=first,
        giver=wallets_after(connection, row.giver_id, row.giver_seq)[row.points],
        receiver=wallets_after(connection, row.receiver_id, row.receiver_seq)[row.points],
        replayed=True,
    )


def take_old_enough(
    acts: Acts, live: LiveProgram, member: InPlay, points: str, amount: int, rules: MovingRules
) -> list[Part]:
    """Choose the lots that give points, those that end first of those that may be moved.

    Raises:
        MoveRefused: those are too few.
    """
    program, now = live.compiled, acts.now
    try:
        return acts.take(member, points, amount, only=lambda lot: young_until(program, rules, lot.earned_at) <= now)
    except InsufficientPoints as short:
        reason = MovingReason("points_too_young", needed=amount, left=max(0, short.available))
        raise refused([reason]) from short


def begins_anew(live: LiveProgram, member: InPlay, points: str) -> list[str]:
    """The point types whose time without activity begins with what comes now: those the member had nothing of."""
    balance = member.state.balances.get(points, Balance())
    return [points] if points in live.compiled.inactive and balance.available + balance.pending <= 0 else []


def count_extended(live: LiveProgram, acts: Acts, member: InPlay, kind: Kind, outcome: Outcome) -> None:
    """Let the member's counters follow an outcome that is about to be booked."""
    state = member.state
    state.counters = recount(
        live.compiled, state.counters, kind, outcome, acts.now, member.moment(acts.now), state.enrolled_at
    )


def _check(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    rules: CompiledTransfer,
    sides: tuple[InPlay, InPlay],
    amount: int,
    now: dt.datetime,
) -> None:
    giver, receiver = sides
    zone = live.compiled.zone
    by_giver = transfer.used(
        connection,
        transfer.USED_BY_GIVER,
        family_of(connection, giver.id) if rules.giver.quotas else (),
        rules.points,
        rules.giver.quotas,
        now,
        zone,
    )
    by_receiver = transfer.used(
        connection,
        transfer.USED_BY_RECEIVER,
        family_of(connection, receiver.id) if rules.receiver_quotas else (),
        rules.points,
        rules.receiver_quotas,
        now,
        zone,
    )
    reasons = transfer_reasons(live.compiled, rules, giver.state, receiver.state, amount, (by_giver, by_receiver), now)
    if reasons:
        raise refused(reasons)


def _move(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    asked: TransferAsked,
    sides: tuple[InPlay, InPlay],
    what: tuple[list[Part], list[Posting]],
    actor: str,
) -> Transferred:
    (giver, receiver), (parts, postings) = sides, what
    identity = new_id()
    public = format_id(TRANSFER_PREFIX, identity)
    by = By(actor)
    gives = Moved("given", public, name_of(receiver), receiver.seq + 1, gift=asked.gift)
    gets = Moved("received", public, name_of(giver), giver.seq + 1, gift=asked.gift)
    extends = begins_anew(live, receiver, asked.points)
    given = acts.book(
        giver, _KIND, moved(asked.points, parts, "available", "transferred"), by, outcome=Outcome(moved=gives)
    )
    outcome = Outcome(moved=gets, extends=extends)
    count_extended(live, acts, receiver, _KIND, outcome)
    got = acts.book(receiver, _KIND, postings, by, outcome=outcome)
    row = Transfer(
        id=identity,
        giver_id=giver.id,
        receiver_id=receiver.id,
        created_at=acts.now,
        giver_seq=given.seq,
        receiver_seq=got.seq,
        amount=asked.amount,
        reversed=0,
        program_id=live.program_id,
        gift=asked.gift,
        points=asked.points,
        source=asked.source,
        reference=asked.reference,
        actor=actor,
        digest=asked.digest,
        parts=[
            TransferPart((part.lot.seq, part.lot.line), (got.seq, line), part.amount)
            for line, part in enumerate(parts)
            if part.lot is not None
        ],
    )
    acts.write()
    try:
        transfer.insert(connection, row)
    except errors.UniqueViolation as error:
        # Of other members, at the same moment: the locks of these keep it not out.
        raise ReferenceUsed("It was used for another transfer at this moment. Use a new one.") from error
    balances = giver.state.balances[asked.points], receiver.state.balances[asked.points]
    return Transferred(row=row, giver=balances[0], receiver=balances[1])


def name_of(member: InPlay) -> str:
    """A member as the journal of another one names it."""
    return format_id(MEMBER_PREFIX, member.id)


def _received(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    rules: CompiledTransfer,
    sides: tuple[InPlay, InPlay],
    parts: list[Part],
) -> list[Posting]:
    """One lot of the receiver for each lot of the giver, of the same origin and age."""
    giver, receiver = sides
    origins: dict[LotKey, str | None] = {
        one.lot.key: one.campaign for one in all_open_lots(connection, [giver.id])[giver.id]
    }
    program = live.compiled
    fresh = rules.definition.expiry == "fresh"
    ends = None
    if fresh:
        levels = program.levels_of(receiver.state.counters)
        ends = expires_at(acts.now, program.expiry_of(rules.points, ""), program.zone, levels)
    return [
        Posting(
            point_type=rules.points,
            source="transferred",
            destination="available",
            amount=part.amount,
            campaign=origins.get(part.lot.key),
            opens_lot=True,
            earned_at=part.lot.earned_at,
            expires_at=ends if fresh else part.lot.expires_at,
        )
        for part in parts
        if part.lot is not None
    ]
