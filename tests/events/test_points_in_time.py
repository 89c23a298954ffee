"""Points in time: what they wait for, when they end, and what brings them more time."""

import datetime as dt
from typing import Any

import pytest

from api_world import World, definition
from clock.try_out import TryOut, at
from setia.events.verify import verify
from setia.program.definition import Program
from setia.versions.service import publish

EVENTS = {
    "shipped": {
        "name": {"en": "delivery", "de": "Lieferung"},
        "data": {"type": "object", "properties": {"order": {"type": "string"}}},
    },
    "cancelled": {"data": {"type": "object", "properties": {"order": {"type": "string"}}}},
    "survey": {"data": {"type": "object", "properties": {}}},
}
BASE: dict[str, Any] = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}
STATUS = {
    "id": "status",
    "metric": "points.stars.earned",
    "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 100}],
}
BEGIN = "2026-01-01T12:00+01:00"


def club(stars: dict[str, Any], campaigns: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    whole = definition(campaigns=campaigns or BASE, events=EVENTS, **more)
    whole["points"]["stars"] |= stars
    return whole


def begin(world: World, stars: dict[str, Any], campaigns: dict[str, Any] | None = None, **more: Any) -> TryOut:
    return TryOut.begin(world, BEGIN, club(stars, campaigns, **more))


def happen(here: TryOut, kind: str, external_id: str, **data: Any) -> dict[str, Any]:
    body = {"type": kind, "external_id": external_id, "member": {"card": "1"}}
    return here.made("POST", "/v1/events", **body, **({"data": data} if kind in EVENTS else {}))


def ends(here: TryOut, member: str) -> list[tuple[int, str | None]]:
    lots = here.call("GET", f"/v1/members/{member}/lots").json()["lots"]
    return [(lot["remaining"], lot["expires_at"] and at(lot["expires_at"]).isoformat()) for lot in lots]


def wallet(here: TryOut, member: str) -> dict[str, Any]:
    wallets = here.call("GET", f"/v1/members/{member}/wallets").json()["wallets"]
    found: dict[str, Any] = next(one for one in wallets if one["points"] == "stars")
    return found


def sentences(here: TryOut, member: str, locale: str = "en") -> list[str]:
    entries = here.call("GET", f"/v1/members/{member}/statement", params={"locale": locale}).json()["items"]
    return [sentence for entry in entries for sentence in entry["sentences"]]


@pytest.fixture(autouse=True)
def _nothing_is_wrong(world: World) -> Any:
    """Whatever happened: the ledger holds, and every counter follows from the journal."""
    yield
    assert verify(world.database).findings == []


def test_points_last_as_long_as_the_level_says_at_which_they_were_earned(world: World) -> None:
    expiry = {"after": "1mo", "by_tier": {"status": {"gold": "1y"}}}
    here = begin(world, {"expiry": expiry}, tiers=[STATUS])
    member = here.enrol()
    here.buy("p1", "100.00")  # it makes the member gold, and is earned before
    here.buy("p2", "5.00")
    assert ends(here, member) == [(100, "2026-02-01T23:00:00+00:00"), (5, "2027-01-01T23:00:00+00:00")]


def test_a_campaign_says_itself_when_its_points_end_and_when_they_can_be_used(world: World) -> None:
    promo = {"on": "purchase", "earn": {"stars": 3, "status": 1}, "expiry": {"on": ["2026-01-31"]}}
    gift = {"on": "purchase", "earn": {"stars": 2}, "expiry": {}, "available_after": "0d"}
    here = begin(world, {"expiry": {"after": "1y"}, "available_after": "14d"}, {**BASE, "promo": promo, "gift": gift})
    member = here.enrol()
    here.buy("p1")
    assert here.stars(member) == (2, 13)
    assert ends(here, member) == [(10, "2027-01-15T23:00:00+00:00"), (3, "2026-01-31T23:00:00+00:00"), (2, None)]
    here.advance("2026-02-01T00:00+01:00")
    assert here.stars(member) == (12, 0)
    here.buy("p2")  # the fixed day has passed: these points do not end
    assert ends(here, member)[-2] == (3, None)


def test_points_wait_for_the_delivery_of_their_order(world: World) -> None:
    here = begin(world, {"available_on": "shipped", "cancel_on": "cancelled"}, tiers=[STATUS])
    member = here.enrol()
    bought = here.buy("p1")
    assert bought["effects"][0]["waits_for"] == "shipped"
    assert bought["sentences"] == ["10 stars for “base”: 1 per 1.00 on 10.00 EUR. They can be used after “delivery”."]
    here.buy("p2", "7.00")
    assert here.stars(member) == (0, 17)
    assert wallet(here, member)["releases"] == []

    # what an event would do is what it does
    asked = {"type": "shipped", "member": {"card": "1"}, "data": {"order": "p1"}}
    foreseen = here.made("POST", "/v1/calculate", **asked)
    assert foreseen["balances"]["stars"] == {"available": 10, "pending": 7, "held": 0}
    done = happen(here, "shipped", "s1", order="p1")
    assert done["effects"] == [{"kind": "release", "campaign": "base", "points": "stars", "amount": 10, "order": "p1"}]
    assert (done["effects"], done["balances"]) == (foreseen["effects"], foreseen["balances"])
    assert done["sentences"] == ["10 stars of order p1 can be used now."]
    assert here.stars(member) == (10, 7)

    # an order nobody waits for, and one that is released already, move nothing
    assert happen(here, "shipped", "s2", order="p9")["effects"] == []
    assert happen(here, "cancelled", "c1", order="p1")["effects"] == []

    # a cancelled order takes its points back, as if they had not been earned
    gone = happen(here, "cancelled", "c2", order="p2")
    assert gone["sentences"] == ["7 pending stars of order p2 taken back."]
    assert here.stars(member) == (10, 0)
    [standing] = here.call("GET", f"/v1/members/{member}/tiers").json()["tiers"]
    assert standing["value"] == 10


def test_without_an_order_everything_that_waits_is_meant_and_cancelling_goes_first(world: World) -> None:
    welcome = {"on": "member_enrolled", "earn": {"stars": 50}, "available_on": "visit"}
    stars = {"available_on": "shipped", "cancel_on": "survey"}
    here = begin(world, stars, {**BASE, "welcome": welcome})
    member = here.enrol()
    here.buy("p1")
    assert here.stars(member) == (0, 60)
    happen(here, "visit", "v1")  # what the campaign waits for is not what its type waits for
    assert here.stars(member) == (50, 10)
    here.buy("p2", "1.00")
    assert happen(here, "shipped", "s1")["balances"]["stars"]["available"] == 61
    here.buy("p3", "2.00")
    happen(here, "survey", "f1")
    assert here.stars(member) == (61, 0)


def test_points_that_wait_become_available_by_the_delay_or_end_while_they_wait(world: World) -> None:
    late = {"on": "purchase", "earn": {"stars": 1}, "available_on": "shipped", "expiry": {"after": "10d"}}
    here = begin(world, {"available_on": "shipped", "available_after": "14d"}, {**BASE, "late": late})
    member = here.enrol()
    here.buy("p1")
    assert here.stars(member) == (0, 11)
    assert wallet(here, member)["releases"] == [{"date": "2026-01-15", "amount": 10}]
    assert wallet(here, member)["expiring"] == [{"date": "2026-01-11", "amount": 1}]
    here.advance("30d")
    assert here.stars(member) == (10, 0)
    assert here.journal("expiry")[0][0] == at("2026-01-12T00:00+01:00")


def test_a_return_takes_nothing_twice_that_was_cancelled_while_it_waited(world: World) -> None:
    here = begin(world, {"available_on": "shipped", "cancel_on": "cancelled"})
    member = here.enrol()
    lines = [{"sku": "latte", "amount": "10.00"}, {"sku": "scone", "amount": "4.00"}]
    for order in ("p1", "p2"):
        happening = {"type": "purchase", "external_id": order, "member": {"card": "1"}, "lines": lines}
        here.made("POST", "/v1/events", **happening)
    happen(here, "shipped", "s1", order="p2")
    happen(here, "cancelled", "c1", order="p1")
    back = {"type": "return", "external_id": "r1", "member": {"card": "1"}}
    here.made("POST", "/v1/events", **back, data={"order": "p1", "lines": [{"sku": "scone"}]})
    assert here.stars(member) == (14, 0)  # and the part that stays brings nothing back
    here.made("POST", "/v1/events", type="cancel", external_id="r2", member={"card": "1"}, data={"order": "p1"})
    assert here.stars(member) == (14, 0)


QUIET: dict[str, Any] = {"expiry": {"inactivity": "3mo", "extended_by": ["purchase"]}}


def test_inactivity_ends_everything_at_the_end_of_the_day(world: World) -> None:
    here = begin(world, QUIET)
    member = here.enrol()
    here.buy("p1")
    here.advance("2026-02-10T08:00+01:00")
    happen(here, "survey", "f1")  # no activity
    here.buy("p2")
    assert wallet(here, member)["expiring"] == [{"date": "2026-05-10", "amount": 20}]
    here.advance("2026-05-10T23:59+02:00")
    assert here.stars(member) == (20, 0)
    here.advance("2026-05-11T00:00+02:00")
    assert here.stars(member) == (0, 0)
    assert here.journal("expiry") == [(at("2026-05-11T00:00+02:00"),) * 2]


def test_whoever_has_nothing_left_begins_anew_by_whatever_comes(world: World) -> None:
    here = begin(world, QUIET, {**BASE, "thanks": {"on": "survey", "earn": {"stars": 5}}})
    member = here.enrol()
    here.advance("1y")
    happen(here, "survey", "f1")
    here.advance("1mo")
    body = {"points": "stars", "amount": 2, "reason": "gift", "idempotency_key": "k1"}
    here.made("POST", f"/v1/members/{member}/adjustments", **body)
    here.advance("2mo")
    assert here.stars(member) == (7, 0)  # points given by hand are activity
    here.advance("2mo")
    assert here.stars(member) == (0, 0)


@pytest.mark.parametrize(("must_earn", "left"), [(True, 0), (False, 10)])
def test_an_event_that_earns_nothing_counts_or_not_as_the_program_says(
    world: World,
    must_earn: bool,  # noqa: FBT001 - the setting of the case
    left: int,
) -> None:
    here = begin(world, {"expiry": {"inactivity": "12mo", "must_earn": must_earn}})
    member = here.enrol()
    here.buy("p1")
    here.advance("11mo")
    happen(here, "visit", "v1")
    here.advance("2mo")
    assert here.stars(member) == (left, 0)


def test_points_decay_step_by_step_until_the_member_is_back(world: World) -> None:
    decay = {"inactivity": "1mo", "decay": {"every": "1mo", "percent": 10}, "extended_by": ["purchase"]}
    here = begin(world, {"expiry": decay})
    member = here.enrol()
    here.buy("p1", "101.00")
    assert wallet(here, member)["expiring"] == [{"date": "2026-02-01", "amount": 11}]
    here.advance("2026-02-02T00:00+01:00")
    assert here.stars(member) == (90, 0)  # 10.1 are rounded up
    here.advance("2026-04-02T12:00+02:00")
    assert here.stars(member) == (72, 0)  # 81 after March's step, then 8.1 rounded up
    here.buy("p2", "28.00")
    here.advance("2026-05-03T00:00+02:00")
    assert here.stars(member) == (90, 0)  # a month after the purchase the first step again
    assert [moment for moment, _ in here.journal("expiry")] == [
        at("2026-02-02T00:00+01:00"),
        at("2026-03-02T00:00+01:00"),
        at("2026-04-02T00:00+02:00"),
        at("2026-05-03T00:00+02:00"),
    ]
    assert sentences(here, member)[0] == "10 stars have expired."


def test_points_that_lay_in_no_lot_end_by_inactivity_too(world: World) -> None:
    free = club({"spendable": False})
    here = TryOut.begin(world, BEGIN, free)
    member = here.enrol()
    here.buy("p1")
    with world.database.transaction() as tx:
        publish(tx, Program.model_validate(club({"spendable": False, **QUIET})), "test", mode="test")
    here.buy("p2", "4.00")
    here.advance("1y")
    assert here.stars(member) == (0, 0)


def test_ended_points_are_never_spendable_though_no_job_has_run(world: World) -> None:
    taking = {"fine": {"on": "visit", "deduct": {"stars": 100}}}
    here = begin(world, {"expiry": {"after": "1d"}}, {**BASE, **taking})
    member = here.enrol()
    here.buy("p1")
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE program SET clock = clock + interval '3 days' WHERE mode = 'test'")
    assert happen(here, "visit", "v1")["granted"] == {"stars": 0}
    assert here.stars(member) == (0, 0)
    assert dt.timedelta(0) < here.now - here.journal("expiry")[0][0] < dt.timedelta(days=3)
