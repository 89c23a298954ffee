"""Redemptions that are asked for at the same time share a transaction: one commit, and few round trips, for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from uuid import UUID

from setia.problems import Problem
from setia.rewards.redeeming import Redeemed, Wanted

MOST = 50
"""How many share one: more would let the first wait for the last."""


class _Waiting:
    """A request and, once it is done, what became of it."""

    def __init__(self, program_id: int, wanted: Wanted) -> None:
        self.program_id, self.wanted = program_id, wanted
        self.result: Redeemed | Exception | None = None


class Together:
    """Whoever comes while a transaction is under way waits for its end; one of them then leads the next one.

    No thread of its own: with one client at a time, each request is a transaction, as if this were not here.
    """

    def __init__(self, work: Callable[[int, Sequence[Wanted]], Sequence[Redeemed | Problem]]) -> None:
        """`work` redeems for different members of one program in a transaction of its own."""
        self._work = work
        self._lock = threading.Lock()
        self._leading = threading.Lock()
        self._queue: list[_Waiting] = []

    def submit(self, program_id: int, wanted: Wanted) -> Redeemed:
        """Redeem, and raise what the request would have raised alone."""
        mine = _Waiting(program_id, wanted)
        with self._lock:
            self._queue.append(mine)
        while mine.result is None:
            with self._leading:
                # Whoever led before may have done it.
                if mine.result is None:
                    self._lead()
        if isinstance(mine.result, Exception):
            raise mine.result
        return mine.result

    def _lead(self) -> None:
        batch = self._next()
        for one, result in zip(batch, self._done(batch), strict=True):
            one.result = result

    def _next(self) -> list[_Waiting]:
        """The first that waits, and those of its program that are about other members, in their order."""
        with self._lock:
            program_id, members = self._queue[0].program_id, set[UUID]()
            batch: list[_Waiting] = []
            rest: list[_Waiting] = []
            for one in self._queue:
                member = one.wanted.asked.member
                if one.program_id == program_id and member not in members and len(batch) < MOST:
                    members.add(member)
                    batch.append(one)
                else:
                    rest.append(one)
            self._queue = rest
        return batch

    def _done(self, batch: Sequence[_Waiting]) -> Sequence[Redeemed | Exception]:
        try:
            return self._work(batch[0].program_id, [one.wanted for one in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits has to be told
            if len(batch) == 1:
                return [error]
        # One of them was in the way of all: each by itself, so that its neighbours are not refused for it.
        return [result for one in batch for result in self._done([one])]
