"""Programs and their versions: publish, and read what is live."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from setia.problems import Conflict, NotFound
from setia.program.definition import Program
from setia.versions.tables import program, program_version

Mode = Literal["live", "test"]


class NoSuchProgram(NotFound):
    """No program of this installation has this id."""

    code = "program_not_found"
    title = "There is no such program"


class NoSuchVersion(NotFound):
    """The program has no version with this number."""

    code = "program_version_not_found"
    title = "There is no such version of this program"


class NothingPublished(Conflict):
    """The program has no live version yet, so nothing can be decided."""

    code = "nothing_published"
    title = "No version of this program has been published"


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program of this installation: the tenant. `key` is the id its definition gives it."""

    id: int
    key: str
    mode: str
    live_version: int | None


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
    """What publishing did: the live version, and whether it is a new one."""

    version: Version
    is_new: bool


def canonical(definition: Program) -> str:
    """The text that is stored and hashed: compact JSON, defaults written out.

    Defaults are written out because they are part of what was published: a later version of Setia may have others.
    Keys keep the order of the definition, since campaigns are evaluated and shown in the order they stand in.
    """
    return definition.model_dump_json(by_alias=True)


def find_program(tx: sa.Connection, key: str) -> ProgramRow:
    """The program with this key; raises `NoSuchProgram`."""
    return _program(tx, program.c.key == key, f"There is no program {key!r} here. `setia program publish` makes one.")


def get_program(tx: sa.Connection, program_id: int) -> ProgramRow:
    """The program with this id, as it is in this transaction."""
    return _program(tx, program.c.id == program_id, None)


def list_programs(tx: sa.Connection) -> list[ProgramRow]:
    """All programs, by key."""
    columns = (program.c.id, program.c.key, program.c.mode, program.c.live_version)
    return [ProgramRow(*row) for row in tx.execute(sa.select(*columns).order_by(program.c.key))]


def ensure_program(tx: sa.Connection, key: str, mode: Mode = "live") -> ProgramRow:
    """The program with this key, made if need be. An existing one keeps its mode."""
    tx.execute(insert(program).values(key=key, mode=mode).on_conflict_do_nothing())
    return find_program(tx, key)


def publish(tx: sa.Connection, definition: Program, author: str, note: str = "", *, mode: Mode = "live") -> Published:
    """Store a definition and make it live; the program's row is made at its first version.

    The definition that is live already makes no new version. The caller has linted it; here it is only stored. Two
    that publish at once wait for each other at the program's row.
    """
    text = canonical(definition)
    digest = hashlib.sha256(text.encode()).digest()
    program_id = ensure_program(tx, definition.program.id, mode).id
    tx.execute(sa.select(program.c.id).where(program.c.id == program_id).with_for_update())
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
            program_id=program_id, number=last + 1, definition=text, digest=digest, author=author, note=note
        )
    )
    tx.execute(sa.update(program).where(program.c.id == program_id).values(live_version=last + 1))
    return Published(get_version(tx, program_id, last + 1), is_new=True)


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
    columns = (program.c.id, program.c.key, program.c.mode, program.c.live_version)
    row = tx.execute(sa.select(*columns).where(condition)).one_or_none()
    if row is None:
        raise NoSuchProgram(detail)
    return ProgramRow(*row)
