"""Redemptions that are asked for at the same time share a transaction: one commit, and few round trips, for all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeAlias
from uuid import UUID

from setia.problems import Problem, Unavailable
from setia.rewards.redeeming import Redeemed, Wanted

MOST = 50
"""How many share one: more would let the first wait for the last."""
MOST_WAITING = 5_000
"""How many may wait. Beyond it the answer is 503 at once, instead of a time-out later."""

_Answer: TypeAlias = "Future[Redeemed] | asyncio.Future[Redeemed]"


class _Waiting:
    """A request, and where to say what became of it."""

    def __init__(self, program_id: int, wanted: Wanted, answer: _Answer) -> None:
        self.program_id, self.wanted, self.answer = program_id, wanted, answer


class Together:
    """The queue of a process and the thread that redeems what is in it; the thread begins with the first request."""

    def __init__(self, work: Callable[[int, Sequence[Wanted]], Sequence[Redeemed | Problem]]) -> None:
        """`work` redeems for different members of one program in a transaction of its own."""
        self._work = work
        self._changed = threading.Condition()
        self._queue: list[_Waiting] = []
        self._thread: threading.Thread | None = None
        self._stopping = False

    def submit(self, program_id: int, wanted: Wanted) -> Redeemed:
        """Redeem, and raise what the request would have raised alone."""
        answer: Future[Redeemed] = Future()
        self._put(_Waiting(program_id, wanted, answer))
        return answer.result()

    async def wait(self, program_id: int, wanted: Wanted) -> Redeemed:
        """The same from an event loop."""
        answer: asyncio.Future[Redeemed] = asyncio.get_running_loop().create_future()
        self._put(_Waiting(program_id, wanted, answer))
        return await answer

    def stop(self) -> None:
        """Redeem what is waiting, then end. Later requests are refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _put(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._stopping:
                raise Unavailable("The server is stopping. Send the same request again in a moment.")
            if len(self._queue) >= MOST_WAITING:
                raise Unavailable("More redemptions are waiting than can be booked soon. Send it again in a moment.")
            self._queue.append(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="redemptions", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while batch := self._next():
            results = self._done(batch[0].program_id, [one.wanted for one in batch])
            _tell(batch, results)

    def _next(self) -> list[_Waiting]:
        """The first that waits, and those of its program that are about other members; empty when it is time to end."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            members = set[UUID]()
            batch: list[_Waiting] = []
            rest: list[_Waiting] = []
            for one in self._queue:
                member = one.wanted.asked.member
                same = not batch or one.program_id == batch[0].program_id
                if same and member not in members and len(batch) < MOST:
                    members.add(member)
                    batch.append(one)
                else:
                    rest.append(one)
            self._queue = rest
        return batch

    def _done(self, program_id: int, batch: Sequence[Wanted]) -> Sequence[Redeemed | Exception]:
        try:
            return self._work(program_id, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits has to be told
            if len(batch) == 1:
                return [error]
        # One of them was in the way of all: each by itself, so that its neighbours are not refused for it.
        return [result for one in batch for result in self._done(program_id, [one])]


def _tell(batch: Sequence[_Waiting], results: Sequence[Redeemed | Exception]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Redeemed], Redeemed | Exception]]] = {}
    for one, result in zip(batch, results, strict=True):
        if isinstance(one.answer, asyncio.Future):
            loops.setdefault(one.answer.get_loop(), []).append((one.answer, result))
        elif isinstance(result, Exception):
            one.answer.set_exception(result)
        else:
            one.answer.set_result(result)
    for loop, answers in loops.items():
        # One wake-up of a loop for all answers of a commit. A loop that was closed meanwhile has nobody waiting.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver, answers)


def _deliver(answers: Sequence[tuple[asyncio.Future[Redeemed], Redeemed | Exception]]) -> None:
    for answer, result in answers:
        # A caller that has gone away has cancelled its future.
        if answer.done():
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
