"""Programs and their versions: publish, and read what is live."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from setia.db.engine import driver_connection
from setia.problems import Conflict, NotFound, Unprocessable
from setia.program.changes import changes
from setia.program.definition import Program
from setia.program.findings import Finding
from setia.versions import waking
from setia.versions.tables import program, program_version
from setia.versions.triggers import moves_time

Mode = Literal["live", "test"]


EARLIEST_CLOCK, LATEST_CLOCK = datetime(1900, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)
"""Between which a test program's clock may stand: events are older in no program, and dates end in 9999."""


class NoSuchProgram(NotFound):
    """No program of this installation has this id."""

    code = "program_not_found"
    title = "There is no such program"


class NoSuchVersion(NotFound):
    """The program has no version with this number."""

    code = "program_version_not_found"
    title = "There is no such version of this program"


class ClockThere(Conflict):
    """A clock was given for a test program that is there already, and has one."""

    code = "test_clock_there"
    title = "This test program has a clock already"


class InvalidClock(Unprocessable):
    """A clock cannot stand there."""

    code = "invalid_clock"
    title = "A test clock cannot begin there"


class NothingPublished(Conflict):
    """The program has no live version yet, so nothing can be decided."""

    code = "nothing_published"
    title = "No version of this program has been published"


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program of this installation: the tenant. `key` is the id its definition gives it.

    `clock` is the time of a program in test mode; None in live mode.
    """

    id: int
    key: str
    mode: Mode
    live_version: int | None
    clock: datetime | None

    @property
    def title(self) -> str:
        """How people tell it from the others: a test program may have the key of a live one."""
        return self.key if self.mode == "live" else f"{self.key} ({self.mode})"

    def now(self, real: datetime) -> datetime:
        """What time it is for this program when it is really `real`."""
        return self.clock or real


_PROGRAM = (program.c.id, program.c.key, program.c.mode, program.c.live_version, program.c.clock)


@dataclass(frozen=True, slots=True)
class Version:
    """One published version, without its definition."""

    program_id: int
    number: int
    digest: bytes
    author: str
    note: str
    published_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the live version, whether it is a new one, and warnings about what it changes."""

    version: Version
    is_new: bool
    changes: tuple[Finding, ...] = ()


def canonical(definition: Program) -> str:
    """The text that is stored and hashed: compact JSON, defaults written out.

    Defaults are written out because they are part of what was published: a later version of Setia may have others.
    Keys keep the order of the definition, since campaigns are evaluated and shown in the order they stand in.
    """
    return definition.model_dump_json(by_alias=True)


def find_program(tx: sa.Connection, key: str, mode: Mode = "live") -> ProgramRow:
    """The program with this key; raises `NoSuchProgram`."""
    kind, option = ("program", "") if mode == "live" else ("test program", " --test")
    detail = f"There is no {kind} {key!r} here. `setia program publish{option}` makes one."
    return _program(tx, sa.and_(program.c.key == key, program.c.mode == mode), detail)


def get_program(tx: sa.Connection, program_id: int) -> ProgramRow:
    """The program with this id, as it is in this transaction."""
    return _program(tx, program.c.id == program_id, None)


def list_programs(tx: sa.Connection) -> list[ProgramRow]:
    """All programs, by key, each live one before its test."""
    query = sa.select(*_PROGRAM).order_by(program.c.key, program.c.mode)
    return [ProgramRow(*row) for row in tx.execute(query)]


def ensure_program(
    tx: sa.Connection, key: str, mode: Mode = "live", clock: datetime | None = None
) -> tuple[ProgramRow, bool]:
    """The program with this key and mode, made if need be, and whether it was made.

    The clock of a new test program begins at `clock`, or at the present time. Raises `InvalidClock`.
    """
    if clock is not None and not EARLIEST_CLOCK <= clock <= LATEST_CLOCK:
        raise InvalidClock(f"A clock stands between the years {EARLIEST_CLOCK.year} and {LATEST_CLOCK.year}.")
    begins = (clock or sa.func.now()) if mode == "test" else None
    made = tx.execute(
        insert(program).values(key=key, mode=mode, clock=begins).on_conflict_do_nothing().returning(program.c.id)
    ).first()
    return find_program(tx, key, mode), made is not None


def program_now(tx: sa.Connection, program_id: int) -> datetime:
    """What time it is for a program: the real time, or in test mode its clock."""
    return get_program(tx, program_id).now(datetime.now(UTC))


def move_clock(tx: sa.Connection, program_id: int, before: datetime, after: datetime) -> bool:
    """Set the clock of a test program on, if it still stands at `before`; whether it did."""
    still = (program.c.id == program_id, program.c.mode == "test", program.c.clock == before)
    return tx.execute(sa.update(program).where(*still).values(clock=after)).rowcount == 1


