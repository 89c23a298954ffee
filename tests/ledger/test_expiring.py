"""What ends soon, by the last day; what becomes available, by the first; and what is taken in which order."""

import datetime as dt
from zoneinfo import ZoneInfo

from ledger.world import T0, at
from setia.ledger.due import next_of_lots
from setia.ledger.expiring import Amount, Ending, becoming_available, expiring
from setia.ledger.lots import Lot, earliest
from setia.ledger.wallets import OpenLot

BERLIN = ZoneInfo("Europe/Berlin")
JULY, AUGUST = (dt.datetime(2026, month, 1, tzinfo=BERLIN).astimezone(dt.UTC) for month in (7, 8))


def opened(
    amount: int,
    expires_at: dt.datetime | None = None,
    points: str = "stars",
    *,
    seq: int = 1,
    pending: bool = False,
    available_at: dt.datetime | None = None,
) -> OpenLot:
    return OpenLot(points, "base", available_at, Lot(seq, 0, amount, pending, T0, expires_at))


def test_what_ends_is_told_by_the_last_day_on_which_it_can_be_used() -> None:
    lots = [opened(5, AUGUST), opened(2, JULY), opened(3, JULY), opened(7), opened(1, JULY, "extra")]
    assert expiring(lots, [], BERLIN) == {
        "stars": [Amount(dt.date(2026, 6, 30), 5), Amount(dt.date(2026, 7, 31), 5)],
        "extra": [Amount(dt.date(2026, 6, 30), 1)],
    }
    assert expiring(lots, [], BERLIN, JULY)["stars"] == [Amount(dt.date(2026, 6, 30), 5)]
    assert expiring(lots, [], BERLIN, JULY - dt.timedelta(microseconds=1)) == {}


def test_inactivity_ends_what_no_lot_has_ended_before() -> None:
    lots = [opened(5, AUGUST), opened(2, JULY), opened(9)]
    whole = Ending("stars", JULY + dt.timedelta(days=10), 16, everything=True)
    assert expiring(lots, [whole], BERLIN)["stars"] == [
        Amount(dt.date(2026, 6, 30), 2),
        Amount(dt.date(2026, 7, 10), 14),
    ]
    assert expiring([opened(16, JULY)], [whole], BERLIN)["stars"] == [Amount(dt.date(2026, 6, 30), 16)]
    share = Ending("stars", JULY, 4, everything=False)
    assert expiring(lots, [share], BERLIN)["stars"] == [
        Amount(dt.date(2026, 6, 30), 6),
        Amount(dt.date(2026, 7, 31), 5),
    ]


def test_what_becomes_available_is_told_by_the_first_day() -> None:
    lots = [
        opened(5, pending=True, available_at=JULY),
        opened(2, pending=True, available_at=JULY + dt.timedelta(hours=3)),
        opened(3, pending=True),
        opened(4, available_at=JULY),
    ]
    assert becoming_available(lots, BERLIN) == {"stars": [Amount(dt.date(2026, 7, 1), 7)]}


def test_a_lot_that_waits_for_an_event_alone_ends_while_it_waits() -> None:
    waiting = opened(5, at(60), pending=True)
    due = next_of_lots([waiting, opened(1, at(90), seq=2)])
    assert due is not None
    assert (due.kind, due.at, due.lots) == ("expiry", at(60), [waiting])
    released = opened(5, at(30), seq=3, pending=True, available_at=at(40))
    due = next_of_lots([waiting, released])
    assert due is not None
    assert (due.kind, due.at) == ("release", at(40))
    assert next_of_lots([opened(5, pending=True)]) is None


def test_what_ends_by_itself_is_taken_in_the_order_of_burning_and_pending_last() -> None:
    lots = [
        opened(5, seq=1).lot,
        opened(4, AUGUST, seq=2).lot,
        opened(3, JULY, seq=3).lot,
        opened(2, JULY, seq=4, pending=True).lot,
    ]
    assert [(lot.seq, part) for lot, part in earliest(lots, 13)] == [(3, 3), (2, 4), (1, 5), (4, 1)]
    assert [(lot.seq, part) for lot, part in earliest(lots, 5)] == [(3, 3), (2, 2)]
    assert earliest(lots, 0) == []
