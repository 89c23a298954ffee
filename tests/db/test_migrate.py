"""Migrations: up, down, up again, once for all who start at the same moment, and complete."""

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
import sqlalchemy as sa

from setia.db import migrate
from setia.db.engine import Database
from setia.db.errors import NewerDatabaseError
from setia.db.metadata import NAMING, load_tables, metadata


def table_names(database: Database) -> set[str]:
    with database.transaction() as tx:
        return set(sa.inspect(tx).get_table_names()) - {"alembic_version"}


def test_they_go_up_down_and_up_again(empty_database_url: str) -> None:
    with Database(empty_database_url) as database:
        assert migrate.current(database) is None
        migrate.upgrade(database)
        assert migrate.current(database) == migrate.head()
        tables = table_names(database)
        migrate.downgrade(database, "base")
        assert migrate.current(database) is None
        assert table_names(database) == set()
        migrate.upgrade(database)
        assert table_names(database) == tables


def test_going_up_twice_changes_nothing(database: Database) -> None:
    before = migrate.current(database)
    migrate.upgrade(database)
    assert migrate.current(database) == before


def test_processes_that_start_at_once_wait_for_each_other(empty_database_url: str) -> None:
    databases = [Database(empty_database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, databases))
    assert {migrate.current(database) for database in databases} == {migrate.head()}
    with databases[0].transaction() as tx:
        # Other databases of the server belong to other tests, which lock in their own.
        held = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        mine = f"{held} WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        assert tx.exec_driver_sql(mine).scalar_one() == 0
    for database in databases:
        database.close()


def test_they_make_exactly_the_tables_that_are_declared(database: Database) -> None:
    assert migrate.differences(database) == []


def test_all_tables_are_declared_on_the_one_metadata() -> None:
    assert load_tables() is metadata
    assert metadata.naming_convention == NAMING


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    # given
    with database.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    # when
    with pytest.raises(NewerDatabaseError, match=r"newer Setia \(9999; this one knows up to 00\d\d\)"):
        migrate.upgrade(database)

    # then
    assert migrate.current(database) == "9999"


def test_the_package_that_runs_jobs_has_brought_no_further_tables() -> None:
    # When this fails, write a migration that runs the files after the last, and name the new last one here and there.
    there = sorted(file.name for file in files("procrastinate.sql.migrations").iterdir() if file.name.endswith(".sql"))
    last = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
    assert there[-1] == last
    assert f'LAST = "{last}"' in next((migrate.TREE / "versions").glob("0006_*.py")).read_text(encoding="utf-8")


def test_jobs_can_be_deferred_by_a_connection_that_knows_nothing_of_their_tables(database: Database) -> None:
    with database.transaction() as tx:
        job = tx.exec_driver_sql(
            "SELECT procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'any', 0, NULL, NULL, '{}', NULL)"
            "::procrastinate.procrastinate_job_to_defer_v1])"
        ).scalar_one()
        assert tx.exec_driver_sql("SELECT id FROM procrastinate.procrastinate_jobs").scalar_one() == job[0]
        kept = "SELECT count(*) FROM procrastinate.procrastinate_events WHERE type = 'deferred'"
        assert tx.exec_driver_sql(kept).scalar_one() == 1
