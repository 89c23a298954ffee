"""Points taken below zero, and how later points pay for them; lots and balances always agree."""

import datetime as dt
from typing import Any

from api_world import World
from events.shop import BASE, booked, go_live, program, rows
from rewards.counter import done, redeemed
from setia.ledger.verify import verify

FINE = {"fine": {"on": "visit", "deduct": {"stars": 30}}}


def _live(world: World, negative: str, stars: dict[str, Any] | None = None, **campaigns: Any) -> None:
    whole = program(campaigns={**BASE, **FINE, **campaigns})
    whole["points"]["stars"] |= {"negative": negative, **(stars or {})}
    go_live(world, whole)


def _send(world: World, type_: str, external_id: str, **more: Any) -> int:
    answer = booked(world, {"type": type_, "external_id": external_id, "member": {"card": "1"}, **more})
    available: int = answer["balances"]["stars"]["available"]
    return available


def _lines(amount: str) -> dict[str, Any]:
    return {"lines": [{"sku": "latte", "amount": amount}]}


def _in_lots(world: World) -> int:
    [(total,)] = rows(world, "SELECT coalesce(sum(remaining), 0)::int FROM lot WHERE point_type = 'stars'")
    found: int = total
    return found


def test_points_taken_below_zero_are_paid_by_the_next_ones(world: World) -> None:
    # given
    world.enrol(card="1")
    _live(world, "recover")
    assert _send(world, "purchase", "p1", **_lines("10.00")) == 10

    # when: 30 are taken, though there are 10
    taken = _send(world, "visit", "v1")
    owing = _in_lots(world)
    paid = _send(world, "purchase", "p2", **_lines("50.00"))

    # then: 50 - 20 are there, and lie in the lot that was earned last
    assert (taken, owing) == (-20, 0)
    assert (paid, _in_lots(world)) == (30, 30)
    assert verify(world.database).findings == []


def test_a_debt_larger_than_what_is_earned_stays(world: World) -> None:
    world.enrol(card="1")
    _live(world, "allow")
    _send(world, "visit", "v1")

    assert _send(world, "purchase", "p1", **_lines("10.00")) == -20
    assert _in_lots(world) == 0
    assert verify(world.database).findings == []


def test_one_event_may_earn_and_take(world: World) -> None:
    # given a purchase that earns 40 and costs 30 of them
    world.enrol(card="1")
    _live(world, "block", fee={"on": "purchase", "deduct": {"stars": 30}})

    # when
    available = _send(world, "purchase", "p1", **_lines("40.00"))

    # then what was taken came out of the lot that the same event opened
    assert (available, _in_lots(world)) == (10, 10)
    assert verify(world.database).findings == []


def test_a_new_version_moves_the_floor_of_wallets_that_are_there(world: World) -> None:
    # given a wallet that may not go below zero
    world.enrol(card="1")
    _live(world, "block")
    _send(world, "purchase", "p1", **_lines("10.00"))
    assert _send(world, "visit", "v1") == 0

    # when the next version allows it, and a later one forbids it again while the member owes
    _live(world, "allow")
    below = _send(world, "visit", "v2")
    _live(world, "block")
    still = _send(world, "visit", "v3")
    above = _send(world, "purchase", "p2", **_lines("100.00"))

    # then
    assert (below, still, above) == (-30, -30, 70)
    assert _send(world, "visit", "v4") == 40
    assert rows(world, "SELECT floor FROM wallet WHERE point_type = 'stars'") == [(0,)]
    assert verify(world.database).findings == []


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


def _available(world: World, member: str) -> int:
    wallets = world.call("GET", f"/v1/members/{member}/wallets").json()["wallets"]
    [found] = [wallet["available"] for wallet in wallets if wallet["points"] == "stars"]
    available: int = found
    return available


def test_points_that_become_available_pay_what_is_owed_and_owe_nothing_when_they_end(world: World) -> None:
    # given 30 owed, and 50 pending that end a month later
    member = world.enrol(card="1")["id"]
    _live(world, "allow", {"expiry": {"after": "30d"}, "available_after": "7d"})
    _send(world, "visit", "v1")
    assert _send(world, "purchase", "p1", **_lines("50.00")) == -30

    # when
    _age(world, days=8)
    released = _available(world, member), _in_lots(world)
    _age(world, days=60)
    ended = _available(world, member), _in_lots(world)

    # then what paid the debt does not end once more
    assert (released, ended) == ((20, 20), (0, 0))
    assert verify(world.database).findings == []


def test_a_refund_pays_what_is_owed(world: World) -> None:
    # given 10 points redeemed, and then 30 owed
    member = world.enrol(card="1")["id"]
    whole = program(campaigns={**BASE, **FINE}) | {"rewards": {"tea": {"kind": "physical", "cost": {"stars": 10}}}}
    whole["points"]["stars"] |= {"negative": "allow", "expiry": {"after": "30d"}}
    go_live(world, whole)
    _send(world, "purchase", "p1", **_lines("40.00"))
    tea = redeemed(world, member, "tea", confirm=True)
    _send(world, "visit", "v1")
    assert _send(world, "visit", "v2") == -30

    # when
    done(world, tea["id"], "refund")

    # then the ten have paid ten of the thirty
    assert (_available(world, member), _in_lots(world)) == (-20, 0)
    assert verify(world.database).findings == []
