"""The planner's picture of tables that have grown much since the server looked at them last."""

from __future__ import annotations

import contextlib

from sqlalchemy.exc import DBAPIError

from setia.db.engine import Database

# By pages: counters of changed rows reach others seconds later, the size of a file is known at once.
_GROWN = """
SELECT quote_ident(c.relname)
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT pg_is_in_recovery()
  AND pg_relation_size(c.oid) / current_setting('block_size')::int > 1.5 * c.relpages + 16
ORDER BY c.relname
"""


def look_at_grown_tables(database: Database) -> list[str]:
    """Let the server look at the tables that are half as large again as when it looked last; gives their names.

    It does so by itself within some minutes. A query over all of them that comes before, after an import or in a
    restored database, is planned for nearly empty tables and takes ten times as long. Where this is not possible
    (another holds the table, the role may not, the server is a replica), that is all that happens.
    """
    looked_at: list[str] = []
    # Where it cannot be done the next query is slower, which is no reason to fail or to alarm anybody.
    with contextlib.suppress(DBAPIError):
        with database.transaction() as tx:
            grown = [str(name) for (name,) in tx.exec_driver_sql(_GROWN)]
        for name in grown:
            with database.transaction() as tx:
                tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
                # Longer than the second after which the server's own vacuum makes way.
                tx.exec_driver_sql("SET LOCAL lock_timeout = '3s'")
                tx.exec_driver_sql(f"ANALYZE {name}")
            looked_at.append(name)
    return looked_at
