"""`setia verify` names what does not agree about coupons."""

import pytest

from api_world import World
from coupons.till import bought, findings, give_back, made, open_shop, rows
from events.shop import booked
from setia.events.rebuild import rebuild_states


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("UPDATE coupon SET used = 0", ["coupon_uses"]),
        ("UPDATE coupon SET spent = 1 WHERE worth IS NOT NULL", ["coupon_uses"]),
        ("UPDATE coupon_use SET restored = 0", ["coupon_history", "coupon_uses"]),
        ("UPDATE coupon_use SET is_restored = true", ["coupon_history", "coupon_uses"]),
        ("UPDATE coupon SET worth = worth + 1 WHERE event_id IS NOT NULL", ["coupon_worth"]),
        ("DELETE FROM coupon WHERE event_id IS NOT NULL", ["coupon_worth"]),
        ("DELETE FROM coupon_use", ["coupon_history", "coupon_uses"]),
    ],
)
def test_what_does_not_agree_is_named(world: World, change: str, kinds: list[str]) -> None:
    open_shop(world)
    bought(world, "1", "100.00", made(world), made(world, "tenth"))
    booked(world, give_back("r", "1", amount="50.00"))
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert sorted({finding.kind for finding in findings(world)}) == kinds


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE coupon SET used = 0",
        "UPDATE coupon SET spent = 1 WHERE worth IS NOT NULL",
        "UPDATE coupon_use SET restored = 0, is_restored = NOT is_restored",
        "DELETE FROM coupon_use",
    ],
)
def test_what_orders_have_of_coupons_is_counted_again_from_the_journal(world: World, change: str) -> None:
    open_shop(world)
    code = made(world, amount="40.00")
    bought(world, "1", "100.00", code, made(world, "tenth"))
    bought(world, "2", "15.00", code)
    booked(world, give_back("r", "1", amount="50.00"))
    booked(world, give_back("r2", "1"))
    booked(world, give_back("c", "r2") | {"type": "cancel"})
    before = everything(world)
    assert rebuild_states(world.database, world.program_id).coupons == 0
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert rebuild_states(world.database, world.program_id).coupons > 0
    assert everything(world) == before
    assert findings(world) == []


def everything(world: World) -> list[object]:
    """Coupons and their uses."""
    uses = "SELECT coupon_id, event_id, member_id, amount, restored, is_restored FROM coupon_use ORDER BY 1, 2"
    return [*rows(world, "SELECT id, worth, spent, used, is_cancelled FROM coupon ORDER BY id"), *rows(world, uses)]
