"""The migration that gives test programs a clock keeps what is there, and goes back where it can."""

import pytest
from sqlalchemy.exc import DBAPIError

from setia.db import migrate
from setia.db.engine import Database


def test_a_test_program_of_before_gets_a_clock(empty_database_url: str) -> None:
    with Database(empty_database_url) as database:
        migrate.upgrade(database, "0006")
        with database.transaction() as tx:
            tx.exec_driver_sql("INSERT INTO program (key, mode) VALUES ('old', 'test'), ('shop', 'live')")

        migrate.upgrade(database, "0007")

        with database.transaction() as tx:
            rows = tx.exec_driver_sql("SELECT key, clock <= now() FROM program ORDER BY key").fetchall()
            assert [tuple(row) for row in rows] == [("old", True), ("shop", None)]
            tx.exec_driver_sql("INSERT INTO program (key, mode, clock) VALUES ('shop', 'test', now())")
        for wrong in ("('a', 'live', now())", "('b', 'test', NULL)", "('shop', 'test', now())"):
            with pytest.raises(DBAPIError, match=r"ck_program_clock|uq_program_key_mode"), database.transaction() as tx:
                tx.exec_driver_sql(f"INSERT INTO program (key, mode, clock) VALUES {wrong}")

        # Where two share an id there is no way back, and nothing is lost in trying.
        with pytest.raises(DBAPIError, match="uq_program_key"):
            migrate.downgrade(database, "0006")
        assert migrate.current(database) == "0007"
        with database.transaction() as tx:
            tx.exec_driver_sql("DELETE FROM program WHERE key = 'shop' AND mode = 'test'")
        migrate.downgrade(database, "0006")
        migrate.upgrade(database)
