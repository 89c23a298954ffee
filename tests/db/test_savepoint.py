"""What is refused within a transaction is undone; what is prepared on the connection stays, and the rest goes on."""

from __future__ import annotations

import psycopg
import pytest

from setia.db.engine import Database, driver_connection
from setia.db.exchange import Exchange
from setia.db.savepoint import undone_if
from setia.problems import Conflict


class _Refused(Conflict):
    code, title = "refused", "Refused"


def test_what_is_refused_is_undone_and_the_rest_goes_on(database: Database) -> None:
    with database.transaction() as tx:
        connection = driver_connection(tx)
        connection.execute("CREATE TABLE one (value int)")
        for value in range(8):
            # psycopg prepares what is executed often, an exchange what it asks the first time.
            exchange = Exchange(connection)
            exchange.ask("INSERT INTO one VALUES ($1::int)", str(value))
            with pytest.raises(_Refused), undone_if(_Refused, connection):
                exchange.send()
                raise _Refused
            with undone_if(_Refused, connection):
                connection.execute("INSERT INTO one VALUES (%s)", (value,), prepare=True)
        assert connection.execute("SELECT count(*) FROM one").fetchone() == (8,)


def test_what_breaks_the_transaction_breaks_it_whole(database: Database) -> None:
    with database.transaction() as tx:
        connection = driver_connection(tx)
        with pytest.raises(psycopg.errors.DivisionByZero), undone_if(_Refused, connection):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction), undone_if(_Refused, connection):
            pass


def test_what_cannot_be_undone_is_told(database: Database) -> None:
    with database.transaction() as tx:
        connection = driver_connection(tx)
        with pytest.raises(psycopg.OperationalError, match="savepoint"), undone_if(_Refused, connection):
            connection.execute("RELEASE SAVEPOINT refused")
            raise _Refused
