"""Group commit: one thread books what is waiting, together, and so shares the price of a commit among many."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from prometheus_client import Counter, Histogram

from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.problems import Unavailable

MOST_TOGETHER = 500
"""How many events one transaction takes. More do not make it cheaper per event, and those behind wait longer."""
MOST_WAITING = 20_000
"""How many events may wait. Beyond it the answer is 503 at once, instead of a time-out later."""

_events = Counter("setia_events_booked_total", "Events answered by the committer.")
_together = Histogram(
    "setia_events_per_commit", "Events in one transaction.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 500)
)


Answers = list[Answer]


class _Request(NamedTuple):
    program_id: int
    submissions: Sequence[Submission]
    answer: Future[Answers] | asyncio.Future[Answers]


class Committer:
    """The queue of a process and the threads that book what is in it, one for each clerk.

    Two clerks are enough to keep a processor busy: while one waits for the database, the other decides. More would only
    make the groups smaller.
    """

    def __init__(self, *clerks: Clerk) -> None:
        self._waiting: deque[_Request] = deque()
        self._events_waiting = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(clerk,), name=f"committer-{number}", daemon=True)
            for number, clerk in enumerate(clerks)
        ]

    def start(self) -> None:
        """Begin to book."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Book what is waiting, then end. Later events are refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def submit(self, program_id: int, submissions: Sequence[Submission]) -> Future[Answers]:
        """Hand in events, at most MOST_TOGETHER, from a thread. The future has their answers when they are committed.

        Raises:
            Unavailable: too much is waiting, or the process is ending.
        """
        answer: Future[Answers] = Future()
        self._queue(_Request(program_id, submissions, answer))
        return answer

    async def wait(self, program_id: int, submissions: Sequence[Submission]) -> Answers:
        """The same from an event loop: hand in events and wait for their answers."""
        answer: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._queue(_Request(program_id, submissions, answer))
        return await answer

    def _queue(self, request: _Request) -> None:
        events = len(request.submissions)
        with self._changed:
            if self._stopping:
                message = "The server is stopping. Send the event again in a moment."
                raise Unavailable(message)
            if self._events_waiting + events > MOST_WAITING:
                message = "More events are waiting than can be booked soon. Send it again in a moment."
                raise Unavailable(message)
            self._waiting.append(request)
            self._events_waiting += events
            self._changed.notify()

    def _run(self, clerk: Clerk) -> None:
        with clerk:
            while requests := self._next():
                self._book(clerk, requests)

    def _book(self, clerk: Clerk, requests: Sequence[_Request]) -> None:
        together = [submission for request in requests for submission in request.submissions]
        _together.observe(len(together))
        _events.inc(len(together))
        answers = clerk.book(requests[0].program_id, together)
        self._answer(requests, answers)

    def _answer(self, requests: Sequence[_Request], answers: Answers) -> None:
        delivered: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answers], Answers]]] = {}
        start = 0
        for request in requests:
            end = start + len(request.submissions)
            own, start = answers[start:end], end
            if isinstance(request.answer, asyncio.Future):
                delivered.setdefault(request.answer.get_loop(), []).append((request.answer, own))
            elif request.answer.set_running_or_notify_cancel():
                request.answer.set_result(own)
        for loop, pairs in delivered.items():
            # One wake-up of a loop for all answers of a commit: each costs a write to its pipe. A loop that was closed
            # meanwhile has nobody waiting; the events are booked all the same.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_deliver, pairs)

    def _next(self) -> list[_Request]:
        """The requests to book together: of one program, in the order they came. Empty when it is time to end."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            taken: list[_Request] = []
            events = 0
            while self._waiting:
                request = self._waiting[0]
                if taken and (
                    request.program_id != taken[0].program_id or events + len(request.submissions) > MOST_TOGETHER
                ):
                    break
                taken.append(self._waiting.popleft())
                events += len(request.submissions)
            self._events_waiting -= events
            return taken


def _deliver(pairs: list[tuple[asyncio.Future[Answers], Answers]]) -> None:
    for answer, answers in pairs:
        # A caller that has gone away has cancelled its future.
        if not answer.done():
            answer.set_result(answers)
