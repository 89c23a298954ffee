"""The statement and balances of the past."""

import pytest

from ledger.world import T0, Ledger, at, grant, redeem
from setia.engine.state import Balance
from setia.ledger.entries import LotKey
from setia.ledger.statement import StatementPage, read_statement
from setia.ledger.wallets import wallets_as_of


def read(ledger: Ledger, member: object, **options: int) -> StatementPage:
    with ledger.database.raw_connection() as connection:
        return read_statement(connection, member, **options)  # type: ignore[arg-type]  # options, passed on


def test_every_line_stands_with_its_source_and_the_balance_after_it(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30, expires_at=at(99)), grant(4, "status", lot=False), now=at(1))
    ledger.post(member, redeem(10, LotKey(1, 0)), redeem(5, LotKey(1, 0)), now=at(2))
    ledger.adjust(member, 7, reason="late parcel", now=at(3))
    ledger.post(member, now=at(4))

    page = read(ledger, member)

    assert page.before is None
    assert [(e.seq, e.kind, e.actor, e.reason, e.program_version, e.booked_at) for e in page.entries] == [
        (4, "event", "test", None, 1, at(4)),
        (3, "adjustment", "anna", "late parcel", None, at(3)),
        (2, "adjustment", "test", "test", 1, at(2)),
        (1, "event", "test", None, 1, at(1)),
    ]
    assert [e.event_id == e.id for e in page.entries] == [True, False, False, True]
    lines = [(e.seq, one.line, one.point_type, one.source, one.amount, one.lot, one.balance.available)
             for e in page.entries for one in e.lines]  # fmt: skip
    assert lines == [
        (3, 0, "stars", "adjusted", 7, (3, 0), 22),
        (2, 1, "stars", "available", 5, (1, 0), 15),
        (2, 0, "stars", "available", 10, (1, 0), 20),
        (1, 1, "status", "issued", 4, None, 4),
        (1, 0, "stars", "issued", 30, (1, 0), 30),
    ]
    assert page.entries[3].lines[1].expires_at == at(99)


def test_pages_join_without_gaps_while_entries_are_added(ledger: Ledger) -> None:
    member = ledger.enrol()
    for amount in (1, 2, 3, 4, 5):
        ledger.post(member, grant(amount))

    first = read(ledger, member, limit=2)
    ledger.post(member, grant(100))
    second = read(ledger, member, limit=2, before=first.before or 0)
    third = read(ledger, member, limit=2, before=second.before or 0)

    shown = [(e.seq, e.lines[0].balance.available) for page in (first, second, third) for e in page.entries]
    assert shown == [(5, 15), (4, 10), (3, 6), (2, 3), (1, 1)]
    assert (first.before, second.before, third.before) == (4, 2, None)


def test_a_member_without_entries_has_an_empty_statement(ledger: Ledger) -> None:
    assert read(ledger, ledger.enrol(), before=10**30) == StatementPage([], None)


@pytest.mark.parametrize("limit", [0, 201])
def test_a_page_has_a_size(ledger: Ledger, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 200"):
        read(ledger, ledger.enrol(), limit=limit)


def test_balances_as_of_any_moment(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30), now=at(1))
    ledger.post(member, grant(5, "miles", pending=True), redeem(10, LotKey(1, 0)), now=at(5))

    with ledger.database.raw_connection() as connection:
        shown = {minute: wallets_as_of(connection, member, at(minute)) for minute in (0, 1, 4, 5)}

    assert shown == {
        0: {},
        1: {"stars": Balance(available=30)},
        4: {"stars": Balance(available=30)},
        5: {"stars": Balance(available=20), "miles": Balance(pending=5)},
    }
    assert at(0) == T0
