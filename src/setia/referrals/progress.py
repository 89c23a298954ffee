"""How far a referral is, by its terms and what the friend has bought. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from setia.engine.calendar import after
from setia.program.referrals import Referral
from setia.referrals.referral import Reason, State


class FriendOrder(NamedTuple):
    """An order of the friend: what counted of it when it was booked, and what of that has not come back.

    In the smallest unit of the currency, on the program's money basis. `stands`: not all of it has come back.
    """

    id: UUID
    external_id: str
    occurred_at: dt.datetime
    bought: int
    left: int
    stands: bool


class Progress(NamedTuple):
    """Where a referral is. `due_at`: when it has to be looked at again though nothing happens.

    `pays`: now is the time to reward. `over`: nothing can change any more, but for who is rewarded.
    """

    state: State
    reason: Reason | None = None
    due_at: dt.datetime | None = None
    qualified_at: dt.datetime | None = None
    order: FriendOrder | None = None
    pays: bool = False
    over: bool = False


class Terms(NamedTuple):
    """The terms of a kind of referral, with its minimum in the smallest unit of the currency."""

    definition: Referral
    least: int
    zone: ZoneInfo

    def deadline(self, joined_at: dt.datetime) -> dt.datetime | None:
        """By when the friend must have bought."""
        within = self.definition.within
        return None if within is None else after(joined_at, within, self.zone)

    def closes(self, joined_at: dt.datetime) -> dt.datetime | None:
        """Until when an order that occurred in time may still be told."""
        deadline = self.deadline(joined_at)
        return None if deadline is None else after(deadline, self.definition.grace, self.zone)


def progress_of(terms: Terms, joined_at: dt.datetime, orders: Sequence[FriendOrder], now: dt.datetime) -> Progress:
    """Where a referral of a friend who has joined is at `now`; `orders` as they were booked, the first one first.

    Whether an order was in time is judged by when it occurred, however late it is told, until the grace is over. One
    that occurred too late is as none: before it another one may have been made, which nobody has told yet. The window
    in which an order can be returned is judged by what has come back until it ends. An order that came back is voided
    at once, and stands again where its return is cancelled in time.
    """
    if terms.definition.reward_at == "enrolled":
        return _waiting(terms, joined_at, joined_at, now, None)
    deadline, closes = terms.deadline(joined_at), terms.closes(joined_at)
    in_time = [order for order in orders if deadline is None or order.occurred_at <= deadline]
    considered = in_time[:1] if terms.definition.reward_at == "first_purchase" else in_time
    for order in considered:
        if order.stands and order.left >= terms.least:
            return _waiting(terms, joined_at, order.occurred_at, now, order)
    if terms.definition.reward_at == "first_purchase" and in_time:
        return _first_is_not_enough(terms, in_time[0], now)
    if closes is not None and closes <= now:
        return Progress("void", "too_late", over=True)
    return Progress("joined", due_at=closes)


def _waiting(
    terms: Terms, joined_at: dt.datetime, since: dt.datetime, now: dt.datetime, order: FriendOrder | None
) -> Progress:
    # Kept events are booked at the enrolment, and may have occurred before it: nobody wins before having joined.
    due_at = max(joined_at, after(since, terms.definition.after, terms.zone))
    return Progress("qualified", None, due_at, since, order, pays=due_at <= now)


def _first_is_not_enough(terms: Terms, order: FriendOrder, now: dt.datetime) -> Progress:
    if order.bought < terms.least:
        return Progress("void", "below_minimum", order=order, over=True)
    ends = after(order.occurred_at, terms.definition.after, terms.zone)
    over = ends <= now
    return Progress("void", "returned", None if over else ends, order.occurred_at, order, over=over)
