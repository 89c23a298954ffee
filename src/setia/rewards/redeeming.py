"""Redeeming: points, stock and a code are held for a member, or taken at once; once for each key or reference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.api.idempotency import KeyReused
from setia.db.exchange import Exchange
from setia.db.ids import new_id
from setia.engine.calendar import after
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.reward_reasons import Reason
from setia.engine.rewards import Available, Price, Wish, availability, stock_keys, usable, worth_of
from setia.engine.state import Balance
from setia.events.acts import Acts, By, Part, moved
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.ledger.entries import Account
from setia.ledger.wallets import wallets_after
from setia.members.service import NoSuchMember
from setia.problems import ErrorItem, Problem
from setia.program.names import Period
from setia.rewards import redemption, stock
from setia.rewards.card_rewards import check_card, hand_out
from setia.rewards.codes import CodeBook, digest_of
from setia.rewards.ending import expire_holds, first_fulfilment
from setia.rewards.giving_back import KIND
from setia.rewards.issuing import issue, make, making, reserve, shown_again
from setia.rewards.partnered import ask_partner
from setia.rewards.problems import InvalidRedemption, NoSuchReward, ReferenceUsed, RewardUnavailable
from setia.rewards.redemption import Known, Redemption, Taken
from setia.rewards.terms import terms_of

LONGEST_HOLD = dt.timedelta(days=31, hours=1)  # 31 days may hold the hour that the clocks go back
_KEY_REUSED = "It was used for another redemption. Use a new key for a new request."
_KEY_INDEX = "uq_redemption_program_id_idempotency_key"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to redeem. `confirm`: at once, in one step; `ttl`: how long it is held instead."""

    member: UUID
    reward: str
    quantity: int = 1
    date: str | None = None
    confirm: bool = False
    ttl: Period | None = None
    till: str = "api"
    reference: str | None = None
    gift_card: UUID | None = None
    """The card that a reward which is one loads; without it a new one is issued."""


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption as it was after the request, the member's wallets then, and the code where it can be shown."""

    row: Redemption
    balances: dict[str, Balance]
    code: str | None = None
    replayed: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A request: what is asked for, by whom, under which Idempotency-Key, and when."""

    asked: Asked
    actor: str
    key: str | None
    now: dt.datetime

    @property
    def digest(self) -> bytes:
        """By which the same request is known again."""
        *said, card = msgspec.structs.astuple(self.asked)
        return digest_of(*said) if card is None else digest_of(*said, card)


class _Made(msgspec.Struct, frozen=True):
    """A redemption that is decided, and not written yet."""

    row: Redemption
    reward: CompiledReward
    member: InPlay
    gift_card: UUID | None = None


def redeem(
    connection: psycopg.Connection[Any], live: LiveProgram, book: CodeBook, wanted: Sequence[Wanted]
) -> list[Redeemed | Problem]:
    """Hold or redeem in the caller's transaction, for different members; the same request again gives it again.

    A request that is refused gives its problem, and its neighbours go on: `RewardUnavailable` with every reason,
    `NoSuchReward`, `NoSuchMember`, `InvalidRedemption`, `KeyReused`, `ReferenceUsed`.

    Raises:
        StockExhausted, KeyReused, ReferenceUsed: others were faster, in this transaction or beside it. Nothing may be
            kept of it.
    """
    acts = Acts(connection, live, max(one.now for one in wanted))
    members = acts.lock({one.asked.member for one in wanted})
    if len({member.id for member in members.values()}) < len(members):
        raise stock.StockExhausted("two who were merged: each is decided after the other")
    acts.lock_spenders({one.actor for one in wanted})
    named = [members[one.asked.member].id if one.asked.member in members else one.asked.member for one in wanted]
    looks = [
        (member, (one.key, one.asked.till, one.asked.reference)) for member, one in zip(named, wanted, strict=True)
    ]
    exchange = Exchange(connection)
    read_known = redemption.ask_known(exchange, live.program_id, looks, acts.now)
    read_lots = acts.ask_lots(exchange, {member.id for member in members.values()})
    exchange.send()
    read_lots()
    known = read_known()
    overdue = [row for one in known for row in one.overdue]
    if overdue:
        expire_holds(connection, live, acts, members, overdue)
        acts.write()
    found: list[Redeemed | Problem | _Made] = []
    for one, before in zip(wanted, known, strict=True):
        try:
            found.append(_decide(connection, live, book, acts, members.get(one.asked.member), one, before))
        except Problem as problem:
            found.append(problem)
    made = [one for one in found if isinstance(one, _Made)]
    codes = _write(connection, live, acts, book, made)
    _take_stock(connection, live, made, acts.now)
    return [
        Redeemed(row=one.row, balances=one.member.state.balances, code=codes[one.row.id])
        if isinstance(one, _Made)
        else one
        for one in found
    ]


def _decide(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    book: CodeBook,
    acts: Acts,
    member: InPlay | None,
    wanted: Wanted,
    known: Known,
) -> Redeemed | _Made:
    asked = wanted.asked
    if member is None:
        raise NoSuchMember
    earlier = _earlier(known, asked, wanted.digest)
    if earlier is not None:
        return _again(connection, live, book, earlier, acts.now)
    reward = live.compiled.rewards.get(asked.reward)
    if reward is None:
        raise NoSuchReward(f"The program has no reward {asked.reward!r}.")
    check_card(reward.definition, asked.gift_card)
    price = _price(connection, live, reward, member, asked, acts.now)
    hold_until = None if asked.confirm else _hold_until(live, reward, asked, acts.now)
    parts = {points: acts.take(member, points, amount) for points, amount in price.points.items()}
    destination: Account = "redeemed" if asked.confirm else "held"
    postings = [
        posting for points, taken in parts.items() for posting in moved(points, taken, "available", destination)
    ]
    entry = acts.book(member, KIND, postings, By(wanted.actor, reward.id))
    row = msgspec.structs.replace(
        _row(live, reward, asked, price, acts.now, hold_until),
        # Not always who was named: that one may have been merged into this one.
        member_id=member.id,
        seq=entry.seq,
        actor=wanted.actor,
        idempotency_key=wanted.key,
        digest=wanted.digest,
        parts=_taken(parts),
    )
    return _Made(row, reward, member, asked.gift_card)


def _take_stock(
    connection: psycopg.Connection[Any], live: LiveProgram, made: Sequence[_Made], now: dt.datetime
) -> None:
    """Count redemptions, in the order of rewards, in which everybody does."""
    for one in sorted(made, key=lambda one: one.reward.id):
        limits = stock_keys(live.compiled, one.reward, now, one.row.date)
        stock.take(connection, live.program_id, one.reward.id, limits, one.row.quantity)


def _earlier(known: Known, asked: Asked, digest: bytes) -> Redemption | None:
    """The redemption that this request has made already."""
    if known.by_key is not None and known.by_key.digest != digest:
        raise KeyReused(_KEY_REUSED)
    if known.by_reference is not None and known.by_reference.digest != digest:
        raise ReferenceUsed(f"{asked.till} used {asked.reference!r} for another redemption. Use a new one.")
    return known.by_key or known.by_reference


def _again(
    connection: psycopg.Connection[Any], live: LiveProgram, book: CodeBook, row: Redemption, now: dt.datetime
) -> Redeemed:
    """The first answer: as the redemption was when it was made, whatever became of it."""
    balances = wallets_after(connection, row.member_id, row.seq)
    terms = terms_of(live, row.program_version).compiled
    if row.hold_until is not None:
        first = msgspec.structs.replace(
            row,
            state="held",
            confirmed=0,
            # A part that was confirmed made both less.
            money=row.money // (row.confirmed or row.quantity) * row.quantity,
            worth=worth_of(terms, terms.rewards[row.reward], row.quantity),
            confirmed_at=None,
            ended_at=None,
            valid_from=None,
            valid_until=None,
            fulfilment=None,
        )
        return Redeemed(row=first, balances=balances, replayed=True)
    first = msgspec.structs.replace(row, state="confirmed", ended_at=None)
    reward = terms.definition.rewards.get(row.reward)
    return Redeemed(row=first, balances=balances, code=shown_again(connection, book, row, reward, now), replayed=True)


def _price(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    reward: CompiledReward,
    member: InPlay,
    asked: Asked,
    now: dt.datetime,
) -> Price:
    used = stock.used_of(connection, live.compiled, live.program_id, member.id, [reward.id], now)[reward.id]
    wish = Wish(asked.quantity, asked.date)
    if reward.definition.dates and asked.date is None:
        raise unavailable([Reason("date_needed")])
    found = availability(live.compiled, reward, member.state, used, now, wish)
    if not isinstance(found, Available):
        raise unavailable(found)
    return found.price


def unavailable(reasons: list[Reason]) -> RewardUnavailable:
    """The problem that says why."""
    codes = ", ".join(dict.fromkeys(reason.code for reason in reasons))
    plain = [redemption.plain_reason(reason) for reason in reasons]
    return RewardUnavailable(f"Why not: {codes}.", extra={"reasons": plain})


def _hold_until(live: LiveProgram, reward: CompiledReward, asked: Asked, now: dt.datetime) -> dt.datetime:
    until = after(now, asked.ttl or reward.definition.hold, live.compiled.zone)
    if not now < until <= now + LONGEST_HOLD:
        item = ErrorItem(pointer="#/ttl", message="must be some time, and 31 days at most", hint="Write 15min.")
        raise InvalidRedemption("Nothing was held.", errors=[item])
    return until


def _taken(parts: dict[str, list[Part]]) -> list[Taken]:
    return [
        Taken(points, part.amount)
        if part.lot is None
        else Taken(points, part.amount, (part.lot.seq, part.lot.line), part.lot.expires_at)
        for points, taken in parts.items()
        for part in taken
    ]


def _row(
    live: LiveProgram,
    reward: CompiledReward,
    asked: Asked,
    price: Price,
    now: dt.datetime,
    hold_until: dt.datetime | None,
) -> Redemption:
    """What follows from the request and the reward; who asked and which points it took is still to be said."""
    begins, ends = usable(live.compiled, reward, now, asked.date) if asked.confirm else (None, None)
    return Redemption(
        id=new_id(),
        member_id=asked.member,
        created_at=now,
        hold_until=hold_until,
        confirmed_at=now if asked.confirm else None,
        ended_at=None,
        valid_from=begins,
        valid_until=ends,
        seq=0,
        quantity=asked.quantity,
        confirmed=asked.quantity if asked.confirm else 0,
        money=price.money,
        worth=worth_of(live.compiled, reward, asked.quantity),
        program_id=live.program_id,
        program_version=live.compiled.version,
        state="confirmed" if asked.confirm else "held",
        reward=reward.id,
        date=asked.date,
        fulfilment=first_fulfilment(reward.definition.kind) if asked.confirm else None,
        till=asked.till,
        reference=asked.reference,
        idempotency_key=None,
        digest=b"",
        actor="",
        stock_keys=list(stock_keys(live.compiled, reward, now, asked.date)),
        cost={points: amount // asked.quantity for points, amount in price.points.items()},
        parts=[],
    )


def _write(
    connection: psycopg.Connection[Any], live: LiveProgram, acts: Acts, book: CodeBook, made: Sequence[_Made]
) -> dict[UUID, str | None]:
    """Write entries, redemptions and their codes, in one go; gives the codes that are handed out now."""
    confirmed = [one for one in made if one.row.state == "confirmed"]
    codes = {one.row.id: make(book, one.row, one.reward.definition) for one in confirmed}
    fresh = [code for code in codes.values() if code is not None]
    if made:
        acts.beside(*redemption.insertion([one.row for one in made]))
    if fresh:
        acts.beside(*making(fresh))
    try:
        acts.write()
    except errors.UniqueViolation as error:
        # Another member's, at the same moment: the lock of this one does not keep it out.
        if error.diag.constraint_name == _KEY_INDEX:
            raise KeyReused(_KEY_REUSED) from error
        raise ReferenceUsed("It was used for another redemption at this moment. Use a new one.") from error
    told: dict[UUID, str | None] = {one.row.id: None for one in made}
    for one in made:
        reserve(connection, one.row, one.reward.definition)
        if one.row.state == "confirmed":
            ask_partner(connection, live.compiled, one.row, one.reward.definition)
        code = codes.get(one.row.id)
        if code is not None:
            told[one.row.id] = code.text
        elif one.row.state == "confirmed" and one.reward.definition.card is not None:
            told[one.row.id] = hand_out(connection, live, book, one.row, one.reward.definition, one.gift_card)
        elif one.row.state == "confirmed":
            told[one.row.id] = issue(connection, book, one.row, one.reward.definition)
    return told
