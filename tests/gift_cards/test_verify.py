"""What keeps gift cards true: triggers that refuse, `setia verify` that counts again, and a rebuild that mends."""

import psycopg
import pytest

from api_world import World
from gift_cards.drawer import acted, ended, findings, issued, open_shop, rows, used
from rewards.counter import member, redeemed

KEPT = "SELECT balance, held, seq, expires_at, member_id, blocked FROM gift_card ORDER BY id"
USES = "SELECT held, captured, refunded, ended_at FROM gift_card_use ORDER BY id"


def busy(world: World) -> None:
    """Cards with some of everything."""
    open_shop(world)
    who = world.enrol(card="1")["id"]
    one, two = issued(world, 5000, member=who), issued(world, 1000)
    taken = used(world, one, 1500)
    ended(world, taken, "refund", amount=200)
    used(world, one, 700, "2", capture=False)
    ended(world, used(world, two, 300, "3", capture=False), "capture", amount=100)
    acted(world, one, "transfer", to=two["id"], amount=100, reason="x")
    acted(world, two, "block", reason="x")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gift_card SET balance = balance + 1",
        "UPDATE gift_card SET blocked = false",
        "DELETE FROM gift_card_entry",
        "UPDATE gift_card_entry SET amount = 1",
        "UPDATE gift_card_use SET captured = 0",
        "DELETE FROM gift_card_use",
        "TRUNCATE gift_card CASCADE",
        (
            "INSERT INTO gift_card (id, created_at, program_id, kind, currency, hint, hash, balance) SELECT "
            "gen_random_uuid(), now(), program_id, kind, currency, hint, sha256('x'), 5 FROM gift_card LIMIT 1"
        ),
    ],
)
def test_nobody_writes_what_follows_from_entries(world: World, change: str) -> None:
    busy(world)
    with world.database.raw_connection() as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(change.encode())


ENTRY = """
INSERT INTO gift_card_entry (card_id, seq, id, use_id, booked_at, amount, program_id, blocked, kind, source,
                             destination, actor)
SELECT c.id, {seq}, gen_random_uuid(), {use}, now(), {amount}, c.program_id, false, 'redeemed', '{source}',
       '{destination}', 'x'
FROM gift_card c ORDER BY c.id LIMIT 1
"""


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"seq": "c.seq"}, psycopg.errors.UniqueViolation),
        ({"seq": "c.seq + 2"}, psycopg.errors.Error),
        ({"amount": "c.balance + 1"}, psycopg.errors.CheckViolation),
        ({"amount": "0"}, psycopg.errors.CheckViolation),
        ({"source": "sold", "destination": "redeemed"}, psycopg.errors.CheckViolation),
        ({"source": "redeemed", "destination": "held"}, psycopg.errors.CheckViolation),
        ({"use": "(SELECT id FROM gift_card_use WHERE card_id <> c.id LIMIT 1)"}, psycopg.errors.Error),
        (
            {
                "source": "redeemed",
                "destination": "available",
                "amount": 1301,
                "use": "(SELECT id FROM gift_card_use WHERE reference = '1')",
            },
            psycopg.errors.CheckViolation,
        ),
    ],
)
def test_no_entry_breaks_a_card(world: World, values: dict[str, str], error: type[psycopg.Error]) -> None:
    busy(world)
    said = {"seq": "c.seq + 1", "use": "NULL", "amount": 1, "source": "available", "destination": "redeemed"}
    with world.database.raw_connection() as connection, pytest.raises(error):
        connection.execute(ENTRY.format(**said | values).encode())


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("UPDATE gift_card SET balance = balance + 1", ["gift_card_balance"]),
        ("UPDATE gift_card SET held = 0", ["gift_card_balance"]),
        ("UPDATE gift_card SET blocked = NOT blocked", ["gift_card_state"]),
        ("UPDATE gift_card SET expires_at = now()", ["gift_card_state"]),
        ("UPDATE gift_card_use SET refunded = captured", ["gift_card_use"]),
        (
            "DELETE FROM gift_card_entry WHERE kind = 'received'",
            ["gift_card_balance", "gift_card_gap", "gift_card_transfer"],
        ),
        (
            "DELETE FROM gift_card_entry WHERE kind = 'refunded'",
            ["gift_card_balance", "gift_card_gap", "gift_card_use"],
        ),
    ],
)
def test_what_does_not_agree_is_named_and_a_rebuild_mends_it(world: World, change: str, kinds: list[str]) -> None:
    busy(world)
    assert findings(world) == []
    kept, uses = rows(world, KEPT), rows(world, USES)
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(change.encode())
    assert sorted({finding.kind for finding in findings(world)}) == kinds
    if not change.startswith("DELETE"):
        rows(world, "SELECT gift_card_rebuild(id) FROM gift_card")
        assert (rows(world, KEPT), rows(world, USES)) == (kept, uses)
        assert findings(world) == []


def test_a_rebuild_changes_nothing_that_is_right(world: World) -> None:
    busy(world)
    kept, uses = rows(world, KEPT), rows(world, USES)
    rows(world, "SELECT gift_card_rebuild(id) FROM gift_card")
    assert (rows(world, KEPT), rows(world, USES)) == (kept, uses)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("UPDATE redemption SET state = 'refunded', parts = '[]'", ["gift_card_reward", "redemption_points"]),
        ("UPDATE gift_card_entry SET redemption_id = gen_random_uuid() WHERE kind = 'issued'", ["gift_card_reward"]),
        (
            """UPDATE journal SET outcome = replace(outcome::text, '"amount":700,', '"amount":600,')::json""",
            ["gift_card_order"],
        ),
        ("UPDATE gift_card_use SET event_id = gen_random_uuid()", ["gift_card_order"]),
    ],
)
def test_what_cards_are_for_agrees_with_orders_and_redemptions(world: World, change: str, kinds: list[str]) -> None:
    reward = {"kind": "gift_card", "card": "classic", "cost": {"stars": 1}, "worth": {"amount": "9.00"}}
    open_shop(world, rewards={"card": reward})
    who = member(world, 5)
    made = redeemed(world, who, "card", confirm=True)
    order = {
        "type": "purchase",
        "external_id": "o1",
        "member": {"id": who},
        "lines": [{"sku": "A", "amount": "7.00"}],
        "tenders": [{"type": "gift_card", "code": made["code"]}],
    }
    assert world.call("POST", "/v1/events", json=order).json()["payment"]["rest"] == "0.00"
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        assert connection.execute(change.encode()).rowcount > 0
    assert sorted({finding.kind for finding in findings(world)} - {"outcome_mismatch"}) == kinds
