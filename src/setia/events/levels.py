"""Levels given by hand: a floor under what the member's metrics come to, with an end or without."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.engine.compiled_tiers import CompiledTierSet
from setia.engine.counting import recount
from setia.engine.decision import Explanation, Outcome
from setia.engine.due import next_due
from setia.engine.holding import hold, own_level
from setia.engine.state import Floor
from setia.events.live import LiveProgram
from setia.events.members_in_play import InPlay, lock_in_play
from setia.events.settling import Settling
from setia.events.time_entries import TimeEntries
from setia.events.writing import Writing
from setia.ledger.entries import JournalEntry
from setia.problems import ErrorItem, NotFound, Unprocessable


class NoSuchTierSet(NotFound):
    """The program has no such tier set."""

    code = "tier_set_not_found"
    title = "There is no such tier set"


class InvalidLevel(Unprocessable):
    """The level cannot be given."""

    code = "invalid_level"
    title = "This level cannot be given"


class ByHand(msgspec.Struct, frozen=True):
    """Who decided on a level, and why."""

    actor: str
    reason: str


def give_level(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    member_id: UUID,
    tier_set_id: str,
    floor: Floor | None,
    by: ByHand,
    now: dt.datetime,
) -> None:
    """Give a member a level to stand on, or (None) take that away, in the caller's transaction.

    The member rises to it at once and does not fall below it before it ends. Taken away, the level becomes the one that
    the member has held beneath it all the time. To ask again for what there is changes nothing.

    Raises:
        NoSuchTierSet, InvalidLevel.
    """
    tier_set = _tier_set(live, tier_set_id)
    if floor is not None:
        _check(tier_set, floor, now)
    member = lock_in_play(connection, live.compiled, live.program_id, [member_id])[member_id]
    writing = Writing(connection, live.program_id, live.compiled.tracking)
    settling = Settling(connection, live, now, writing, {member_id: member})
    settling.settle([member])
    if member.state.counters.floors.get(tier_set.id) != floor:
        _book(live, member, tier_set, floor, by, now, writing)
    writing.write([member])
    settling.finish()


def _book(
    live: LiveProgram,
    member: InPlay,
    tier_set: CompiledTierSet,
    floor: Floor | None,
    by: ByHand,
    now: dt.datetime,
    writing: Writing,
) -> None:
    state, program = member.state, live.compiled
    outcome = Outcome(floors={tier_set.id: floor})
    given = 0 if floor is None else tier_set.index(floor.level)
    hold(tier_set, state.counters, own_level(tier_set, state.counters), outcome, floor=given)
    booked_at = member.moment(now)
    state.counters = recount(program, state.counters, "level", outcome, now, booked_at, state.enrolled_at)
    entry: JournalEntry = TimeEntries(live, now).of_outcome(member, "level", outcome, Explanation(), now)
    writing.entry(msgspec.structs.replace(entry, actor=by.actor, reason=by.reason))
    item = next_due(program, state, booked_at)
    member.due_soonest = None if item is None else item.at


def _tier_set(live: LiveProgram, tier_set_id: str) -> CompiledTierSet:
    for tier_set in live.compiled.tier_sets:
        if tier_set.id == tier_set_id:
            return tier_set
    known = ", ".join(tier_set.id for tier_set in live.compiled.tier_sets) or "none"
    raise NoSuchTierSet(f"The program has no tier set {tier_set_id!r}. It has: {known}.")


def _check(tier_set: CompiledTierSet, floor: Floor, now: dt.datetime) -> None:
    known = [level.id for level in tier_set.levels]
    if floor.level not in known:
        item = ErrorItem(pointer="#/level", message="There is no such level.", hint=f"It has: {', '.join(known)}.")
        raise InvalidLevel("The level was not given.", errors=[item])
    if floor.until is not None and floor.until <= now:
        item = ErrorItem(pointer="#/until", message="must be a moment to come", hint="Leave it out for no end.")
        raise InvalidLevel("The level was not given.", errors=[item])
