"""Calculating: what an event would do, by the same decision, without keeping anything."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.codes import guesses
from setia.coupons.using import find_shown
from setia.db.ids import format_id, parse_id
from setia.engine.compiled import CompiledProgram
from setia.engine.decide import decide
from setia.engine.decision import Decision, Outcome
from setia.engine.occurrences import Occurrence
from setia.engine.state import MemberState
from setia.events.arrivals import OWN_SOURCE, Arrival, Draft, arrive
from setia.events.booked import Booked
from setia.events.budgets import Spending
from setia.events.card_tenders import payment_of, tender, terms_of
from setia.events.cart import Cart, check_granted
from setia.events.live import LiveProgram, LivePrograms
from setia.events.lot_moves import move_balances, waiting_lots
from setia.events.members_in_play import balance_of, read_in_play
from setia.events.problems import UnknownMember, UnknownOrder, check_status
from setia.events.returning import Returning
from setia.events.settling import settle_one
from setia.events.timeliness import check_not_future, check_not_late
from setia.events.watching import Watch
from setia.events.wrong_codes import check_codes
from setia.gift_cards.tendering import peek
from setia.ledger.freezing import refuse_frozen
from setia.members.resolve import resolve
from setia.problems import Problem
from setia.program.events import RETURN_EVENTS

_NOBODY = UUID(int=0)
"""Whoever has just joined has taken nothing of any reward."""


def calculate(
    connection: psycopg.Connection[Any],
    programs: LivePrograms,
    program_id: int,
    sent: Draft,
    now: dt.datetime,
    actor: str = "",
) -> tuple[LiveProgram, Booked]:
    """Decide an event and keep nothing. Nobody is locked, so it answers for the state that is committed now.

    What time has done to the member, and nobody has booked yet, is booked first.

    Without a member, or with one that the program would enrol or keep events for, it answers for a newcomer who has
    just joined: with what enrolling gives, and then what this event would. `actor` is who would send it.

    Raises:
        The problems that booking the event would answer, except those of its external id.
    """
    live = programs.live(connection, program_id)
    program, real, now = live.compiled, now, live.now(now)
    arrival = arrive(live, sent)
    check_not_future(program, arrival.event.occurred_at, now)
    spending = Spending(connection, program_id)
    spending.ask(program, [arrival.event], locked=False)
    state = _state(connection, live, arrival, now)
    if state is None:
        state = _newcomer(program, min(arrival.event.occurred_at, now), now, spending)
    if arrival.shown:
        check_codes(connection, program, program_id, arrival.shown, actor)
        member = parse_id("mem", state.id) if state.id else None
        state.coupons = find_shown(connection, program_id, member, arrival.shown)
    check_status(state.id, state.status, arrival.event.type)
    check_not_late(program, state.counters, arrival.event.occurred_at)
    if arrival.event.type in RETURN_EVENTS:
        decision = _returned(connection, live, arrival, state, now)
    else:
        used = None
        if arrival.event.redeem:
            member = parse_id("mem", state.id) if state.id else _NOBODY
            used = Cart(connection, program, program_id, live.rewards).used(member, arrival.event, now)
        event, payment = arrival.event, None
        if arrival.cards:
            guesses.check(connection, program_id, actor, real)
            standings = peek(connection, terms_of(live, now), arrival.cards)
            tendered = tender(event, standings, lambda paid: decide(program, state, paid, now, spending.budgets, used))
            event, payment = tendered.event, payment_of(tendered, standings, {})
        decision = decide(program, state, event, now, spending.budgets, used)
        decision.outcome.payment = payment
        check_granted(decision)
        member = parse_id("mem", state.id) if state.id else _NOBODY
        Watch(connection, program, program_id).event(member, arrival.event, actor, decision, locked=False)
        if any(effect.amount < 0 for effect in decision.outcome.points):
            refuse_frozen(state.id, state.counters)
        _move_balances(program, state, decision.outcome)
    decision.outcome.balances = {name: (b.available, b.pending, b.held) for name, b in state.balances.items()}
    decision.outcome.levels = program.levels_of(decision.counters)
    booked = Booked(
        id=arrival.id,
        program_id=program_id,
        member_id=None,
        status="decided" if state.id else "guest",
        type=arrival.event.type,
        source=arrival.event.source,
        external_id=arrival.event.external_id,
        digest=arrival.digest,
        occurred_at=arrival.event.occurred_at,
        received_at=now,
        version=program.version,
        outcome=decision.outcome,
        explanation=decision.explanation,
        event=msgspec.structs.replace(arrival.event, id=""),
    )
    return live, booked


def _returned(
    connection: psycopg.Connection[Any], live: LiveProgram, arrival: Arrival, state: MemberState, now: dt.datetime
) -> Decision:
    """The decision on a return; the balances in `state` move along."""
    if not state.id:
        message = "Nobody who has just enrolled has an order."
        raise UnknownOrder(message)
    member = read_in_play(connection, live.compiled, live.program_id, parse_id("mem", state.id))
    member.state = state
    decision, *_ = Returning(connection, live, keeps=False).decide(member, arrival.event, member.moment(now))
    return decision


def _move_balances(program: CompiledProgram, state: MemberState, outcome: Outcome) -> None:
    for effect in outcome.points:
        if effect.amount:
            balance = balance_of(state, effect.points, program.definition.points[effect.points].floor)
            if not effect.is_pending:
                balance.available += effect.amount
            else:
                balance.pending += effect.amount
    move_balances(state, outcome.moves)


def _newcomer(program: CompiledProgram, enrolled_at: dt.datetime, now: dt.datetime, spending: Spending) -> MemberState:
    """Somebody who enrolled a moment ago, as `newcomers.welcome` and a booking would make them."""
    state = MemberState(id="", enrolled_at=enrolled_at)
    enrolment = Occurrence(id="", type="member_enrolled", source=OWN_SOURCE, external_id="", occurred_at=enrolled_at)
    decision = decide(program, state, enrolment, now, spending.budgets)
    spending.spend(decision.budget_uses)
    outcome = decision.outcome
    _move_balances(program, state, outcome)
    state.counters = decision.counters
    state.attributes = outcome.attributes
    state.tags = tuple(outcome.tags_added)
    return state


def _state(
    connection: psycopg.Connection[Any], live: LiveProgram, arrival: Arrival, now: dt.datetime
) -> MemberState | None:
    """The member as it is true now; None stands for a newcomer."""
    if arrival.reference is None:
        return None
    found = resolve(connection, live.program_id, [arrival.reference])[arrival.reference]
    if isinstance(found, Problem):
        raise found
    if found is None:
        if arrival.reference.id is None and live.compiled.definition.members.unknown != "refuse":
            return None
        message = "No member of this program has these identifiers."
        raise UnknownMember(message)
    settle_one(connection, live, found, now)
    state = read_in_play(connection, live.compiled, live.program_id, found).state
    state.id = format_id("mem", found)
    if arrival.event.type in live.compiled.watched:
        state.waiting = waiting_lots(connection, found)
    return state
