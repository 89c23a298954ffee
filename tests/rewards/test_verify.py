"""`setia verify` names what does not agree about redemptions, stock and codes."""

import pytest

from api_world import World
from rewards.counter import code, findings, member, open_shop, redeemed


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("UPDATE redemption SET state = 'cancelled' WHERE state = 'held'", ["redemption_points", "reward_stock"]),
        ("UPDATE redemption SET parts = '[]' WHERE state = 'confirmed'", ["redemption_points"]),
        ("UPDATE reward_stock SET used = 0", ["reward_stock"]),
        ("DELETE FROM reward_stock", ["reward_stock"]),
        ("UPDATE reward_code SET used = 0", ["code_uses"]),
        ("UPDATE reward_code SET spent = 1, worth = 5", ["code_uses"]),
        ("UPDATE code_pool SET codes = codes + 1", ["code_pools"]),
        ("DELETE FROM code_pool", ["code_pools"]),
        ("UPDATE code_use SET released_at = now()", ["code_uses"]),
    ],
)
def test_what_does_not_agree_is_named(world: World, change: str, kinds: list[str]) -> None:
    open_shop(world)
    who = member(world)
    redeemed(world, who, "mug", "1")
    text = redeemed(world, who, "coffee", "2", confirm=True)["code"]
    assert code(world, "redeem", code=text, reference="1").status_code == 200
    assert world.call("POST", "/v1/code-pools/cinema/codes", json={"codes": ["KINO-1111"]}).status_code == 200
    assert findings(world) == []
    with world.database.raw_connection() as connection:
        connection.execute(change.encode())
    assert sorted({finding.kind for finding in findings(world)}) == kinds
