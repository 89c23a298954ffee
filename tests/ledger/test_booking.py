"""What one booking does, and that a refused one does nothing."""

from uuid import UUID

import psycopg
import pytest

from ledger.world import T0, Ledger, at, effects, grant, redeem
from setia.db.engine import driver_connection
from setia.db.exchange import Exchange, Reply, Value
from setia.db.ids import new_id
from setia.db.migrate import differences
from setia.engine.state import Balance
from setia.ledger.booking import book
from setia.ledger.entries import JournalEntry, LotKey, Posting, StateRow
from setia.ledger.refusals import InsufficientPoints, StaleState, UnknownMember
from setia.ledger.states import lock_members, open_members, program_of, read_members
from setia.ledger.wallets import load_balances, open_lots


def entry(
    ledger: Ledger, member: UUID, seq: int, *postings: Posting, minute: int = 0, **members: object
) -> JournalEntry:
    given = {
        "member_id": member,
        "seq": seq,
        "id": new_id(),
        "program_id": ledger.program_id,
        "kind": "event",
        "occurred_at": T0,
        "booked_at": at(minute),
        "actor": "test",
        "outcome": effects(postings),
        "postings": postings,
    }
    return JournalEntry(**{**given, **members})  # type: ignore[arg-type]  # built from parts, wrong ones too


def everything(ledger: Ledger) -> list[list[tuple[object, ...]]]:
    tables = ("journal", "posting", "wallet", "lot", "member_state")
    return [ledger.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]


def test_a_grant_fills_the_wallet_opens_a_lot_and_saves_the_state(ledger: Ledger) -> None:
    member = ledger.enrol()

    seq = ledger.post(member, grant(30, expires_at=at(99)), grant(12, "status", lot=False), counters=b'{"orders":1}')

    assert seq == 1
    with ledger.database.raw_connection() as connection:
        locked = lock_members(connection, [member])[member]
        assert (locked.seq, locked.counters, locked.updated_at) == (1, '{"orders":1}', T0)
        assert locked.balances == {"stars": Balance(available=30), "status": Balance(available=12)}
        assert [(lot.key, lot.remaining, lot.expires_at) for lot in open_lots(connection, member, "stars")] == [
            (LotKey(1, 0), 30, at(99))
        ]
        assert open_lots(connection, member, "status") == []
    assert ledger.findings() == []


def test_points_taken_name_their_lot_and_an_empty_lot_is_no_longer_open(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30))

    ledger.post(member, redeem(10, LotKey(1, 0)))
    ledger.post(member, redeem(20, LotKey(1, 0)))

    assert ledger.rows("SELECT granted, burned, expired, reversed, remaining, is_open FROM lot") == [
        (30, 30, 0, 0, 0, False)
    ]
    assert ledger.rows("SELECT available FROM wallet") == [(0,)]
    assert ledger.findings() == []


def test_a_lot_may_give_in_the_booking_that_opens_it(ledger: Ledger) -> None:
    member = ledger.enrol()

    ledger.post(member, grant(30), redeem(10, LotKey(1, 0)))

    assert ledger.rows("SELECT remaining FROM lot") == [(20,)]
    assert ledger.findings() == []


def test_each_destination_counts_in_its_figure_of_the_lot_and_back_undoes_it(ledger: Ledger) -> None:
    member = ledger.enrol()
    lot = LotKey(1, 0)

    def move(source: str, destination: str, amount: int) -> Posting:
        return Posting(point_type="stars", source=source, destination=destination, amount=amount, lot=lot)  # type: ignore[arg-type]  # built from parts, wrong ones too

    ledger.post(member, grant(100))
    ledger.post(
        member, move("available", "expired", 7), move("available", "issued", 5), move("available", "adjusted", 3)
    )
    ledger.post(
        member, move("available", "transferred", 2), move("redeemed", "available", 1), move("available", "held", 50)
    )
    ledger.post(member, move("held", "redeemed", 20), move("held", "available", 30))

    assert ledger.rows("SELECT granted, burned, expired, reversed, remaining FROM lot") == [(100, 24, 7, 5, 64)]
    assert ledger.rows("SELECT available, pending, held FROM wallet") == [(64, 0, 0)]
    assert ledger.findings() == []


