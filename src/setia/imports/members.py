"""The import of members: each row one, enrolled as by the API, or known already."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.exc import IntegrityError, OperationalError

from setia.db.engine import Database, driver_connection
from setia.events.booking import Booking
from setia.events.budgets import BudgetsMoved
from setia.events.enrolling import EnrolWithEvent
from setia.events.live import LivePrograms
from setia.imports.fates import Reject, Stopped
from setia.imports.foreseen import Foreseen
from setia.imports.importing import Watch
from setia.imports.member_mapping import MembersMap
from setia.imports.member_rows import MemberRows
from setia.imports.problems import FileDamaged
from setia.imports.readings import FaultyOrder
from setia.imports.rejects import RejectFile
from setia.imports.sources import Meter, Unreadable, open_source
from setia.imports.values import Row
from setia.members.enrolment import IdentifierTaken
from setia.members.identifiers import MemberReference
from setia.members.member import NewMember
from setia.members.resolve import resolve
from setia.problems import Problem
from setia.program.positions import Sources
from setia.versions.service import Mode, find_program, program_now

TOGETHER = 200
"""How many are enrolled in a transaction."""
ACTOR = "import:members"


class WantedMembers(msgspec.Struct, frozen=True):
    """What somebody asks to be imported, and how."""

    file: Path
    form: MembersMap
    sources: Sources
    program: str
    limit: int | None = None
    """New members."""
    refused: Path | None = None
    set_aside: Path | None = None
    dry_run: bool = False
    mode: Mode = "live"


class MembersReport(msgspec.Struct):
    """What an import of members did. Every row has one fate."""

    file: str
    program: str
    dry_run: bool
    read: int = 0
    enrolled: int = 0
    known: int = 0
    """Rows of members who are there already, and were left as they are."""
    not_reached: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    set_aside: Counter[str] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    seconds: float = 0.0
    stopped: Stopped | None = None

    @property
    def is_fine(self) -> bool:
        """Whether nothing was refused, and the run went as far as it should."""
        return not self.refused and (self.stopped is None or self.stopped.by == "limit")

    def as_dict(self) -> dict[str, Any]:
        """The report for programs."""
        named = {name: dict(sorted(getattr(self, name).items())) for name in ("skipped", "set_aside", "refused")}
        return {
            "file": self.file,
            "program": self.program,
            "dry_run": self.dry_run,
            "complete": self.stopped is None,
            "stopped_by": None if self.stopped is None else self.stopped.by,
            "rows": {"read": self.read, "enrolled": self.enrolled, "known": self.known, **named}
            | {"not_reached": self.not_reached},
            "seconds": round(self.seconds, 3),
        }


class _Place(NamedTuple):
    row: Row
    new: NewMember


def import_members(database: Database, wanted: WantedMembers, watch: Watch | None = None) -> MembersReport:
    """Import a file of members, as its map says. The same import again enrols who is missing, and nobody twice.

    Raises:
        NoSuchProgram, NothingPublished: there is nothing to import into.
        FileUnreadable, DefinitionError: the file or the map is not what it should be. Nothing was imported.
    """
    programs = LivePrograms(database)
    with database.transaction() as tx:
        program = find_program(tx, wanted.program, wanted.mode)
        members = programs.live(driver_connection(tx), program.id).compiled.definition.members
        now = program_now(tx, program.id)
    began = time.perf_counter()
    report = MembersReport(wanted.file.name, wanted.program, wanted.dry_run)
    run = _Run(database, programs, program.id, wanted, report, watch or Watch())
    with ExitStack() as stack:
        source, meter = stack.enter_context(open_source(wanted.file, wanted.form.file))
        rows = Foreseen(source, wanted.form.file.columns)
        mapper = MemberRows(wanted.form, wanted.sources, rows.columns, members, rows.looked_at)
        for fate, path in (("refused", wanted.refused), ("set_aside", wanted.set_aside)):
            if path is not None:
                run.files[fate] = stack.enter_context(RejectFile(path, source.columns, wanted.form.file))
        run.through(rows, mapper, meter, now)
    report.seconds = time.perf_counter() - began
    return report


class _Run:
    def __init__(
        self,
        database: Database,
        programs: LivePrograms,
        program_id: int,
        wanted: WantedMembers,
        report: MembersReport,
        watch: Watch,
    ) -> None:
        self._database, self._programs, self._program_id = database, programs, program_id
        self._wanted, self._report, self._watch = wanted, report, watch
        self.files: dict[str, RejectFile] = {}

    def through(self, rows: Foreseen, mapper: MemberRows, meter: Meter, now: dt.datetime) -> None:
        """Take every row to its fate, or say what ended the run before."""
        report, batch = self._report, list[_Place]()
        try:
            for place in self._members(rows, mapper, now):
                batch.append(place)
                if len(batch) == self._room:
                    self._take(batch)
                    self._watch.progress(meter.done, meter.size, report.read, report.read)
                    batch = []
                if self._watch.stop or not self._room:
                    break
            self._take(batch)
        except FileDamaged as damaged:
            self._take(batch)
            report.stopped = Stopped("file_damaged", damaged.detail or damaged.title)
        except OperationalError as away:
            report.stopped = Stopped("database_away", f"The database is away: {away.orig}.")
        if report.stopped is None and self._watch.stop:
            report.stopped = Stopped("interrupted", "It was stopped.")
        elif report.stopped is None and not self._room:
            report.stopped = Stopped("limit", f"The limit of {self._wanted.limit} members was reached.")
        settled = report.enrolled + report.known
        settled += sum(sum(fates.values()) for fates in (report.skipped, report.set_aside, report.refused))
        report.not_reached = report.read - settled

    @property
    def _room(self) -> int:
        """How many may be enrolled together now."""
        limit = self._wanted.limit
        return TOGETHER if limit is None else min(TOGETHER, limit - self._report.enrolled)

    def _members(self, rows: Foreseen, mapper: MemberRows, now: dt.datetime) -> Iterator[_Place]:
        for read in rows:
            self._report.read += 1
            if isinstance(read, Unreadable):
                self._reject(Reject(read, "refused", "row_unreadable", read.message))
                continue
            try:
                sifted = mapper.sifted(read)
                if sifted is None:
                    yield _Place(read, mapper.member(read, now))
                elif sifted[0] == "skipped":
                    self._report.skipped[sifted[1]] += 1
                else:
                    self._reject(Reject(read, "set_aside", sifted[1], "The map sets it aside."))
            except FaultyOrder as faulty:
                fault = faulty.faults[0]
                self._reject(Reject(read, "refused", fault.code, fault.message, fault.pointer, fault.hint))

    def _take(self, batch: Sequence[_Place]) -> None:
        """Enrol a batch together; where somebody is in the way, one after the other."""
        if not batch:
            return
        try:
            answers = self._database.run(partial(self._enrol, batch))
        except (IdentifierTaken, BudgetsMoved, IntegrityError, errors.UniqueViolation):
            answers = [self._alone(place) for place in batch]
        for place, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Problem):
                self._reject(Reject(place.row, "refused", answer.code, answer.detail or answer.title, "#/identifiers"))
            elif answer:
                self._report.enrolled += 1
            else:
                self._report.known += 1

    def _enrol(self, batch: Sequence[_Place], tx: sa.Connection) -> list[bool | Problem]:
        """For each whether it is new, or why it cannot be; rows that share an identifier are one after the other."""
        connection = driver_connection(tx)
        references = [MemberReference(None, place.new.identifiers) for place in batch]
        found = resolve(connection, self._program_id, references)
        answers: list[bool | Problem] = []
        new: list[NewMember] = []
        taken: set[tuple[str, str]] = set()
        for place, reference in zip(batch, references, strict=True):
            known = found[reference]
            if isinstance(known, Problem):
                answers.append(known)
                continue
            answers.append(known is None)
            if known is None:
                if taken & set(place.new.identifiers):
                    raise IdentifierTaken([])
                taken |= set(place.new.identifiers)
                new.append(place.new)
        if new and not self._wanted.dry_run:
            live = self._programs.live(connection, self._program_id)
            booking = Booking(connection, live, dt.datetime.now(dt.UTC))
            booking.enrol_all(new, ACTOR, budgets_locked=False)
            booking.finish()
        return answers

    def _alone(self, place: _Place) -> bool | Problem:
        reference = MemberReference(None, place.new.identifiers)
        with self._database.transaction() as tx:
            found = resolve(driver_connection(tx), self._program_id, [reference])[reference]
        if isinstance(found, Problem):
            return found
        if found is not None:
            return False
        if self._wanted.dry_run:
            return True
        try:
            EnrolWithEvent(self._database, self._programs)(self._program_id, place.new, actor=ACTOR, write=None)
        except IdentifierTaken as taken:
            return taken
        return True

    def _reject(self, reject: Reject) -> None:
        (self._report.refused if reject.fate == "refused" else self._report.set_aside)[reject.code] += 1
        if reject.fate in self.files:
            self.files[reject.fate].write(reject)
