"""What happens, held against the velocity rules: counted, refused, or its points put under a review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Decision, PointsEffect
from setia.engine.occurrences import Occurrence
from setia.events.arrivals import OWN_SOURCE
from setia.events.live import LiveProgram
from setia.ledger.adjustments import Adjustment
from setia.members.merges import family_of
from setia.program.events import RETURN_EVENTS
from setia.program.velocity import BY_HAND, REDEMPTION
from setia.velocity.judging import Entry, Happening, Judge, Verdict

Watched = tuple[Happening, Verdict] | None
"""What was counted; None where no rule is about it."""
_NOBODY = UUID(int=0)


class Watch:
    """The velocity rules of one transaction. Where a program has none, nothing is asked and nothing is done."""

    def __init__(self, connection: psycopg.Connection[Any], program: CompiledProgram, program_id: int) -> None:
        self._program = program
        self._judge = Judge(connection, program, program_id, family_of)

    def lock(self, events: Iterable[tuple[Occurrence, str]]) -> None:
        """Lock whom events are counted for, apart from members: (event, actor). The members are locked already."""
        if self._program.velocity:
            happenings = (_happening(event, _NOBODY, actor) for event, actor in events)
            self._judge.lock(one for one in happenings if one is not None)

    def lock_spenders(self, actors: Iterable[str], at: dt.datetime) -> None:
        """Lock by whom redemptions are counted, apart from members, before the first of several is judged."""
        if self._judge.watches(REDEMPTION):
            self._judge.lock(Happening((REDEMPTION,), _NOBODY, actor, at) for actor in actors)

    def event(
        self,
        member: UUID,
        event: Occurrence,
        actor: str,
        decision: Decision,
        *,
        locked: bool = True,
        refuses: bool = True,
    ) -> Watched:
        """Count an event before it is posted: `decision` then says so, and its points may wait for a review.

        What cannot be refused any more, since it was accepted when its member was not known yet, waits for a review.

        Raises:
            VelocityExceeded: a rule refuses it.
        """
        happening = _happening(event, member, actor) if self._program.velocity else None
        if happening is None:
            return None
        outcome = decision.outcome
        if not outcome.redeemed:
            happening = happening._replace(watched=happening.watched[:1])
        verdict = self._judge.judge(happening, outcome.points, locked=locked, refuses=refuses)
        if verdict is None:
            return None
        outcome.velocity = verdict.uses
        decision.explanation.velocity = verdict.broken
        if verdict.review is not None:
            outcome.points = [_reviewed(effect, verdict.review.id) for effect in outcome.points]
        return happening, verdict

    def redemption(self, member: UUID, actor: str, effects: Sequence[PointsEffect], at: dt.datetime) -> Watched:
        """Count points that are spent on a reward.

        Raises:
            VelocityExceeded: a rule refuses it.
        """
        happening = Happening((REDEMPTION,), member, actor, at)
        verdict = self._judge.judge(happening, effects)
        return None if verdict is None else (happening, verdict)

    def keep(
        self, watched: Watched, entry_id: UUID, seq: int, at: dt.datetime, effects: Sequence[PointsEffect]
    ) -> None:
        """Write what was counted, for the entry that was booked at `at`."""
        if watched is None:
            return
        points: dict[str, int] = {}
        for effect in effects:
            if effect.review is not None:
                points[effect.points] = points.get(effect.points, 0) + effect.amount
        self._judge.keep(*watched, Entry(entry_id, seq, at, points))


class ByHand:
    """Points that somebody gives by hand: what `setia.ledger.adjustments` asks before and after booking them."""

    def __init__(
        self, connection: psycopg.Connection[Any], live: LiveProgram, asked: Adjustment, now: dt.datetime
    ) -> None:
        self._judge = Judge(connection, live.compiled, live.program_id, family_of)
        self._happening = Happening((BY_HAND,), asked.member_id, asked.actor, now)
        self._effect = PointsEffect(asked.point_type, asked.amount, BY_HAND)
        self._verdict: Verdict | None = None

    def judge(self) -> tuple[list[tuple[str, str, int]], str | None]:
        """What is counted, and the rule by which the points wait; raises `VelocityExceeded`."""
        self._verdict = self._judge.judge(self._happening, [self._effect])
        if self._verdict is None:
            return [], None
        review = self._verdict.review
        return self._verdict.uses, None if review is None else review.id

    def keep(self, entry_id: UUID, seq: int, booked_at: dt.datetime) -> None:
        """Write what was counted, for the entry."""
        if self._verdict is not None:
            points = {} if self._verdict.review is None else {self._effect.points: self._effect.amount}
            self._judge.keep(self._happening, self._verdict, Entry(entry_id, seq, booked_at, points))


def _happening(event: Occurrence, member: UUID, actor: str) -> Happening | None:
    """An event, for the rules; with one that asks for rewards they are watched last."""
    if event.source == OWN_SOURCE or event.type in RETURN_EVENTS:
        return None  # what Setia does by itself nobody does too often, and what comes back brings nothing
    watched = (event.type, REDEMPTION) if event.redeem else (event.type,)
    return Happening(watched, member, actor, event.occurred_at, event.location)


def _reviewed(effect: PointsEffect, rule: str) -> PointsEffect:
    return msgspec.structs.replace(effect, review=rule) if effect.amount > 0 else effect
