"""Calculating is booking without keeping: the same answer, and no trace of it."""

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_world import World, assert_problem
from events.shop import BASE, WELCOME, booked, calculated, counts, findings, go_live, program, purchase, rows

CAMPAIGNS = {
    **WELCOME,
    **BASE,
    "status": {"on": "purchase", "earn": {"status": "1 per whole 5.00"}},
    "gold": {"on": "purchase", "when": 'member.tiers.status == "gold"', "multiply": {"of": "base", "by": 1.25}},
    "coffee": {"on": "purchase", "lines": 'line.category == "coffee"', "earn": {"stars": "2 per unit"}},
    "big": {
        "on": "purchase",
        "when": "event.total >= 50",
        "earn": {"stars": 20},
        "limits": [{"per": "member", "every": "day", "uses": 1}, {"in_all": "100 stars"}],
    },
    "fee": {"on": "purchase", "when": 'event.channel == "phone"', "deduct": {"stars": 5}},
    "mark": {"on": "purchase", "when": "event.total >= 80", "tag": ["big_spender"]},
    "tagged": {"on": ["purchase", "visit"], "when": '"big_spender" in member.tags', "earn": {"stars": 1}},
    "greet": {"on": "member_enrolled", "tag": ["new"]},
    "new": {"on": "purchase", "when": '"new" in member.tags && member.first_purchase', "earn": {"stars": 3}},
}
TIERS = [
    {
        "id": "status",
        "metric": "points.status.earned",
        "window": "calendar_year",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 20}],
    }
]
_money = st.integers(0, 9999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
_lines = st.fixed_dictionaries(
    {"sku": st.sampled_from(["latte", "bean"]), "amount": _money},
    optional={
        "quantity": st.sampled_from(["1", "2", "0.5", "3.125"]),
        "category": st.sampled_from(["coffee", "food"]),
        "labels": st.just(["gift_card"]),
    },
)
baskets = st.fixed_dictionaries(
    {"lines": st.lists(_lines, min_size=1, max_size=4)},
    optional={
        "channel": st.sampled_from(["phone", "shop"]),
        "shipping": st.just("4.90"),
        "occurred_at": st.integers(0, 60 * 24 * 20).map(
            lambda minutes: (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)).isoformat()
        ),
    },
)
members = st.sampled_from(["1", "2", "3"])
SAME = ("type", "program_version", "granted", "balances", "tiers", "sentences")


def without_moments(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Points begin to age when they are booked, which is a moment later."""
    return [{k: v for k, v in effect.items() if k not in {"available_at", "expires_at"}} for effect in effects]


def test_a_calculation_is_what_the_booking_then_answers(world: World) -> None:
    whole = program("enrol", campaigns=CAMPAIGNS, tiers=TIERS)
    whole["points"]["stars"]["expiry"] = {"after": "6mo"}
    go_live(world, whole)
    numbers = itertools.count()

    @settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(basket=baskets, card=members)
    def check(basket: dict[str, Any], card: str) -> None:
        event = {"type": "purchase", "external_id": f"e{next(numbers)}", "member": {"card": card}, **basket}
        before = counts(world)
        would = calculated(world, event)
        assert counts(world) == before
        did = booked(world, event)
        assert {name: would[name] for name in SAME} == {name: did[name] for name in SAME}
        assert without_moments(would["effects"]) == without_moments(did["effects"])
        why = world.call("GET", f"/v1/events/{did['id']}/explanation").json()
        assert would["considered"] == why["considered"]

    check()
    assert findings(world) == []


def test_it_leaves_no_trace(world: World) -> None:
    limits = [{"in_all": "15 stars"}]
    promo = {"on": "purchase", "earn": {"stars": 10}, "limits": limits}
    go_live(world, program("enrol", campaigns={**WELCOME, "promo": promo}))
    world.enrol(card="1")
    state = "SELECT seq, tracking, counters::text, updated_at FROM member_state"
    before, rows_before = counts(world), rows(world, state)
    for who in ({"card": "1"}, {"card": "stranger"}, None):
        for _ in range(2):
            answer = calculated(world, purchase(None, member=who))
            assert answer["granted"] == {"stars": 10}
            assert answer["status"] == ("decided" if who == {"card": "1"} else "guest")
    assert (counts(world), rows(world, state)) == (before, rows_before)


def test_a_newcomer_has_what_enrolling_gives(world: World) -> None:
    go_live(world, program("enrol", campaigns=CAMPAIGNS, tiers=TIERS))
    event = purchase("1", member={"card": "new"})
    would = calculated(world, event)
    assert (would["granted"], would["balances"]["stars"]["available"]) == ({"stars": 13, "status": 2}, 63)
    did = booked(world, event)
    assert {name: would[name] for name in SAME} == {name: did[name] for name in SAME}


def test_what_a_limit_cut_to_nothing_opens_no_wallet(world: World) -> None:
    limits = [{"in_all": "0 stars"}]
    go_live(world, program(campaigns={"promo": {"on": "purchase", "earn": {"stars": 10}, "limits": limits}}))
    world.enrol(card="1")
    would, did = calculated(world, purchase("1")), booked(world, purchase("1"))
    assert would["balances"] == did["balances"] == {}
    assert would["granted"] == did["granted"] == {"stars": 0}


def test_a_known_external_id_does_not_matter(world: World) -> None:
    world.enrol(card="1")
    booked(world, purchase("1"))
    assert calculated(world, purchase("1"))["balances"]["stars"]["available"] == 20


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (purchase("1", "-1"), 422, "invalid_event"),
        (purchase("1", member={"card": "404"}), 422, "unknown_member"),
        (purchase("1", member={"id": "mem_" + "0" * 32}), 422, "unknown_member"),
        (purchase("1", member={"card": "1", "email": "a@b.de"}), 409, "member_ambiguous"),
        (purchase("1", occurred_at="2999-01-01T00:00:00Z"), 422, "event_in_future"),
        (purchase("1", occurred_at="1950-01-01T00:00:00Z"), 422, "event_too_late"),
        (purchase("1", foo=1), 422, "invalid_event"),
    ],
)
def test_it_refuses_what_booking_refuses(world: World, event: dict[str, Any], status: int, code: str) -> None:
    world.enrol(card="1")
    world.enrol(email="a@b.de")
    for path in ("/v1/calculate", "/v1/events"):
        assert_problem(world.call("POST", path, json=event), status, code)
    assert world.count("event") == 2
