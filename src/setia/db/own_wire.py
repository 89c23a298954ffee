"""A connection that one thread keeps: made when it is needed, and made anew after it was lost."""

from __future__ import annotations

import psycopg

from setia.db.engine import Database
from setia.db.exchange import Wire


class OwnWire:
    """Not for several threads at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wire: Wire | None = None

    def get(self) -> Wire:
        """The connection. Raises what psycopg raises where the database is away."""
        if self._wire is None or self._wire.closed:
            self._wire = self._database.wire()
        return self._wire

    def undo(self) -> None:
        """Undo its transaction; where that cannot be done it is given up, and the next one is another."""
        if self._wire is not None:
            try:
                self._wire.rollback()
            except psycopg.Error:
                self._wire.close()
            if self._wire.closed:
                self._wire = None

    def close(self) -> None:
        """Give it back."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
