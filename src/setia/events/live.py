"""The version of a program that decides now, ready for use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import psycopg

from setia.db.engine import Database
from setia.engine.compiled import CompiledProgram, compile_program
from setia.program.definition import Program
from setia.versions.cache import VersionCache
from setia.versions.service import NothingPublished, get_text

_LIVE = "SELECT live_version FROM program WHERE id = %b"


@dataclass(frozen=True, slots=True)
class LiveProgram:
    """A compiled version with what checks the data of its own events."""

    program_id: int
    compiled: CompiledProgram
    validators: dict[str, jsonschema_rs.Validator]

    def faults_of(self, event_type: str, data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
        """What is wrong with the data of an event: (path, message) for each fault."""
        for error in self.validators[event_type].iter_errors(data):
            yield tuple(str(step) for step in error.instance_path), error.message


def ready(program_id: int, definition: Program, number: int) -> LiveProgram:
    """Make a definition ready. Raises what compiling raises; a published one has passed the lint."""
    return LiveProgram(
        program_id=program_id,
        compiled=compile_program(definition, number),
        validators={name: jsonschema_rs.validator_for(event.data) for name, event in definition.events.items()},
    )


class LivePrograms:
    """The versions in use, each compiled once per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: dict[int, LiveProgram] = {}
        self._versions: VersionCache[LiveProgram] = VersionCache(self._load)

    def version(self, program_id: int, number: int) -> LiveProgram:
        """One version, live or not."""
        return self._versions.get(program_id, number)

    def live(self, connection: psycopg.Connection[Any], program_id: int) -> LiveProgram:
        """The version that is live for this transaction.

        Raises:
            NothingPublished: nothing has been published yet.
        """
        return self.ask_live(connection, program_id)()

    def ask_live(self, connection: psycopg.Connection[Any], program_id: int) -> Callable[[], LiveProgram]:
        """Ask now and read later what `live` gives, so that a pipeline can carry the question with others."""
        rows = connection.execute(_LIVE, (program_id,), prepare=True)

        def read() -> LiveProgram:
            row = rows.fetchone()
            if row is None or row[0] is None:
                message = "Publish a definition first: setia program publish PATH."
                raise NothingPublished(message)
            self._newest[program_id] = self._versions.get(program_id, row[0])
            return self._newest[program_id]

        return read

    def guess(self, program_id: int) -> LiveProgram | None:
        """The version that was live when this process looked last: probably still is, to be checked with `live`."""
        return self._newest.get(program_id)

    def _load(self, program_id: int, number: int) -> LiveProgram:
        # A connection of its own: the caller's may be in the middle of a pipeline.
        with self._database.transaction() as tx:
            text = get_text(tx, program_id, number)
        return ready(program_id, Program.model_validate_json(text), number)
