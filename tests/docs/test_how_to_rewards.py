"""The guides to rewards: their program is one, and what they show is what comes out."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api_world import World, world
from engine.shop_world import NOON, line, member
from events.shop import go_live
from rewards.counter import give
from setia.engine.compiled import compile_program
from setia.engine.raffle import Ticket, draw
from setia.engine.rewards import worth_of
from setia.engine.till_discounts import Basket, off_basket
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
TEXT = (FOLDER / "offer-rewards.md").read_text(encoding="utf-8")
TILL = (FOLDER / "redeem-at-the-till.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_the_examples_are_together_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []
    assert len(PROGRAM.require().rewards) == 7


def test_250_stars_take_two_and_a_half_off() -> None:
    compiled = compile_program(PROGRAM.require(), 1)
    money_off = compiled.rewards["money_off"]
    assert worth_of(compiled, money_off, 250) == 250
    basket = Basket(lines=(line(1000),), at=NOON)
    assert sum(off_basket(compiled, money_off, basket, 250, member()).values()) == 250


def test_the_requests_of_the_till_are_answered(world: World) -> None:
    go_live(
        world,
        {
            **PROGRAM.require().model_dump(mode="json", by_alias=True),
            "program": {"id": "coffee-stars", "name": "x", "currency": "EUR"},
        },
    )
    member = world.call("POST", "/v1/members", json={"identifiers": {"external_id": "1"}}).json()["id"]
    give(world, member, 110)
    bodies = re.findall(r"-d '(.*?)'$", TILL.replace("'$MEMBER'", member), re.MULTILINE)
    redeem, use = map(json.loads, bodies)
    [seen] = [
        one
        for one in world.call("GET", f"/v1/members/{member}/rewards").json()["rewards"]
        if one["id"] == redeem["reward"]
    ]
    assert seen["reasons"] == [
        json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    ]
    give(world, member, 100)
    answer = world.call("POST", "/v1/redemptions", json=redeem)
    assert answer.status_code == 201, answer.text
    again = world.call("POST", "/v1/redemptions", json=redeem)
    assert again.json() == answer.json()
    path = re.findall(r"`GET (/v1/redemptions\?\S+)`", TILL)[0]
    assert world.call("GET", path).json()["items"][0]["id"] == answer.json()["id"]
    used = world.call("POST", "/v1/codes/redeem", json=use | {"code": answer.json()["code"]})
    assert used.status_code == 200, used.text


@given(
    quantities=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=8),
    seed=st.text(max_size=9),
    number=st.integers(1, 9),
)
def test_the_guides_python_draws_the_same_winners(quantities: list[tuple[int, int]], seed: str, number: int) -> None:
    [source] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"sha256": sha256}
    exec(source, names)  # noqa: S102 - our own guide
    tickets = [Ticket(f"red_{place}", f"mem_{member}", many) for place, (member, many) in enumerate(quantities)]
    assert names["winners"](seed, "e", tickets, number) == draw(seed, "e", tickets, number)
