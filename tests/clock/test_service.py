"""Advancing: what comes due is done in order, day by day, once, whatever interrupts it."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api_world import World
from clock.try_out import TryOut, at, program
from setia.clock import service
from setia.clock.problems import ClockBusy, InvalidAdvance, NoTestClock
from setia.clock.service import advance
from setia.db.engine import Database
from setia.events.live import LivePrograms
from setia.events.members_in_play import InPlay
from setia.events.settling import settle_due
from setia.events.time_entries import TimeEntries
from setia.ledger.verify import verify
from setia.program.names import Period
from setia.versions.service import NothingPublished, ensure_program

MONTH: dict[str, Any] = {"expiry": {"after": "1mo", "align": "month_end"}}


def test_a_year_passes_day_by_day(world: World) -> None:
    # given stars that can be spent after two weeks, and end with the month after that
    here = TryOut.begin(world, "2026-01-01T00:00+01:00", program(available_after="14d", **MONTH))
    member = here.enrol()
    here.buy("p1")
    here.advance("2026-01-20T09:30+01:00")
    here.buy("p2", "7.00")
    assert here.stars(member) == (10, 7)

    # when the rest of the year passes
    advanced = here.advance("2027-01-01T00:00+01:00")

    # then each thing was booked at the midnight after which it was due, and nothing else was done
    assert here.journal("release") == [
        (at("2026-01-15T00:00+01:00"), at("2026-01-15T00:00+01:00")),
        (at("2026-02-03T09:30+01:00"), at("2026-02-04T00:00+01:00")),
    ]
    ends = [at("2026-03-01T00:00+01:00"), at("2026-04-01T00:00+02:00")]
    assert here.journal("expiry") == [(end, end) for end in ends]
    assert (advanced.before, advanced.now) == (at("2026-01-20T09:30+01:00"), at("2027-01-01T00:00+01:00"))
    assert (advanced.days, advanced.settled) == (3, 3)
    assert here.stars(member) == (0, 0)
    assert verify(world.database).findings == []


def test_what_comes_first_is_booked_first_for_all_members(world: World) -> None:
    here = TryOut.begin(world, "2026-01-01T12:00Z", program("UTC", expiry={"after": "3d"}))
    for card in ("last", "first", "middle"):
        here.enrol(card)
    for day, card in (("2026-01-02T00:00Z", "first"), ("2026-01-03T23:59Z", "middle"), ("2026-01-05T12:00Z", "last")):
        here.advance(day)
        here.buy(card, card=card)

    here.advance("30d")

    booked = [moment for _, moment in here.journal("expiry")]
    assert booked == [at("2026-01-06T00:00Z"), at("2026-01-07T00:00Z"), at("2026-01-09T00:00Z")]


@pytest.mark.parametrize(
    ("zone", "earned", "ends"),
    [
        # Points of one day end with the day after: days of 23, 24 and 25 hours, a leap day, and one left out.
        ("Europe/Berlin", "2026-03-28T12:00+01:00", "2026-03-30T00:00+02:00"),
        ("Europe/Berlin", "2026-10-24T12:00+02:00", "2026-10-26T00:00+01:00"),
        ("Europe/Berlin", "2028-02-28T23:59+01:00", "2028-03-01T00:00+01:00"),
        ("Asia/Kathmandu", "2026-12-30T23:59+05:45", "2027-01-01T00:00+05:45"),
        ("America/Sao_Paulo", "2018-11-02T12:00-03:00", "2018-11-04T01:00-02:00"),
        ("America/Sao_Paulo", "2019-02-15T12:00-02:00", "2019-02-17T00:00-03:00"),
        ("America/Havana", "2026-10-30T12:00-04:00", "2026-11-01T00:00-04:00"),
        ("Pacific/Apia", "2011-12-28T12:00-10:00", "2011-12-31T00:00+14:00"),
    ],
)
def test_a_day_is_the_programs_own(world: World, zone: str, earned: str, ends: str) -> None:
    here = TryOut.begin(world, earned, program(zone, expiry={"after": "1d"}))
    member = here.enrol()
    here.buy("p1")

    # A moment before they are all there, and at the moment they are gone, though nobody has booked it.
    instant = dt.timedelta(microseconds=1)
    before = here.advance((at(ends) - instant).isoformat())
    assert (before.settled, here.stars(member)) == (0, (10, 0))
    after = here.advance(ends)
    assert (after.settled, after.days, here.stars(member)) == (1, 1, (0, 0))
    assert here.journal("expiry") == [(at(ends), at(ends))]


@pytest.mark.parametrize(
    ("begins", "months"),
    [
        ("2026-01-31T08:00+01:00", ["2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", "2026-05-01T00:00+02:00"]),
        ("2028-01-31T08:00+01:00", ["2028-03-01T00:00+01:00", "2028-04-01T00:00+02:00", "2028-05-01T00:00+02:00"]),
        ("2026-08-31T08:00+02:00", ["2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00", "2026-12-01T00:00+01:00"]),
    ],
)
def test_month_ends_fall_where_the_calendar_has_them(world: World, begins: str, months: list[str]) -> None:
    here = TryOut.begin(world, begins, program(**MONTH))
    here.enrol()
    for number in range(3):
        here.buy(f"p{number}", f"{number + 1}.00")
        here.advance("1mo")
    here.advance("6mo")

    assert [ends for ends, _ in here.journal("expiry")] == [at(month) for month in months]


def test_in_many_steps_or_in_one_the_same_is_booked(world: World, database: Database) -> None:
    whole = program(available_after="36h", expiry={"after": "10d"})
    booked = []
    for number, steps in enumerate((["120d"], ["1d"] * 120, ["7h", "19h", "6d"] * 16)):
        renamed = {**whole, "program": {**whole["program"], "id": f"try-{number}"}}
        here = TryOut.begin(world, "2026-02-21T00:00+01:00", renamed)
        for card in ("1", "2"):
            here.enrol(card)
            here.buy(f"p{card}", "12.00", card=card)
        here.buy("p3")
        for step in steps:
            here.advance(step)
        here.advance("2026-06-21T00:00+02:00")
        assert here.now == at("2026-06-21T00:00+02:00")
        booked.append((here.journal("release"), here.journal("expiry")))
    # Whoever stops in the middle of a day books then what is due by then, and not at midnight.
    assert booked[0] == booked[1]
    assert [[happened for happened, _ in kind] for kind in booked[2]] == [
        [happened for happened, _ in kind] for kind in booked[0]
    ]
    assert verify(database).findings == []


def test_a_day_that_was_broken_off_is_done_first_by_who_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # given two days on which something is due, and a fault in the first night
    here = TryOut.begin(world, "2026-05-01T12:00Z", program("UTC", expiry={"after": "1d"}))
    member = here.enrol()
    here.buy("p1")
    here.advance("2026-05-02T12:00Z")
    here.buy("p2", "7.00")
    nights: list[dt.datetime] = []

    def settle(database: Database, programs: LivePrograms, program_id: int, now: dt.datetime) -> int:
        nights.append(now)
        if len(nights) == 2:
            raise ConnectionError
        return settle_due(database, programs, program_id, now)

    monkeypatch.setattr(service, "settle_due", settle)
    with pytest.raises(ConnectionError):
        here.advance("30d")

    # then the clock stands at that midnight, with its work undone
    assert here.now == at("2026-05-03T00:00Z")
    assert here.journal("expiry") == []

    # and who advances again finishes it before anything else
    advanced = here.advance("2026-06-01T12:00Z")
    assert nights[2] == at("2026-05-03T00:00Z")
    assert (advanced.before, advanced.settled) == (at("2026-05-03T00:00Z"), 2)
    assert here.stars(member) == (0, 0)
    assert [moment for _, moment in here.journal("expiry")] == [at("2026-05-03T00:00Z"), at("2026-05-04T00:00Z")]
    assert verify(world.database).findings == []


def test_of_two_that_advance_at_once_one_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = TryOut.begin(world, "2026-05-01T12:00Z")
    other = TryOut.begin(world, "2026-05-01T12:00Z", program() | {"program": program()["program"] | {"id": "other"}})
    inside, go_on = threading.Event(), threading.Event()

    def wait(_database: Database, _programs: LivePrograms, program_id: int, _now: dt.datetime) -> int:
        if program_id == here.program_id:
            inside.set()
            assert go_on.wait(20)
        return 0

    monkeypatch.setattr(service, "settle_due", wait)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(here.advance, "1d")
        assert inside.wait(20)
        with pytest.raises(ClockBusy, match="Wait until it is done"):
            here.advance("1d")
        # Another program has a clock of its own.
        assert other.advance("1d").now == at("2026-05-02T12:00Z")
        go_on.set()
        assert first.result(20).now == at("2026-05-02T12:00Z")
    assert here.advance("1d").now == at("2026-05-03T12:00Z")


def test_many_that_advance_at_once_move_it_as_often_as_they_are_told(world: World) -> None:
    here = TryOut.begin(world, "2026-05-01T12:00Z", program("UTC", expiry={"after": "1d"}))
    here.enrol()
    here.buy("p1")

    def try_it(_: int) -> int:
        try:
            here.advance("1d")
        except ClockBusy:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        moved = sum(pool.map(try_it, range(12)))
    assert moved >= 1
    assert here.now == at("2026-05-01T12:00Z") + dt.timedelta(days=moved)


def test_a_lock_that_is_lost_on_the_way_undoes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = TryOut.begin(world, "2026-05-01T12:00Z")

    def cut(*_: object) -> int:
        with world.database.transaction() as tx:
            tx.exec_driver_sql(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
            )
        return 0

    monkeypatch.setattr(service, "settle_due", cut)
    assert here.advance("1d").now == here.now == at("2026-05-02T12:00Z")
    monkeypatch.undo()
    assert here.advance("1d").now == at("2026-05-03T12:00Z")


def test_who_lost_the_lock_does_not_set_the_clock_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = TryOut.begin(world, "2026-05-01T12:00Z")

    def meanwhile(*_: object) -> dt.datetime:
        with world.database.transaction() as tx:
            tx.exec_driver_sql("UPDATE program SET clock = '2026-07-01T00:00Z' WHERE mode = 'test'")
        return at("2026-05-02T00:00Z")

    monkeypatch.setattr(service, "next_stop", meanwhile)
    with pytest.raises(ClockBusy, match="Somebody else has moved it"):
        here.advance("1d")
    assert here.now == at("2026-07-01T00:00Z")


@pytest.mark.parametrize(
    ("goal", "told"),
    [
        ("2026-04-30T12:00Z", "The clock stands at 2026-05-01T12:00:00"),
        ("2036-05-01T12:00:00.000001Z", "One call goes 10y at most"),
        ("11y", "One call goes 10y at most"),
        ("99999y", "One call goes 10y at most"),
    ],
)
def test_it_goes_neither_back_nor_too_far(world: World, goal: str, told: str) -> None:
    here = TryOut.begin(world, "2026-05-01T12:00Z", program("UTC"))
    with pytest.raises(InvalidAdvance, match=told) as refused:
        here.advance(goal)
    assert refused.value.errors[0].pointer == ("#/to" if "T" in goal else "#/by")
    assert here.now == at("2026-05-01T12:00Z")


def test_ten_years_are_one_call_and_no_clock_goes_on_for_ever(world: World) -> None:
    here = TryOut.begin(world, "2488-03-01T00:00Z", program("UTC"))
    assert here.advance("10y").now == at("2498-03-01T00:00Z")
    assert here.advance("0d").now == at("2498-03-01T00:00Z")
    with pytest.raises(InvalidAdvance, match="no clock beyond 2500"):
        here.advance("2y")


def test_only_a_published_program_in_test_mode_has_a_clock(world: World) -> None:
    programs = LivePrograms(world.database)
    day = Period(count=1, unit="days")
    with pytest.raises(NoTestClock, match="coffee-stars is live"):
        advance(world.database, programs, world.program_id, day)
    with world.database.transaction() as tx:
        empty, _ = ensure_program(tx, "empty", "test")
    with pytest.raises(NothingPublished):
        advance(world.database, programs, empty.id, day)


def test_what_will_not_be_settled_does_not_hold_the_clock_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # given something due that no settling ever finishes
    here = TryOut.begin(world, "2026-05-01T12:00Z", program("UTC", expiry={"after": "1d"}))
    here.enrol()
    here.buy("p1")
    monkeypatch.setattr(service, "settle_due", lambda *_: 1)

    # then each night tries a limited number of times, and time goes on
    advanced = here.advance("2026-05-05T00:00Z")
    assert advanced.now == here.now == at("2026-05-05T00:00Z")
    assert advanced.days == 3


def test_what_is_held_for_a_reward_comes_back_when_its_time_has_passed(world: World) -> None:
    # given a mug that is held for two days
    whole = program() | {"rewards": {"mug": {"kind": "physical", "cost": {"stars": 5}, "hold": "2d"}}}
    here = TryOut.begin(world, "2026-01-01T12:00+01:00", whole)
    member = here.enrol()
    here.buy("p1")
    asked = {"member": member, "reward": "mug", "reference": "1"}
    assert here.call("POST", "/v1/redemptions", json=asked).status_code == 201
    assert here.stars(member) == (5, 0)

    # when
    advanced = here.advance("10d")

    # then
    assert here.stars(member) == (10, 0)
    assert (advanced.days, advanced.settled) == (1, 1)
    assert [moment for _, moment in here.journal("redemption")][-1] == at("2026-01-04T00:00+01:00")
    assert verify(world.database).findings == []


def test_who_cannot_be_settled_keeps_nobody_waiting_and_is_not_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given two members with stars that end, one of whom cannot be settled
    here = TryOut.begin(world, "2026-01-01T12:00Z", program("UTC", expiry={"after": "3d"}))
    ill, well = (UUID(hex=here.enrol(card).removeprefix("mem_")) for card in ("1", "2"))
    for card in ("1", "2"):
        here.buy(card, card=card)
    looks = []

    of_lots = TimeEntries.of_lots

    def broken(entries: TimeEntries, member: InPlay, *rest: Any) -> Any:
        looks.append(member.id)
        if member.id == ill:
            raise RuntimeError("ill")
        return of_lots(entries, member, *rest)

    monkeypatch.setattr(TimeEntries, "of_lots", broken)

    # when
    with capture_logs():
        advanced = here.advance("10d")

    # then
    assert (advanced.settled, well in looks) == (1, True)
    assert len(looks) < 40  # a few times at every midnight, and not a hundred
