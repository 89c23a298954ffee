"""Points given and taken by hand: once per key, never below what may be taken."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from psycopg import errors

from ledger.world import T0, Ledger, at, grant
from setia.db.engine import driver_connection
from setia.db.ids import new_id
from setia.engine.state import Balance
from setia.ledger.adjustments import Adjusted, Adjustment, Terms, adjust
from setia.ledger.refusals import IdempotencyKeyReused, InsufficientPoints, InvalidAdjustment, UnknownMember
from setia.problems import Problem


def entries(ledger: Ledger) -> object:
    return ledger.rows("SELECT count(*) FROM journal WHERE kind = 'adjustment'")[0][0]


def test_points_given_open_a_lot_with_the_end_the_program_gives(ledger: Ledger) -> None:
    member = ledger.enrol()

    done = ledger.adjust(member, 50, terms=Terms(expires_at=at(9)), reason="late parcel")

    assert (done.seq, done.amount, done.balance, done.replayed) == (1, 50, Balance(available=50), False)
    assert ledger.rows("SELECT granted, remaining, campaign, earned_at, expires_at FROM lot") == [
        (50, 50, "adjustment", T0, at(9))
    ]
    assert ledger.rows("SELECT kind, actor, reason, outcome -> 'points' -> 0 ->> 'amount' FROM journal") == [
        ("adjustment", "anna", "late parcel", "50")
    ]
    assert ledger.findings() == []


def test_points_given_may_have_an_end_of_their_own(ledger: Ledger) -> None:
    member = ledger.enrol()
    terms = Terms(expires_at=at(9))

    ledger.adjust(member, 50, terms=terms, key="k", expires_at=at(5))
    assert ledger.adjust(member, 50, terms=terms, key="k", expires_at=at(5)).replayed
    with pytest.raises(IdempotencyKeyReused):
        ledger.adjust(member, 50, terms=terms, key="k", expires_at=at(6))

    assert ledger.rows("SELECT granted, expires_at FROM lot") == [(50, at(5))]
    assert ledger.rows("SELECT count(*) FROM journal WHERE outcome::text LIKE '%%expires_at%%'") == [(1,)]
    assert ledger.findings() == []


@pytest.mark.parametrize(
    ("amount", "terms", "ends", "message"),
    [
        (-5, Terms(), at(9), "only points that are given have an end"),
        (5, Terms(in_lots=False), at(9), "points of this type never end"),
        (5, Terms(), T0, "lies in the past"),
    ],
)
def test_an_end_fits_what_is_given(ledger: Ledger, amount: int, terms: Terms, ends: dt.datetime, message: str) -> None:
    member = ledger.enrol()
    with pytest.raises(InvalidAdjustment) as raised:
        ledger.adjust(member, amount, terms=terms, expires_at=ends)
    assert [(item.pointer, item.message) for item in raised.value.errors] == [("#/expires_at", message)]
    assert entries(ledger) == 0


def test_points_of_a_type_without_lots_open_none(ledger: Ledger) -> None:
    member = ledger.enrol()

    ledger.adjust(member, 50, terms=Terms(in_lots=False, expires_at=at(9)))
    done = ledger.adjust(member, -20, terms=Terms(in_lots=False))

    assert done.balance == Balance(available=30)
    assert ledger.rows("SELECT count(*) FROM lot") == [(0,)]
    assert ledger.findings() == []


def test_points_taken_come_from_the_lots_that_end_first(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30), grant(30, expires_at=at(60)), grant(30, expires_at=at(30)))

    done = ledger.adjust(member, -70)

    assert done.balance == Balance(available=20)
    assert ledger.rows("SELECT burned FROM lot ORDER BY line") == [(10,), (30,), (30,)]
    assert ledger.findings() == []


def test_ended_and_pending_points_are_nobodys_to_take(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(30), grant(30, expires_at=at(60)), grant(40, pending=True))

    with pytest.raises(InsufficientPoints) as raised:
        ledger.adjust(member, -31, now=at(60))

    assert (raised.value.available, raised.value.wanted) == (30, 31)
    assert entries(ledger) == 0
    assert ledger.adjust(member, -30, now=at(60)).balance == Balance(available=30, pending=40)


def test_below_zero_as_far_as_the_floor_allows(ledger: Ledger) -> None:
    member = ledger.enrol()
    terms = Terms(floor=-10)
    ledger.adjust(member, 5, terms=terms)

    with pytest.raises(InsufficientPoints) as raised:
        ledger.adjust(member, -16, terms=terms)
    assert (raised.value.available, raised.value.wanted) == (15, 16)
    assert ledger.adjust(member, -15, terms=terms).balance == Balance(available=-10, floor=-10)
    assert ledger.rows("SELECT lot_seq, amount FROM posting WHERE seq = 2 ORDER BY line") == [(1, 5), (None, 10)]
    assert ledger.findings() == []


def test_without_floor_there_is_no_end(ledger: Ledger) -> None:
    member = ledger.enrol()

    done = ledger.adjust(member, -1_000, terms=Terms(floor=None))

    assert done.balance == Balance(available=-1_000, floor=None)
    assert ledger.findings() == []


def test_an_unknown_wallet_has_nothing_to_take(ledger: Ledger) -> None:
    member = ledger.enrol()

    with pytest.raises(InsufficientPoints) as raised:
        ledger.adjust(member, -1)

    assert (raised.value.available, raised.value.wanted) == (0, 1)
    assert ledger.rows("SELECT count(*) FROM wallet") == [(0,)]
    assert entries(ledger) == 0


def test_the_same_key_gives_the_first_answer_again(ledger: Ledger) -> None:
    member = ledger.enrol()
    first = ledger.adjust(member, 50, key="k1")
    ledger.adjust(member, -20)

    again = ledger.adjust(member, 50, key="k1", now=at(7))

    assert again.replayed
    assert (again.entry_id, again.seq, again.balance, again.booked_at) == (first.entry_id, 1, Balance(available=50), T0)
    assert entries(ledger) == 2


@pytest.mark.parametrize("change", [{"amount": 51}, {"reason": "other"}, {"point_type": "miles"}])
def test_the_same_key_for_something_else_is_refused(ledger: Ledger, change: dict[str, object]) -> None:
    member = ledger.enrol()
    ledger.adjust(member, 50, key="k1")

    with pytest.raises(IdempotencyKeyReused) as raised:
        ledger.adjust(member, **{"amount": 50, "key": "k1", **change})  # type: ignore[arg-type]  # wrong values are the point

    assert (raised.value.status, raised.value.code) == (422, "idempotency_key_reused")
    assert entries(ledger) == 1


def test_a_key_that_somebody_uses_at_this_moment_for_another_member_is_refused(ledger: Ledger) -> None:
    one, other = ledger.enrol(), ledger.enrol()
    asked = Adjustment(member_id=one, point_type="stars", amount=5, reason="late", actor="anna", idempotency_key="k1")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    # given one adjustment that is not committed yet, and one of another member that waits for what becomes of its key
    with ThreadPoolExecutor(1) as pool:
        with ledger.database.transaction() as tx:
            adjust(driver_connection(tx), asked, Terms(), T0)
            second = pool.submit(ledger.adjust, other, 5, key="k1")
            while ledger.rows(waiting) == [(0,)]:
                assert not second.done()
        with pytest.raises(IdempotencyKeyReused):
            second.result()

    assert entries(ledger) == 1


@pytest.mark.parametrize("amount", [0, 10**15, -(10**15), 1.5, True, "7", None])
def test_an_amount_must_be_a_whole_number_that_can_be_booked(ledger: Ledger, amount: object) -> None:
    member = ledger.enrol()

    with pytest.raises(InvalidAdjustment) as raised:
        ledger.adjust(member, amount)  # type: ignore[arg-type]  # wrong values are the point

    assert [item.pointer for item in raised.value.errors] == ["#/amount"]
    assert entries(ledger) == 0


@pytest.mark.parametrize("text", ["", " ", "\0", "x" * 1_001])
def test_a_reason_and_a_key_are_texts(ledger: Ledger, text: str) -> None:
    member = ledger.enrol()

    with pytest.raises(InvalidAdjustment) as raised:
        ledger.adjust(member, 5, reason=text, key=text or " ")

    assert [item.pointer for item in raised.value.errors] == ["#/reason", "#/idempotency_key"]
    assert entries(ledger) == 0


def test_the_largest_amount_is_booked(ledger: Ledger) -> None:
    assert ledger.adjust(ledger.enrol(), 10**15 - 1).balance.available == 10**15 - 1


def test_an_unknown_member_has_no_wallet(ledger: Ledger) -> None:
    with pytest.raises(UnknownMember):
        ledger.adjust(new_id(), 5)


def test_another_entry_with_the_same_id_is_a_fault_of_ours(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    member = ledger.enrol()
    taken = ledger.adjust(member, 5).entry_id
    monkeypatch.setattr("setia.ledger.adjustments.new_id", lambda: taken)

    with pytest.raises(errors.UniqueViolation):
        ledger.adjust(member, 6)

    assert entries(ledger) == 1


def test_twenty_at_once_take_what_is_there_and_no_more(ledger: Ledger) -> None:
    member = ledger.enrol()
    ledger.post(member, grant(35), grant(35, expires_at=at(60)))

    def take(_: int) -> Adjusted | Problem:
        try:
            return ledger.adjust(member, -10)
        except InsufficientPoints as problem:
            return problem

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(take, range(20)))

    done = [answer for answer in answers if isinstance(answer, Adjusted)]
    assert sorted(answer.balance.available for answer in done) == [0, 10, 20, 30, 40, 50, 60]
    assert sorted(answer.seq for answer in done) == list(range(2, 9))
    assert ledger.rows("SELECT available FROM wallet") == [(0,)]
    assert ledger.findings() == []


def test_twenty_equal_requests_have_one_effect_and_twenty_equal_answers(ledger: Ledger) -> None:
    member = ledger.enrol()

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: ledger.adjust(member, 10, key="once"), range(20)))

    assert len({answer.entry_id for answer in answers}) == 1
    assert [answer.balance for answer in answers] == [Balance(available=10)] * 20
    assert sum(answer.replayed for answer in answers) == 19
    assert entries(ledger) == 1


def test_one_key_for_two_members_at_once_serves_one_of_them(ledger: Ledger) -> None:
    members = [ledger.enrol() for _ in range(8)]

    def give(member: UUID) -> object:
        try:
            return ledger.adjust(member, 10, key="once").seq
        except IdempotencyKeyReused:
            return "refused"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(give, members))

    assert sorted(map(str, answers)) == ["1", *["refused"] * 7]
    assert entries(ledger) == 1
    assert ledger.findings() == []
