"""The run of an import: from rows to fates."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import msgspec

from setia.db.engine import Database, driver_connection
from setia.events.booking import UnknownPolicy
from setia.events.live import LivePrograms
from setia.imports.booking import BatchDone, Job
from setia.imports.bought import Bought
from setia.imports.envelopes import Mapper, Order
from setia.imports.event_mapping import EventsMap
from setia.imports.events import EventMapper
from setia.imports.fates import Reject, Report, Stopped, Tally
from setia.imports.foreseen import Foreseen
from setia.imports.grouping import gather, without_duplicates
from setia.imports.lanes import Lanes, open_lanes
from setia.imports.mapping import DUPLICATE, ImportMap
from setia.imports.problems import DatabaseAway, FileDamaged
from setia.imports.purchases import PurchaseMapper
from setia.imports.readings import Fault, FaultyOrder
from setia.imports.rejects import RejectFile
from setia.imports.returns import Returns
from setia.imports.sources import Meter, Unreadable, open_source
from setia.imports.values import Row
from setia.program.currencies import minor_digits
from setia.program.positions import Sources
from setia.versions.service import Mode, find_program


class Wanted(msgspec.Struct, frozen=True):
    """What somebody asks to be imported, and how."""

    file: Path
    form: ImportMap | EventsMap
    sources: Sources
    program: str
    unknown: UnknownPolicy | None = None
    limit: int | None = None
    """Orders, not rows: half an order must never be booked."""
    refused: Path | None = None
    set_aside: Path | None = None
    dry_run: bool = False
    jobs: int = 1
    mode: Mode = "live"


class Watch:
    """What a run tells of itself while it goes, and how it is stopped. This one is silent."""

    stop = False
    """Set it, and the run ends after the batch that is being booked."""

    def progress(self, done: int, size: int, rows: int, settled: int) -> None:
        """So many bytes of the file are read, so many rows of it, and so many have their fate."""


def import_rows(database: Database, wanted: Wanted, watch: Watch | None = None) -> Report:
    """Import a file of purchases or events, as its map says.

    Rows that cannot be booked are in the report; what was booked stays, whatever happens later.

    Raises:
        NoSuchProgram, NothingPublished: there is nothing to import into.
        FileUnreadable, DefinitionError: the file or the map is not what it should be. Nothing was imported.
    """
    with database.transaction() as tx:
        row = find_program(tx, wanted.program, wanted.mode)
        definition = LivePrograms(database).live(driver_connection(tx), row.id).compiled.definition
    currency = definition.program.currency
    job = Job(row.id, f"import:{wanted.form.source}", wanted.unknown, wanted.dry_run)
    started = time.perf_counter()
    tally = Tally()
    run = _Run(wanted, tally, watch or Watch(), minor_digits(currency), definition.program.rates)
    stopped = run.run(database, job)
    return Report(
        file=wanted.file.name,
        program=wanted.program,
        source=wanted.form.source,
        currency=currency,
        decimals={name: points.decimals for name, points in definition.points.items()},
        tally=tally,
        seconds=time.perf_counter() - started,
        dry_run=wanted.dry_run,
        stopped=stopped,
        of="events" if isinstance(wanted.form, EventsMap) else "orders",
    )


class _Run:
    def __init__(self, wanted: Wanted, tally: Tally, watch: Watch, digits: int, rates: Mapping[str, Decimal]) -> None:
        self._wanted, self._rates = wanted, rates
        self._tally = tally
        self._watch = watch
        self._digits = digits
        self._files: dict[str, RejectFile] = {}
        self._meter: Meter | None = None
        self._settled = 0
        self._halted = False
        self._returns: Returns | None = None
        group = wanted.form.group
        self._of = "events" if isinstance(wanted.form, EventsMap) else "orders"
        self._deduplicates = group is not None and group.duplicates == "set_aside"

    def run(self, database: Database, job: Job) -> Stopped | None:
        """Import; tells what ended the run before the file did, if anything."""
        wanted = self._wanted
        with ExitStack() as stack:
            source, self._meter = stack.enter_context(open_source(wanted.file, wanted.form.file))
            rows = Foreseen(source, wanted.form.file.columns)
            mapper = _mapper(wanted, rows, self._digits, stack)
            self._returns = mapper.returns if isinstance(mapper, PurchaseMapper) else None
            for fate, path in (("refused", wanted.refused), ("set_aside", wanted.set_aside)):
                if path is not None:
                    self._files[fate] = stack.enter_context(RejectFile(path, source.columns, wanted.form.file))
            lanes = stack.enter_context(open_lanes(database, job, wanted.jobs, self._settle))
            try:
                stopped = self._through(rows, mapper, lanes)
            except DatabaseAway as away:
                lanes.stop()
                stopped = Stopped("database_away", away.detail or away.title)
            if stopped is not None:
                self._leave_unsettled()
            return stopped

    def _through(self, source: Foreseen, mapper: Mapper, lanes: Lanes) -> Stopped | None:
        orders = gather(self._rows(source, mapper), self._wanted.form, mapper, self._refuse_row)
        taken = 0
        try:
            for rows in orders:
                if self._watch.stop or taken == self._wanted.limit:
                    self._halt(rows)
                    continue
                taken += self._order(rows, mapper, lanes)
        except FileDamaged as damaged:
            # An order that the break may have cut in two was not taken; those before it are whole.
            lanes.finish()
            return Stopped("file_damaged", damaged.detail or damaged.title)
        if self._watch.stop:
            lanes.stop()
            return Stopped("interrupted", "It was stopped.")
        lanes.finish()
        return Stopped("limit", f"The limit of {taken} {self._of} was reached.") if self._halted else None

    def _rows(self, source: Foreseen, mapper: Mapper) -> Iterator[Row]:
        """The rows that are to be booked."""
        tally, watch = self._tally, self._watch
        for read in source:
            tally.rows_read += 1
            if not tally.rows_read % 1000:
                self._show()
            if isinstance(read, Unreadable):
                self._reject(Reject(read, "refused", "row_unreadable", read.message))
                continue
            try:
                sifted = mapper.sift(read)
            except FaultyOrder as faulty:
                self._refuse_row(read, faulty)
                continue
            if sifted is None:
                yield read
            elif sifted.fate == "skipped":
                tally.skipped[sifted.name] += 1
                self._settled += 1
            else:
                tally.matched.update(sifted.matched)
                self._reject(Reject(read, "set_aside", sifted.name, "The map sets it aside."))
            if watch.stop or self._halted:
                return

    def _order(self, rows: Sequence[Row], mapper: Mapper, lanes: Lanes) -> bool:
        if self._deduplicates:
            rows, duplicates = without_duplicates(rows)
            for row in duplicates:
                self._tally.matched[DUPLICATE] += 1
                self._reject(Reject(row, "set_aside", DUPLICATE, "Its order has a row that is equal to it."))
        try:
            if self._returns is not None and self._returns.are_back(rows):
                return self._come_back(rows, self._returns, lanes)
            order = mapper.order(rows, dt.datetime.now(dt.UTC))
        except FaultyOrder as faulty:
            self._refuse(rows, faulty.faults)
            return False
        if self._returns is not None:
            self._returns.note(order)
        self._tally.skipped_hour += order.in_skipped_hour
        lanes.take(order)
        return True

    def _come_back(self, rows: Sequence[Row], returns: Returns, lanes: Lanes) -> bool:
        """Book the returns that rows are; those that are of no order are set aside, with why."""
        found = returns.match(rows, dt.datetime.now(dt.UTC))
        for one in found.unmatched:
            self._tally.matched[one.code] += 1
            self._reject(Reject(one.row, "set_aside", one.code, one.message))
        for order in found.orders:
            self._tally.skipped_hour += order.in_skipped_hour
            lanes.take(order)
        return bool(found.orders)

    def _settle(self, orders: Sequence[Order], done: BatchDone) -> None:
        self._tally.members_new += done.members_new
        for order, one in zip(orders, done.orders, strict=True):
            if one.fate is None:
                self._refuse(order.rows, one.faults)
            else:
                money, kind = self._money(order), order.draft.sent.type
                self._tally.booked(one.fate, len(order.rows), money, one.points, kind)
                self._tally.came_back(one.fate, order.returned)
                self._settled += len(order.rows)
        self._show()

    def _money(self, order: Order) -> Decimal:
        """What an order came to in the program's currency: of another one at the rate of today."""
        rate = self._rates.get(order.draft.sent.currency or "")
        if rate is None:
            return order.money
        return (order.money * rate).quantize(Decimal(1).scaleb(-self._digits), ROUND_HALF_UP)

    def _refuse(self, rows: Sequence[Row], faults: Sequence[Fault]) -> None:
        """Refuse an order: the rows that are at fault, by their fault, and the others with them."""
        self._tally.orders["refused"] += 1
        general = next((fault for fault in faults if fault.row is None), None)
        own: dict[int, Fault] = {}
        for fault in faults:
            if fault.row is not None:
                own.setdefault(fault.row, fault)
        for index, row in enumerate(rows):
            fault = own.get(index) or general or _whole_or_not([rows[at].number for at in sorted(own)])
            self._reject(Reject(row, "refused", fault.code, fault.message, fault.pointer, fault.hint))

    def _refuse_row(self, row: Row, faulty: FaultyOrder) -> None:
        fault = faulty.faults[0]
        self._reject(Reject(row, "refused", fault.code, fault.message, fault.pointer, fault.hint))

    def _reject(self, reject: Reject) -> None:
        self._tally.rejected(reject)
        self._settled += 1
        if reject.fate in self._files:
            self._files[reject.fate].write(reject)

    def _halt(self, rows: Sequence[Row]) -> None:
        """Read no further; what is read already (all of it, where it had to be sorted) is not reached."""
        self._halted = True
        self._tally.rows["not_reached"] += len(rows)

    def _leave_unsettled(self) -> None:
        """Rows that were read and not booked, because the run was stopped."""
        self._tally.rows["not_reached"] += self._tally.rows_read - self._tally.accounted

    def _show(self) -> None:
        if self._meter is not None:
            self._watch.progress(self._meter.done, self._meter.size, self._tally.rows_read, self._settled)


def _mapper(wanted: Wanted, rows: Foreseen, digits: int, stack: ExitStack) -> Mapper:
    form = wanted.form
    if isinstance(form, EventsMap):
        return EventMapper(form, wanted.sources, rows.columns, digits, rows.looked_at)
    bought = None if form.returns is None else stack.enter_context(Bought())
    return PurchaseMapper(form, wanted.sources, rows.columns, digits, rows.looked_at, bought)


def _whole_or_not(culprits: Sequence[int]) -> Fault:
    shown = ", ".join(map(str, culprits[:5]))
    return Fault(None, "order_refused", f"The order is booked whole or not at all, and row {shown} of it is refused.")
