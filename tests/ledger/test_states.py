"""The members' rows: who is due is locked, and counters that were counted anew replace only what they are of."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from ledger.world import Ledger, at, grant
from setia.db.engine import Database, driver_connection
from setia.db.exchange import Exchange
from setia.ledger.entries import StateRow
from setia.ledger.refusals import StaleState
from setia.ledger.states import ask_wallets, lock_due, lock_members, move_due, replace_counters


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


def test_who_is_due_is_locked_and_who_is_locked_is_passed_over(database: Database) -> None:
    # given four members: two are due, one will be, one never is
    ledger = Ledger(database)
    first, second, later, never = (ledger.enrol() for _ in range(4))
    ledger.post(first, grant(5))
    with database.transaction() as tx:
        move_due(driver_connection(tx), {first: at(1), second: at(0), later: at(9), never: None})

    def due(tx: sa.Connection, most: int = 9) -> list[UUID]:
        return [row.member_id for row in lock_due(driver_connection(tx), ledger.program_id, at(5), most)]

    # then they come in the order of time, as many as are wanted, and with their wallets when somebody asks
    with database.transaction() as tx:
        assert due(tx) == [second, first]
        held = lock_due(driver_connection(tx), ledger.program_id, at(5), 9)
        exchange = Exchange(driver_connection(tx))
        read = ask_wallets(exchange, held)
        exchange.send()
        assert {member: row.balances for member, row in read().items()} == {
            second: {},
            first: lock_members(driver_connection(tx), [first])[first].balances,
        }
        assert read()[first].balances["stars"].available == 5
        # while this one holds them, another one finds nobody
        with database.transaction() as other:
            assert due(other) == []
    with database.transaction() as tx:
        assert due(tx, most=1) == [second]
        with database.transaction() as other:
            assert due(other) == [first]
    with database.transaction() as tx:
        assert lock_due(driver_connection(tx), ledger.program_id + 1, at(5), 9) == []
