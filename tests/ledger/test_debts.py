"""What an entry brings in pays what was owed: lots never hold more than the member has."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from ledger.world import T0, Ledger, at, grant, redeem
from setia.engine.state import Balance
from setia.ledger.adjustments import Terms
from setia.ledger.debts import debts_paid
from setia.ledger.entries import LotKey, Posting


def _back(amount: int, lot: LotKey | None) -> Posting:
    return Posting(point_type="stars", source="redeemed", destination="available", amount=amount, lot=lot)


def _told(postings: tuple[Posting, ...]) -> list[tuple[str, int, LotKey | None]]:
    return [(posting.destination, posting.amount, posting.lot) for posting in postings]


def test_what_was_owed_comes_back_and_the_lot_pays_it() -> None:
    paid = debts_paid(7, [grant(4, "status", lot=False), grant(50)], {"status": Balance(-9), "stars": Balance(20)})

    assert _told(paid) == [("available", 30, None), ("adjusted", 30, LotKey(7, 1))]
    assert {posting.campaign for posting in paid} == {"debt"}


def test_a_larger_debt_takes_the_whole_of_every_lot() -> None:
    paid = debts_paid(7, [grant(50), _back(5, LotKey(2, 0))], {"stars": Balance(-1)})

    assert _told(paid) == [("available", 55, None), ("adjusted", 50, LotKey(7, 0)), ("adjusted", 5, LotKey(2, 0))]


def test_what_leaves_a_lot_in_the_same_entry_pays_nothing() -> None:
    moved = [_back(5, LotKey(2, 0)), redeem(5, LotKey(2, 0)), grant(5)]

    assert _told(debts_paid(7, moved, {"stars": Balance(2)})) == [("available", 3, None), ("adjusted", 3, LotKey(7, 2))]


def test_what_is_pending_and_what_older_lots_give_pays_nothing() -> None:
    moved = [grant(50), grant(9, pending=True), redeem(5, LotKey(1, 0))]

    assert _told(debts_paid(7, moved, {"stars": Balance(15)})) == [
        ("available", 35, None),
        ("adjusted", 35, LotKey(7, 0)),
    ]


def test_nothing_is_paid_where_nothing_is_owed_or_comes() -> None:
    assert debts_paid(1, [grant(50)], {"stars": Balance(50)}) == ()
    assert debts_paid(1, [grant(50, pending=True)], {"stars": Balance(-3)}) == ()
    assert debts_paid(1, [redeem(5, LotKey(1, 0))], {"stars": Balance(-3)}) == ()
    assert debts_paid(1, [grant(5), redeem(5, LotKey(1, 0))], {"stars": Balance(-3)}) == ()


# Each step: points that come (more than 0) or are taken; of lots while there are any, the rest of none.
@given(st.lists(st.integers(-40, 40).filter(bool), min_size=1, max_size=12))
def test_lots_hold_what_the_member_has(steps: list[int]) -> None:
    lots: dict[LotKey, int] = {}
    balance = 0
    for seq, amount in enumerate(steps, 1):
        postings: list[Posting] = []
        if amount > 0:
            postings.append(grant(amount))
            lots[LotKey(seq, 0)] = amount
        else:
            missing = -amount
            for lot, there in lots.items():
                part = min(there, missing)
                lots[lot] -= part
                missing -= part
        balance += amount
        for posting in debts_paid(seq, postings, {"stars": Balance(balance)}):
            if posting.lot is not None:
                lots[posting.lot] -= posting.amount

        assert sum(lots.values()) == max(0, balance)
        assert min(lots.values(), default=0) >= 0


def test_a_gift_pays_what_is_owed_and_ends_as_what_is_left(ledger: Ledger) -> None:
    ledger.floors["stars"] = None
    member = ledger.enrol()
    ledger.post(member, redeem(30, None), now=at(1))

    ledger.adjust(member, 50, now=at(2), terms=Terms(expires_at=T0 + dt.timedelta(days=9), floor=None))

    assert ledger.rows("SELECT granted, remaining FROM lot") == [(50, 20)]
    assert ledger.findings() == []


def test_verify_sees_lots_that_hold_more_than_the_member_has_and_debts_that_never_were(ledger: Ledger) -> None:
    ledger.floors["stars"] = None
    member = ledger.enrol()
    ledger.post(member, redeem(30, None), now=at(1))
    ledger.post(member, grant(50), now=at(2))  # and nothing pays the debt
    other = ledger.enrol()
    ledger.post(other, grant(50), now=at(1))
    debt = debts_paid(2, [_back(50, LotKey(1, 0))], {"stars": Balance(20)})
    ledger.post(other, *debt, now=at(2))

    found = sorted((finding.kind, finding.member_id) for finding in ledger.findings())

    assert ("lots_over_balance", member) in found
    assert ("debt_paid", other) in found
    assert {kind for kind, _ in found} <= {"lots_over_balance", "debt_paid", "outcome_mismatch"}
