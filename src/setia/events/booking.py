"""Booking: any number of events in one transaction.

The order is fixed, because it is what makes the result true under concurrency: find the members, lock them in the order
of their ids, and only then look whether an event is known already and what the members have. Whoever sends the same
event at the same time waits at the member's lock and then finds it known. Where there is no member to wait at, the
unique key of the event decides, and the loser books again and finds it known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from setia.db.exchange import Exchange
from setia.db.ids import format_id
from setia.engine.occurrences import Occurrence
from setia.events.arrivals import Arrival, Draft, arrive
from setia.events.booked import Booked, ask_known, known_events
from setia.events.budgets import Spending
from setia.events.card_tenders import refuse_cards
from setia.events.deciding import Deciding
from setia.events.live import LiveProgram, LivePrograms
from setia.events.members_in_play import InPlay, ask_in_play, lock_in_play
from setia.events.newcomers import Newcomer, lock_identifiers, welcome
from setia.events.problems import EventReused, UnknownMember, UnknownOrder, check_status
from setia.events.return_data import read_return
from setia.events.settling import Settling
from setia.events.timeliness import check_not_future, check_not_late, is_future
from setia.events.writing import Writing
from setia.members.enrolment import IdentifierTaken
from setia.members.identifiers import MemberReference
from setia.members.member import NewMember
from setia.members.resolve import Resolved, ask_resolved, resolve
from setia.problems import Problem
from setia.program.events import RETURN_EVENTS

UnknownPolicy = Literal["refuse", "enrol", "keep"]


class Submission(msgspec.Struct, frozen=True):
    """One event that somebody wants booked."""

    draft: Draft
    actor: str
    unknown: UnknownPolicy | None = None
    """What to do with a stranger, where it differs from the program's policy: an import may enrol."""


Answer = Booked | Problem


def book(
    connection: psycopg.Connection[Any],
    programs: LivePrograms,
    program_id: int,
    submissions: Sequence[Submission],
    now: dt.datetime,
    *,
    budgets_locked: bool = False,
    free_only: bool = False,
) -> list[Answer | None]:
    """Book events in the caller's transaction; an answer for each, in order. A bad one spoils no other.

    With `free_only` nobody waits for a member whom another transaction has locked: such a member's events are put off,
    and their answer is None.

    Raises:
        NothingPublished: nothing can be decided.
        BudgetsMoved, UniqueViolation: somebody else was quicker; undo, and book again with `budgets_locked`.
        InsufficientPoints: a wallet would go below its floor, which no decision wants.
    """
    live = programs.guess(program_id) or programs.live(connection, program_id)
    while True:
        # Reading an event needs the program, and the program may just have changed: so it is read by the version that
        # was live a moment ago, and again in the rare case that another one is live by now.
        arrivals = [_arrive(live, submission) for submission in submissions]
        good = [arrival for arrival in arrivals if isinstance(arrival, Arrival)]
        references = [arrival.reference for arrival in good if arrival.reference is not None]
        exchange = Exchange(connection)
        read_live = programs.ask_live(exchange, program_id)
        read_members = ask_resolved(exchange, program_id, references)
        exchange.send()
        now_live = read_live()
        if now_live is live:
            break
        live = now_live
    booking = Booking(connection, live, now)
    booking.open(submissions, arrivals, read_members(), budgets_locked=budgets_locked, free_only=free_only)
    return booking.run(arrivals, submissions)


def _arrive(live: LiveProgram, submission: Submission) -> Arrival | Problem:
    try:
        return arrive(live, submission.draft)
    except Problem as problem:
        return problem


