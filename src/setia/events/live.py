"""The version of a program that decides now, ready for use, and what time it is for that program."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import jsonschema_rs
import psycopg

from setia.db.engine import Database
from setia.db.exchange import Exchange
from setia.engine.compiled import CompiledProgram, compile_program
from setia.events.cart import CartRewards
from setia.program.definition import Program
from setia.versions.cache import VersionCache
from setia.versions.service import NothingPublished, get_text
from setia.versions.triggers import triggers_since
from setia.versions.waking import Waking

_LIVE = "SELECT live_version, clock, wakes_at, wakes_after FROM program WHERE id = $1::int"


class _NoRewards:
    """Stands where nothing is redeemed."""

    def __getattr__(self, name: str) -> Any:
        message = f"{name} of rewards is not at hand: these programs were made without them"
        raise LookupError(message)


def _no_versions(number: int) -> LiveProgram:
    message = f"version {number} is not at hand: this one was made without the others"
    raise LookupError(message)


@dataclass(frozen=True, slots=True)
class LiveProgram:
    """A compiled version with what checks the data of its own events.

    `clock` is the time of a program in test mode, as the transaction found it; None in live mode. `waking` is whom a
    new version has not reached yet.
    """

    program_id: int
    compiled: CompiledProgram
    validators: dict[str, jsonschema_rs.Validator]
    clock: dt.datetime | None = None
    waking: Waking | None = None
    rewards: CartRewards = field(default_factory=_NoRewards, compare=False)
    """What orders need of redemptions."""
    version: Callable[[int], LiveProgram] = field(default=_no_versions, compare=False)
    """Another version of the program: the one that decided an order which now comes back."""

    def now(self, real: dt.datetime) -> dt.datetime:
        """What time it is for this program when it is really `real`."""
        return self.clock or real

    def woken_at(self, member: UUID) -> dt.datetime | None:
        """Since when a member is due whom a new version has not reached yet; None for others."""
        return self.waking.at if self.waking is not None and self.waking.is_of(member) else None

    def faults_of(self, event_type: str, data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
        """What is wrong with the data of an event: (path, message) for each fault."""
        for error in self.validators[event_type].iter_errors(data):
            yield tuple(str(step) for step in error.instance_path), error.message


def ready(
    program_id: int, definition: Program, number: int, since: Mapping[str, dt.datetime] = MappingProxyType({})
) -> LiveProgram:
    """Make a definition ready. Raises what compiling raises; a published one has passed the lint.

    `since` is when each of its triggers of time went live.
    """
    return LiveProgram(
        program_id=program_id,
        compiled=compile_program(definition, number, since),
        validators={name: jsonschema_rs.validator_for(event.data) for name, event in definition.events.items()},
    )


class LivePrograms:
    """The versions in use, each compiled once per process."""

    def __init__(self, database: Database, rewards: CartRewards | None = None) -> None:
        """`rewards` are needed where purchases are booked or come back."""
        self._database = database
        self._rewards = rewards or _NoRewards()
        self._newest: dict[int, LiveProgram] = {}
        self._versions: VersionCache[LiveProgram] = VersionCache(self._load)

    def free_overdue(self, program_id: int, now: dt.datetime) -> int:
        """Book the end of holds of rewards whose time has passed; gives how many."""
        return self._rewards.free_overdue(self._database, self, now, program_id)

    def version(self, program_id: int, number: int) -> LiveProgram:
        """One version, live or not."""
        return self._versions.get(program_id, number)

    def live(self, connection: psycopg.Connection[Any], program_id: int) -> LiveProgram:
        """The version that is live for this transaction.

        Raises:
            NothingPublished: nothing has been published yet.
        """
        exchange = Exchange(connection)
        read = self.ask_live(exchange, program_id)
        exchange.send()
        return read()

    def ask_live(self, exchange: Exchange, program_id: int) -> Callable[[], LiveProgram]:
        """Ask now and read what `live` gives when the exchange is over, which carries the question with others."""
        reply = exchange.ask(_LIVE, str(program_id))

        def read() -> LiveProgram:
            row = reply.rows[0] if reply.rows else None
            if row is None or row[0] is None:
                message = "Publish a definition first: setia program publish PATH."
                raise NothingPublished(message)
            return self._known(program_id, *row)

        return read

    def _known(
        self, program_id: int, number: int, clock: dt.datetime | None, at: dt.datetime | None, after: UUID | None
    ) -> LiveProgram:
        """The same object as long as nothing of it changes, so that a guess is checked by `is`."""
        version, newest = self._versions.get(program_id, number), self._newest.get(program_id)
        waking = None if at is None or after is None else Waking(at, after)
        if (
            newest is None
            or newest.compiled is not version.compiled
            or (newest.clock, newest.waking) != (clock, waking)
        ):
            own = version if clock is None and waking is None else replace(version, clock=clock, waking=waking)
            newest = self._newest[program_id] = own
        return newest

    def guess(self, program_id: int) -> LiveProgram | None:
        """What this process found when it looked last: probably still so, to be checked with `live`."""
        return self._newest.get(program_id)

    def _load(self, program_id: int, number: int) -> LiveProgram:
        # A connection of its own: the caller's may be in the middle of an exchange.
        with self._database.transaction() as tx:
            text, since = get_text(tx, program_id, number), triggers_since(tx, program_id, number)
        found = ready(program_id, Program.model_validate_json(text), number, since)
        return replace(found, rewards=self._rewards, version=lambda wanted: self.version(program_id, wanted))
