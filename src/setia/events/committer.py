"""Group commit: one thread books what is waiting, together, and so shares the price of a commit among many."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import zlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, cast

from prometheus_client import Counter, Histogram

from setia.events import lingering
from setia.events.booking import Answer, Submission
from setia.events.clerk import Clerk
from setia.events.lingering import Lingering
from setia.problems import Unavailable

MOST_TOGETHER = 500
"""How many events one transaction takes. More do not make it cheaper per event, and those behind wait longer."""
MOST_WAITING = 20_000
"""How many events may wait. Beyond it the answer is 503 at once, instead of a time-out later."""
MOST_PUT_OFF = 5
"""How often an event steps back because its member is being booked for; then it waits for the member."""

_events = Counter("setia_events_booked_total", "Events answered by the committer.")
_put_off = Counter("setia_events_put_off_total", "Times that events stepped back because their member was busy.")
_together = Histogram(
    "setia_events_per_commit", "Events in one transaction.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 500)
)


Answers = list[Answer]


class _Whole:
    """The answers to what was handed in together. Its parts may be booked by several threads, and after each other."""

    def __init__(self, size: int, answer: Future[Answers] | asyncio.Future[Answers]) -> None:
        self.answer = answer
        self.answers: list[Answer | None] = [None] * size
        self._missing = size
        self._lock = threading.Lock()

    def fill(self, places: Sequence[int], answers: Sequence[Answer | None]) -> bool:
        """Put what is there in its places; whether nothing is missing now."""
        with self._lock:
            for place, answer in zip(places, answers, strict=True):
                if answer is not None:
                    self.answers[place] = answer
                    self._missing -= 1
            return not self._missing


class _Request(NamedTuple):
    program_id: int
    submissions: Sequence[Submission]
    places: Sequence[int]
    whole: _Whole
    put_off: int = 0
    """How often it has stepped back."""

    def rest(self, answers: Sequence[Answer | None]) -> _Request:
        """What of it was put off."""
        left = [index for index, answer in enumerate(answers) if answer is None]
        submissions = [self.submissions[index] for index in left]
        return self._replace(
            submissions=submissions, places=[self.places[index] for index in left], put_off=self.put_off + 1
        )


def lane_of(submission: Submission, lanes: int) -> int:
    """Which of so many threads books an event: always the same for a member who is named in the same way."""
    member = submission.draft.sent.member
    if lanes == 1 or member is None:
        return 0
    named = member.id or member.external_id or member.card or member.phone or member.email or ""
    return zlib.crc32(named.encode("utf-8", "surrogatepass")) % lanes


class Committer:
    """The queue of a process and the threads that book what is in it, one for each clerk.

    Members are divided among the clerks, so that two of them seldom wait for the same member: while one waits for the
    database, the other decides. What is handed in together is booked in the order given for each member.
    """

    def __init__(self, *clerks: Clerk) -> None:
        self._waiting: list[deque[_Request]] = [deque() for _ in clerks]
        self._events_waiting = 0
        self._enough = 1
        """With how many waiting a thread is woken."""
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(clerk, lane), name=f"committer-{lane}", daemon=True)
            for lane, clerk in enumerate(clerks)
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
        self._queue(program_id, submissions, answer)
        return answer

    async def wait(self, program_id: int, submissions: Sequence[Submission]) -> Answers:
        """The same from an event loop: hand in events and wait for their answers."""
        answer: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._queue(program_id, submissions, answer)
        return await answer

    def _queue(
        self, program_id: int, submissions: Sequence[Submission], answer: Future[Answers] | asyncio.Future[Answers]
    ) -> None:
        lanes: dict[int, list[int]] = {}
        taken: dict[tuple[str, str], int] = {}
        for place, submission in enumerate(submissions):
            # Of two with the same id the first counts, whoever they name: they go the same way.
            lane = taken.setdefault(submission.draft.key, lane_of(submission, len(self._waiting)))
            lanes.setdefault(lane, []).append(place)
        whole = _Whole(len(submissions), answer)
        with self._changed:
            if self._stopping:
                message = "The server is stopping. Send the event again in a moment."
                raise Unavailable(message)
            if self._events_waiting + len(submissions) > MOST_WAITING:
                message = "More events are waiting than can be booked soon. Send it again in a moment."
                raise Unavailable(message)
            for lane, places in lanes.items():
                part = [submissions[place] for place in places]
                self._waiting[lane].append(_Request(program_id, part, places, whole))
            self._events_waiting += len(submissions)
            if self._events_waiting >= self._enough:
                self._changed.notify_all()

    def _run(self, clerk: Clerk, lane: int) -> None:
        # With several threads each would wait for what another one takes.
        linger = Lingering() if len(self._waiting) == 1 else None
        with clerk:
            while requests := self._next(self._waiting[lane], linger):
                together = [submission for request in requests for submission in request.submissions]
                # Waiting helps nobody while there is other work; those alone have none, and some have waited long.
                alone = all(request.put_off for request in requests)
                patient = alone or any(request.put_off >= MOST_PUT_OFF for request in requests)
                book = clerk.book if patient else clerk.book_free
                answers = book(requests[0].program_id, together)
                rest = _answer(requests, answers)
                left = sum(len(request.submissions) for request in rest)
                _together.observe(len(together) - left)
                _events.inc(len(together) - left)
                if linger is not None:
                    linger.booked(len(together) - left)
                if rest:
                    _put_off.inc(left)
                    with self._changed:
                        self._waiting[lane].extendleft(reversed(rest))
                        self._events_waiting += left

    def _wait_for_more(self, linger: Lingering) -> None:
        """Wait a moment for those who were answered just now, where it is worth it; the lock is held."""
        target = linger.target(self._events_waiting)
        if target and not self._stopping:
            # Woken once and not by each of them: that would cost what it is to save.
            self._enough = target
            reached = self._changed.wait_for(
                lambda: self._stopping or self._events_waiting >= target, timeout=lingering.SECONDS
            )
            self._enough = 1
            linger.waited(reached=reached)

    def _next(self, waiting: deque[_Request], linger: Lingering | None) -> list[_Request]:
        """The requests to book together: of one program, in the order they came. Empty when it is time to end."""
        with self._changed:
            if linger is not None:
                self._wait_for_more(linger)
            while not waiting and not self._stopping:
                self._changed.wait()
            taken: list[_Request] = []
            events = 0
            while waiting:
                request = waiting[0]
                # What was put off goes along: it was part of a full transaction before, and alone it would wait.
                new = 0 if request.put_off else len(request.submissions)
                if taken and (request.program_id != taken[0].program_id or (new and events + new > MOST_TOGETHER)):
                    break
                taken.append(waiting.popleft())
                self._events_waiting -= len(request.submissions)
                events += new
            return taken


def _answer(requests: Sequence[_Request], answers: Sequence[Answer | None]) -> list[_Request]:
    """Deliver the answers that are there; returns what is left of the requests, to be booked later."""
    delivered: dict[asyncio.AbstractEventLoop, list[_Whole]] = {}
    rest: list[_Request] = []
    start = 0
    for request in requests:
        own = answers[start : start + len(request.submissions)]
        start += len(own)
        whole = request.whole
        if any(answer is None for answer in own):
            rest.append(request.rest(own))
        if not whole.fill(request.places, own):
            continue
        if isinstance(whole.answer, asyncio.Future):
            delivered.setdefault(whole.answer.get_loop(), []).append(whole)
        elif whole.answer.set_running_or_notify_cancel():
            whole.answer.set_result(cast("Answers", whole.answers))
    for loop, wholes in delivered.items():
        # One wake-up of a loop for all answers of a commit: each costs a write to its pipe. A loop that was closed
        # meanwhile has nobody waiting; the events are booked all the same.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver, wholes)
    return rest


def _deliver(wholes: Sequence[_Whole]) -> None:
    for whole in wholes:
        # A caller that has gone away has cancelled its future.
        if not whole.answer.done():
            whole.answer.set_result(cast("Answers", whole.answers))
