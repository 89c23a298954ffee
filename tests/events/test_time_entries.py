"""The entries of what time does: what ends is gone, and entries that are made together have ids in order."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from setia.db.ids import new_id
from setia.engine.decision import Explanation, Outcome
from setia.engine.state import Balance, Counters, MemberState
from setia.events.live import ready
from setia.events.members_in_play import InPlay
from setia.events.time_entries import TimeEntries, lots_after
from setia.ledger.due import next_of_lots
from setia.ledger.lots import Lot
from setia.ledger.wallets import OpenLot
from setia.program.definition import Program

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
LIVE = ready(
    7,
    Program.model_validate(
        {
            "program": {"id": "club", "name": "Club", "currency": "EUR", "timezone": "UTC"},
            "points": {"stars": {}, "coins": {}},
        }
    ),
    3,
)
_moments = st.none() | st.integers(-2, 1).map(lambda days: NOW + dt.timedelta(days=days))


@st.composite
def _open_lots(draw: st.DrawFn) -> list[OpenLot]:
    found = draw(
        st.lists(st.tuples(st.sampled_from(["stars", "coins"]), st.booleans(), _moments, _moments), max_size=6)
    )
    return [
        OpenLot(points, "base", released, Lot(seq, 0, 10 + seq, pending, NOW, ends))
        for seq, (points, pending, released, ends) in enumerate(found, 1)
    ]


def _member(lots: list[OpenLot]) -> InPlay:
    state = MemberState(
        id="mem_1", enrolled_at=NOW, status="active", attributes={}, tags=(), counters=Counters(), balances={}
    )
    for points in ("stars", "coins"):
        own = [one.lot for one in lots if one.point_type == points]
        pending = sum(lot.remaining for lot in own if lot.pending)
        state.balances[points] = Balance(sum(lot.remaining for lot in own) - pending, pending)
    return InPlay(new_id(), 20, state, NOW)


@given(_open_lots())
def test_what_has_ended_is_gone_and_nothing_else(lots: list[OpenLot]) -> None:
    # given lots, and what time does to them, one after the other
    member, entries, was = _member(lots), TimeEntries(LIVE, NOW), lots
    while (due := next_of_lots(lots)) is not None:
        entry = entries.of_lots(member, due.kind, due.lots, due.at)
        if due.kind == "expiry":
            # then what has ended is all that is not open after the entry
            assert lots_after(lots, entry) == [one for one in lots if one not in due.lots]
        lots = lots_after(lots, entry)
    # and the balances are what is in the lots that are left
    assert [one for one in was if one.lot.expires_at is None and one.available_at is None] == [
        one for one in lots if one.available_at is None
    ]
    assert member.state.balances == _member(lots).state.balances


@given(st.integers(1, 150), st.integers(1, 150))
def test_ids_are_in_order_however_many_were_expected(expected: int, made: int) -> None:
    member, entries = _member([]), TimeEntries(LIVE, NOW)
    entries.expect(expected)
    found = [entries.of_outcome(member, "review", Outcome(), Explanation(), NOW) for _ in range(made)]
    ids = [entry.id for entry in found]
    assert ids == sorted(set(ids))
    assert [entry.seq for entry in found] == list(range(21, 21 + made))
    assert member.booked