def test_a_pending_lot_is_released_as_a_whole_and_gives_nothing_before(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.floors["stars"] = -100
    ledger.post(member, grant(40, pending=True))
    release = Posting(point_type="stars", source="pending", destination="available", amount=40, lot=LotKey(1, 0))
    part = Posting(point_type="stars", source="pending", destination="available", amount=39, lot=LotKey(1, 0))
    before = everything(ledger)

    for refused in (redeem(1, LotKey(1, 0)), part):
        with pytest.raises(InsufficientPoints):
            ledger.post(member, refused)
    assert everything(ledger) == before

    ledger.post(member, release)
    assert ledger.rows("SELECT available, pending FROM wallet") == [(40, 0)]
    assert ledger.rows("SELECT pending, remaining FROM lot") == [(False, 40)]
    with pytest.raises(InsufficientPoints):
        ledger.post(member, release)
    assert ledger.findings() == []


def test_the_floor_refuses_and_nothing_is_left(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30))
    before = everything(ledger)

    with pytest.raises(InsufficientPoints) as raised:
        ledger.post(member, redeem(31, None))

    problem = raised.value
    assert (problem.status, problem.code) == (409, "insufficient_points")
    assert (problem.member_id, problem.point_type, problem.available, problem.wanted) == (member, "stars", 30, 31)
    assert problem.details().model_dump()["available"] == 30
    assert everything(ledger) == before


@pytest.mark.parametrize(("floor", "lowest"), [(-20, 20), (0, 0)])
def test_a_wallet_falls_to_its_floor_and_no_further(ledger: Ledger, floor: int, lowest: int) -> None:
    member = ledger.enrol()
    ledger.floors["stars"] = floor

    if lowest:
        ledger.post(member, redeem(lowest, None))
    with pytest.raises(InsufficientPoints) as raised:
        ledger.post(member, redeem(1, None))

    assert (raised.value.available, raised.value.wanted) == (0, 1)
    assert ledger.rows("SELECT available FROM wallet") == ([(-lowest,)] if lowest else [])


def test_a_wallet_without_floor_falls_without_end(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.floors["stars"] = None

    ledger.post(member, redeem(10**15 - 1, None))

    assert ledger.rows("SELECT available, floor FROM wallet") == [(-(10**15 - 1), None)]
    assert ledger.findings() == []


@pytest.mark.parametrize("bucket", ["pending", "held"])
def test_the_other_buckets_never_fall_below_nothing(ledger: Ledger, bucket: str) -> None:
    member = ledger.enrol()
    ledger.floors["stars"] = None
    ledger.post(member, grant(5))
    taken = Posting(point_type="stars", source=bucket, destination="redeemed", amount=1)  # type: ignore[arg-type]  # built from parts, wrong ones too

    with pytest.raises(InsufficientPoints) as raised:
        ledger.post(member, taken)

    assert (raised.value.available, raised.value.wanted) == (0, 1)


def test_a_lot_gives_no_more_than_it_has_whatever_the_wallet_holds(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30), grant(70))
    before = everything(ledger)

    with pytest.raises(InsufficientPoints) as raised:
        ledger.post(member, redeem(31, LotKey(1, 0)))

    assert (raised.value.available, raised.value.wanted) == (30, 31)
    assert everything(ledger) == before


@pytest.mark.parametrize("key", [LotKey(1, 5), LotKey(1, 1)])
def test_a_lot_that_is_not_there_or_of_another_point_type_gives_nothing(ledger: Ledger, key: LotKey) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30), grant(70, "miles"))

    with pytest.raises(InsufficientPoints):
        ledger.post(member, redeem(1, key))

    assert ledger.rows("SELECT count(*) FROM journal") == [(1,)]


def test_many_members_and_several_entries_of_one_are_booked_at_once(ledger: Ledger) -> None:
    one, two = ledger.enrol(), ledger.enrol()

    def adjustment(member: UUID, seq: int, posting: Posting, floor: int, minute: int) -> JournalEntry:
        return entry(
            ledger,
            member,
            seq,
            posting,
            minute=minute,
            opens={"stars": floor},
            kind="adjustment",
            reason="r",
            idempotency_key=f"{member} {seq}",
            input_digest=b"d",
        )

    entries = [
        adjustment(one, 1, grant(5), 0, 0),
        adjustment(two, 1, grant(7), 0, 0),
        adjustment(one, 2, redeem(4, LotKey(1, 0)), -9, 3),
    ]

    with ledger.database.raw_connection() as connection:
        lock_members(connection, [one, two])
        book(connection, entries, [StateRow(one, 2, b"{}", "v1"), StateRow(two, 1, b"{}")])

    with ledger.database.raw_connection() as connection:
        assert load_balances(connection, [one, two]) == {
            one: {"stars": Balance(available=1, floor=-9)},
            two: {"stars": Balance(available=7)},
        }
    assert ledger.rows("SELECT seq, tracking, updated_at FROM member_state ORDER BY member_id") == [
        (2, "v1", at(3)),
        (1, "", T0),
    ]
    assert ledger.findings() == []


