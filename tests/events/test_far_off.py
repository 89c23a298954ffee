"""Lengths of time that reach beyond the calendar mean for ever: no read and no event fails on them."""

from typing import Any

import pytest

from api_world import World
from events.shop import BASE, booked, go_live, program

LEVELS = [{"id": "green", "from": 0}, {"id": "gold", "from": 5, "keep_from": 2}]


def _buy(world: World) -> str:
    member = str(world.enrol(card="1")["id"])
    lines = [{"sku": "latte", "amount": "10.00"}]
    booked(world, {"type": "purchase", "external_id": "p", "member": {"card": "1"}, "lines": lines})
    return member


def _read(world: World, member: str, *what: str) -> None:
    for one in what:
        answer = world.call("GET", f"/v1/members/{member}/{one}")
        assert answer.status_code == 200, (one, answer.text)


@pytest.mark.parametrize(
    "settings",
    [
        {"window": "rolling 9000y"},
        {"window": "rolling 9000y", "grace": "9000y"},
        {"window": "calendar_year", "grace": "9000y"},
        {"window": "calendar_year", "validity": "9000y"},
        {"window": "calendar_year", "validity": {"every": "9000y"}},
        {"window": "calendar_year", "warn_before": "9000y"},
        {"window": "anniversary", "grace": "99999mo"},
    ],
)
def test_levels(world: World, settings: dict[str, Any]) -> None:
    campaigns = {**BASE, "stay": {"on": "tier_ending", "earn": {"stars": 1}}}
    tiers = [{"id": "status", "metric": "spend", "levels": LEVELS, **settings}]
    go_live(world, program(campaigns=campaigns, tiers=tiers))
    _read(world, _buy(world), "tiers", "wallets", "statement")


@pytest.mark.parametrize(
    "settings",
    [
        {"expiry": {"after": "9000y", "align": "year_end"}},
        {"available_after": "9000y"},
        {"expiry": {"inactivity": "9000y"}},
        {"expiry": {"inactivity": "1d", "decay": {"every": "9000y", "percent": 10}}},
        {"expiry": {"on": ["9998-01-01"]}},
    ],
)
def test_points(world: World, settings: dict[str, Any]) -> None:
    triggers = {"soon": {"expiring": {"points": "stars", "before": "1y"}}}
    whole = program(campaigns={**BASE, "hurry": {"on": "soon", "earn": {"status": 1}}}, triggers=triggers)
    whole["points"]["stars"] |= settings
    go_live(world, whole)
    _read(world, _buy(world), "tiers", "wallets", "lots", "statement")


@pytest.mark.parametrize(
    "settings", [{"valid_for": "9000y"}, {"refund_within": "9000y", "refund_grace": "9000y"}, {"lead_time": "9000y"}]
)
def test_rewards(world: World, settings: dict[str, Any]) -> None:
    go_live(world, program(campaigns=BASE, rewards={"mug": {"kind": "voucher", "cost": {"stars": 1}, **settings}}))
    member = _buy(world)
    _read(world, member, "rewards")
    asked = {"member": member, "reward": "mug", "reference": "1"}
    found = world.call("POST", "/v1/redemptions", json=asked)
    assert found.status_code == 201, found.text
    for step in ("confirm", "refund"):
        answer = world.call("POST", f"/v1/redemptions/{found.json()['id']}/{step}")
        assert answer.status_code == 200, answer.text


def test_offers(world: World) -> None:
    offer = {"on": "purchase", "earn": {"stars": 1}, "offer": {"valid_for": "9000y"}}
    go_live(world, program(campaigns={**BASE, "late": offer}))
    member = _buy(world)
    given = {"type": "offer_assigned", "external_id": "o", "member": {"card": "1"}, "data": {"offer": "late"}}
    booked(world, given)
    _read(world, member, "offers", "wallets")
