"""The Procrastinate app of a process: which tasks there are, and how it reaches its tables."""

from __future__ import annotations

import procrastinate
from psycopg_pool import AsyncConnectionPool

from setia.db.engine import Database
from setia.jobs.partners import add_partners
from setia.jobs.settling import Settling
from setia.jobs.tidying import add_tidying
from setia.jobs.works import add_works
from setia.rewards.partner_sender import PartnerSender

SCHEMA = "procrastinate"
# One fetches and finishes jobs, one tells that the worker lives, one defers what is periodic; listening has its own.
_CONNECTIONS = 3
_WAIT_SECONDS = 10.0


def make_app(settling: Settling, sender: PartnerSender | None = None) -> procrastinate.App:
    """The app of one worker, to be opened with a pool of `make_pool`. Without a `sender` it asks no partners."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector())
    settling.add_to(app)
    add_works(app, settling.database, settling.programs)
    if sender is not None:
        add_partners(app, sender, settling.stopping)
    add_tidying(app)
    return app


def make_pool(database: Database) -> AsyncConnectionPool:
    """Connections of the app's own, because they are asynchronous. The pool is not open yet."""
    where, how = database.driver_arguments()
    # Procrastinate names its tables and types without the schema.
    how["options"] = f"{how['options']} -c search_path={SCHEMA}"
    return AsyncConnectionPool(
        where,
        kwargs=how,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