class Booking:
    """One run over a batch."""

    def __init__(self, connection: psycopg.Connection[Any], live: LiveProgram, now: dt.datetime) -> None:
        now = live.now(now)
        self._connection = connection
        self._live = live
        self._program = live.compiled
        self._now = now
        self._spending = Spending(connection, live.program_id)
        self._writing = Writing(connection, live.program_id, self._program.tracking)
        self._members: dict[UUID, InPlay] = {}
        self._deciding = Deciding(connection, live, now, self._spending, self._writing, self._members)
        self._settling = Settling(connection, live, now, self._writing, self._members, self._spending)
        self._known: dict[tuple[str, str], Booked] = {}
        self._resolved: dict[MemberReference, Resolved] = {}
        self._budgets_locked = False
        self._put_off: set[int] = set()
        """The places of events that are not booked now, since somebody else books for their member."""

    def open(
        self,
        submissions: Sequence[Submission],
        arrivals: Sequence[Arrival | Problem],
        resolved: dict[MemberReference, Resolved],
        *,
        budgets_locked: bool,
        free_only: bool = False,
    ) -> None:
        """Lock the members, then read what they have, which events are known already, and the budgets."""
        self._resolved = resolved
        self._budgets_locked = budgets_locked
        members = sorted({member for member in resolved.values() if isinstance(member, UUID)})
        good = [arrival.event for arrival in arrivals if isinstance(arrival, Arrival)]
        # Of bad ones too: what was accepted once is answered the same way again, though the program reads it no longer.
        keys = sorted(key for key in {submission.draft.key for submission in submissions} if "\0" not in "".join(key))
        exchange = Exchange(self._connection)
        read_members = ask_in_play(
            exchange, self._connection, self._program, self._live.program_id, members, free_only=free_only
        )
        read_events = ask_known(exchange, self._live.program_id, keys)
        exchange.send()
        self._members.update(read_members())
        if free_only:
            busy = set(members) - self._members.keys()
            self._put_off = self._waiting_for(busy, arrivals, submissions) if busy else set()
        self._follow_merges()
        # In this order everybody locks: members, whom velocity rules count for, coupons, gift cards, budgets.
        self._deciding.lock_watched(
            (arrival.event, submission.actor)
            for arrival, submission in zip(arrivals, submissions, strict=True)
            if isinstance(arrival, Arrival)
        )
        if shown := [one for arrival in arrivals if isinstance(arrival, Arrival) for one in arrival.shown]:
            self._deciding.lock_coupons(shown)
        if cards := [one for arrival in arrivals if isinstance(arrival, Arrival) for one in arrival.cards]:
            self._deciding.lock_cards(cards)
        self._spending.ask(self._program, good, locked=budgets_locked)
        if budgets_locked:
            self._settling.lock_budgets()
        self._settling.settle(self._members.values())
        self._known = read_events()

    def _follow_merges(self) -> None:
        """Lock who stands for members that were merged while their locks were waited for: events are theirs now."""
        while moved := {one.id: one.merged_into for one in self._members.values() if one.merged_into is not None}:
            for member in moved:
                del self._members[member]
            mains = sorted(set(moved.values()) - self._members.keys())
            self._members.update(lock_in_play(self._connection, self._program, self._live.program_id, mains))
            for reference, found in self._resolved.items():
                if isinstance(found, UUID) and found in moved:
                    self._resolved[reference] = moved[found]

    def _waiting_for(
        self, busy: set[UUID], arrivals: Sequence[Arrival | Problem], submissions: Sequence[Submission]
    ) -> set[int]:
        """The places of the events of busy members, and of what must not overtake them.

        That is an event under the same key, since of two the first counts, and what else its own member did after it.
        """
        places: set[int] = set()
        keys: set[tuple[str, str]] = set()
        for place, (arrival, submission) in enumerate(zip(arrivals, submissions, strict=True)):
            reference = arrival.reference if isinstance(arrival, Arrival) else None
            member = None if reference is None else self._resolved[reference]
            if member in busy or submission.draft.key in keys:
                places.add(place)
                keys.add(submission.draft.key)
                if isinstance(member, UUID):
                    busy.add(member)
        return places

    def run(self, arrivals: Sequence[Arrival | Problem], submissions: Sequence[Submission]) -> list[Answer | None]:
        """Decide and write."""
        self._enrol_strangers(arrivals, submissions)
        answers: list[Answer | None] = []
        for place, (arrival, submission) in enumerate(zip(arrivals, submissions, strict=True)):
            if place in self._put_off:
                answers.append(None)
                continue
            try:
                answers.append(self._answer(arrival, submission))
            except Problem as problem:
                answers.append(problem)
        self.finish()
        return answers

    def finish(self) -> None:
        """Write everything. Budgets come last, so that their rows are locked for no longer than the commit takes."""
        self._writing.write(self._members.values())
        self._deciding.finish()
        self._spending.write()

    def enrol(self, new: NewMember, actor: str, *, budgets_locked: bool) -> Booked:
        """Make a member, decide its enrolment and then the events that were kept for it; raises IdentifierTaken."""
        [booked] = self.enrol_all([new], actor, budgets_locked=budgets_locked)
        return booked

    def enrol_all(self, new: Sequence[NewMember], actor: str, *, budgets_locked: bool) -> list[Booked]:
        """Enrol several, all or none of them; the decision of each enrolment, in order. Raises IdentifierTaken."""
        newcomers: list[Newcomer] = []
        for newcomer in welcome(self._connection, self._live.program_id, new, self._now):
            if isinstance(newcomer, IdentifierTaken):
                raise newcomer
            newcomers.append(newcomer)
        self._lock({newcomer.member_id for newcomer in newcomers})
        self._lock_watched_kept(newcomers, dict.fromkeys((one.member_id for one in newcomers), actor))
        self._budgets_locked = budgets_locked
        self._ask_budgets(newcomers)
        return [self._book_newcomer(newcomer, actor) for newcomer in newcomers]

    def _ask_budgets(self, newcomers: Sequence[Newcomer]) -> None:
        events = [newcomer.enrolment.event for newcomer in newcomers]
        events += [body for newcomer in newcomers for _, body in newcomer.kept]
        self._spending.ask(self._program, events, locked=self._budgets_locked)

    def _lock(self, members: set[UUID]) -> None:
        if members:
            found = lock_in_play(self._connection, self._program, self._live.program_id, sorted(members))
            self._members.update(found)
            self._settling.settle(found.values())

    def _lock_watched_kept(self, newcomers: Sequence[Newcomer], actors: Mapping[Any, str]) -> None:
        """Lock whom the events are counted for that were kept for newcomers."""
        self._deciding.lock_watched((body, actors[one.member_id]) for one in newcomers for _, body in one.kept)

    def _policy(self, submission: Submission) -> UnknownPolicy:
        return submission.unknown or self._program.definition.members.unknown

    def _enrol_strangers(self, arrivals: Sequence[Arrival | Problem], submissions: Sequence[Submission]) -> None:
        """Make members of those whose events enrol them, all at once: an import of a new shop brings thousands."""
        wanted: dict[MemberReference, tuple[NewMember, str]] = {}
        for place, (arrival, submission) in enumerate(zip(arrivals, submissions, strict=True)):
            if isinstance(arrival, Problem) or self._policy(submission) != "enrol" or place in self._put_off:
                continue
            reference, event = arrival.reference, arrival.event
            known = (event.source, event.external_id) in self._known
            if reference is None or known or reference.id is not None or self._resolved[reference] is not None:
                continue
            if is_future(self._program, event.occurred_at, self._now) or reference in wanted:
                continue
            new = NewMember(identifiers=reference.identifiers, enrolled_at=min(event.occurred_at, self._now))
            wanted[reference] = (new, submission.actor)
        if not wanted:
            return
        found = welcome(self._connection, self._live.program_id, [new for new, _ in wanted.values()], self._now)
        newcomers = [newcomer for newcomer in found if isinstance(newcomer, Newcomer)]
        # Who was taken is somebody's by now: of another transaction, or of another event of this batch.
        again = resolve(self._connection, self._live.program_id, list(wanted))
        self._resolved |= again
        self._lock({member for member in again.values() if isinstance(member, UUID)} - self._members.keys())
        actors = {again[reference]: actor for reference, (_, actor) in wanted.items()}
        self._lock_watched_kept(newcomers, actors)
        self._ask_budgets(newcomers)
        for newcomer in newcomers:
            self._book_newcomer(newcomer, actors[newcomer.member_id])

    def _book_newcomer(self, newcomer: Newcomer, actor: str) -> Booked:
        member = self._members[newcomer.member_id]
        booked = self._deciding.store(newcomer.enrolment, member.id, "decided")
        self._deciding.decide(member, booked, newcomer.enrolment.event, actor)
        for event, body in newcomer.kept:
            event.member_id, event.status = member.id, "decided"
            self._deciding.decide(member, event, body, actor)
        return booked

    def _answer(self, arrival: Arrival | Problem, submission: Submission) -> Booked:
        key = submission.draft.key
        known = self._known.get(key)
        if known is not None:
            if known.digest == submission.draft.digest():
                again = msgspec.structs.replace(known)
                again.replayed = True
                return again
            if isinstance(arrival, Arrival):
                raise _reused(known)
        if isinstance(arrival, Problem):
            raise arrival
        booked = self._known[key] = self._fresh(arrival, submission)
        return booked

    def _fresh(self, arrival: Arrival, submission: Submission) -> Booked:
        event, reference = arrival.event, arrival.reference
        check_not_future(self._program, event.occurred_at, self._now)
        if reference is None:
            return self._deciding.store(arrival, None, "guest")
        found = self._resolved[reference]
        if isinstance(found, Problem):
            raise found
        if found is None and reference.id is None and self._policy(submission) == "keep":
            found = self._came_meanwhile(reference)
            if found is None and event.redeem:
                raise UnknownMember("Nobody is known who could redeem a reward. Enrol the member first.")
            if found is None:
                refuse_cards(arrival.cards)
                if event.type in RETURN_EVENTS:
                    self._check_kept_order(event)
                return self._deciding.store(arrival, None, "kept")
        member = self._members.get(found) if isinstance(found, UUID) else None
        if member is None:
            message = "No member of this program has these identifiers. Enrol the member first: POST /v1/members."
            raise UnknownMember(message)
        check_status(member.state.id, member.state.status, event.type)
        check_not_late(self._program, member.state.counters, event.occurred_at)
        return self._deciding.book(member, arrival, submission.actor)

    def _check_kept_order(self, event: Occurrence) -> None:
        """Raise `UnknownOrder` where what is named is not kept: a return of nothing is not worth keeping either."""
        asked = read_return(event.data)
        key = asked.source or event.source, asked.order
        known = self._known.get(key) or known_events(self._connection, self._live.program_id, [key]).get(key)
        types = {"purchase"} if event.type == "return" else {"purchase", *RETURN_EVENTS}
        if known is None or known.status != "kept" or known.type not in types:
            raise UnknownOrder(f"Nobody has these identifiers, and no order {key[1]!r} of source {key[0]!r} is kept.")

    def _came_meanwhile(self, reference: MemberReference) -> UUID | None:
        """The member, if one has enrolled since this transaction looked; else nobody can before it ends."""
        lock_identifiers(self._connection, self._live.program_id, reference.identifiers)
        found = resolve(self._connection, self._live.program_id, [reference])[reference]
        if isinstance(found, Problem):
            raise found
        if found is not None:
            self._resolved[reference] = found
            self._lock({found} - self._members.keys())
        return found


def _reused(known: Booked) -> EventReused:
    """The problem that a known external id comes with another content."""
    event = format_id("evt", known.id)
    message = (
        f"{known.external_id!r} of source {known.source!r} was booked with another content, as {event}. "
        "Send a correction as an event of its own."
    )
    return EventReused(message, extra={"event": event})
