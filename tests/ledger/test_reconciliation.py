"""The reconciliation: every point is explained, and the sums equal the wallets, whatever has happened."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_world import World, world
from clock.try_out import TryOut, at
from events.test_points_in_time import begin, club, happen
from setia.db.engine import driver_connection
from setia.events.verify import verify
from setia.ledger.reconciliation import Figures, Group, Reconciliation, reconcile, total

__all__ = ["world"]

FINE = {"fine": {"on": "visit", "deduct": {"stars": 4}}}
STARS: dict[str, Any] = {
    "negative": "allow",
    "available_after": "14d",
    "available_on": "shipped",
    "cancel_on": "cancelled",
    "expiry": {"after": "1mo", "align": "month_end"},
}
CAMPAIGNS: dict[str, Any] = {
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00", "status": "1 per 1.00"}},
    "gift": {"on": "purchase", "earn": {"stars": 3}, "available_after": "0d", "expiry": {"on": ["2026-03-29"]}},
    **FINE,
}


def reconciled(here: TryOut, moment: dt.datetime | None = None) -> Reconciliation:
    with here.world.database.transaction("REPEATABLE READ") as tx:
        return reconcile(driver_connection(tx), here.program_id, "Europe/Berlin", moment)


def of(report: Reconciliation, points: str, month: str, campaign: str) -> Figures:
    return next(
        one.figures for one in report.groups if (one.point_type, one.month, one.campaign) == (points, month, campaign)
    )


def test_points_are_told_by_the_month_and_the_campaign_that_gave_them(world: World) -> None:
    # given purchases on both sides of a local midnight that is none in UTC
    here = begin(world, {"expiry": {"after": "1mo"}, "value": "0.05"}, CAMPAIGNS)
    member = here.enrol()
    here.advance("2026-01-31T23:30+01:00")
    here.buy("p1", "10.00")
    here.advance("2026-02-01T00:30+01:00")
    here.buy("p2", "7.00")
    happen(here, "visit", "v1")
    key = {"Idempotency-Key": "a1"}
    body = {"points": "stars", "amount": 6, "reason": "gift"}
    assert here.call("POST", f"/v1/members/{member}/adjustments", json=body, headers=key).status_code == 201
    before = here.now

    # when January's points end
    here.advance("2026-03-01T12:00+01:00")

    # then each is where it belongs: what was taken came from what ends first
    report = reconciled(here)
    assert [(one.point_type, one.month, one.campaign) for one in report.groups] == [
        ("stars", "2026-01", "base"),
        ("stars", "2026-01", "gift"),
        ("stars", "2026-02", "adjustment"),
        ("stars", "2026-02", "base"),
        ("stars", "2026-02", "gift"),
        ("status", "2026-01", "base"),
        ("status", "2026-02", "base"),
    ]
    assert of(report, "stars", "2026-01", "base") == Figures(issued=10, expired=6, adjusted_out=4)
    assert of(report, "stars", "2026-02", "adjustment") == Figures(adjusted_in=6, available=6)
    assert of(report, "stars", "2026-02", "gift") == Figures(issued=3, available=3)
    assert report.agrees
    assert [(one.point_type, one.wallets, one.difference) for one in report.totals] == [
        ("stars", 19, 0),
        ("status", 17, 0),
    ]

    # and it can be told as of a moment before
    past = reconciled(here, before)
    assert of(past, "stars", "2026-01", "base") == Figures(issued=10, adjusted_out=4, available=6)
    assert past.agrees
    assert past.totals[0].wallets == past.totals[0].figures.outstanding == 25
    assert reconciled(here, at("2025-01-01T00:00Z")).groups == []


def test_the_api_and_the_money(world: World) -> None:
    here = begin(world, {**STARS, "value": "0.05", "decimals": 1}, CAMPAIGNS)
    here.enrol()
    here.buy("p1", "10.00")
    body = here.call("GET", "/v1/reports/reconciliation").json()
    assert (body["agrees"], body["currency"], body["at"]) == (True, "EUR", None)
    stars = body["totals"][0]
    assert (stars["decimals"], stars["difference"], stars["figures"]["pending"]) == (1, 0, 100)
    assert Decimal(stars["figures"]["liability"]) == Decimal("0.65")
    assert body["totals"][1]["figures"]["liability"] is None
    past = here.call("GET", "/v1/reports/reconciliation", params={"at": "2025-01-01T00:00:00Z"}).json()
    assert [one["wallets"] for one in past["totals"]] == [0, 0]
    assert world.call("GET", "/v1/reports/reconciliation", key=world.colleague).status_code == 403


def test_a_wallet_that_is_wrong_is_a_difference(world: World) -> None:
    here = begin(world, {}, CAMPAIGNS)
    here.enrol()
    here.buy("p1")
    with world.database.raw_connection() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE wallet SET available = available + 2 WHERE point_type = 'stars'")
    report = reconciled(here)
    assert not report.agrees
    assert [one.difference for one in report.totals] == [2, 0]


def test_sums_of_nothing_are_nothing() -> None:
    assert total([]) == Figures()
    assert total([Figures(issued=1, held=2), Figures(issued=3)]) == Figures(issued=4, held=2)
    assert Figures(pending=1, available=2, held=3).outstanding == 6
    assert Group("stars", "2026-01", "", Figures()).figures.explained == 0


@pytest.fixture
def club_house(world: World) -> TryOut:
    return TryOut.begin(world, "2026-01-20T12:00+01:00", club(STARS, CAMPAIGNS))


ACTS = st.one_of(
    st.tuples(st.just("buy"), st.integers(1, 40)),
    st.tuples(st.sampled_from(("shipped", "cancelled")), st.integers(0, 3)),
    st.tuples(st.just("visit"), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from((1, 5, 16, 40))),
    st.tuples(st.just("adjust"), st.integers(-9, 30).filter(bool)),
    st.tuples(st.sampled_from(("expire", "extend", "cancel")), st.integers(1, 12)),
)


@given(st.lists(ACTS, min_size=4, max_size=9))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_sums_equal_what_is_outstanding_and_the_wallets(
    club_house: TryOut, acts: list[tuple[str, int]]
) -> None:
    here, card = club_house, uuid.uuid4().hex
    member = here.enrol(card)
    start, orders = here.now, []
    for number, (act, size) in enumerate(acts):
        name = f"{card}-{number}"
        head = {"external_id": name, "member": {"card": card}}
        if act == "buy":
            here.buy(name, f"{size}.00", card)
            orders.append(name)
        elif act in {"shipped", "cancelled"}:
            data = {"order": orders[size % len(orders)]} if orders and size else {}
            here.made("POST", "/v1/events", type=act, data=data, **head)
        elif act == "visit":
            here.made("POST", "/v1/events", type="visit", **head)
        elif act == "pass":
            here.advance(f"{size}d")
        else:
            body: dict[str, Any] = {"points": "stars", "reason": "x"}
            path = "adjustments" if act == "adjust" else f"points/{act}"
            if act != "cancel":
                body["amount"] = size
            if act == "extend":
                body["expires_at"] = (here.now + dt.timedelta(days=9 * size)).isoformat()
            answer = here.call("POST", f"/v1/members/{member}/{path}", json=body, headers={"Idempotency-Key": name})
            assert answer.status_code in {201, 409, 422}, answer.text

    report = reconciled(here)
    assert report.agrees
    for one in report.groups:
        assert one.figures.explained == one.figures.outstanding
    assert {one.point_type: one.wallets for one in report.totals} == {
        name: sum(one.figures.outstanding for one in report.groups if one.point_type == name)
        for name in ("stars", "status")
        if any(one.point_type == name for one in report.groups)
    }
    assert reconciled(here, start).agrees
    assert verify(here.world.database).findings == []
