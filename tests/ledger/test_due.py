"""What time does next to a member's lots."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from setia.ledger.due import LotsDue, next_of_lots
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def _lot(seq: int, *, available_at: dt.datetime | None = None, ends: dt.datetime | None = None) -> OpenLot:
    return OpenLot("stars", "base", available_at, Lot(seq, 0, 10 * seq, available_at is not None, NOW - HOUR, ends))


def test_what_comes_first_comes_alone() -> None:
    # given lots that become available and end, one that does both, and one that nothing happens to
    released, ended = _lot(1, available_at=NOW), _lot(2, ends=NOW + HOUR)
    both, never = _lot(3, available_at=NOW + 2 * HOUR, ends=NOW - HOUR), _lot(4)

    # then the earliest moment comes first, and what waits does not end before it is released
    assert next_of_lots([ended, both, never, released]) == LotsDue(NOW, -2, "release", [released])
    assert next_of_lots([ended, both, never]) == LotsDue(NOW + HOUR, -1, "expiry", [ended])
    assert next_of_lots([both, never]) == LotsDue(NOW + 2 * HOUR, -2, "release", [both])
    assert next_of_lots([never]) is None


def test_what_happens_at_one_moment_happens_together_releases_first() -> None:
    lots = [_lot(1, ends=NOW), _lot(2, ends=NOW), _lot(3, available_at=NOW), _lot(4, available_at=NOW)]
    assert next_of_lots(lots) == LotsDue(NOW, -2, "release", lots[2:])
    assert next_of_lots(lots[:2]) == LotsDue(NOW, -1, "expiry", lots[:2])


_moments = st.none() | st.integers(0, 3).map(lambda hours: NOW + hours * HOUR)
_lots = st.builds(
    lambda pending, available_at, ends: OpenLot("stars", "base", available_at, Lot(1, 0, 5, pending, NOW, ends)),
    st.booleans(),
    _moments,
    _moments,
)


@given(st.lists(_lots, max_size=6))
def test_the_first_is_the_least_of_all(lots: list[OpenLot]) -> None:
    # given what happens to each lot alone
    alone = [(found.at, found.order, place) for place, one in enumerate(lots) if (found := next_of_lots([one]))]

    # then of all together the earliest happens, to all for whom it is the same
    found = next_of_lots(lots)
    first = min(alone, default=None)
    assert (None if found is None else (found.at, found.order)) == (None if first is None else first[:2])
    assert ([] if found is None else found.lots) == [
        lots[place] for *what, place in alone if first is not None and tuple(what) == first[:2]
    ]
