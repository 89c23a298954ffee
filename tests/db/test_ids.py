"""Identifiers: in order, unlike each other, and readable."""

import os
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.db import ids
from setia.db.ids import format_id, id_time, new_id, new_ids, parse_id

prefixes = st.from_regex(r"[a-z]{2,5}(_[a-z]{2,5})?", fullmatch=True)


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_tells_when_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = ids._Sequence()
    monkeypatch.setattr(time, "time_ns", lambda: 1_767_225_600_123_999_999)
    assert id_time(sequence.next()) == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=123)


def test_ids_of_one_process_are_in_order() -> None:
    made = [new_id() for _ in range(50_000)]
    assert made == sorted(set(made))


def test_ids_of_many_threads_are_in_order_for_each_and_never_equal() -> None:
    made: list[list[UUID]] = [[] for _ in range(4)]

    def make(into: list[UUID]) -> None:
        into.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(part == sorted(part) for part in made)
    assert len({identifier for part in made for identifier in part}) == 20_000


@given(st.lists(st.integers(min_value=1, max_value=2**48 - 10_000), min_size=2, max_size=30))
def test_ids_are_in_order_whatever_the_clock_does(milliseconds: list[int]) -> None:
    sequence = ids._Sequence()
    clock = iter(milliseconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: next(clock) * 1_000_000)
        made = [sequence.next() for _ in milliseconds]
    assert made == sorted(set(made))


def test_a_millisecond_with_too_many_ids_borrows_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = ids._Sequence()
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000)
    made = [sequence.next() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {identifier.int >> 80 for identifier in made} == {5, 6, 7}


@given(st.lists(st.integers(0, 5_000), max_size=6))
def test_several_ids_are_in_order_with_all_others(counts: list[int]) -> None:
    made = []
    for count in counts:
        several = new_ids(count)
        assert len(several) == count
        made += [*several, new_id()]
    assert made == sorted(set(made))
    assert {(identifier.version, identifier.variant) for identifier in made} <= {(7, RFC_4122)}


def test_an_id_is_like_one_that_python_makes() -> None:
    made = new_id()
    same = UUID(bytes=made.bytes)
    assert (made, hash(made), str(made), made.is_safe) == (same, hash(same), str(same), same.is_safe)


def test_a_forked_child_makes_ids_of_its_own() -> None:
    reading, writing = os.pipe()
    with ids._sequence._lock:  # as if another thread were just making an id
        child = os.fork()
        if child == 0:
            os.write(writing, new_id().bytes)
            os._exit(0)
    os.waitpid(child, 0)
    assert UUID(bytes=os.read(reading, 16)) != new_id()
    os.close(reading)
    os.close(writing)


@given(prefixes, st.uuids())
def test_an_id_that_is_written_is_read_back(prefix: str, identifier: UUID) -> None:
    text = format_id(prefix, identifier)
    assert re.fullmatch(rf"{prefix}_[0-9a-f]{{32}}", text)
    assert parse_id(prefix, text) == identifier


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must be an id that starts with mem_"),
        ("0" * 32, "must be an id that starts with mem_"),
        (f"evt_{'0' * 32}", "must be an id that starts with mem_"),
        (f"mem_mem_{'0' * 32}", "must be an id that starts with mem_"),
        ("mem_", "must be mem_ and then 32 hexadecimal digits"),
        (f"mem_{'0' * 31}", "must be mem_ and then 32 hexadecimal digits"),
        (f"mem_{'A' * 32}", "must be mem_ and then 32 hexadecimal digits"),
        (f"mem_{'0' * 32}\n", "must be mem_ and then 32 hexadecimal digits"),
    ],
)
def test_what_is_no_id_of_this_type_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_id("mem", text)


@given(st.text())
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        identifier = parse_id("mem", text)
    except ValueError:
        return
    assert format_id("mem", identifier) == text
