"""The fixture `ledger`."""

import pytest

from ledger.world import Ledger
from setia.db.engine import Database


@pytest.fixture
def ledger(database: Database) -> Ledger:
    """One program in a fresh database, without members."""
    return Ledger(database)
