"""What time does to points: they end, and pending ones become available, whether or not a job has run."""

import datetime as dt
from typing import Any

import pytest

from api_world import World
from events.shop import BASE, booked, calculated, go_live, program, rows
from setia.events.live import LivePrograms
from setia.events.settling import settle_due
from setia.ledger.verify import verify

FINE = {"fine": {"on": "visit", "deduct": {"stars": 5}}}
RICH = {"rich": {"on": "visit", "when": "member.points.stars >= 10", "earn": {"status": 1}}}


def _live(world: World, campaigns: dict[str, Any] | None = None, **stars: Any) -> None:
    whole = program(campaigns=campaigns or {**BASE, **FINE})
    whole["points"]["stars"] |= stars
    whole["points"]["status"] = {"spendable": False}
    go_live(world, whole)


def _send(world: World, type_: str, external_id: str, **more: Any) -> dict[str, Any]:
    return booked(world, {"type": type_, "external_id": external_id, "member": {"card": "1"}, **more})


def _buy(world: World, external_id: str, amount: str = "10.00", card: str = "1") -> dict[str, Any]:
    lines = [{"sku": "latte", "amount": amount}]
    return _send(world, "purchase", external_id, lines=lines, member={"card": card})


def _age(world: World, **by: int) -> None:
    """Let time pass: what was earned, and what is due, lies so much further back."""
    shift = dt.timedelta(**by)
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, columns in (
            ("lot", ("earned_at", "available_at", "expires_at")),
            ("posting", ("earned_at", "available_at", "expires_at")),
            ("member_state", ("updated_at", "due_at")),
            ("journal", ("booked_at",)),
        ):
            moved = ", ".join(f"{column} = {column} - %(by)s" for column in columns)
            connection.execute(f"UPDATE {table} SET {moved}", {"by": shift})


def _stars(world: World, member: str) -> dict[str, int]:
    [stars] = [
        wallet
        for wallet in world.call("GET", f"/v1/members/{member}/wallets").json()["wallets"]
        if wallet["points"] == "stars"
    ]
    return {bucket: stars[bucket] for bucket in ("available", "pending")}


@pytest.fixture
def member(world: World) -> str:
    found: str = world.enrol(card="1")["id"]
    return found


def test_points_that_have_ended_are_nobodys_though_no_job_has_run(world: World, member: str) -> None:
    # given ten stars that end after a day
    _live(world, {**BASE, **FINE, **RICH}, expiry={"after": "1d"})
    _buy(world, "p1")
    assert _stars(world, member) == {"available": 10, "pending": 0}

    # when their day has passed
    _age(world, days=3)

    # then they are gone wherever one looks: whoever looks books their end first
    assert _stars(world, member) == {"available": 0, "pending": 0}
    assert rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'") == [(0,)]
    assert calculated(world, {"type": "visit", "member": {"card": "1"}})["granted"] == {"stars": 0}
    answer = _send(world, "visit", "v1")
    assert answer["balances"]["stars"]["available"] == 0
    assert answer["granted"] == {"stars": 0}
    assert rows(world, "SELECT kind FROM journal ORDER BY seq") == [("event",), ("event",), ("expiry",), ("event",)]
    assert rows(world, "SELECT expired, remaining FROM lot") == [(10, 0)]
    assert verify(world.database).findings == []


def test_the_statement_tells_what_has_expired(world: World, member: str) -> None:
    _live(world, expiry={"after": "1d"})
    _buy(world, "p1")
    _age(world, days=3)
    _buy(world, "p2", "20.00")

    entries = world.call("GET", f"/v1/members/{member}/statement").json()["items"]

    assert [(entry["kind"], entry["sentences"][-1:]) for entry in entries[:2]] == [
        ("event", ["20 stars for “base”: 1 per 1.00 on 20.00 EUR."]),
        ("expiry", ["10 stars have expired."]),
    ]


def test_pending_points_become_available(world: World, member: str) -> None:
    _live(world, available_after="2d")
    _buy(world, "p1")
    assert _stars(world, member) == {"available": 0, "pending": 10}

    _age(world, days=3)

    assert _stars(world, member) == {"available": 10, "pending": 0}
    assert _send(world, "visit", "v1")["balances"]["stars"] == {"available": 5, "pending": 0, "held": 0}
    entries = world.call("GET", f"/v1/members/{member}/statement").json()["items"]
    assert entries[1]["sentences"] == ["10 stars can be used now."]
    assert verify(world.database).findings == []


def test_points_that_were_pending_and_have_ended_are_released_and_expired(world: World, member: str) -> None:
    _live(world, available_after="2d", expiry={"after": "1d"})
    _buy(world, "p1")
    _age(world, days=30)

    assert _send(world, "visit", "v1")["granted"] == {"stars": 0}
    assert rows(world, "SELECT kind FROM journal ORDER BY seq") == [
        ("event",),
        ("event",),
        ("release",),
        ("expiry",),
        ("event",),
    ]
    assert _stars(world, member) == {"available": 0, "pending": 0}
    assert verify(world.database).findings == []


def test_the_job_books_what_is_due_once(world: World, member: str) -> None:
    # given points of two members that have ended, and some that have not
    _live(world, expiry={"after": "1d"})
    world.enrol(card="2")
    _buy(world, "p1")
    _buy(world, "p2", "7.00", card="2")
    _age(world, days=3)
    world.enrol(card="3")
    booked(
        world,
        {"type": "purchase", "external_id": "p3", "member": {"card": "3"}, "lines": [{"sku": "a", "amount": "3"}]},
    )

    # when the job runs twice
    now = dt.datetime.now(dt.UTC)
    programs = LivePrograms(world.database)
    first = settle_due(world.database, programs, world.program_id, now)
    again = settle_due(world.database, programs, world.program_id, now)

    # then
    assert (first, again) == (2, 0)
    assert rows(world, "SELECT sum(expired)::int, sum(remaining)::int FROM lot") == [(17, 3)]
    assert _stars(world, member) == {"available": 0, "pending": 0}
    assert verify(world.database).findings == []


def test_what_was_used_before_it_ended_only_moves_the_next_moment(world: World, member: str) -> None:
    # given five stars that were taken before they ended
    _live(world, expiry={"after": "1d"})
    _buy(world, "p1", "5.00")
    _send(world, "visit", "v1")
    _age(world, days=3)

    # when the job looks
    now, programs = dt.datetime.now(dt.UTC), LivePrograms(world.database)
    assert settle_due(world.database, programs, world.program_id, now) == 1
    assert settle_due(world.database, programs, world.program_id, now) == 0

    # then nothing is booked
    assert rows(world, "SELECT count(*) FROM journal WHERE kind = 'expiry'") == [(0,)]
    assert rows(world, "SELECT due_at FROM member_state") == [(None,)]
    assert verify(world.database).findings == []


def test_the_earliest_end_stays_the_next_one_while_more_is_earned(world: World, member: str) -> None:
    _live(world, expiry={"after": "1d"})
    _buy(world, "p1")
    [(first,)] = rows(world, "SELECT due_at FROM member_state")
    _age(world, hours=12)
    _buy(world, "p2")

    [(due_at,)] = rows(world, "SELECT due_at FROM member_state")
    [(ends,)] = rows(world, "SELECT min(expires_at) FROM lot")
    assert due_at == ends == first - dt.timedelta(hours=12)
