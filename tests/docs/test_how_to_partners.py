"""The guide to partners: its program is one, its Python knows our messages, and its table is what the code does."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from api_world import SECRET, World, world
from events.shop import go_live
from partner import Partner, says
from rewards.counter import give
from setia.partners.addresses import parse_networks
from setia.partners.outbox import MOST_TRIES, PAUSES
from setia.partners.signing import PartnerKeys
from setia.program.lint import lint
from setia.program.yaml_text import load
from setia.rewards.partner_sender import PartnerSender

__all__ = ["world"]

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "partner-rewards.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_guides_partner_knows_our_message_and_no_other(world: World) -> None:
    document = load(blocks("yaml")[0])
    assert lint(document) == []
    with Partner(says(200, b'{"code": "ODEON-4711"}')).open() as partner:
        whole: dict[str, Any] = document.require().model_dump(mode="json", by_alias=True)
        whole["rewards"]["film"]["webhook"]["url"] = partner.url
        go_live(world, {**whole, "program": {"id": "coffee-stars", "name": "x", "currency": "EUR"}})
        who = world.call("POST", "/v1/members", json={"identifiers": {"external_id": "1"}}).json()["id"]
        give(world, who, 300)
        asked = {"member": who, "reward": "film", "confirm": True, "reference": "1"}
        made = world.call("POST", "/v1/redemptions", json=asked).json()
        home = parse_networks("127.0.0.0/8")
        assert PartnerSender(world.database, world.app.state.programs, SECRET.encode, home).send_due() == 1
    assert world.call("GET", f"/v1/redemptions/{made['id']}").json()["code"] == "ODEON-4711"
    [(headers, body)] = partner.seen
    [message] = map(json.loads, blocks("json"))
    sent = json.loads(body)
    assert (set(sent), set(sent["data"])) == (set(message), set(message["data"]))
    assert sent["data"]["data"] == message["data"]["data"]

    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)  # noqa: S102 - our own guide
    known = names["is_from_the_shop"]
    keys = PartnerKeys(SECRET.encode())
    key = keys.told(world.program_id, "Odeon", 1)
    assert known(key, headers, body)
    assert not known(keys.told(world.program_id, "Odeon", 2), headers, body)
    assert not known(keys.told(world.program_id, "Kino", 1), headers, body)
    assert not known(key, headers, body + b" ")
    assert not known(key, {**headers, "webhook-id": "msg_other"}, body)
    assert not known(key, {**headers, "webhook-timestamp": str(int(time.time()) - 301)}, body)


@pytest.mark.parametrize("sentence", ["The pauses after each try are 1, 2, 5, 15, 60, 120 and 240 minutes."])
def test_the_guide_tells_the_pauses(sentence: str) -> None:
    minutes = [str(pause.seconds // 60) for pause in PAUSES]
    assert f"{', '.join(minutes[:-1])} and {minutes[-1]} minutes" in sentence
    assert sentence in " ".join(TEXT.split())
    assert MOST_TRIES == 8
    assert 7 < sum(pause.total_seconds() for pause in PAUSES) / 3600 <= 7.5
