"""Coupons that are granted without an order: at the enrolment, and by time, where nobody knows the secret."""

from __future__ import annotations

import datetime as dt

from api_world import World
from coupons.till import CAMPAIGNS, bought, findings, open_shop
from events.shop import enrolled, go_live, program
from setia.events.live import LivePrograms
from setia.events.rebuild import rebuild_states
from setia.events.settling import settle_due
from setia.rewards.in_the_cart import InTheCart

GIFTS = {
    "welcome": {"on": "member_enrolled", "coupon": {"of": "next", "amount": "5.00"}},
    "each_day": {"on": "daily", "coupon": {"of": "tenth"}},
}


def test_enrolling_gives_a_coupon_whose_code_the_member_reads(world: World) -> None:
    member = open_shop(world, welcome=GIFTS["welcome"])
    [coupon] = world.call("GET", f"/v1/members/{member}/coupons").json()["items"]
    assert (coupon["granted_by"], coupon["left"], coupon["state"]) == ("welcome", "5.00", "usable")
    assert bought(world, "1", "10.00", coupon["code"])["to_pay"]["total"] == "5.00"
    assert findings(world) == []


def test_time_gives_coupons_without_the_secret(world: World) -> None:
    whole = program(campaigns=CAMPAIGNS | {"each_day": GIFTS["each_day"]})
    whole["triggers"] = {"daily": {"schedule": {"every": "day"}}}
    go_live(world, whole)
    member = enrolled(world, days_ago=1)
    programs = LivePrograms(world.database, InTheCart())
    settle_due(world.database, programs, world.program_id, dt.datetime.now(dt.UTC) + dt.timedelta(days=8))
    coupons = world.call("GET", f"/v1/members/{member}/coupons").json()["items"]
    assert {one["granted_by"] for one in coupons} == {"each_day"}
    assert rebuild_states(world.database, world.program_id).coupons == 0
    assert [one.kind for one in findings(world) if one.kind.startswith("coupon")] == []
