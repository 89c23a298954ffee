"""The guides to moving points and merging: their program is one, and their requests are answered."""

import json
import re
from pathlib import Path

from api_world import World, definition, world
from events.shop import go_live
from moving.movers import available, give, member
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
MOVE = (FOLDER / "move-points.md").read_text(encoding="utf-8")
MERGE = (FOLDER / "merge-members.md").read_text(encoding="utf-8")
HEAD = "program: {id: bar, name: Bar, currency: EUR}\npoints: {stars: {}, status: {spendable: false}}\n"
CAMPAIGNS = "campaigns: {base: {on: purchase, earn: {stars: 1 per 1.00}}}\n"
RULES = "".join(re.findall(r"^```yaml\n(.*?)^```$", MOVE, re.MULTILINE | re.DOTALL))


def bodies(text: str, **ids: str) -> list[dict[str, object]]:
    for name, value in ids.items():
        text = text.replace(f"'${name}'", value)
    return [json.loads(body) for body in re.findall(r"-d '(.*)'$", text, re.MULTILINE)]


def test_the_example_is_a_program_without_findings() -> None:
    assert lint(load(HEAD + CAMPAIGNS + RULES)) == []


def test_points_move_as_the_guide_says(world: World) -> None:
    rules = load(HEAD + CAMPAIGNS + RULES).require().model_dump(mode="json", by_alias=True)
    # The stars of this test are a moment old, and not a week.
    rules["transfers"]["stars"]["points_older_than"] = None
    go_live(world, definition(points=rules["points"], transfers=rules["transfers"], exchanges=rules["exchanges"]))
    giver, receiver = member(world, "1", 80), member(world, "2")
    transfer, reversal, exchange = bodies(MOVE)
    made = world.call("POST", "/v1/transfers", json=transfer)
    assert made.status_code == 201, made.text
    done = world.call("POST", "/v1/exchanges", json=exchange).json()
    assert (done["got"]["amount"], done["gave"]["amount"]) == (1, 34)
    back = world.call("POST", f"/v1/transfers/{made.json()['id']}/reverse", json=reversal)
    assert (back.status_code, back.json()["reversed"]) == (200, 16)
    assert (available(world, giver), available(world, receiver)) == (46, 0)


def test_members_are_merged_and_parted_as_the_guide_says(world: World) -> None:
    main, duplicate = member(world, "1"), member(world, "2")
    give(world, duplicate, 5)
    merge, undo = bodies(MERGE, DUPLICATE=duplicate)
    headers = {"Idempotency-Key": "merge-17"}
    made = world.call("POST", f"/v1/members/{main}/merge", json=merge, headers=headers)
    assert made.status_code == 200, made.text
    headers = {"Idempotency-Key": "undo-17"}
    answer = world.call("POST", f"/v1/merges/{made.json()['id']}/undo", json=undo, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (available(world, main), available(world, duplicate)) == (0, 5)
