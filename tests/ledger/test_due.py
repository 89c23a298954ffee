"""What is due of a member's lots, by a moment."""

import datetime as dt

from setia.engine.state import Balance
from setia.ledger.due import Due, due, judged
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def _lot(seq: int, *, available_at: dt.datetime | None = None, ends: dt.datetime | None = None) -> OpenLot:
    return OpenLot("stars", "base", available_at, Lot(seq, 0, 10 * seq, available_at is not None, NOW - HOUR, ends))


def test_what_waits_what_is_released_and_what_has_ended() -> None:
    # given lots that wait, that have waited enough, that have ended, that end at this very moment, and that never end
    waiting = [_lot(1, available_at=NOW + 2 * HOUR), _lot(2, available_at=NOW + HOUR)]
    released, both = _lot(3, available_at=NOW), _lot(4, available_at=NOW - 2 * HOUR, ends=NOW - HOUR)
    ended, later, never = _lot(5, ends=NOW), _lot(6, ends=NOW + 3 * HOUR), _lot(7)

    # when
    found = due([*waiting, released, both, ended, later, never], NOW)

    # then
    assert found == Due([released, both], [both, ended], NOW + HOUR)
    balances = {"stars": Balance(available=180, pending=100), "status": Balance(available=3)}
    assert judged(balances, found) == {"stars": Balance(available=160, pending=30), "status": Balance(available=3)}
    assert balances["stars"] == Balance(available=180, pending=100)


def test_nothing_is_ever_due_of_no_lots() -> None:
    assert due([], NOW) == Due([], [], None)
