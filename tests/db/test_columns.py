"""Columns written by hand are what the server reads."""

import datetime as dt
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.db import columns
from setia.db.engine import Database
from setia.db.exchange import Exchange

_INTEGERS = {"smallint": (columns.smallints, 15), "integer": (columns.integers, 31), "bigint": (columns.bigints, 63)}
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
_moments = st.timedeltas(dt.timedelta(days=-36_000), dt.timedelta(days=2_900_000)).map(
    lambda since: dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + since
)
_zones = st.timezones()


@pytest.fixture
def ask(database: Database) -> Any:
    def read_back(type_: str, written: bytes) -> list[Any]:
        with database.raw_connection() as connection:
            exchange = Exchange(connection)
            reply = exchange.ask(f"SELECT v FROM unnest($1::{type_}[]) WITH ORDINALITY AS u (v, n) ORDER BY n", written)
            exchange.send()
            return [row[0] for row in reply.rows]

    return read_back


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, max_size=8)


_ON_ONE_DATABASE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@_ON_ONE_DATABASE
@given(values=many(st.uuids()))
def test_uuids(ask: Any, values: list[UUID | None]) -> None:
    assert ask("uuid", columns.uuids(values)) == values


@_ON_ONE_DATABASE
@given(data=st.data(), type_=st.sampled_from(sorted(_INTEGERS)))
def test_whole_numbers_up_to_the_largest_of_their_type(ask: Any, data: st.DataObject, type_: str) -> None:
    write, bits = _INTEGERS[type_]
    values = data.draw(many(st.integers(-(2**bits), 2**bits - 1)))
    assert ask(type_, write(values)) == values


@_ON_ONE_DATABASE
@given(values=many(_texts))
def test_texts(ask: Any, values: list[str | None]) -> None:
    assert ask("text", columns.texts(values)) == values


@_ON_ONE_DATABASE
@given(values=st.lists(st.sampled_from([None, "", "event", "Bohnen ü"]), max_size=40))
def test_texts_of_which_few_are_different(ask: Any, values: list[str | None]) -> None:
    assert ask("text", columns.texts(values)) == values


@_ON_ONE_DATABASE
@given(values=many(_moments), zone=_zones)
def test_moments_to_the_microsecond_whatever_their_offset(
    ask: Any, values: list[dt.datetime | None], zone: dt.tzinfo
) -> None:
    elsewhere = [None if value is None else value.astimezone(zone) for value in values]
    assert ask("timestamptz", columns.moments(elsewhere)) == values


@_ON_ONE_DATABASE
@given(values=many(st.binary()))
def test_binaries(ask: Any, values: list[bytes | None]) -> None:
    assert ask("bytea", columns.binaries(values)) == values


@_ON_ONE_DATABASE
@given(values=many(st.dictionaries(_texts, _texts | st.integers() | st.booleans(), max_size=3)))
def test_documents(ask: Any, values: list[dict[str, Any] | None]) -> None:
    written = columns.documents([None if value is None else json.dumps(value).encode() for value in values])
    assert ask("json", written) == values


@pytest.mark.parametrize("write", [columns.smallints, columns.integers, columns.bigints])
def test_a_number_too_large_is_refused_before_it_is_sent(write: Any) -> None:
    with pytest.raises((struct.error, OverflowError)):
        write([2**63])


def test_elements_of_another_type_are_refused_by_the_server(ask: Any) -> None:
    with pytest.raises(psycopg.errors.DatatypeMismatch):
        ask("bigint", columns.integers([1]))


@_ON_ONE_DATABASE
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.none() | _texts, st.none() | st.uuids(), st.none()), min_size=1),
    blank=st.booleans(),
)
def test_columns_beside_each_other_are_the_rows(
    database: Database, rows: list[tuple[int, str | None, UUID | None, None]], *, blank: bool
) -> None:
    # given rows of which one column may be NULL throughout, and another one is
    rows = [(number, None if blank else text, one, nothing) for number, text, one, nothing in rows]
    writers: tuple[Callable[[Sequence[Any]], bytes], ...]
    writers = (columns.integers, columns.texts, columns.uuids, columns.documents)
    arrays = [columns.beside(write, column) for write, column in zip(writers, zip(*rows, strict=True), strict=True)]

    # when they are sent, then what is NULL throughout is not written
    assert arrays[3] == columns.documents([])
    assert (arrays[1] == columns.texts([])) is all(row[1] is None for row in rows)
    statement = "SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::json[])"
    with database.raw_connection() as connection:
        exchange = Exchange(connection)
        reply = exchange.ask(statement, *arrays)
        exchange.send()
        assert reply.rows == rows


@_ON_ONE_DATABASE
@given(value=_moments)
def test_a_single_moment(database: Database, value: dt.datetime) -> None:
    with database.raw_connection() as connection:
        exchange = Exchange(connection)
        reply = exchange.ask("SELECT $1::timestamptz", columns.moment(value))
        exchange.send()
        assert reply.rows == [(value,)]
