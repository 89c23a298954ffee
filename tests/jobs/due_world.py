"""Members with points that have ended, and nobody has booked it."""

import datetime as dt
import time
from collections.abc import Callable

from api_world import World
from events.shop import BASE, go_live, program, rows
from setia.db.engine import Database

AGED = (
    ("lot", ("earned_at", "available_at", "expires_at")),
    ("posting", ("earned_at", "available_at", "expires_at")),
    ("member_state", ("updated_at", "due_at")),
    ("journal", ("booked_at",)),
)


def make_due(world: World, members: int) -> None:
    """Let so many members buy something for points that end after a day; and two days pass."""
    whole = program("enrol", campaigns=BASE)
    whole["points"]["stars"] |= {"expiry": {"after": "1d"}}
    go_live(world, whole)
    lines = [{"sku": "latte", "amount": "10.00"}]
    events = [
        {"type": "purchase", "external_id": f"p{card}", "member": {"card": str(card)}, "lines": lines}
        for card in range(members)
    ]
    answer = world.call("POST", "/v1/events/batch", json={"events": events})
    assert answer.status_code == 200, answer.text
    age(world.database, dt.timedelta(days=2))


def age(database: Database, by: dt.timedelta) -> None:
    """Let time pass: what was earned, and what is due, lies so much further back."""
    with database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, columns in AGED:
            moved = ", ".join(f"{column} = {column} - %(by)s" for column in columns)
            connection.execute(f"UPDATE {table} SET {moved}", {"by": by})


def expiries(world: World) -> tuple[int, int]:
    """How many entries book an end, and for how many members."""
    [found] = rows(world, "SELECT count(*), count(DISTINCT member_id) FROM journal WHERE kind = 'expiry'")
    return found[0], found[1]


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Look until something is so."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
