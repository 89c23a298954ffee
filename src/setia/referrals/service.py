"""What can be done with referrals: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog

from setia.db.engine import Database, driver_connection
from setia.db.ids import format_id
from setia.engine.calendar import midnight
from setia.events.booked import Booked
from setia.events.live import LiveProgram, LivePrograms
from setia.members.identifiers import normalise
from setia.members.member import NewMember
from setia.members.merges import family_of
from setia.members.service import NoSuchMember, load_facts
from setia.problems import ErrorItem
from setia.program.events import RETURN_EVENTS, IdentifierKind
from setia.program.nearest import hint as nearest_hint
from setia.program.rewards import RewardPeriod
from setia.referrals.codes import all_codes, make_codes
from setia.referrals.due import REFERRAL_PREFIX, go_on, of_friends
from setia.referrals.fingerprints import Fingerprints
from setia.referrals.funnel import PeriodOf, Which, funnel
from setia.referrals.inviting import Invitation, invite
from setia.referrals.joining import Joining, is_open
from setia.referrals.problems import InvalidReferral, NoSuchReferral
from setia.referrals.referral import Row, Wish, counts_of, listed, read_one

T = TypeVar("T")
_HEARD = {"purchase", *RETURN_EVENTS}
_MOST_STRANGERS = 100_000
_log = structlog.get_logger(__name__)


class Coded(NamedTuple):
    """Codes of one kind of referral, of those members that can have one."""

    live: LiveProgram
    referral: str
    codes: dict[UUID, str]


class OfMember(NamedTuple):
    """A member's codes by kind of referral, and how many of the member's referrals are in each state."""

    live: LiveProgram
    codes: list[tuple[str, str]]
    counts: dict[str, int]


class Referrals:
    """The referrals of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms, secret: Callable[[], bytes]) -> None:
        """`secret` gives the installation's secret; it is asked for when the first fingerprint is."""
        self._database, self._programs, self._secret = database, programs, secret
        # Who has no referral under way: members are referred when they enrol, and what has ended never begins again.
        # So nobody is asked for twice; whom a merge makes the friend of somebody, the job finds.
        self._strangers: set[UUID] = set()

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """What makes hashes."""
        return Fingerprints(self._secret())

    # ------------------------------------------------------------------------------------------------ codes and friends

    def make_codes(self, program_id: int, referral: str | None, members: Sequence[UUID], now: dt.datetime) -> Coded:
        """Give members codes, where they have none; raises `InvalidReferral`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> Coded:
            name = _named(live, referral)
            return Coded(live, name, make_codes(connection, program_id, name, members, live.now(now)))

        return self._run(program_id, work)

    def invite(
        self,
        program_id: int,
        referrer: UUID,
        contact: tuple[IdentifierKind, str],
        referral: str | None,
        now: dt.datetime,
    ) -> tuple[LiveProgram, Row, bool]:
        """Invite a friend by an address; the same again gives the first. Raises `InvalidReferral`, `CannotRefer`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[LiveProgram, Row, bool]:
            name, (kind, value) = _named(live, referral), contact
            try:
                value = normalise(kind, value, phone_region=live.compiled.definition.members.phone_region)
            except ValueError as error:
                item = ErrorItem(pointer=f"#/friend/{kind}", message=f"It {error}.")
                raise InvalidReferral("Nobody was invited.", errors=[item]) from error
            asked = Invitation(referrer, name, kind, value)
            return live, *invite(connection, live, self.fingerprints, asked, now)

        return self._run(program_id, work)

    def introduce(
        self, program_id: int, member: NewMember, *, code: str | None, fingerprints: Mapping[str, Sequence[str]]
    ) -> Joining:
        """What belongs to the enrolment of a friend; see `setia.members.enrolment.Introduce`."""
        return Joining(
            self._programs,
            lambda: self.fingerprints,
            program_id,
            member,
            code,
            fingerprints,
            lambda one: self._go_on(program_id, one),
        )

    def keep_fingerprints(self, program_id: int, member: UUID, given: Mapping[str, Sequence[str]]) -> None:
        """Add to what tells a member from others; raises `NoSuchMember`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> None:
            if member not in load_facts(connection, program_id, [member]):
                raise NoSuchMember
            region = live.compiled.definition.members.phone_region
            self.fingerprints.store(connection, program_id, member, given, region)

        self._run(program_id, work)

    # ---------------------------------------------------------------------------------------------------------- reading

    def find(self, program_id: int, identifier: UUID) -> Row:
        """One referral; raises `NoSuchReferral`."""
        found = self._run(program_id, lambda connection, _: read_one(connection, program_id, identifier))
        if found is None:
            raise NoSuchReferral
        return found

    def list(self, program_id: int, wish: Wish, *, before: UUID | None, most: int) -> Sequence[Row]:
        """Referrals, the newest first."""
        return self._run(
            program_id, lambda connection, _: listed(connection, program_id, wish, before=before, most=most)
        )

    def of_member(self, program_id: int, member: UUID) -> OfMember:
        """A member's codes and referrals; raises `NoSuchMember`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> OfMember:
            if member not in load_facts(connection, program_id, [member]):
                raise NoSuchMember
            family = family_of(connection, member)
            codes = all_codes(connection, program_id, family)
            return OfMember(live, codes, counts_of(connection, program_id, family))

        return self._run(program_id, work)

    def funnel(
        self,
        program_id: int,
        every: RewardPeriod,
        referral: str | None,
        since: dt.date | None,
        until: dt.date | None,
    ) -> tuple[LiveProgram, Sequence[PeriodOf]]:
        """The funnel of those begun on local days from `since` on and before `until`."""

        def work(connection: psycopg.Connection[object], live: LiveProgram) -> tuple[LiveProgram, Sequence[PeriodOf]]:
            zone = live.compiled.zone
            first, end = (None if day is None else midnight(day, zone) for day in (since, until))
            which = Which(every=every, referral=referral, since=first, until=end)
            return live, funnel(connection, program_id, zone.key, which)

        return self._run(program_id, work)

    # --------------------------------------------------------------------------------------------------------- going on

    def heard(self, program_id: int, booked: Sequence[Booked]) -> None:
        """Let the referrals of friends go on who have bought, or brought something back."""
        live = self._programs.guess(program_id)
        if live is None or not live.compiled.definition.referrals:
            return
        buyers = {one.member_id for one in booked if one.type in _HEARD and one.member_id is not None}
        buyers -= self._strangers
        if buyers:
            with self._database.transaction() as tx:
                found = of_friends(driver_connection(tx), program_id, buyers)
            if len(self._strangers) > _MOST_STRANGERS:
                self._strangers.clear()
            self._strangers |= buyers - {friend for _, friend in found}
            for identifier, _ in found:
                self._go_on(program_id, identifier)

    def _go_on(self, program_id: int, identifier: UUID) -> None:
        """Let one go on; what fails is found by the next look of the job."""
        try:
            go_on(self._database, self._programs, program_id, identifier, dt.datetime.now(dt.UTC))
        except Exception:  # noqa: BLE001 - what led here is committed, and its caller has to hear that
            _log.exception("referral_waits", program_id=program_id, referral=format_id(REFERRAL_PREFIX, identifier))

    def _run(self, program_id: int, work: Callable[[psycopg.Connection[object], LiveProgram], T]) -> T:
        def within(tx: sa.Connection) -> T:
            connection = driver_connection(tx)
            return work(connection, self._programs.live(connection, program_id))

        return self._database.run(within)


def _named(live: LiveProgram, referral: str | None) -> str:
    """The kind of referral that is meant: the only one, where nothing is said."""
    open_ones = [name for name in live.compiled.definition.referrals if is_open(live, name)]
    if referral is None and len(open_ones) == 1:
        return open_ones[0]
    if referral in open_ones:
        return referral
    if not open_ones:
        message, hint = "The program has no referrals now.", "Declare some: `referrals: {friends: {}}`."
    elif referral is None:
        message, hint = "Which kind of referral?", f"Give one of {', '.join(open_ones)}."
    else:
        message, hint = f"There is no {referral!r} now.", nearest_hint(referral, open_ones, of="referrals")
    raise InvalidReferral(errors=[ErrorItem(pointer="#/referral", message=message, hint=hint)])
