"""Where batches are booked: in this process, or in several at once."""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol
from zlib import crc32

from setia.db.engine import Database, Limits
from setia.events.arrivals import Draft
from setia.imports.booking import BatchDone, Booker, Job
from setia.imports.envelopes import Order
from setia.imports.problems import DatabaseAway

MOST_ORDERS = 500
"""Orders in one transaction, as in the API's group commit."""
MOST_LINES = 5_000
"""Lines in one transaction: orders of a wholesaler have hundreds, and a batch is held in memory."""
_AHEAD = 2
"""Batches that wait for each process, so that it never waits for the reader."""

Settle = Callable[[Sequence[Order], BatchDone], None]


class Lanes(Protocol):
    """Takes orders, books them in batches, and tells `settle` of every batch, in this process."""

    def take(self, order: Order) -> None:
        """Take an order. A member's orders are booked in the order they are taken."""

    def finish(self) -> None:
        """Book what is left and wait for everything."""

    def stop(self) -> None:
        """Wait for what is being booked, and forget what is not."""


@contextmanager
def open_lanes(database: Database, job: Job, jobs: int, settle: Settle) -> Iterator[Lanes]:
    """One lane in this process, or `jobs` in processes of their own."""
    if jobs == 1:
        with Booker(database, job) as booker:
            yield _Here(booker, settle)
        return
    with ExitStack() as stack:
        url = database.url.render_as_string(hide_password=False)
        # Not forked: a child must not share the connections and threads of this process.
        context = multiprocessing.get_context("spawn")
        about = (url, database.limits, job)
        made = (ProcessPoolExecutor(1, context, initializer=_begin, initargs=about) for _ in range(jobs))
        pools = [stack.enter_context(pool) for pool in made]
        yield _Apart(pools, settle)


class _Batch:
    """Orders gathered for one transaction."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._lines = 0

    def add(self, order: Order) -> bool:
        """Add one; true when the batch is full."""
        self.orders.append(order)
        self._lines += len(order.rows)
        return len(self.orders) >= MOST_ORDERS or self._lines >= MOST_LINES


class _Here:
    def __init__(self, booker: Booker, settle: Settle) -> None:
        self._booker = booker
        self._settle = settle
        self._batch = _Batch()

    def take(self, order: Order) -> None:
        if self._batch.add(order):
            self.finish()

    def finish(self) -> None:
        orders = self._batch.orders
        if orders:
            done = self._booker.book([order.draft for order in orders])
            self._batch = _Batch()
            self._settle(orders, done)

    def stop(self) -> None:
        self._batch = _Batch()


class _Apart:
    """A process each, and a member's orders always to the same: by what the row says of the member."""

    def __init__(self, pools: Sequence[ProcessPoolExecutor], settle: Settle) -> None:
        self._pools = pools
        self._settle = settle
        self._batches = [_Batch() for _ in pools]
        self._sent: list[deque[tuple[list[Order], Future[BatchDone]]]] = [deque() for _ in pools]

    def take(self, order: Order) -> None:
        lane = crc32(order.member.encode()) % len(self._pools)
        if self._batches[lane].add(order):
            self._send(lane)

    def finish(self) -> None:
        for lane in range(len(self._pools)):
            self._send(lane)
        for sent in self._sent:
            while sent:
                self._receive(sent)

    def stop(self) -> None:
        self._batches = [_Batch() for _ in self._pools]
        for sent in self._sent:
            while sent:
                orders, future = sent.popleft()
                # One that runs is committed all the same; what came of it belongs into the report.
                if not future.cancel():
                    with suppress(DatabaseAway):
                        self._settle(orders, future.result())

    def _send(self, lane: int) -> None:
        orders = self._batches[lane].orders
        if not orders:
            return
        sent = self._sent[lane]
        while len(sent) >= _AHEAD:
            self._receive(sent)
        self._batches[lane] = _Batch()
        sent.append((orders, self._pools[lane].submit(_book, [order.draft for order in orders])))

    def _receive(self, sent: deque[tuple[list[Order], Future[BatchDone]]]) -> None:
        orders, future = sent.popleft()
        self._settle(orders, future.result())


def collect_rarely() -> None:
    """For a process that only imports: what a batch makes lives until it is booked, and none of it in cycles.

    Looking for cycles as often as Python does by itself costs a tenth of an import.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


_booker: list[Booker] = []
"""The booker of a process of its own: made when the process begins, gone with it."""


def _begin(url: str, limits: Limits, job: Job) -> None:
    # Ctrl-C goes to every process of the terminal; only the one that counts decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()
    _booker.append(Booker(Database(url, limits=limits, role="import"), job))


def _book(drafts: list[Draft]) -> BatchDone:
    return _booker[0].book(drafts)
