"""The guide to referrals: its program is one, its requests are answered, and its words are those of the code."""

import json
import re
from pathlib import Path
from typing import Any

from api_world import World, world
from events.shop import booked, go_live
from setia.program.lint import lint
from setia.program.yaml_text import load
from setia.program.yaml_writer import plain_data
from setia.referrals.referral import REASONS, STATES

__all__ = ["world"]

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "how-to" / "refer-friends.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
PROGRAM = load("".join(re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))
COMMAND = re.compile(r"curl -s (?:-X (\w+) )?http://127.0.0.1:8000(\S+).*?-d (?:\"(.*?)\"|'(.*?)')\n", re.DOTALL)


def test_the_example_is_a_program_without_findings() -> None:
    assert lint(PROGRAM) == []


def test_the_requests_lead_a_friend_to_the_reward(world: World) -> None:
    whole = json.loads(json.dumps(plain_data(PROGRAM.require()), default=str))
    # A second of patience in place of two weeks.
    whole["referrals"]["friends"]["after"] = "0d"
    whole["program"]["id"] = "coffee-stars"
    go_live(world, whole)
    known = {"MEMBER": world.enrol(email="ada@example.com")["id"]}
    codes, enrolment, fingerprints = COMMAND.findall(TEXT)
    body: Any = asked(world, codes, known)
    known["CODE"] = body["codes"][0]["code"]
    assert body["codes"][0]["link"] == f"https://shop.example/join?ref={known['CODE']}"
    known["FRIEND"] = asked(world, enrolment, known)["id"]
    assert asked(world, fingerprints, known) == {"kept": {"payment": 1}}
    order = {"type": "purchase", "external_id": "1", "member": {"id": known["FRIEND"]}}
    booked(world, {**order, "lines": [{"sku": "latte", "amount": "20.00"}]})
    wallets = [world.call("GET", f"/v1/members/{known[who]}/wallets").json()["wallets"] for who in ("MEMBER", "FRIEND")]
    assert [wallet[0]["available"] for wallet in wallets] == [500, 120]


def asked(world: World, command: tuple[str, str, str, str], known: dict[str, str]) -> Any:
    method, path, quoted, plain = command
    body = quoted.replace('\\"', '"') or plain
    for name, value in known.items():
        path, body = path.replace(f"${name}", value), body.replace(f"${name}", value)
    answer = world.call(method or "POST", path, json=json.loads(body))
    assert answer.status_code < 300, answer.text
    return answer.json()


def test_the_reference_has_every_state_and_reason() -> None:
    section = REFERENCE.partition("## Referrals")[2].partition("\n## ")[0]
    first, second = section.split("| `reason` | of | meaning |")
    assert tuple(re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE)[1:]) == STATES
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `", second, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(REASONS)
