"""What can be done with households: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.codes.book import CodeBook
from setia.db.engine import Database, driver_connection
from setia.events.acts import By
from setia.events.live import LiveProgram, LivePrograms
from setia.households import circle
from setia.households.circle import Household, Stay
from setia.households.joining import change_role, join, leave, make_household
from setia.households.pool import Inside, Pool
from setia.households.problems import NoSuchHousehold
from setia.households.spending import contribute, draw, redeem_from_pool
from setia.members.service import get_member
from setia.program.households import Role
from setia.rewards.expiring import expire_due
from setia.rewards.problems import RewardUnavailable
from setia.rewards.redeeming import Redeemed, Wanted

T = TypeVar("T")


class Seen(NamedTuple):
    """A household, who is in it, and what each has in the pool: point type -> member -> amount."""

    household: Household
    stays: list[Stay]
    contributions: dict[str, dict[UUID, int]]
    replayed: bool = False


class Pooled(NamedTuple):
    """Points that a member puts into the pool of a household, or draws from it."""

    household: UUID
    member: UUID
    points: str
    amount: int

    @property
    def what(self) -> tuple[str, int]:
        """The point type and how many."""
        return self.points, self.amount


Told: TypeAlias = Callable[[Seen], str]
"""The answer that is kept for a key, as JSON."""


class HouseholdsDesk:
    """The households of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms, book: Callable[[], CodeBook]) -> None:
        """`book` gives what makes the codes of rewards; it is asked for when the first one is redeemed."""
        self._database, self._programs, self._book = database, programs, book

    def make(self, program_id: int, owner: UUID, by: By, now: dt.datetime) -> Seen:
        """Make a household; see `joining.make_household`."""

        def work(connection: psycopg.Connection[Any], live: LiveProgram) -> Seen:
            found, replayed = make_household(connection, live, owner, by, now)
            return _seen(connection, live, found, now)._replace(replayed=replayed)

        return self._run(program_id, work, owner)

    def see(self, program_id: int, household: UUID, now: dt.datetime) -> Seen:
        """A household; what time has done to its members is booked first."""
        return self._run(program_id, lambda connection, live: _seen(connection, live, household, now))

    def of_member(self, program_id: int, member: UUID, now: dt.datetime) -> Seen:
        """The household that a member is in; raises `NoSuchHousehold`."""

        def work(connection: psycopg.Connection[Any], live: LiveProgram) -> Seen:
            stay = circle.stay_of(connection, program_id, member)
            if stay is None:
                raise NoSuchHousehold("The member is in no household.")
            return _seen(connection, live, stay.household_id, now)

        return self._run(program_id, work, member)

    def join(self, program_id: int, household: UUID, member: UUID, role: Role, now: dt.datetime) -> Seen:
        """Let a member in."""

        def work(connection: psycopg.Connection[Any], live: LiveProgram) -> Seen:
            entered = join(Pool(connection, live, household, now, joining=member), member, role)
            return _seen(connection, live, household, now)._replace(replayed=not entered)

        return self._run(program_id, work, member)

    def leave(self, program_id: int, household: UUID, member: UUID, by: By, now: dt.datetime) -> Seen:
        """Let a member go."""

        def work(connection: psycopg.Connection[Any], live: LiveProgram) -> Seen:
            pool = Pool(connection, live, household, now, leaving=True)
            leave(pool, pool.inside(member), by)
            if live.compiled.definition.households is None:
                return _listed(connection, program_id, household)
            return _seen(connection, live, household, now)

        return self._run(program_id, work, member)

    def change_role(self, program_id: int, household: UUID, member: UUID, role: Role, now: dt.datetime) -> Seen:
        """Give a member another role."""

        def work(connection: psycopg.Connection[Any], live: LiveProgram) -> Seen:
            pool = Pool(connection, live, household, now)
            change_role(pool, pool.inside(member), role)
            return _seen(connection, live, household, now)

        return self._run(program_id, work, member)

    def contribute(self, keyed: Keyed, asked: Pooled, by: By, now: dt.datetime, told: Told) -> tuple[str, bool]:
        """Put a member's own points into the pool, once for each key; the answer, and whether it is the first again."""
        return self._once(keyed, asked, now, told, lambda pool, inside: contribute(pool, inside, *asked.what, by))

    def draw(self, keyed: Keyed, asked: Pooled, by: By, now: dt.datetime, told: Told) -> tuple[str, bool]:
        """Move points of the pool into the wallet of a member who spends them, once for each key; as above."""
        return self._once(keyed, asked, now, told, lambda pool, inside: draw(pool, inside, *asked.what, by))

    def _once(
        self, keyed: Keyed, asked: Pooled, now: dt.datetime, told: Told, work: Callable[[Pool, Inside], object]
    ) -> tuple[str, bool]:
        def whole(tx: sa.Connection) -> tuple[str, bool]:
            get_member(tx, keyed.program_id, asked.member)
            known = claim(tx, keyed)
            if known is not None:
                return known.body, True
            connection = driver_connection(tx)
            live = self._programs.live(connection, keyed.program_id)
            pool = Pool(connection, live, asked.household, now)
            work(pool, pool.inside(asked.member))
            body = told(_seen(connection, live, asked.household, now))
            keep(tx, keyed, 200, body)
            return body, False

        return self._database.run(whole)

    def redeem(self, program_id: int, household: UUID, wanted: Wanted) -> Redeemed:
        """Redeem a reward with what is pooled; see `spending.redeem_from_pool`."""
        book = self._book()

        def work() -> Redeemed:
            return self._run(
                program_id,
                lambda connection, live: redeem_from_pool(connection, live, book, household, wanted),
                wanted.asked.member,
            )

        try:
            return work()
        except RewardUnavailable as problem:
            # Holds whose time has passed may still stand in the way: they are booked, and it is tried once more.
            if problem.is_taken_by_others and expire_due(self._database, self._programs, wanted.now, program_id):
                return work()
            raise

    def _run(
        self,
        program_id: int,
        work: Callable[[psycopg.Connection[Any], LiveProgram], T],
        member: UUID | None = None,
    ) -> T:
        def whole(tx: sa.Connection) -> T:
            if member is not None:
                get_member(tx, program_id, member)
            connection = driver_connection(tx)
            return work(connection, self._programs.live(connection, program_id))

        return self._database.run(whole)


def _listed(connection: psycopg.Connection[Any], program_id: int, household: UUID) -> Seen:
    """A household without what is pooled."""
    found = circle.find_household(connection, program_id, household)
    if found is None:
        raise NoSuchHousehold
    return Seen(found, circle.stays_in(connection, household), {})


def _seen(connection: psycopg.Connection[Any], live: LiveProgram, household: UUID, now: dt.datetime) -> Seen:
    found = _listed(connection, live.program_id, household)
    if found.household.closed_at is not None:
        return found
    pool = Pool(connection, live, household, now)
    return Seen(pool.household, pool.stays, pool.contributions())
