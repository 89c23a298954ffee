"""Several statements at once: in one transaction, in order, all or none."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, pq

from setia.db.columns import integers, texts
from setia.db.engine import Database
from setia.db.exchange import Exchange, Wire


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    with database.connect(autocommit=True) as setup:
        setup.execute("CREATE TABLE thing (id int PRIMARY KEY, name text)")
    where, how = database.driver_arguments()
    with Wire.connect(where, **how) as connection:
        yield connection


def insert(exchange: Exchange, *ids: int) -> None:
    exchange.ask("INSERT INTO thing (id) SELECT * FROM unnest($1::int[])", integers(ids))


def ids(database: Database) -> list[int]:
    with database.connect() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM thing ORDER BY id")]


def status(connection: psycopg.Connection[object]) -> pq.TransactionStatus:
    return connection.info.transaction_status


def test_statements_see_those_before_them_and_are_kept_by_a_commit(wire: Wire, database: Database) -> None:
    exchange = Exchange(wire)
    inserted = exchange.ask(
        "INSERT INTO thing SELECT * FROM unnest($1::int[], $2::text[])", integers([2, 1]), texts("ab")
    )
    found = exchange.ask("SELECT id, name FROM thing ORDER BY id")
    none = exchange.ask("SELECT id FROM thing WHERE id = $1::int", "7")
    exchange.send()
    assert found.rows == [(1, "b"), (2, "a")]
    assert (inserted.rowcount, inserted.rows, none.rowcount, none.rows) == (2, [], 0, [])
    assert ids(database) == []
    wire.commit()
    assert ids(database) == [1, 2]


def test_an_exchange_of_nothing_sends_nothing(wire: Wire) -> None:
    Exchange(wire).send()
    assert status(wire) == pq.TransactionStatus.IDLE


def test_values_may_be_missing(wire: Wire) -> None:
    exchange = Exchange(wire)
    reply = exchange.ask("SELECT $1::int, $2::text", None, "x")
    exchange.send()
    assert reply.rows == [(None, "x")]


def test_the_first_failure_is_raised_and_nothing_after_it_has_run(wire: Wire, database: Database) -> None:
    exchange = Exchange(wire)
    insert(exchange, 1)
    insert(exchange, 1)
    later = exchange.ask("SELECT 1/0")
    with pytest.raises(errors.UniqueViolation) as failure:
        exchange.send()
    assert failure.value.diag.constraint_name == "thing_pkey"
    assert later.rows == []
    assert status(wire) == pq.TransactionStatus.INERROR
    wire.rollback()
    assert ids(database) == []


def test_after_a_failure_the_connection_is_as_good_as_before(wire: Wire, database: Database) -> None:
    for _ in range(3):
        exchange = Exchange(wire)
        insert(exchange, 1)
        exchange.ask("SELECT $1::int / 0", "1")
        with pytest.raises(errors.DivisionByZero):
            exchange.send()
        wire.rollback()
    exchange = Exchange(wire)
    insert(exchange, 1)
    exchange.send()
    wire.commit()
    assert ids(database) == [1]


def test_a_statement_that_cannot_be_prepared_is_no_memory(wire: Wire) -> None:
    for _ in range(2):
        exchange = Exchange(wire)
        exchange.ask("SELECT nothing FROM nowhere")
        exchange.ask("SELECT 1")
        with pytest.raises(errors.UndefinedTable):
            exchange.send()
        wire.rollback()
    assert wire.prepared == {}


def test_a_statement_is_prepared_once(wire: Wire) -> None:
    for number in range(3):
        exchange = Exchange(wire)
        reply = exchange.ask("SELECT $1::int", str(number))
        exchange.send()
        assert reply.rows == [(number,)]
    prepared = [row[0] for row in wire.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'setia%'")]
    assert [name.encode() for name in prepared] == list(wire.prepared.values())
    assert len(prepared) == 1


@pytest.mark.parametrize("by_psycopg", [False, True])
def test_what_was_prepared_is_prepared_again_after_a_rollback(wire: Wire, *, by_psycopg: bool) -> None:
    # psycopg drops all prepared statements when it undoes a transaction and has prepared some itself.
    for number in range(3):
        if by_psycopg:
            wire.execute("SELECT 1", prepare=True)
        exchange = Exchange(wire)
        reply = exchange.ask("SELECT $1::int", str(number))
        exchange.send()
        assert reply.rows == [(number,)]
        wire.rollback()


def test_what_was_prepared_stays_where_nothing_is_undone(wire: Wire) -> None:
    exchange = Exchange(wire)
    exchange.ask("SELECT 1")
    exchange.send()
    wire.commit()
    prepared = dict(wire.prepared)
    wire.rollback()
    assert wire.prepared == prepared != {}
    again = Exchange(wire)
    reply = again.ask("SELECT 1")
    again.send()
    assert reply.rows == [(1,)]
    assert wire.prepared == prepared


def test_psycopgs_own_statements_go_on_between_exchanges(wire: Wire, database: Database) -> None:
    exchange = Exchange(wire)
    insert(exchange, 1)
    exchange.send()
    wire.execute("INSERT INTO thing (id) VALUES (%s)", (2,), prepare=True)
    again = Exchange(wire)
    insert(again, 3)
    again.send()
    wire.commit()
    assert ids(database) == [1, 2, 3]


def test_a_pooled_connection_begins_its_transaction_as_it_is_set_to(wire: Wire, database: Database) -> None:
    assert status(wire) == pq.TransactionStatus.IDLE
    with database.connect() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        exchange = Exchange(connection)
        insert(exchange, 1)
        level = exchange.ask("SELECT current_setting('transaction_isolation')")
        exchange.send()
        assert level.rows == [("repeatable read",)]
        connection.rollback()
    assert ids(database) == []


def test_outside_of_transactions_there_is_none(wire: Wire, database: Database) -> None:
    assert status(wire) == pq.TransactionStatus.IDLE
    with database.connect(autocommit=True) as connection:
        exchange = Exchange(connection)
        insert(exchange, 1)
        exchange.send()
        assert status(connection) == pq.TransactionStatus.IDLE
    assert ids(database) == [1]


def test_megabytes_go_both_ways_at_once(wire: Wire) -> None:
    # More than the socket holds in either direction: who only wrote would wait for ever for a server that only writes.
    text = "x" * 3_000_000
    exchange = Exchange(wire)
    replies = [exchange.ask("SELECT $1::text", text) for _ in range(4)]
    exchange.send()
    assert [reply.rows for reply in replies] == [[(text,)]] * 4


def test_a_value_that_python_cannot_hold_leaves_the_connection_whole(wire: Wire) -> None:
    exchange = Exchange(wire)
    exchange.ask("SELECT '294276-01-01'::timestamptz")
    exchange.ask("SELECT 1")
    with pytest.raises(psycopg.DataError):
        exchange.send()
    again = Exchange(wire)
    reply = again.ask("SELECT 2")
    again.send()
    assert reply.rows == [(2,)]


def test_a_lost_connection_is_an_operational_error(wire: Wire, database: Database) -> None:
    pid = wire.info.backend_pid
    with database.connect(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    exchange = Exchange(wire)
    exchange.ask("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        exchange.send()
    assert wire.closed


def test_a_connection_that_is_lost_while_it_waits(wire: Wire, database: Database) -> None:
    pid = wire.info.backend_pid

    def end() -> None:
        with database.connect(autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    ending = threading.Timer(0.2, end)
    ending.start()
    exchange = Exchange(wire)
    exchange.ask("SELECT pg_sleep(20)")
    with pytest.raises(psycopg.OperationalError):
        exchange.send()
    ending.join()
    assert wire.closed