def test_nothing_to_book_touches_nothing(ledger: Ledger) -> None:
    with ledger.database.raw_connection() as connection:
        book(connection, [], [])
        open_members(connection, [])


def test_an_entry_without_postings_is_kept_too(ledger: Ledger) -> None:
    member = ledger.enrol()

    assert ledger.post(member) == 1
    assert ledger.rows("SELECT count(*) FROM posting") == [(0,)]
    assert ledger.findings() == []


@pytest.mark.parametrize(
    ("seqs", "minutes", "state_seq"),
    [
        ((2,), (0,), 2),  # an entry is missing before it
        ((1, 3), (0, 0), 3),  # ... or between them
        ((1, 2), (5, 4), 2),  # time goes back within the booking
        ((1,), (-1,), 1),  # ... or before the state
        ((1,), (0,), 2),  # the state is of another entry
    ],
)
def test_a_booking_that_does_not_follow_the_journal_is_refused(
    ledger: Ledger, seqs: tuple[int, ...], minutes: tuple[int, ...], state_seq: int
) -> None:
    member = ledger.enrol()
    before = everything(ledger)
    entries = [entry(ledger, member, seq, minute=minute) for seq, minute in zip(seqs, minutes, strict=True)]

    with pytest.raises(StaleState), ledger.database.raw_connection() as connection:
        book(connection, entries, [StateRow(member, state_seq, b"{}")])

    assert everything(ledger) == before


def test_each_booked_member_has_one_state(ledger: Ledger) -> None:
    one, two = ledger.enrol(), ledger.enrol()
    states: tuple[list[StateRow], ...] = ([], [StateRow(one, 1, b"{}"), StateRow(two, 1, b"{}")])

    for given in states:
        with pytest.raises(StaleState), ledger.database.raw_connection() as connection:
            book(connection, [entry(ledger, one, 1)], given)

    assert ledger.rows("SELECT count(*) FROM journal") == [(0,)]


def test_a_wallet_must_be_opened_and_other_database_errors_stay_what_they_are(ledger: Ledger) -> None:
    member = ledger.enrol()

    with (
        pytest.raises(psycopg.Error, match="a posting without its wallet"),
        ledger.database.raw_connection() as connection,
    ):
        book(connection, [entry(ledger, member, 1, grant(1))], [StateRow(member, 1, b"{}")])

    assert ledger.rows("SELECT count(*) FROM journal") == [(0,)]


def test_the_state_of_a_member_is_opened_once_and_belongs_to_a_program(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(5))

    with ledger.database.raw_connection() as connection:
        open_members(connection, [(member, ledger.program_id, at(9))])
        assert lock_members(connection, [member])[member].seq == 1
        assert program_of(connection, member) == ledger.program_id
        with pytest.raises(UnknownMember):
            program_of(connection, new_id())
        assert lock_members(connection, [new_id()]) == {}
        assert read_members(connection, [member, new_id()]) == lock_members(connection, [member])


def test_booking_time_never_goes_back_though_the_clock_does(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(5), now=at(10))

    ledger.post(member, grant(5), now=at(3))

    assert ledger.rows("SELECT booked_at, occurred_at FROM journal ORDER BY seq") == [(at(10), at(10)), (at(10), at(3))]
    assert ledger.findings() == []


def test_members_are_locked_in_order_before_anything_is_written(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [ledger.enrol() for _ in range(3)]
    ledger.post(members[0], grant(5))
    statements: list[str] = []
    original = Exchange.ask

    def recording(self: Exchange, statement: str, *values: Value) -> Reply:
        statements.append(" ".join(statement.split()))
        return original(self, statement, *values)

    monkeypatch.setattr(Exchange, "ask", recording)
    with ledger.database.transaction() as tx:
        connection = driver_connection(tx)
        lock_members(connection, reversed(members))  # type: ignore[arg-type]  # built from parts, wrong ones too
        book(connection, [entry(ledger, members[0], 2, grant(1))], [StateRow(members[0], 2, b"{}")])

    verbs = [statement.split()[0] for statement in statements]
    assert verbs == ["SELECT", "SELECT", "SELECT", "INSERT", "INSERT", "UPDATE"]
    assert statements[1].endswith("FROM member_state WHERE member_id = ANY ($1::uuid[]) ORDER BY member_id FOR UPDATE")
    assert "FOR UPDATE" not in statements[2]


def test_the_tables_are_those_of_the_migration(ledger: Ledger) -> None:
    ours = {"journal", "posting", "wallet", "lot", "member_state"}

    assert [difference for difference in differences(ledger.database) if ours & set(str(difference).split("'"))] == []
