"""Migrations: bring a database to the tables this version needs, once, whoever starts first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from setia.db.engine import Database
from setia.db.errors import NewerDatabaseError
from setia.db.metadata import load_tables

TREE = Path(__file__).parent / "migrations"
# Any constant will do, as long as nothing else in this database uses it: "setia" in ASCII.
_LOCK = int.from_bytes(b"setia")


def upgrade(database: Database, revision: str = "head") -> None:
    """Go up to a revision, by default the newest. Processes that start at once wait for each other."""
    _migrate(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Database, revision: str) -> None:
    """Go down to a revision; `base` is the empty database. Data of tables that go is lost."""
    _migrate(database, lambda config: command.downgrade(config, revision))


def current(database: Database) -> str | None:
    """The revision a database is at, or None when it is empty."""
    with database.transaction() as tx:
        return MigrationContext.configure(tx).get_current_revision()


@cache
def head() -> str | None:
    """The newest revision of this version of Setia, or None when there is none yet. Reading them all takes 30 ms."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def differences(database: Database) -> list[object]:
    """What separates the database from the tables as declared: empty when the migrations are complete."""
    tables = load_tables()
    with database.transaction() as tx:
        return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), tables))


def _migrate(database: Database, go: Callable[[Config], None]) -> None:
    with _locked(database) as connection:
        config = _config()
        there = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if there is not None and there not in known:
            raise NewerDatabaseError(
                f"The database has the tables of a newer Setia ({there}; this one knows up to {max(known)}). "
                "Run that version, or restore the backup from before its upgrade."
            )
        connection.rollback()
        config.attributes["connection"] = connection
        go(config)


@contextmanager
def _locked(database: Database) -> Iterator[sa.Connection]:
    """A connection that alone may migrate. The lock belongs to the session, so that it ends with a killed process."""
    # Not from the pool: the timeouts set here must not go back to it.
    engine = sa.create_engine(database.url, poolclass=sa.NullPool, connect_args={"application_name": "setia migrate"})
    with engine.connect() as connection:
        # As long as another process migrates; its own waiting is limited by the template's lock_timeout.
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("SET lock_timeout = 0")
        connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
            connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", TREE.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
