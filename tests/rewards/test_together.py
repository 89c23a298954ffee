"""Requests that come at once: who shares a transaction, and who is told what when one of them is in the way."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from setia.problems import Problem
from setia.rewards.problems import NoSuchReward
from setia.rewards.redeeming import Asked, Redeemed, Wanted
from setia.rewards.together import MOST, Together

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def wanted(member: int, reward: str = "r") -> Wanted:
    return Wanted(asked=Asked(member=UUID(int=member), reward=reward, reference="1"), actor="x", key=None, now=NOW)


class Desk:
    """Notes the batches; the first one waits until all the others are there."""

    def __init__(self, answer: Callable[[Sequence[Wanted]], Any]) -> None:
        self.batches: list[tuple[int, list[int]]] = []
        self.all_here = threading.Event()
        self._answer = answer

    def __call__(self, program_id: int, batch: Sequence[Wanted]) -> Sequence[Redeemed | Problem]:
        self.batches.append((program_id, [one.asked.member.int for one in batch]))
        self.all_here.wait(20)
        found: Sequence[Redeemed | Problem] = self._answer(batch)
        return found

    def serve(self, requests: Sequence[tuple[int, Wanted]]) -> list[Any]:
        together = Together(self)
        with ThreadPoolExecutor(len(requests)) as pool:
            begun = []
            for number, request in enumerate(requests):
                begun.append(pool.submit(together.submit, *request))
                # In this order in the queue; the first one is led at once, and leaves it.
                while not self.batches or len(together._queue) < number:
                    pass
            self.all_here.set()
            return [one.exception() or one.result() for one in begun]


def each(batch: Sequence[Wanted]) -> list[Any]:
    return [one.asked.member.int for one in batch]


def test_who_waits_is_done_together_each_member_once() -> None:
    desk = Desk(each)
    requests = [(1, wanted(member)) for member in (1, 2, 3, 2, 4)] + [(2, wanted(5))]
    assert desk.serve(requests) == [1, 2, 3, 2, 4, 5]
    assert desk.batches[:2] == [(1, [1]), (1, [2, 3, 4])]
    assert sorted(desk.batches[2:]) == [(1, [2]), (2, [5])]


def test_no_batch_is_too_long() -> None:
    desk = Desk(each)
    desk.serve([(1, wanted(member)) for member in range(MOST + 4)])
    assert [len(batch) for _, batch in desk.batches] == [1, MOST, 3]


def test_a_refusal_is_for_one_and_a_failure_for_the_one_who_causes_it() -> None:
    def answer(batch: Sequence[Wanted]) -> list[Any]:
        if any(one.asked.reward == "bad" for one in batch):
            raise RuntimeError("bad")
        return [NoSuchReward() if one.asked.reward == "none" else one.asked.member.int for one in batch]

    desk = Desk(answer)
    found = desk.serve([(1, wanted(1)), (1, wanted(2, "none")), (1, wanted(3, "bad")), (1, wanted(4))])
    assert (found[0], found[3]) == (1, 4)
    assert isinstance(found[1], NoSuchReward)
    assert isinstance(found[2], RuntimeError)
    assert [batch for _, batch in desk.batches] == [[1], [2, 3, 4], [2], [3], [4]]


@pytest.mark.parametrize("members", [1, 3])
def test_one_after_the_other_is_as_if_it_were_not_there(members: int) -> None:
    desk = Desk(each)
    desk.all_here.set()
    together = Together(desk)
    found: list[Any] = [together.submit(1, wanted(member)) for member in range(members)]
    assert found == list(range(members))
    assert len(desk.batches) == members
