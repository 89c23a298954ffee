"""The members' rows: counters that were counted anew replace only what they were counted for."""

from uuid import UUID

import pytest

from ledger.world import Ledger
from setia.db.engine import Database, driver_connection
from setia.ledger.entries import StateRow
from setia.ledger.refusals import StaleState
from setia.ledger.states import lock_members, replace_counters


def _replace(database: Database, member: UUID, seq: int) -> None:
    with database.transaction() as tx:
        connection = driver_connection(tx)
        lock_members(connection, [member])
        replace_counters(connection, [StateRow(member, seq, b'{"lifetime":{"orders":9}}')])


def test_counters_of_another_entry_are_not_replaced(database: Database) -> None:
    # given a member without entries
    member = Ledger(database).enrol()

    # when counters come that were counted up to an entry that is not the newest
    with pytest.raises(StaleState, match="1 of 1 members were booked for meanwhile"):
        _replace(database, member, seq=1)

    # then they stay, and those of the newest are taken
    with database.transaction() as tx:
        assert lock_members(driver_connection(tx), [member])[member].counters == "{}"
    _replace(database, member, seq=0)
    with database.transaction() as tx:
        assert lock_members(driver_connection(tx), [member])[member].counters == '{"lifetime":{"orders":9}}'
