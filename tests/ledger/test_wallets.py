"""Open lots: in the order in which they were opened, and found without those that were used up long ago."""

import sqlalchemy as sa

from ledger.world import Ledger, at, grant, redeem
from setia.db.columns import uuids
from setia.db.engine import Database, driver_connection
from setia.db.exchange import Exchange
from setia.ledger import wallets
from setia.ledger.entries import LotKey
from setia.ledger.wallets import all_open_lots


def test_open_lots_come_in_the_order_of_their_entries(database: Database) -> None:
    # given lots of two members, by entries with one and with several, of which one is used up
    ledger = Ledger(database)
    one, other, none = (ledger.enrol() for _ in range(3))
    ledger.post(one, grant(5), grant(3, "coins"), grant(2))
    ledger.post(other, grant(4))
    ledger.post(one, grant(7), now=at(1))
    ledger.post(one, redeem(5, LotKey(1, 0)), now=at(2))

    # then those that are open come, each member's in order, and of who has none an empty list
    with database.transaction() as tx:
        found = all_open_lots(driver_connection(tx), [one, other, none])
    assert {
        member: [(lot.point_type, lot.lot.key, lot.lot.remaining) for lot in own] for member, own in found.items()
    } == {
        one: [("coins", LotKey(1, 1), 3), ("stars", LotKey(1, 2), 2), ("stars", LotKey(2, 0), 7)],
        other: [("stars", LotKey(1, 0), 4)],
        none: [],
    }


def test_lots_that_were_used_up_are_not_read(database: Database) -> None:
    # A plan that is kept was made when there were no such lots yet, or few.
    def plan(tx: sa.Connection) -> str:
        exchange = Exchange(driver_connection(tx))
        reply = exchange.ask(f"EXPLAIN {wallets._ALL_LOTS}", uuids([]))
        exchange.send()
        return "\n".join(row[0] for row in reply.rows)

    assert "ix_lot_open" in database.run(plan, routine=True)
