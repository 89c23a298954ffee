"""The guides to households and sales: their programs are some, and their requests are answered."""

import json
import re
from pathlib import Path
from typing import Any

from api_world import World, world
from events.shop import booked, enrolled, go_live, purchase
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"


def published(world: World, name: str) -> list[Any]:
    """Publish the program of a guide; give the bodies of its requests."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    loaded = load("".join(re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)))
    assert lint(loaded) == []
    plain = loaded.require().model_dump(mode="json", by_alias=True)
    go_live(world, plain | {"program": {"id": "coffee-stars", "name": "x", "currency": "EUR"}})
    return [json.loads(body) for body in re.findall(r"^    (\{.*\})$", text, re.MULTILINE)]


def test_a_family_spends_together(world: World) -> None:
    make, join, redeem = published(world, "households.md")
    parent, child = enrolled(world), enrolled(world, "2")
    made = world.call("POST", "/v1/households", json=make | {"owner": parent}, headers={"Idempotency-Key": "1"}).json()
    path = f"/v1/households/{made['id']}"
    assert world.call("POST", f"{path}/members", json=join | {"member": child}).status_code == 201
    booked(world, purchase("o1", "80.00"))
    booked(world, purchase("o2", "75.00", member={"card": "2"}))
    answer = world.call("POST", f"{path}/redemptions", json=redeem | {"member": parent})
    assert answer.status_code == 201, answer.text
    assert world.call("GET", path).json()["pool"] == {"stars": 5}


def test_points_are_sold_and_given_back(world: World) -> None:
    buy, back = published(world, "sell-points.md")
    sold = world.call("POST", "/v1/point-sales", json=buy | {"member": enrolled(world)})
    assert sold.status_code == 201, sold.text
    refunded = world.call("POST", f"/v1/point-sales/{sold.json()['id']}/refund", json=back).json()
    assert (refunded["refunded"], refunded["money_back"]) == (1000, 1900)
