"""Buying points and giving them back, in the caller's transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.api.idempotency import KeyReused
from setia.codes.problems import ReferenceUsed
from setia.db.ids import new_id
from setia.engine.calendar import after, after_day, expires_at
from setia.engine.counting import recount
from setia.engine.decision import Outcome
from setia.engine.reward_periods import period_bounds
from setia.engine.state import Balance
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.lot_places import lots_now
from setia.events.members_in_play import InPlay
from setia.ledger.entries import Kind, LotKey, Posting
from setia.ledger.wallets import open_lots, wallets_after
from setia.members.merges import family_of
from setia.members.service import NoSuchMember, StatusConflict
from setia.problems import Conflict
from setia.program.sales import Sale
from setia.rewards.terms import terms_of
from setia.sales import sold
from setia.sales.price import NoSuchSale, check_paid, comes_back, price_of
from setia.sales.sold import PointSale

KIND: Kind = "sale"


class SaleLimit(Conflict):
    """The member would buy more points than the sale allows."""

    code = "sale_limit"
    title = "The member cannot buy so many points now"


class NotRefundable(Conflict):
    """What was bought cannot be given back; `reason` says why."""

    code = "sale_not_refundable"
    title = "These points cannot be given back"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a member buys: so many points of the smallest unit, for which so much was paid."""

    member: UUID
    sale: str
    points: int
    money: int
    source: str = "api"
    reference: str | None = None


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, and the member's wallet of these points right after it. `replayed`: it had been made before."""

    row: PointSale
    balance: Balance
    replayed: bool = False


def buy(connection: psycopg.Connection[Any], live: LiveProgram, asked: Asked, by: By, now: dt.datetime) -> Sold:
    """Sell points to a member; the same key or reference and the same request give the first answer again.

    Raises:
        NoSuchMember, NoSuchSale, InvalidSale, SaleLimit, StatusConflict, KeyReused, ReferenceUsed.
    """
    acts = Acts(connection, live, now)
    member = acts.lock([asked.member]).get(asked.member)
    if member is None:
        raise NoSuchMember
    digest = hashlib.sha256(msgspec.json.encode(asked)).digest()
    earlier = _earlier(connection, live, asked, by.key, digest)
    if earlier is not None:
        return earlier
    sale = live.compiled.definition.sales.get(asked.sale)
    if sale is None or not sale.enabled:
        known = ", ".join(name for name, one in live.compiled.definition.sales.items() if one.enabled) or "none"
        raise NoSuchSale(f"The program has no sale {asked.sale!r}. It has: {known}.")
    if member.state.status != "active":
        raise StatusConflict(f"The member is {member.state.status}; points are sold to active members only.")
    check_paid(live.compiled, price_of(live.compiled, sale, asked.points), asked.money)
    _check_limits(connection, live, member, asked, sale, acts.now)
    posting = _bought(live, member, sale, asked.points, acts.now)
    entry = _book(live, acts, member, [posting], By(by.actor, asked.sale), gets=sale.points)
    row = PointSale(
        id=new_id(),
        member_id=member.id,
        bought_at=acts.now,
        refunded_at=None,
        refunded_id=None,
        seq=entry,
        refunded_seq=None,
        amount=asked.points,
        money=asked.money,
        refunded=0,
        money_back=0,
        program_id=live.program_id,
        program_version=live.compiled.version,
        sale=asked.sale,
        points=sale.points,
        source=asked.source,
        reference=asked.reference,
        idempotency_key=by.key,
        digest=digest,
        actor=by.actor,
        refunded_by=None,
        reason=None,
    )
    acts.write()
    try:
        sold.insert(connection, row)
    except errors.UniqueViolation as error:
        # Another member's, at the same moment: the lock of this one does not keep it out.
        if error.diag.constraint_name == sold.KEY_INDEX:
            raise KeyReused("It was used for another sale. Use a new key for a new request.") from error
        raise ReferenceUsed("It was used for another sale at this moment. Use a new one.") from error
    return Sold(row=row, balance=member.state.balances[sale.points])


def refund(connection: psycopg.Connection[Any], live: LiveProgram, sale_id: UUID, by: By, now: dt.datetime) -> Sold:
    """Take back what is left of bought points; `by` needs a reason. Again, it changes nothing.

    Raises:
        NoSuchSale, NotRefundable.
    """
    found = sold.find(connection, live.program_id, sale_id)
    if found is None:
        raise NoSuchSale
    acts = Acts(connection, live, now)
    member = acts.lock([found.member_id])[found.member_id]
    row = sold.find(connection, live.program_id, sale_id) or found
    if row.refunded_at is not None:
        return Sold(row=row, balance=_balance(member, row), replayed=True)
    lot, left = _left(connection, member, row)
    _check_refund(live, row, left, acts.now)
    back = Posting(
        point_type=row.points,
        source="available",
        destination="issued",
        amount=left,
        campaign=KIND,
        lot=lot,
    )
    entry = _book(live, acts, member, [back], By(by.actor, by.reason))
    refunded = msgspec.structs.replace(
        row,
        refunded_at=acts.now,
        refunded_id=member.id,
        refunded_seq=entry,
        refunded=left,
        money_back=comes_back(row.amount, row.money, left),
        refunded_by=by.actor,
        reason=by.reason,
    )
    acts.write()
    sold.refund(connection, refunded)
    return Sold(row=refunded, balance=_balance(member, row))


