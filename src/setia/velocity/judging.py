"""Counting what happens against the rules of a program, exactly, however many do it at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from setia.db.ids import format_id, new_id
from setia.engine.calendar import after
from setia.engine.compiled import CompiledProgram
from setia.engine.decision import Hurried, PointsEffect
from setia.engine.velocity import Rule, Use, measured, most_within, reach
from setia.velocity import queue
from setia.velocity.problems import VelocityExceeded

# By a hash: whoever meets another subject's hash waits for nothing, and counts no less exactly.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%b::text, 0))"
_AROUND = "FROM velocity_use WHERE program_id = %b AND rule = %b AND subject = ANY (%b) AND at > %b AND at < %b"
_SUM = f"SELECT coalesce(sum(amount), 0)::bigint {_AROUND}"
_USES = f"SELECT at, amount {_AROUND}"
_KEEP = "INSERT INTO velocity_use (program_id, rule, subject, at, entry_id, amount) VALUES (%b, %b, %b, %b, %b, %b)"
_RESTORE = """
INSERT INTO velocity_use (program_id, rule, subject, at, entry_id, amount)
SELECT j.program_id, u ->> 0, u ->> 1, j.occurred_at, j.id, (u ->> 2)::bigint
FROM journal j CROSS JOIN LATERAL json_array_elements(j.outcome -> 'velocity') u
WHERE j.member_id = ANY (%b) AND j.outcome -> 'velocity' IS NOT NULL
ON CONFLICT DO NOTHING
"""


class Happening(NamedTuple):
    """Something that rules may watch: an event by its type, `by_hand` or `redemption`; an order may be two of them."""

    watched: tuple[str, ...]
    member: UUID
    actor: str
    at: dt.datetime
    location: str = ""

    def subject(self, rule: Rule) -> str:
        """Whom a rule counts it for; empty where that is nobody."""
        match rule.per:
            case "member":
                return format_id("mem", self.member)
            case "operator":
                return self.actor
            case _:
                return self.location


class Verdict(NamedTuple):
    """What was counted, which rules are broken, and by which of them its points wait for a review."""

    uses: list[tuple[str, str, int]]
    broken: list[Hurried]
    review: Rule | None = None


class Entry(NamedTuple):
    """The journal entry that something is booked by, and the points of it that wait for a review."""

    id: UUID
    seq: int
    booked_at: dt.datetime
    points: dict[str, int]


class Judge:
    """What happens in one transaction, against the rules of one version. Their members are locked."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        program: CompiledProgram,
        program_id: int,
        family_of: Callable[[psycopg.Connection[Any], UUID], list[UUID]],
    ) -> None:
        """`family_of` gives a member with all who were merged into it; it is asked once for each that a rule counts."""
        self._family_of = family_of
        self._connection = connection
        self._program = program
        self._program_id = program_id
        self._locked: set[tuple[str, str]] = set()
        self._families: dict[UUID, list[str]] = {}

    def watches(self, watched: str) -> bool:
        """Whether any rule is about it."""
        return watched in self._program.velocity

    def _about(self, happening: Happening) -> dict[str, tuple[Rule, list[str]]]:
        """The rules that are about it, each with what of it they watch: one thing is one use of a rule."""
        found: dict[str, tuple[Rule, list[str]]] = {}
        for watched in happening.watched:
            for rule in self._program.velocity.get(watched, ()):
                found.setdefault(rule.id, (rule, []))[1].append(watched)
        return found

    def lock(self, happenings: Iterable[Happening]) -> None:
        """Lock whom they are counted for, apart from members: all at once, in the order in which everybody does."""
        places = {
            (rule.id, subject)
            for one in happenings
            for rule, _ in self._about(one).values()
            if rule.per != "member" and (subject := one.subject(rule))
        }
        for rule, subject in sorted(places - self._locked):
            self._connection.execute(_LOCK, (f"velocity {self._program_id} {rule} {subject}",), prepare=True)
        self._locked |= places

    def judge(
        self, happening: Happening, effects: Sequence[PointsEffect], *, locked: bool = True, refuses: bool = True
    ) -> Verdict | None:
        """Count something that has these effects; None where no rule is about it. Nothing is written.

        Without `locked` it only says what would be, for whoever books nothing; without `refuses` what a rule would
        refuse waits for a review.

        Raises:
            VelocityExceeded: a rule refuses it.
        """
        about = self._about(happening)
        if not about:
            return None
        if locked:
            self.lock([happening])
        found = Verdict([], [])
        for rule, watched in about.values():
            subject, amount = happening.subject(rule), measured(rule, watched, effects)
            if not subject or not amount:
                continue
            found.uses.append((rule.id, subject, amount))
            counted = self._counted(rule, self._subjects(rule, happening), Use(happening.at, amount))
            if counted <= rule.most:
                continue
            own = rule.definition
            broken = Hurried(rule.id, rule.per, subject, counted, rule.most, own.then, rule.points)
            if own.then == "refuse" and refuses:
                raise VelocityExceeded(broken, str(own.every))
            found.broken.append(broken)
            found = found._replace(review=found.review or rule)
        return found

    def _subjects(self, rule: Rule, happening: Happening) -> list[str]:
        """Whose uses count: of a member also those of who was merged into it, whose rows stay theirs."""
        if rule.per != "member":
            return [happening.subject(rule)]
        if happening.member not in self._families:
            family = self._family_of(self._connection, happening.member)
            self._families[happening.member] = [format_id("mem", one) for one in family]
        return self._families[happening.member]

    def _counted(self, rule: Rule, subjects: list[str], use: Use) -> int:
        """What the fullest stretch of time holds with this use."""
        every = rule.definition.every
        far = reach(every)
        around = self._program_id, rule.id, subjects, _earlier(use.at, far), _later(use.at, far)
        [(near,)] = self._connection.execute(_SUM, around, prepare=True).fetchall()
        if near + use.amount <= rule.most:
            return int(near + use.amount)  # no stretch holds more than all that is near
        others = [Use(*row) for row in self._connection.execute(_USES, around, binary=True)]
        return most_within(every, self._program.zone, use, others)

    def keep(self, happening: Happening, verdict: Verdict, entry: Entry) -> None:
        """Write what was counted, and open the review of the journal entry where a rule wants one."""
        for rule, subject, amount in verdict.uses:
            values = self._program_id, rule, subject, happening.at, entry.id, amount
            self._connection.execute(_KEEP, values, prepare=True)
        if verdict.review is None:
            return
        own = verdict.review.definition
        broken = next(one for one in verdict.broken if one.rule == verdict.review.id)
        within = own.decide_within
        queue.insert(
            self._connection,
            queue.Review(
                id=new_id(),
                member_id=happening.member,
                entry_id=entry.id,
                opened_at=entry.booked_at,
                occurred_at=happening.at,
                decide_by=None if within is None else after(entry.booked_at, within, self._program.zone),
                decided_at=None,
                seq=entry.seq,
                decided_seq=None,
                counted=broken.counted,
                most=broken.most,
                program_id=self._program_id,
                program_version=self._program.version,
                state="open",
                rule=broken.rule,
                per=broken.per,
                subject=broken.subject,
                watched=happening.watched[0],
                otherwise=own.otherwise,
                actor=happening.actor,
                decided_by=None,
                reason=None,
                points=entry.points,
            ),
        )


def restore(connection: psycopg.Connection[Any], members: Sequence[UUID]) -> None:
    """Write the uses of members that are missing, from what their journal entries say was counted."""
    connection.execute(_RESTORE, (list(members),))


def _earlier(moment: dt.datetime, far: dt.timedelta) -> dt.datetime:
    try:
        return moment - far
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _later(moment: dt.datetime, far: dt.timedelta) -> dt.datetime:
    try:
        return moment + far
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
