"""The demo through the real way in: exact figures, twice the same, and nothing is ever refused in silence."""

from decimal import Decimal
from typing import Any

import pytest

from demo.conftest import BERLIN, LAST, SECRET, SEED, Run, publish_test
from setia.db.engine import Database
from setia.demo.figures import as_json
from setia.demo.running import run_year
from setia.demo.year import draw_year
from setia.events.problems import EventInFuture, InvalidEvent


def lasting(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures without what is another one each time: ids and clocks."""
    del figures["seconds"], figures["events_per_second"], figures["verify"]["seconds"], figures["member"]["id"]
    return figures


def count(database: Database, table: str) -> int:
    with database.transaction() as tx:
        return int(tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_fifty_members_to_the_last_star(database: Database, run_demo: Run) -> None:
    ran = run_demo(database, 50)

    assert ran.findings == []
    figures = lasting(as_json(ran.figures))
    member = figures.pop("member")
    assert figures == {
        "members": 50,
        "events": 1465,
        "seed": 7,
        "until": "2026-09-30",
        "points": {
            "stars": {
                "issued": 16736,
                "redeemed": 12428,
                "expired": 1828,
                "adjusted": 0,
                "outstanding": 2480,
                "available": 2480,
                "pending": 0,
            },
            "status": {
                "issued": 8357,
                "redeemed": 0,
                "expired": 0,
                "adjusted": 0,
                "outstanding": 8357,
                "available": 8357,
                "pending": 0,
            },
        },
        "tiers": {"status": {"green": 44, "gold": 5, "platinum": 1}},
        "tiers_risen": {"status": 8},
        "tiers_dropped": {"status": 1},
        "entries": {"event": 1498, "expiry": 48, "release": 6, "review": 15},
        "campaigns": {
            "base": {"stars": 8357, "status": 8357},
            "welcome": {"stars": 2500},
            "summer": {"stars": 1290},
            "check_in": {"stars": 785},
            "gold_bonus": {"stars": 710},
            "brought_a_friend": {"stars": 700},
            "own_cup": {"stars": 591},
            "happy_hour": {"stars": 513},
            "platinum_bonus": {"stars": 502},
            "came_with_a_friend": {"stars": 400},
            "oat_milk": {"stars": 238},
            "app_review": {"stars": 150},
        },
        "rewards": {
            "free_coffee": {"redeemed": 57, "points": {"stars": 5270}, "amount": "0.00"},
            "stars_for_money": {"redeemed": 54, "points": {"stars": 7258}, "amount": "217.66"},
            "mug": {"redeemed": 0, "points": {}, "amount": "0.00"},
            "roastery_tour": {"redeemed": 0, "points": {}, "amount": "0.00"},
        },
        "returns": 13,
        "referrals": {
            "friends": {
                "joined": 9,
                "waiting": 0,
                "won": 7,
                "capped": 1,
                "void": 1,
                "blocked": 0,
                "reasons": {"too_late": 1},
                "points": {"stars": 1100},
            }
        },
        "gift_cards": {
            "gift": {
                "currency": "EUR",
                "cards": 19,
                "blocked": 2,
                "sold": "510.00",
                "granted": "0.00",
                "used": "286.70",
                "refunded": "0.00",
                "expired": "0.00",
                "paid_out": "0.00",
                "left": "223.30",
            },
            "sorry": {
                "currency": "EUR",
                "cards": 2,
                "blocked": 0,
                "sold": "0.00",
                "granted": "10.00",
                "used": "10.00",
                "refunded": "0.00",
                "expired": "0.00",
                "paid_out": "0.00",
                "left": "0.00",
            },
        },
        "liability": {"amount": "74.40", "currency": "EUR"},
        "verify": {"findings": 0, "entries": 1567},
    }
    assert (member["external_id"], member["tiers"]) == ("demo-00012", {"status": "gold"})
    assert member["balances"] == {"stars": 25, "status": 486}
    assert len(member["statement"]) == 8
    assert member["statement"][0] == {
        "seq": 68,
        "kind": "expiry",
        "occurred_at": "2026-09-30T22:00:00Z",
        "sentences": ["25 stars have expired."],
        "balances": {"stars": 25},
    }
    assert member["statement"][1] == {
        "seq": 67,
        "kind": "review",
        "occurred_at": "2026-08-31T22:00:00Z",
        "sentences": ["You keep the level Gold."],
        "balances": {},
    }
    # What was granted, less what returns took, is what the ledger issued; of what was redeemed one order came back
    # whole with its 100 stars; and what is left is what the shop's own arithmetic makes of it.
    assert sum(points.get("stars", 0) for points in figures["campaigns"].values()) == 16736
    assert 5270 + 7258 - 100 == 12428
    assert Decimal(16736 - 12428 - 1828) * Decimal("0.03") == Decimal("74.40")
    # Eight friends were rewarded, and for one of them the host had won often enough already.
    assert 7 * 100 + 8 * 50 == 1100
    assert Decimal("510.00") - Decimal("286.70") == Decimal("223.30"), "each cent of the cards is somewhere"
    assert sum(ran.advanced) == 1465
    # Beside what was sent, the steps of referrals: two when a friend enrols, one for each side that is rewarded.
    steps = 9 * 2 + 7 + 8
    assert (count(database, "event"), count(database, "journal")) == (1465 + steps, 1465 + steps + 48 + 6 + 15)


def test_two_runs_agree(database: Database, empty_database_url: str, run_demo: Run) -> None:
    from setia.db.migrate import upgrade  # noqa: PLC0415 - beside its one use

    with Database(empty_database_url) as other:
        upgrade(other)
        first, second = run_demo(database, 12), run_demo(other, 12)

    assert lasting(as_json(first.figures)) == lasting(as_json(second.figures))
    assert first.figures.events > 100


def test_a_refused_event_ends_the_demo_and_its_batch_is_told(database: Database) -> None:
    program_id = publish_test(database)
    year = draw_year(SEED, 1, LAST, BERLIN)
    broken = [
        happening._replace(event={**happening.event, "labels": [""]}) if happening.event else happening
        for happening in year
    ]

    with pytest.raises(InvalidEvent):
        run_year(database, program_id, broken, LAST, lambda _events: None, secret=SECRET)

    assert count(database, "event") == 1, "only the enrolment"


def test_a_year_that_is_not_over_is_refused_by_the_way_in(database: Database) -> None:
    program_id = publish_test(database)
    future = [
        happening._replace(event={**happening.event, "occurred_at": "2199-01-01T00:00:00Z"})
        if happening.event
        else happening
        for happening in draw_year(SEED, 1, LAST, BERLIN)
    ]

    with pytest.raises(EventInFuture):
        run_year(database, program_id, future, LAST, lambda _events: None, secret=SECRET)