def publish(
    tx: sa.Connection,
    definition: Program,
    author: str,
    note: str = "",
    *,
    mode: Mode = "live",
    clock: datetime | None = None,
) -> Published:
    """Store a definition and make it live; the program's row is made at its first version.

    The definition that is live already makes no new version. The caller has linted it; here it is only stored. Two
    that publish at once wait for each other at the program's row.

    `clock` is where the clock of a new test program begins; raises `ClockThere` when there is one already, whose
    time only advancing moves.
    """
    text = canonical(definition)
    digest = hashlib.sha256(text.encode()).digest()
    found, is_made = ensure_program(tx, definition.program.id, mode, clock)
    if clock is not None and not is_made:
        raise ClockThere(f"It stands at {found.clock}. Leave the clock out, and advance it: `setia clock advance`.")
    program_id = found.id
    # Not against those whose rows name the program: who enrols does not wait.
    tx.execute(sa.select(program.c.id).where(program.c.id == program_id).with_for_update(key_share=True))
    row = get_program(tx, program_id)
    if row.live_version is not None:
        current = get_version(tx, program_id, row.live_version)
        if current.digest == digest:
            return Published(current, is_new=False)
    last = tx.execute(
        sa.select(sa.func.coalesce(sa.func.max(program_version.c.number), 0)).where(
            program_version.c.program_id == program_id
        )
    ).scalar_one()
    tx.execute(
        sa.insert(program_version).values(
            program_id=program_id,
            number=last + 1,
            definition=text,
            digest=digest,
            author=author,
            note=note,
            # On the program's own clock, as everything else of a test program: what time does begins there.
            published_at=row.clock or sa.func.now(),
        )
    )
    tx.execute(sa.update(program).where(program.c.id == program_id).values(live_version=last + 1))
    made = Published(get_version(tx, program_id, last + 1), is_new=True)
    if row.live_version is None:
        return made
    before = get(tx, program_id, row.live_version)
    if moves_time(before, definition):
        waking.begin(driver_connection(tx), program_id, row.now(datetime.now(UTC)))
    return replace(made, changes=changes(before, definition))


def live(tx: sa.Connection, program_id: int) -> tuple[int, Program]:
    """The number and definition of the live version; raises `NothingPublished`."""
    number = live_number(tx, program_id)
    return number, get(tx, program_id, number)


def live_number(tx: sa.Connection, program_id: int) -> int:
    """The number of the live version; raises `NothingPublished`."""
    number = tx.execute(sa.select(program.c.live_version).where(program.c.id == program_id)).scalar_one_or_none()
    if number is None:
        raise NothingPublished("Publish one with `setia program publish PATH`.")
    return int(number)


def get(tx: sa.Connection, program_id: int, number: int) -> Program:
    """The definition of a version, parsed; raises `NoSuchVersion`. Parsing takes milliseconds: see `VersionCache`."""
    return Program.model_validate_json(get_text(tx, program_id, number))


def get_text(tx: sa.Connection, program_id: int, number: int) -> str:
    """The definition of a version as it was stored: canonical JSON."""
    text = tx.execute(
        sa.select(program_version.c.definition).where(
            program_version.c.program_id == program_id, program_version.c.number == number
        )
    ).scalar_one_or_none()
    if text is None:
        raise NoSuchVersion(f"Version {number} was never published.")
    return str(text)


def get_version(tx: sa.Connection, program_id: int, number: int) -> Version:
    """One version, without its definition; raises `NoSuchVersion`."""
    found = _versions(tx, program_id, program_version.c.number == number, most=1)
    if not found:
        raise NoSuchVersion(f"Version {number} was never published.")
    return found[0]


def list_versions(tx: sa.Connection, program_id: int, *, below: int | None = None, most: int = 200) -> list[Version]:
    """Versions, the newest first: at most `most`, with numbers below `below`."""
    condition = sa.true() if below is None else program_version.c.number < below
    return _versions(tx, program_id, condition, most=most)


def _versions(tx: sa.Connection, program_id: int, condition: sa.ColumnElement[bool], *, most: int) -> list[Version]:
    columns = program_version.c
    query = (
        sa.select(
            columns.program_id,
            columns.number,
            columns.digest,
            columns.author,
            columns.note,
            columns.published_at,
            (program.c.live_version == columns.number).label("is_live"),
        )
        .join_from(program_version, program, program.c.id == columns.program_id)
        .where(columns.program_id == program_id, condition)
        .order_by(columns.number.desc())
        .limit(most)
    )
    return [Version(*row) for row in tx.execute(query)]


def _program(tx: sa.Connection, condition: sa.ColumnElement[bool], detail: str | None) -> ProgramRow:
    row = tx.execute(sa.select(*_PROGRAM).where(condition)).one_or_none()
    if row is None:
        raise NoSuchProgram(detail)
    return ProgramRow(*row)