def _earlier(
    connection: psycopg.Connection[Any], live: LiveProgram, asked: Asked, key: str | None, digest: bytes
) -> Sold | None:
    found = sold.find_by_key(connection, live.program_id, key, asked.source, asked.reference)
    if found is None:
        return None
    if found.digest != digest:
        if key is not None and found.idempotency_key == key:
            raise KeyReused("It was used for another sale. Use a new key for a new request.")
        raise ReferenceUsed(f"{asked.source} used {asked.reference!r} for another sale. Use a new one.")
    first = msgspec.structs.replace(
        found,
        refunded_at=None,
        refunded_id=None,
        refunded_seq=None,
        refunded=0,
        money_back=0,
        refunded_by=None,
        reason=None,
    )
    balance = wallets_after(connection, found.member_id, found.seq)[found.points]
    return Sold(row=first, balance=balance, replayed=True)


def _check_limits(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member: InPlay,
    asked: Asked,
    sale: Sale,
    now: dt.datetime,
) -> None:
    family = family_of(connection, member.id) if sale.quotas else []
    unit = live.compiled.units[sale.points]
    for quota in sale.quotas:
        since, until = period_bounds(quota.every, now, live.compiled.zone)
        left = int(quota.points * unit) - sold.bought(connection, family, asked.sale, since, until)
        if asked.points > left:
            period = "ever" if quota.every == "ever" else f"each {quota.every}"
            raise SaleLimit(
                f"It sells {quota.points:f} {sale.points} {period} to a member.",
                extra={
                    "left": max(0, left),
                    "every": quota.every,
                    "until": None if until is None else until.isoformat(),
                },
            )


def _bought(live: LiveProgram, member: InPlay, sale: Sale, amount: int, now: dt.datetime) -> Posting:
    program = live.compiled
    if sale.valid_for is None:
        levels = program.levels_of(member.state.counters)
        ends = expires_at(now, program.definition.points[sale.points].expiry, program.zone, levels)
    elif sale.valid_for.unit in {"minutes", "hours"}:
        ends = after(now, sale.valid_for, program.zone)
    else:
        ends = after_day(now, sale.valid_for, program.zone)
    return Posting(
        point_type=sale.points,
        source="issued",
        destination="available",
        amount=amount,
        campaign=KIND,
        opens_lot=True,
        earned_at=now,
        expires_at=ends,
    )


def _book(
    live: LiveProgram, acts: Acts, member: InPlay, postings: list[Posting], by: By, gets: str | None = None
) -> int:
    """Book an entry; to buy points is to be active for those that end by inactivity."""
    program, state = live.compiled, member.state
    outcome = Outcome(extends=[gets] if gets in program.inactive and gets is not None else [])
    if outcome.extends:
        booked_at = member.moment(acts.now)
        state.counters = recount(program, state.counters, KIND, outcome, acts.now, booked_at, state.enrolled_at)
    return acts.book(member, KIND, postings, by, outcome=outcome).seq


def _left(connection: psycopg.Connection[Any], member: InPlay, row: PointSale) -> tuple[LotKey, int]:
    """What nobody has spent, moved or ended of the bought lot, and where that lies: a merge takes it along."""
    bought = LotKey(row.seq, 0)
    place = lots_now(connection, row.member_id, [bought], member.id).get(bought)
    lots = open_lots(connection, member.id, row.points)
    return place or bought, sum(lot.remaining for lot in lots if lot.key == place)


def _check_refund(live: LiveProgram, row: PointSale, left: int, now: dt.datetime) -> None:
    # As they were sold: what is published later does not take back what the buyer was promised.
    sale = terms_of(live, row.program_version).compiled.definition.sales[row.sale]
    if sale.refund == "never":
        raise NotRefundable("What was sold stays sold (`refund: never`).", extra={"reason": "never"})
    if now > after(row.bought_at, sale.refund_within, live.compiled.zone):
        message = f"They could be given back for {sale.refund_within} (`refund_within`)."
        raise NotRefundable(message, extra={"reason": "too_late"})
    if not left or (sale.refund == "whole" and left < row.amount):
        message = f"{left} of {row.amount} {row.points} are left."
        raise NotRefundable(message, extra={"reason": "spent", "left": left})


def _balance(member: InPlay, row: PointSale) -> Balance:
    return member.state.balances.get(row.points, Balance())
