"""Transactions: committed or nothing, and run again when the database asks for it."""

import threading

import psycopg
import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from sqlalchemy.exc import DBAPIError, IntegrityError

from setia.db.engine import Database, Limits, driver_connection, sqlstate
from setia.db.exchange import Exchange, Wire
from setia.settings import load_settings


@pytest.fixture
def notes(database: Database) -> sa.Table:
    """A small table whose rule is checked only when the transaction commits."""
    table = sa.Table(
        "notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("points", sa.Integer)
    )
    with database.transaction() as tx:
        table.create(tx)
        tx.execute(sa.insert(table), [{"id": 1, "points": 0}, {"id": 2, "points": 0}])
    return table


@pytest.fixture
def refusing_commit(database: Database, notes: sa.Table) -> None:
    """Make every commit that touched `notes` fail, after all its statements succeeded."""
    with database.transaction() as tx:
        tx.exec_driver_sql(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = 'check_violation'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON notes
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
            """
        )


def rows(database: Database, table: sa.Table) -> list[tuple[int, int]]:
    with database.transaction() as tx:
        return [(row.id, row.points) for row in tx.execute(sa.select(table).order_by(table.c.id))]


def test_a_transaction_is_committed_when_its_block_ends(database: Database, notes: sa.Table) -> None:
    with database.transaction() as tx:
        tx.execute(sa.insert(notes), {"id": 3, "points": 7})
    assert rows(database, notes) == [(1, 0), (2, 0), (3, 7)]


def test_a_transaction_that_raises_keeps_nothing(database: Database, notes: sa.Table) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:
        tx.execute(sa.insert(notes), {"id": 3, "points": 7})
        raise ZeroDivisionError
    assert rows(database, notes) == [(1, 0), (2, 0)]


@pytest.mark.usefixtures("refusing_commit")
def test_a_commit_that_fails_raises_and_keeps_nothing(database: Database, notes: sa.Table) -> None:
    reached = False
    with pytest.raises(IntegrityError, match="refused at commit"):
        with database.transaction() as tx:
            tx.execute(sa.insert(notes), {"id": 3, "points": 7})
        reached = True
    assert not reached
    assert rows(database, notes) == [(1, 0), (2, 0)]


def test_run_gives_what_its_work_gives(database: Database) -> None:
    assert database.run(lambda tx: tx.execute(sa.text("SELECT 41 + 1")).scalar_one()) == 42


def test_a_serialization_failure_is_run_again_and_counted(database: Database, notes: sa.Table) -> None:
    before = retries("40001")
    attempts = []

    def add_one(tx: sa.Connection) -> None:
        points = tx.execute(sa.select(notes.c.points).where(notes.c.id == 1)).scalar_one()
        attempts.append(points)
        if len(attempts) == 1:
            with database.transaction() as other:
                other.execute(sa.update(notes).where(notes.c.id == 1).values(points=10))
        tx.execute(sa.update(notes).where(notes.c.id == 1).values(points=points + 1))

    database.run(add_one, isolation="REPEATABLE READ")

    assert attempts == [0, 10]
    assert rows(database, notes) == [(1, 11), (2, 0)]
    assert retries("40001") == before + 1


def test_a_deadlock_is_run_again_and_both_have_their_effect(database: Database, notes: sa.Table) -> None:
    both_hold_one = threading.Barrier(2, timeout=20)
    before = retries("40P01")
    failures: list[BaseException] = []

    def swap(first: int, second: int) -> None:
        met = False

        def work(tx: sa.Connection) -> None:
            nonlocal met
            tx.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
            tx.execute(sa.update(notes).where(notes.c.id == first).values(points=notes.c.points + 1))
            if not met:
                met = True
                both_hold_one.wait()
            tx.execute(sa.update(notes).where(notes.c.id == second).values(points=notes.c.points + 1))

        try:
            database.run(work)
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=swap, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert rows(database, notes) == [(1, 2), (2, 2)]
    assert retries("40P01") == before + 1


@pytest.mark.parametrize("wrapped", [True, False])
def test_after_five_attempts_the_failure_is_the_callers(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, wrapped: bool
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("setia.db.engine.time.sleep", pauses.append)
    statement = "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"
    attempts = []

    def work(tx: sa.Connection) -> None:
        attempts.append(1)
        if wrapped:
            tx.exec_driver_sql(statement)
        else:
            driver_connection(tx).execute(statement)

    with pytest.raises((DBAPIError, psycopg.Error)) as caught:
        database.run(work)

    assert sqlstate(caught.value) == "40001"
    assert len(attempts) == 5
    assert [round(pause / 0.01, 0) >= 2**index / 2 for index, pause in enumerate(pauses)] == [True] * 4


def test_other_failures_are_not_run_again(database: Database, notes: sa.Table) -> None:
    attempts = []

    def work(tx: sa.Connection) -> None:
        attempts.append(1)
        tx.execute(sa.insert(notes), {"id": 1, "points": 0})

    with pytest.raises(IntegrityError):
        database.run(work)
    assert attempts == [1]


_SCANS = "SELECT current_setting('enable_seqscan'), current_setting('timezone'), pg_backend_pid()"


def _ask(tx: sa.Connection, statement: str) -> list[tuple[object, ...]]:
    exchange = Exchange(driver_connection(tx))
    reply = exchange.ask(statement)
    exchange.send()
    return reply.rows


def test_routine_keeps_its_plans_and_finds_rows_by_index(database: Database) -> None:
    # when the same is done twice
    first, second = (database.run(lambda tx: _ask(tx, _SCANS), routine=True) for _ in range(2))

    # then it is done by the same connection, which has the plan still
    assert first == second
    assert first[0][:2] == ("off", "UTC")
    with database.transaction(routine=True) as tx:
        wire = driver_connection(tx)
        assert isinstance(wire, Wire)
        assert list(wire.prepared) == [_SCANS]
        kept = tx.exec_driver_sql("SELECT name FROM pg_prepared_statements").scalars().all()
        assert kept == [wire.prepared[_SCANS].decode()]

    # and everybody else's are as they were
    with database.transaction() as tx:
        assert _ask(tx, _SCANS)[0][:2] == ("on", "UTC")
        assert not isinstance(driver_connection(tx), Wire)


def test_routine_that_fails_is_undone_and_goes_on(database: Database, notes: sa.Table) -> None:
    def work(tx: sa.Connection) -> None:
        _ask(tx, "UPDATE notes SET points = points + 1 WHERE id = 1")
        if rows(database, notes) == [(1, 0), (2, 0)] and not failed:
            failed.append(True)
            _ask(tx, "SELECT 1 / (SELECT points FROM notes WHERE id = 2)")

    failed: list[bool] = []
    with pytest.raises(psycopg.errors.DivisionByZero):
        database.run(work, routine=True)
    assert rows(database, notes) == [(1, 0), (2, 0)]
    for _ in range(2):
        database.run(work, routine=True)
    assert rows(database, notes) == [(1, 2), (2, 0)]


def test_routine_outlives_a_connection_that_was_cut(database: Database) -> None:
    [[_, _, backend]] = database.run(lambda tx: _ask(tx, _SCANS), routine=True)
    with database.transaction() as tx:
        tx.exec_driver_sql("SELECT pg_terminate_backend(%s, 5000)", (backend,))
    [[_, _, other]] = database.run(lambda tx: _ask(tx, _SCANS), routine=True)
    assert other != backend


def test_rows_are_copied_in_the_same_transaction(database: Database, notes: sa.Table) -> None:
    with (
        database.raw_connection() as connection,
        connection.cursor().copy("COPY notes (id, points) FROM STDIN") as copy,
    ):
        copy.write_row((3, 30))
        copy.write_row((4, 40))
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:
        with driver_connection(tx).cursor().copy("COPY notes (id, points) FROM STDIN") as copy:
            copy.write_row((5, 50))
        raise ZeroDivisionError
    assert rows(database, notes) == [(1, 0), (2, 0), (3, 30), (4, 40)]


def test_a_connection_says_who_it_is_and_how_long_it_waits(database_url: str) -> None:
    limits = Limits(lock_timeout_ms=1234, statement_timeout_ms=5678)
    question = (
        "SELECT current_setting('application_name'), current_setting('lock_timeout'), current_setting('timezone')"
    )
    with Database(database_url, limits=limits, role="worker") as database:
        with database.transaction() as tx:
            name, wait, zone = tx.exec_driver_sql(question).one()
        with database.connect() as connection:
            assert connection.execute(question).fetchone() == (name, wait, zone)
    assert (name.split()[:2], wait, zone) == (["setia", "worker"], "1234ms", "UTC")


def test_waiting_for_a_lock_ends(database_url: str) -> None:
    with Database(database_url, limits=Limits(lock_timeout_ms=50)) as database, database.transaction() as tx:
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
        with pytest.raises(DBAPIError) as caught, database.transaction() as other:
            other.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
    assert sqlstate(caught.value) == "55P03"


def test_a_database_that_answers_is_healthy(database: Database) -> None:
    assert database.healthy()


def test_a_full_pool_is_not_ill(database_url: str) -> None:
    with Database(database_url, limits=Limits(pool_size=1, max_overflow=0)) as database, database.transaction():
        assert database.healthy()


def test_a_database_that_is_away_is_not_healthy() -> None:
    with Database("postgresql://setia@/setia?host=/nonexistent") as database:
        assert not database.healthy()


def test_a_pooled_connection_that_was_cut_is_replaced(database: Database) -> None:
    with database.transaction() as tx:
        pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with database.connect(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with database.transaction() as tx:
        assert tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != pid


def test_opening_by_settings_uses_the_given_server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETIA_DATABASE_URL", database_url)
    monkeypatch.setenv("SETIA_POOL_SIZE", "3")
    with Database.open(load_settings()) as database:
        assert database.healthy()
        assert database.limits.pool_size == 3


def test_an_error_of_another_kind_has_no_sqlstate() -> None:
    assert sqlstate(ValueError()) is None


def retries(state: str) -> float:
    return REGISTRY.get_sample_value("setia_transaction_retries_total", {"sqlstate": state}) or 0.0
