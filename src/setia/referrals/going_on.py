"""Letting a referral go on: its friend is welcomed, has bought, is waited for, and both sides are rewarded. Once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay
from setia.events.own_events import OwnEvents
from setia.members.merges import family_of, main_of
from setia.members.service import load_facts
from setia.program.events import ACCEPTED, FRIEND_ENROLLED, JOINED, WON
from setia.referrals.fingerprints import Hashes, in_common, load
from setia.referrals.orders import MOST, orders_of
from setia.referrals.progress import Progress, Terms, progress_of
from setia.referrals.referral import REASONS, Reason, Row, State, chain_of, has_friend_alike, read_one, update
from setia.referrals.steps import Sides, Step, is_capped, take_step


def terms_of(live: LiveProgram, referral: str) -> Terms | None:
    """The terms of a kind of referral by the live version; None where it has none of this name."""
    definition = live.compiled.definition.referrals.get(referral)
    if definition is None:
        return None
    # The lint has seen to it that nothing is cut off.
    least = int(definition.at_least.scaleb(live.compiled.currency_digits))
    return Terms(definition, least, live.compiled.zone)


class GoingOn:
    """What is done for one referral in one transaction, which the caller commits."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, now: dt.datetime) -> None:
        self._connection = connection
        self._live = live
        self._own = OwnEvents(connection, live, now)
        self._members: dict[UUID, InPlay] = {}
        self._mains: dict[UUID, UUID] = {}

    def go_on(self, identifier: UUID) -> bool:
        """Do what is due of a referral whose friend has joined; whether anything of it changed."""
        program_id = self._live.program_id
        row = read_one(self._connection, program_id, identifier)
        terms = None if row is None else terms_of(self._live, row.referral)
        if row is None or row.ended_at is not None or row.friend_id is None or terms is None:
            return False
        chain = chain_of(self._connection, program_id, row.referrer_id, terms.definition.levels)
        self._mains = main_of(self._connection, [row.friend_id, *chain])
        # Members first, in the order of their ids, as everybody does; then the referral, which whoever was at it may
        # have ended meanwhile.
        self._members = self._own.lock({self._main(one) for one in (row.friend_id, *chain)})
        before = read_one(self._connection, program_id, identifier, locked=True)
        # Who was merged into another while we waited for the lock is found by the next look.
        is_moving = any(member.merged_into is not None for member in self._members.values())
        over = before is None or before.ended_at is not None or is_moving
        if over or before is None or before.friend_id is None or before.joined_at is None:
            self._own.write()
            return False
        friend = Friend(before.friend_id, self._main(before.friend_id), before.joined_at)
        after = self._next(before, friend, terms, [self._main(one) for one in chain])
        self._own.write()
        if after != before:
            update(self._connection, after)
        return after != before

    def _main(self, member: UUID) -> UUID:
        """Who stands for a member."""
        return self._mains.get(member, member)

    def _next(self, row: Row, friend: Friend, terms: Terms, chain: list[UUID]) -> Row:
        family = family_of(self._connection, friend.main)
        blocked = self._blocked(row, friend, family, chain[0], terms)
        if blocked is not None:
            return _ended(row, "blocked", blocked, self._own.now)
        if not row.welcomed:
            self._step(row, friend, friend.main, Step(ACCEPTED, friend.joined_at))
            self._step(row, friend, chain[0], Step(FRIEND_ENROLLED, friend.joined_at))
            row = msgspec.structs.replace(row, welcomed=True)
        most = MOST if terms.definition.reward_at == "purchase" else 1
        orders = orders_of(self._connection, family, terms.deadline(friend.joined_at), most)
        found = progress_of(terms, friend.joined_at, orders, self._own.now)
        order = found.order
        row = msgspec.structs.replace(
            row,
            state=found.state,
            reason=found.reason,
            due_at=found.due_at,
            qualified_at=found.qualified_at,
            order_id=None if order is None else order.id,
            amount=None if order is None else order.left,
        )
        if found.pays:
            return self._pay(row, friend, terms, chain, found)
        return _ended(row, found.state, found.reason, self._own.now) if found.over else row

    def _blocked(self, row: Row, friend: Friend, family: list[UUID], referrer: UUID, terms: Terms) -> Reason | None:
        if friend.main == referrer:
            return "same_member"
        facts = load_facts(self._connection, row.program_id, [one for one in family if one != friend.id])
        if any(one.enrolled_at < friend.joined_at for one in facts.values()):
            return "already_member"
        others = family_of(self._connection, referrer)
        known = load(self._connection, [*family, *others])
        # Each kind that blocks has a reason of its own, `same_` and the kind.
        kind = in_common(_of_all(known, family), _of_all(known, others), terms.definition.blocks)
        if kind is None and has_friend_alike(self._connection, row, family, others, terms.definition.distinct):
            return "other_friend"
        return next((reason for reason in REASONS if reason == f"same_{kind}"), None)

    def _pay(self, row: Row, friend: Friend, terms: Terms, chain: list[UUID], found: Progress) -> Row:
        """Reward both sides. What keeps the referrer from winning is no fault of the friend, who is rewarded."""
        at = found.due_at or self._own.now
        if not self._is_active(friend.main):
            return _ended(row, "void", "friend_inactive", at)
        state: State = "won"
        reason: Reason | None = None
        # Merges may have made one member of two in a row, or of the friend and somebody above.
        winners = [one for one in dict.fromkeys(chain) if one != friend.main]
        capped = {
            one for one in winners if is_capped(self._connection, row.referral, terms.definition, one, at, terms.zone)
        }
        if not self._is_active(chain[0]):
            state, reason = "void", "referrer_inactive"
        elif chain[0] in capped:
            state = "capped"
        self._step(row, friend, friend.main, Step(JOINED, at, order=found.order))
        for level, member in enumerate(winners, start=1):
            if member not in capped:
                self._step(row, friend, member, Step(WON, at, level, found.order))
        return _ended(row, state, reason, at)

    def _is_active(self, member: UUID) -> bool:
        return member in self._members and self._members[member].state.status == "active"

    def _step(self, row: Row, friend: Friend, member: UUID, step: Step) -> None:
        """A step of a member who is active: for others nothing is booked."""
        if self._is_active(member):
            people = Sides(self._main(row.referrer_id), friend.main)
            take_step(self._connection, self._live, self._own, row, people, self._members[member], step)


class Friend(NamedTuple):
    """A friend who has joined: the member of then, and who stands for it now."""

    id: UUID
    main: UUID
    joined_at: dt.datetime


def _of_all(known: Mapping[UUID, Hashes], people: Sequence[UUID]) -> Hashes:
    return {found for one in people for found in known[one]}


def _ended(row: Row, state: State, reason: Reason | None, at: dt.datetime) -> Row:
    return msgspec.structs.replace(row, state=state, reason=reason, due_at=None, ended_at=at)
