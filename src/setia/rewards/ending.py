"""How a hold ends: confirmed in full or part, cancelled or expired; and how a confirmed redemption is refunded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.engine.calendar import after
from setia.engine.decision import Outcome, PointsEffect
from setia.engine.reward_sentences import PARTNER
from setia.engine.rewards import usable, worth_of
from setia.events.acts import Acts, By
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.problems import MemberNotActive
from setia.ledger.booking import earlier
from setia.ledger.entries import LotKey, Posting
from setia.problems import ErrorItem
from setia.program.rewards import Reward
from setia.rewards import entitlements, issuing, partnered, redemption, stock
from setia.rewards.card_rewards import check_card, hand_out, take_back
from setia.rewards.codes import CodeBook
from setia.rewards.giving_back import KIND, Returned, give_back
from setia.rewards.problems import CodeUnusable, InvalidRedemption, NoSuchRedemption, RedemptionEnded
from setia.rewards.redemption import Redemption, State, Taken
from setia.rewards.terms import terms_of

SYSTEM = "system"
_DELIVERED = {"physical", "partner", "donation"}


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption after a request about it, and the code where it can be shown. `replayed`: it was so before."""

    row: Redemption
    code: str | None = None
    replayed: bool = False


class Ending:
    """What is done to one redemption in the caller's transaction, with its member locked."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveProgram,
        book: CodeBook,
        redemption_id: UUID,
        now: dt.datetime,
    ) -> None:
        """Raises `NoSuchRedemption`."""
        self._connection, self._live, self._book = connection, live, book
        found = redemption.find(connection, live.program_id, redemption_id)
        if found is None:
            raise NoSuchRedemption
        self._acts = Acts(connection, live, now)
        self._member = self._acts.lock([found.member_id])[found.member_id]
        # Read again: it may have ended while the lock was waited for, and under the lock nobody changes it.
        self._row = redemption.find(connection, live.program_id, redemption_id) or found
        while self._row.member_id != self._member.id:
            # A merge was undone meanwhile, and the redemption went back with its points.
            self._member = self._acts.lock([self._row.member_id])[self._row.member_id]
            self._row = redemption.find(connection, live.program_id, redemption_id) or found
        self._terms = terms_of(live, self._row.program_version)
        self._now = self._acts.now

    def confirm(self, quantity: int | None, actor: str, gift_card: UUID | None = None) -> Ended:
        """Redeem what is held, or so much of it; the rest comes back. Again, it gives the same answer.

        `gift_card` is the card to load, where the reward is one; else a new one is issued.
        """
        row = self._row
        state = row.state_at(self._now)
        wanted = row.quantity if quantity is None else quantity
        reward = self._terms.compiled.definition.rewards[row.reward]
        if row.counts == wanted and row.state != "held":
            code = issuing.shown_again(self._connection, self._book, row, reward, self._now)
            return Ended(row=row, code=code, replayed=True)
        if state != "held":
            raise RedemptionEnded(f"It is {state}, so it cannot be confirmed{_hint(state)}.", extra={"state": state})
        if not 1 <= wanted <= row.quantity:
            item = ErrorItem(pointer="#/quantity", message=f"must be 1 to {row.quantity}, which is what is held")
            raise InvalidRedemption("Nothing was confirmed.", errors=[item])
        if self._member.state.status != "active":
            # Nothing is spent for who is suspended, not even what was held before: that is what suspending is for.
            raise self._not_active("Cancel it, or let it end by itself.")
        check_card(reward, gift_card)
        kept, rest = split(row.parts, redemption.cost_of(row, wanted))
        back = give_back(self._live.compiled, row, rest, "held", self._now)
        spent = [_posting(part) for part in kept]
        effects = _spent(kept) + back.effects
        confirmed = self._confirmed(row, wanted, kept)
        self._book_entry(Returned([*spent, *back.postings], effects, back.ends), actor)
        redemption.save(self._connection, confirmed)
        if reward.card is not None:
            # A kind of card that was taken out since is issued as it was promised.
            known = reward.card in self._live.compiled.definition.gift_cards
            terms = self._live if known else self._terms
            code = hand_out(self._connection, terms, self._book, confirmed, reward, gift_card)
        else:
            code = issuing.issue(self._connection, self._book, confirmed, reward)
        partnered.ask_partner(self._connection, self._live.compiled, confirmed, reward)
        self._acts.write()
        if wanted < row.quantity:
            stock.give_back(self._connection, row.program_id, row.reward, row.stock_keys, row.quantity - wanted)
        return Ended(row=confirmed, code=code)

    def cancel(self, actor: str) -> Ended:
        """End a hold: its points and its stock come back. Again, or after it has expired, it changes nothing."""
        if self._row.state in {"cancelled", "expired"}:
            return Ended(row=self._row, replayed=True)
        if self._row.state != "held":
            refusal = f"It is {self._row.state}, so it cannot be cancelled{_hint(self._row.state)}."
            raise RedemptionEnded(refusal, extra={"state": self._row.state})
        self._check_open()
        ended = end_hold(
            self._connection,
            self._live,
            self._acts,
            self._member,
            self._row,
            "cancelled" if self._row.state_at(self._now) == "held" else "expired",
            actor,
        )
        self._acts.write()
        stock.give_back(self._connection, ended.program_id, ended.reward, ended.stock_keys, self._row.quantity)
        return Ended(row=ended)

    def refund(self, actor: str) -> Ended:
        """Give the points of a confirmed redemption back to their lots. Again, it changes nothing."""
        row = self._row
        if row.state == "refunded":
            return Ended(row=row, replayed=True)
        if row.state not in {"confirmed", "partly"}:
            state = row.state_at(self._now)
            raise RedemptionEnded(f"It is {state}, so there is nothing to refund.", extra={"state": state})
        if row.event_id is not None:
            message = "It was redeemed with an order. Send the order's return: its rewards come back with all of it."
            raise RedemptionEnded(message, extra={"state": row.state})
        if redemption.in_draw(self._connection, row.id):
            message = "Its tickets were in a draw, so they cannot be given back. Adjust the points by hand instead."
            raise RedemptionEnded(message, extra={"state": row.state})
        if entitlements.is_used(self._connection, row.id):
            message = "It has been used. Release its uses first: POST /v1/entitlements/release."
            raise RedemptionEnded(message, extra={"state": row.state})
        self._check_open()
        self._check_refund(row)
        partnered.withdraw(self._connection, row)
        take_back(self._connection, self._live, row, self._now, actor)
        issuing.void(self._connection, row, self._now)
        if issuing.is_used(self._connection, row.id):
            message = "Its code has been used. Release the use at its till first: POST /v1/codes/release."
            raise CodeUnusable(message, extra={"reason": "used"})
        return self._refunded(actor)

    def _check_open(self) -> None:
        """Raise `MemberNotActive` where nobody moves points any more by hand, but time and partners still may."""
        if self._member.state.status == "closed":
            raise self._not_active("A closed member's points stay as they are; a hold ends by itself.")

    def _not_active(self, hint: str) -> MemberNotActive:
        state = self._member.state
        return MemberNotActive(
            f"The member is {state.status}. {hint}", extra={"member": state.id, "member_status": state.status}
        )

    def delivered(self) -> None:
        """Its partner has delivered it."""
        redemption.save(self._connection, msgspec.structs.replace(self._row, fulfilment="delivered"))

    def not_delivered(self) -> None:
        """Its partner will not deliver it: the points and the stock come back, whatever the time."""
        if self._row.state in {"confirmed", "partly"}:
            self._row = msgspec.structs.replace(self._row, fulfilment="failed")
            self._refunded(PARTNER)

    def give_up(self, actor: str, reason: str, now: dt.datetime) -> Ended:
        """A person says that its partner does not deliver it: points and stock come back. Again, it changes nothing.

        `now` is the real time, by which partners are asked.
        """
        if not partnered.give_up(self._connection, self._row, reason, now):
            return Ended(row=self._row, replayed=True)
        self._row = msgspec.structs.replace(self._row, fulfilment="failed")
        return self._refunded(actor)

    def _refunded(self, actor: str) -> Ended:
        row = self._row
        back = give_back(self._live.compiled, row, row.parts, "redeemed", self._now, self._terms.compiled)
        self._book_entry(back, actor)
        refunded = msgspec.structs.replace(row, state="refunded", ended_at=self._now)
        redemption.save(self._connection, refunded)
        self._acts.write()
        stock.give_back(self._connection, row.program_id, row.reward, row.stock_keys, row.confirmed)
        return Ended(row=refunded)

    def fulfil(self, state: str) -> Ended:
        """Say how far something is that is sent or done by others."""
        row = self._row
        if row.fulfilment is None or row.state not in {"confirmed", "partly"}:
            raise RedemptionEnded("Nothing of it is sent or done by others.", extra={"state": row.state})
        partnered.check_nobody_is_asked(self._connection, row)
        changed = msgspec.structs.replace(row, fulfilment=state)
        redemption.save(self._connection, changed)
        return Ended(row=changed, replayed=state == row.fulfilment)

    def _confirmed(self, row: Redemption, quantity: int, kept: list[Taken]) -> Redemption:
        program = self._terms.compiled
        reward = program.rewards[row.reward]
        begins, ends = usable(program, reward, self._now, row.date)
        return msgspec.structs.replace(
            row,
            state="confirmed" if quantity == row.quantity else "partly",
            confirmed=quantity,
            confirmed_at=self._now,
            valid_from=begins,
            valid_until=ends,
            worth=worth_of(program, reward, quantity),
            money=row.money // row.quantity * quantity,
            fulfilment=first_fulfilment(reward.definition.kind),
            parts=kept,
        )

    def _check_refund(self, row: Redemption) -> None:
        reward: Reward | None = self._live.compiled.definition.rewards.get(row.reward)
        within = None if reward is None else reward.refund_within
        if within is None or row.confirmed_at is None:
            return
        if self._now > after(row.confirmed_at, within, self._live.compiled.zone) or not within.count:
            raise RedemptionEnded(
                f"It could be refunded for {within} (`refund_within`). Adjust the points by hand instead.",
                extra={"state": row.state},
            )

    def _book_entry(self, found: Returned, actor: str) -> None:
        book_returned(self._acts, self._member, found, By(actor, self._row.reward))


def end_hold(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    member: InPlay,
    row: Redemption,
    state: State,
    actor: str,
) -> Redemption:
    """Book the end of a hold of a locked member. The caller writes, and gives the stock back after that."""
    book_returned(acts, member, give_back(live.compiled, row, row.parts, "held", acts.now), By(actor, row.reward))
    ended = msgspec.structs.replace(row, state=state, ended_at=acts.now)
    redemption.save(connection, ended)
    issuing.unreserve(connection, row)
    return ended


def expire_holds(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    acts: Acts,
    members: Mapping[UUID, InPlay],
    rows: Sequence[Redemption],
) -> None:
    """Book the end of holds of locked members whose time has passed; the caller writes."""
    for row in rows:
        end_hold(connection, live, acts, members[row.member_id], row, "expired", SYSTEM)
    give_stock_back(connection, rows)


def give_stock_back(connection: psycopg.Connection[Any], rows: Iterable[Redemption]) -> None:
    """Count holds that have ended no more: in the order of rewards and keys, in which everybody takes stock."""
    sums: dict[tuple[int, str, str], int] = {}
    for row in rows:
        for key in row.stock_keys:
            place = row.program_id, row.reward, key
            sums[place] = sums.get(place, 0) + row.quantity
    for (program_id, reward, key), quantity in sorted(sums.items()):
        stock.give_back(connection, program_id, reward, [key], quantity)


def book_returned(acts: Acts, member: InPlay, found: Returned, by: By) -> None:
    """Book postings with their effects; a lot that has points again may be the next thing to end."""
    acts.book(member, KIND, found.postings, by, outcome=Outcome(points=found.effects))
    member.due_soonest = earlier(member.due_soonest, found.ends)


def split(parts: Sequence[Taken], wanted: Mapping[str, int]) -> tuple[list[Taken], list[Taken]]:
    """Parts that come to what is wanted of each point type, those first that were taken first; and the rest."""
    left = dict(wanted)
    kept: list[Taken] = []
    rest: list[Taken] = []
    for part in parts:
        amount = min(part.amount, left[part.points])
        left[part.points] -= amount
        if amount:
            kept.append(msgspec.structs.replace(part, amount=amount))
        if amount < part.amount:
            rest.append(msgspec.structs.replace(part, amount=part.amount - amount))
    return kept, rest


def first_fulfilment(kind: str) -> str | None:
    """Where the way of something that is sent or done by others begins; None for what is handed over."""
    return "open" if kind in _DELIVERED else None


def _posting(part: Taken) -> Posting:
    lot = None if part.lot is None else LotKey(*part.lot)
    return Posting(point_type=part.points, source="held", destination="redeemed", amount=part.amount, lot=lot)


def _spent(parts: Sequence[Taken]) -> list[PointsEffect]:
    sums: dict[str, int] = {}
    for part in parts:
        sums[part.points] = sums.get(part.points, 0) - part.amount
    return [PointsEffect(points, amount, KIND) for points, amount in sums.items()]


def _hint(state: State) -> str:
    return {"confirmed": "; refund it instead", "partly": "; refund it instead"}.get(state, "")
