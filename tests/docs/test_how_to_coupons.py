"""The guide to coupons: its program is one, its order earns what it says, and its answers are those of the API."""

import re
from pathlib import Path

from api_world import World, world
from coupons.till import bought, granted, looked_up, order
from events.shop import calculated, enrolled, go_live
from setia.program.lint import lint
from setia.program.yaml_text import load
from setia.program.yaml_writer import plain_data

__all__ = ["world"]

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "coupons.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_the_example_is_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []


def test_the_order_of_the_guide_earns_what_it_says(world: World) -> None:
    definition = PROGRAM.require().model_dump(mode="json", by_alias=True)
    definition["program"]["id"] = "coffee-stars"
    assert plain_data(PROGRAM.require())["campaigns"].keys() >= {"thanks", "next_order"}
    go_live(world, definition)
    enrolled(world, days_ago=1)
    [promised] = granted(calculated(world, order(None, "47.00")))
    [coupon] = granted(bought(world, "1", "47.00"))
    for name in ("campaign", "by", "amount"):
        assert f'"{name}": "{coupon[name]}"' in TEXT
        assert promised[name] == coupon[name]
    assert "code" not in promised
    assert looked_up(world, coupon["code"])["state"] == "usable"
