"""The guide to velocity rules: its program is one, and the sixth purchase waits."""

import json
import re
from pathlib import Path

from api_world import World, world
from events.shop import booked, enrolled, go_live, purchase
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "watch-velocity.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_the_sixth_purchase_waits_and_is_approved(world: World) -> None:
    assert lint(PROGRAM) == []
    plain = PROGRAM.require().model_dump(mode="json", by_alias=True)
    go_live(world, plain | {"program": {"id": "coffee-stars", "name": "x", "currency": "EUR"}})
    enrolled(world)
    answers = [booked(world, purchase(f"o{number}")) for number in range(6)]
    assert [one["balances"]["stars"]["pending"] for one in answers] == [0, 0, 0, 0, 0, 10]
    [review] = world.call("GET", "/v1/reviews?state=open").json()["items"]
    [body] = re.findall(r"^    (\{.*\})$", TEXT, re.MULTILINE)
    done = world.call("POST", f"/v1/reviews/{review['id']}/approve", json=json.loads(body))
    assert done.json()["state"] == "approved"
