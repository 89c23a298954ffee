"""Tables that have grown are looked at before a large query is planned over them."""

import threading

from setia.db.engine import Database
from setia.db.statistics import look_at_grown_tables


def test_only_what_has_grown_is_looked_at(database: Database) -> None:
    with database.connect(autocommit=True) as setup:
        setup.execute("CREATE TABLE small (id int PRIMARY KEY, name text)")
        setup.execute('CREATE TABLE "Grown" (id int PRIMARY KEY, name text)')
        setup.execute("INSERT INTO small VALUES (1, 'one')")
        setup.execute("""INSERT INTO "Grown" SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i""")
    assert '"Grown"' in look_at_grown_tables(database)
    with database.connect() as connection:
        row = connection.execute("""SELECT reltuples FROM pg_class WHERE oid = '"Grown"'::regclass""").fetchone()
    assert row == (5000.0,)
    assert look_at_grown_tables(database) == []


def test_a_table_that_another_holds_is_left_alone(database: Database) -> None:
    with database.connect(autocommit=True) as setup:
        setup.execute("CREATE TABLE grown (id int PRIMARY KEY, name text)")
        setup.execute("INSERT INTO grown SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i")
    gone, held = threading.Event(), threading.Event()

    def hold() -> None:
        with database.connect() as connection:
            connection.execute("LOCK TABLE grown IN SHARE UPDATE EXCLUSIVE MODE")
            held.set()
            gone.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(10)
        assert look_at_grown_tables(database) == []
    finally:
        gone.set()
        holder.join()
    assert look_at_grown_tables(database) == ["grown"]
