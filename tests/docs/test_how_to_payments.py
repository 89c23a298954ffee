"""The guide to paying with points: its program is one, and its requests are answered."""

import json
import re
from pathlib import Path

from api_world import World, world
from events.shop import go_live
from rewards.counter import give
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "pay-with-points.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_its_requests_are_answered(world: World) -> None:
    assert lint(PROGRAM) == []
    plain = PROGRAM.require().model_dump(mode="json", by_alias=True)
    go_live(world, plain | {"program": {"id": "coffee-stars", "name": "x", "currency": "EUR"}})
    member = str(world.enrol(card="1")["id"])
    give(world, member, 400)
    hold, part = (json.loads(text) for text in re.findall(r"^    (\{.*\})$", TEXT, re.MULTILINE))
    held = world.call("POST", "/v1/payments", json=hold | {"member": member})
    assert held.status_code == 201, held.text
    paid = world.call("POST", f"/v1/payments/{held.json()['id']}/confirm", json=part).json()
    assert (paid["state"], paid["paid"], paid["money"]) == ("partly", {"stars": 250}, 250)
