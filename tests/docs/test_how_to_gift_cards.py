"""The guides to gift cards and reward links: their programs are some, and their requests are answered."""

import json
import re
from pathlib import Path

from api_world import World, world
from events.shop import go_live
from setia.program.gift_card_law import LAWS
from setia.program.lint import lint
from setia.program.yaml_text import load

__all__ = ["world"]

FOLDER = Path(__file__).parents[2] / "docs"
CARDS = (FOLDER / "how-to" / "gift-cards.md").read_text(encoding="utf-8")
LINKS = (FOLDER / "how-to" / "reward-links.md").read_text(encoding="utf-8")
LAW = (FOLDER / "reference" / "gift-card-law.md").read_text(encoding="utf-8")
HEAD = """\
program: {id: coffee-stars, name: X, currency: EUR}
points: {stars: {}}
campaigns:
  base: {on: purchase, earn: {stars: 1 per 1.00}}
  tenth: {on: purchase, discount: {percent: 10, codes: [TENTH]}}
"""


def yaml(text: str) -> str:
    return "".join(re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def bodies(text: str) -> list[str]:
    return re.findall(r"-d '(.*?)'$", text, re.MULTILINE)


def publish(world: World, text: str) -> None:
    loaded = load(HEAD + yaml(text))
    assert lint(loaded) == []
    go_live(world, loaded.require().model_dump(mode="json", by_alias=True))


def test_the_requests_about_cards_are_answered(world: World) -> None:
    publish(world, CARDS)
    issue, use = map(json.loads, bodies(CARDS))
    [key] = re.findall(r"Idempotency-Key: (\S+?)'", CARDS)
    card = world.call("POST", "/v1/gift-cards", json=issue, headers={"Idempotency-Key": key})
    assert card.status_code == 201, card.text
    code = card.json()["code"]
    taken = world.call("POST", "/v1/gift-card-uses", json=use | {"code": code})
    assert (taken.status_code, taken.json()["left"]) == (201, 3750)
    path = re.findall(r"`GET (/v1/gift-card-uses\?\S+)`", CARDS)[0]
    assert world.call("GET", path).json() == taken.json()
    world.enrol(card="4711")
    [order] = re.findall(r"^    (\{\"type\": \"purchase\".*?\}\]\})\n\n", CARDS, re.MULTILINE | re.DOTALL)
    answer = world.call("POST", "/v1/events", json=json.loads(order.replace("7K2M9-XQ4TD-0HB3C-W8N5R", code)))
    assert answer.status_code == 201, answer.text
    payment = answer.json()["payment"]
    assert (payment["total"], payment["rest"]) == ("90.00", "52.50")


def test_the_requests_about_links_are_answered(world: World) -> None:
    publish(world, LINKS)
    world.call("POST", "/v1/code-pools/odeon_50/codes", json={"codes": ["ODEON-0001"]})
    [body] = map(json.loads, bodies(LINKS))
    made = world.call("POST", "/v1/reward-links", json=body, headers={"Idempotency-Key": "referral-4711"})
    assert made.status_code == 201, made.text
    place = f"/v1/links/{made.json()['token']}"
    seen = world.call("GET", place, key=None).json()
    assert (seen["amount"], seen["currency"]) == (5000, "GBP")
    assert [one["reward"] for one in seen["choices"]] == ["our_voucher", "cinema", "tree"]
    chosen = world.call("POST", f"{place}/choose", key=None, json={"reward": "cinema"}).json()
    assert chosen["code"] == "ODEON-0001"


def test_the_page_of_laws_has_every_country_with_its_years() -> None:
    told = dict(re.findall(r"^\| `([A-Z]{2})` [^|]+\| ([^|]+?) \|", LAW, re.MULTILINE))
    assert set(told) == set(LAWS)
    for country, law in LAWS.items():
        if law.kind == "years":
            assert told[country].startswith(f"{law.years} years")
            assert ("end of the year" in told[country]) == law.year_end
            assert ("last load" in told[country]) == law.from_last_load
        else:
            assert told[country] == ("for ever" if law.kind == "for_ever" else "no statute says how long")
