"""Exchanging: points of one type go, points of another come at a rate, and what the rate leaves over stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.codes.problems import ReferenceUsed
from setia.db.ids import format_id, new_id
from setia.engine.calendar import expires_at
from setia.engine.compiled_moving import CompiledExchange
from setia.engine.decision import Outcome
from setia.engine.moved import Moved
from setia.engine.moving import exchange_reasons
from setia.engine.state import Balance
from setia.events.acts import Acts, By, Part, moved
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.entries import Kind, Posting
from setia.ledger.wallets import wallets_after
from setia.members.merges import family_of
from setia.members.service import NoSuchMember
from setia.moving import exchanged
from setia.moving.exchanged import Exchanged
from setia.moving.problems import NoSuchExchange, refused
from setia.moving.transfer import used
from setia.moving.transferring import begins_anew, count_extended, take_old_enough

EXCHANGE_PREFIX = "exc"
_KIND: Kind = "exchange"


class ExchangeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to exchange: at most `amount` smallest units of what the exchange takes.

    By `digest` the same request is known again. It is made of what was sent: whom a name means may change meanwhile.
    """

    member: UUID
    exchange: str
    amount: int
    digest: bytes
    source: str = "api"
    reference: str | None = None


class ExchangeDone(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange, and the member's wallets right after it."""

    row: Exchanged
    balances: dict[str, Balance]
    replayed: bool = False


def exchange_points(
    connection: psycopg.Connection[Any], live: LiveProgram, asked: ExchangeAsked, actor: str, now: dt.datetime
) -> ExchangeDone:
    """Exchange points in the caller's transaction; the same reference and request give the first answer again.

    Raises:
        NoSuchExchange, NoSuchMember, MoveRefused, ReferenceUsed, PointsFrozen: nothing was moved.
    """
    rules = live.compiled.exchanges.get(asked.exchange)
    acts = Acts(connection, live, now)
    member = acts.lock([asked.member]).get(asked.member)
    earlier = made_before(connection, live, asked.source, asked.reference, asked.digest)
    if earlier is not None:
        return earlier
    if rules is None:
        known = ", ".join(live.compiled.exchanges) or "none"
        raise NoSuchExchange(f"The program has no exchange {asked.exchange!r}. It has: {known}.")
    if member is None:
        raise NoSuchMember
    family = family_of(connection, member.id) if rules.rules.quotas else ()
    usage = used(connection, exchanged.USED, family, rules.id, rules.rules.quotas, acts.now, live.compiled.zone)
    reasons = exchange_reasons(live.compiled, rules, member.state, asked.amount, usage, acts.now)
    if reasons:
        raise refused(reasons)
    return _exchange(connection, live, acts, rules, member, asked, actor)


def made_before(
    connection: psycopg.Connection[Any], live: LiveProgram, source: str, reference: str | None, digest: bytes
) -> ExchangeDone | None:
    """The first answer to a request that was made before; raises `ReferenceUsed` where another one was."""
    earlier = exchanged.find_by_reference(connection, live.program_id, source, reference)
    if earlier is None:
        return None
    if earlier.digest != digest:
        raise ReferenceUsed(f"{source} used {reference!r} for another exchange. Use a new one.")
    return told_again(connection, earlier)


def told_again(connection: psycopg.Connection[Any], row: Exchanged) -> ExchangeDone:
    """The first answer: the wallets as they were then."""
    return ExchangeDone(row=row, balances=wallets_after(connection, row.member_id, row.seq), replayed=True)


def _exchange(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    rules: CompiledExchange,
    member: InPlay,
    asked: ExchangeAsked,
    actor: str,
) -> ExchangeDone:
    identity = new_id()
    definition = rules.definition
    taken, got = rules.result(asked.amount)
    parts = take_old_enough(acts, live, member, definition.given, taken, rules.rules)
    postings = [
        *moved(definition.given, parts, "available", "redeemed", _KIND),
        *_got(live, acts, rules, member, parts, taken, got),
    ]
    outcome = Outcome(
        moved=Moved("exchanged", format_id(EXCHANGE_PREFIX, identity), exchange=rules.id),
        extends=begins_anew(live, member, definition.got),
    )
    count_extended(live, acts, member, _KIND, outcome)
    entry = acts.book(member, _KIND, postings, By(actor, rules.id), outcome=outcome)
    row = Exchanged(
        id=identity,
        member_id=member.id,
        created_at=acts.now,
        seq=entry.seq,
        given=taken,
        got=got,
        program_id=live.program_id,
        exchange=rules.id,
        given_points=definition.given,
        got_points=definition.got,
        source=asked.source,
        reference=asked.reference,
        actor=actor,
        digest=asked.digest,
    )
    acts.write()
    try:
        exchanged.insert(connection, row)
    except errors.UniqueViolation as error:
        # Of another member, at the same moment: the lock of this one does not keep it out.
        raise ReferenceUsed("It was used for another exchange at this moment. Use a new one.") from error
    return ExchangeDone(row=row, balances=member.state.balances)


def _got(
    live: LiveProgram,
    acts: Acts,
    rules: CompiledExchange,
    member: InPlay,
    parts: Sequence[Part],
    taken: int,
    got: int,
) -> list[Posting]:
    """What comes: one lot as if it had been earned now, or one for each lot that gave, with its end."""
    program, points = live.compiled, rules.definition.got
    if not program.definition.points[points].in_lots:
        return [_posting(points, got)]
    if rules.definition.expiry == "fresh":
        levels = program.levels_of(member.state.counters)
        ends = expires_at(acts.now, program.expiry_of(points, ""), program.zone, levels)
        return [_posting(points, got, earned_at=acts.now, ends=ends)]
    made, before, shared = [], 0, 0
    for part in parts:
        # By running sums: what each lot brings is rounded, and all of them together come to the whole.
        before += part.amount
        share = before * got // taken - shared
        if share and part.lot is not None:
            made.append(_posting(points, share, earned_at=part.lot.earned_at, ends=part.lot.expires_at))
        shared += share
    return made


def _posting(
    points: str, amount: int, *, earned_at: dt.datetime | None = None, ends: dt.datetime | None = None
) -> Posting:
    return Posting(
        point_type=points,
        source="issued",
        destination="available",
        amount=amount,
        campaign=_KIND,
        opens_lot=earned_at is not None,
        earned_at=earned_at,
        expires_at=ends,
    )
