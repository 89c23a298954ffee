"""What time does to members becomes events: once, at the right moment, and however late somebody looks."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from api_world import World, assert_problem
from clock.try_out import TryOut, at, program
from events.shop import rows
from setia.db.engine import driver_connection
from setia.db.ids import parse_id
from setia.events import settling
from setia.events.booking import Booking
from setia.events.live import LivePrograms
from setia.events.rebuild import rebuild_states
from setia.ledger.verify import verify
from setia.members.identifiers import MemberReference
from setia.members.resolve import Resolved
from setia.program.definition import Program
from setia.versions.service import publish
from setia.versions.triggers import triggers_since

ATTRIBUTES = {"birthday": {"type": "date"}, "trial_ends": {"type": "date"}, "size": {"values": ["s", "m", "l"]}}


def timely(triggers: dict[str, Any], campaigns: dict[str, Any], **stars: Any) -> dict[str, Any]:
    whole = program(campaigns=campaigns, **stars)
    whole["members"]["attributes"] = ATTRIBUTES
    whole["triggers"] = triggers
    return whole


def happened(here: TryOut) -> list[tuple[str, str]]:
    """What time did: the type, and when on the clock of Berlin."""
    found = rows(
        here.world,
        "SELECT type, to_char(occurred_at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI') FROM event "
        "WHERE source = 'setia' AND type <> 'member_enrolled' AND program_id = %s ORDER BY occurred_at, external_id",
        here.program_id,
    )
    return [(row[0], row[1]) for row in found]


def faults(world: World) -> list[Any]:
    """What is wrong with the ledger."""
    return [finding for finding in verify(world.database).findings if not finding.kind.startswith("guard_")]


def sound(world: World, here: TryOut) -> bool:
    """Whether ledger and journal agree, and the counters are what the journal gives."""
    return faults(world) == [] and rebuild_states(world.database, here.program_id, check=True).differences == []


def _clock(here: TryOut, moment: str) -> None:
    """Let time pass without anybody looking."""
    with here.world.database.raw_connection() as connection:
        connection.execute("UPDATE program SET clock = %s WHERE id = %s", (at(moment), here.program_id))


BIRTHDAY = {"happy": {"on": "birthday", "earn": {"stars": 50}}}
BIRTHDAY_NEVER = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}


def test_a_birthday_pays_once_a_year(world: World) -> None:
    here = TryOut.begin(world, "2026-01-10T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    member = here.enrol(attributes={"birthday": "1990-03-20"})

    here.advance("2026-03-19T23:00+01:00")
    assert happened(here) == []
    here.advance("2027-12-31T00:00+01:00")

    assert happened(here) == [("birthday", "2026-03-20 09:00"), ("birthday", "2027-03-20 09:00")]
    assert here.stars(member) == (100, 0)
    assert faults(world) == []


def test_a_late_job_books_it_once_at_its_own_moment(world: World) -> None:
    # given somebody whom nobody looks at for five days, and then an event, a reading and the job do
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    member = here.enrol(attributes={"birthday": "1990-03-20"})
    _clock(here, "2026-03-25T12:00+01:00")

    # what is due is booked before the event is decided
    answer = here.buy("p1")
    assert answer["balances"]["stars"]["available"] == 50
    assert here.stars(member) == (50, 0)
    here.advance("2026-03-27T00:00+01:00")

    assert happened(here) == [("birthday", "2026-03-20 09:00")]
    entries = here.call("GET", f"/v1/members/{member}/statement").json()["items"]
    assert [(one["kind"], one["actor"], len(one["lines"])) for one in entries[:2]] == [
        ("event", entries[0]["actor"], 0),
        ("event", "setia", 1),
    ]
    assert entries[1]["occurred_at"] == "2026-03-20T08:00:00Z"
    assert faults(world) == []


def test_what_is_a_year_late_helps_nobody(world: World) -> None:
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    member = here.enrol(attributes={"birthday": "1990-03-20"})
    _clock(here, "2026-03-28T12:00+01:00")
    assert here.stars(member) == (0, 0)
    here.advance("2026-12-31T00:00+01:00")
    assert happened(here) == []
    here.advance("2027-03-21T00:00+01:00")
    assert happened(here) == [("birthday", "2027-03-20 09:00")]


def test_points_of_a_trigger_end_and_are_warned_of_in_the_same_run(world: World) -> None:
    # given birthday stars that last a month, and a warning ten days before
    triggers = {
        "birthday": {"birthday": {}, "late_by": "1y"},
        "soon": {"expiring": {"points": "stars", "before": "10d"}, "late_by": "1y"},
    }
    campaigns = {**BIRTHDAY, "told": {"on": "soon", "when": "event.data.amount >= 50", "tag": ["told"]}}
    whole = timely(triggers, campaigns, expiry={"after": "1mo"})
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", whole)
    member = here.enrol(attributes={"birthday": "1990-03-20"})

    here.advance("2026-06-01T00:00+02:00")

    assert happened(here) == [("birthday", "2026-03-20 09:00"), ("soon", "2026-04-11 09:00")]
    # They were earned when that was booked, at the next midnight.
    assert [entry[0] for entry in here.journal("expiry")] == [at("2026-04-22T00:00+02:00")]
    assert here.stars(member) == (0, 0)
    assert here.call("GET", f"/v1/members/{member}").json()["tags"] == ["told"]
    assert faults(world) == []


def test_the_warning_knows_what_purchases_and_people_give(world: World) -> None:
    triggers = {"soon": {"expiring": {"points": "stars", "before": "10d"}}}
    campaigns = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}, "told": {"on": "soon", "tag": ["told"]}}
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely(triggers, campaigns, expiry={"after": "1mo"}))
    member = here.enrol()
    here.buy("p1")
    here.made(
        "POST",
        f"/v1/members/{member}/adjustments",
        points="stars",
        amount=7,
        reason="sorry",
        expires_at="2026-03-20T00:00:00+01:00",
        idempotency_key="a1",
    )

    here.advance("2026-04-30T00:00+02:00")

    found = rows(world, "SELECT body -> 'data' FROM event WHERE type = 'soon' ORDER BY occurred_at")
    assert [row[0] for row in found] == [
        {"points": "stars", "amount": 7, "date": "2026-03-19"},
        {"points": "stars", "amount": 10, "date": "2026-04-01"},
    ]
    assert happened(here) == [("soon", "2026-03-09 09:00"), ("soon", "2026-03-22 09:00")]


def test_a_trigger_takes_points_and_tells_of_those_that_are_left(world: World) -> None:
    # given a trigger that takes a part of what another one warns of, at the same moment
    triggers = {
        "fee": {"schedule": {"every": "month", "on": 22}},
        "soon": {"expiring": {"points": "stars", "before": "10d"}},
    }
    campaigns = {
        "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
        "fee": {"on": "fee", "deduct": {"stars": 4}},
        "told": {"on": "soon", "tag": ["told"]},
    }
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely(triggers, campaigns, expiry={"after": "1mo"}))
    member = here.enrol()
    here.buy("p1")
    here.advance("2026-03-23T00:00+01:00")

    assert happened(here) == [("fee", "2026-03-22 09:00"), ("soon", "2026-03-22 09:00")]
    [(data,)] = rows(world, "SELECT body -> 'data' FROM event WHERE type = 'soon'")
    assert (data["amount"], here.stars(member)) == (6, (6, 0))
    assert faults(world) == []


def test_a_budget_holds_for_what_time_does(world: World) -> None:
    # given a budget of three over all, five birthdays on one day, and one of them settled by an event
    campaigns = {
        "happy": {"on": "birthday", "earn": {"stars": 50}, "limits": [{"per": "all", "every": "month", "uses": 3}]}
    }
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, campaigns))
    members = [here.enrol(card, attributes={"birthday": "1990-03-20"}) for card in "12345"]
    _clock(here, "2026-03-20T12:00+01:00")
    here.buy("p1", card="3")
    assert here.stars(members[1]) == (50, 0)
    here.advance("2026-03-21T00:00+01:00")

    assert sorted(here.stars(member)[0] for member in members) == [0, 0, 50, 50, 50]
    assert rows(world, "SELECT period, used FROM budget") == [("2026-03", 3)]
    assert len(happened(here)) == 5
    assert sound(world, here)


def test_the_audience_decides_and_outside_nothing_is_kept(world: World) -> None:
    triggers = {"monday": {"schedule": {"every": "week"}, "for": '"vip" in member.tags'}}
    here = TryOut.begin(
        world, "2026-03-01T12:00+01:00", timely(triggers, {"gift": {"on": "monday", "earn": {"stars": 5}}})
    )
    vip, other = here.enrol("1", tags=["vip"]), here.enrol("2")
    here.advance("2026-03-17T00:00+01:00")
    assert (here.stars(vip), here.stars(other)) == ((15, 0), (0, 0))
    assert happened(here) == [("monday", f"2026-03-{day} 09:00") for day in ("02", "09", "16")]

    # Who comes into the audience after the moment has not missed it.
    here.made("PATCH", f"/v1/members/{other}", tags=["vip"])
    here.advance("2026-03-23T00:00+01:00")
    assert here.stars(other) == (0, 0)
    here.advance("2026-03-24T00:00+01:00")
    assert here.stars(other) == (5, 0)


def test_a_birthday_that_is_registered_late_or_changed(world: World) -> None:
    triggers = {"birthday": {"birthday": {"registered": "30d", "late": "after_lead"}}}
    here = TryOut.begin(world, "2026-02-01T12:00+01:00", timely(triggers, BIRTHDAY))
    member = here.enrol()
    here.advance("2026-03-01T12:00+01:00")
    here.made("PATCH", f"/v1/members/{member}", attributes={"birthday": "1990-03-20"})
    here.advance("2026-03-30T00:00+01:00")
    # To say the same again is no change.
    here.made("PATCH", f"/v1/members/{member}", attributes={"birthday": "1990-03-20", "size": "m"})
    here.advance("2026-06-01T00:00+02:00")
    assert happened(here) == [("birthday", "2026-03-31 09:00")]

    here.made("PATCH", f"/v1/members/{member}", attributes={"birthday": "1990-09-01"})
    here.advance("2027-12-31T00:00+01:00")
    assert happened(here)[1:] == [("birthday", "2027-09-01 09:00")]
    [(moments,)] = rows(world, "SELECT attributes_at FROM member WHERE program_id = %s", here.program_id)
    assert moments == {"birthday": "2026-05-31T22:00:00+00:00", "size": "2026-03-29T23:00:00+00:00"}


def test_an_attribute_that_a_campaign_sets_counts_from_then(world: World) -> None:
    triggers = {"trial": {"date": {"attribute": "trial_ends", "before": "3d"}}}
    campaigns = {
        "begin": {"on": "visit", "set": {"trial_ends": '"2026-03-20"'}},
        "ending": {"on": "trial", "when": 'event.data.date == "2026-03-20"', "tag": ["told"]},
    }
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely(triggers, campaigns))
    member = here.enrol()
    here.made("POST", "/v1/events", type="visit", external_id="v1", member={"card": "1"})
    here.made("POST", "/v1/events", type="visit", external_id="v2", member={"card": "1"})
    here.advance("2026-04-01T00:00+02:00")

    assert happened(here) == [("trial", "2026-03-17 09:00")]
    assert here.call("GET", f"/v1/members/{member}").json()["tags"] == ["told"]
    [(moments,)] = rows(world, "SELECT attributes_at FROM member WHERE program_id = %s", here.program_id)
    assert moments == {"trial_ends": "2026-03-01T11:00:00Z"}


def test_suspended_members_have_no_birthday_and_get_none_afterwards(world: World) -> None:
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    member = here.enrol(attributes={"birthday": "1990-03-20"})
    here.made("POST", f"/v1/members/{member}/suspend", reason="fraud")
    here.advance("2026-03-21T12:00+01:00")
    here.made("POST", f"/v1/members/{member}/reactivate", reason="no fraud")
    here.advance("2027-03-21T00:00+01:00")
    assert happened(here) == [("birthday", "2027-03-20 09:00")]


def test_a_new_trigger_begins_when_it_is_published_and_an_old_one_goes_on(world: World) -> None:
    daily = {"daily": {"schedule": {"every": "day"}, "late_by": "1y"}}
    both = daily | {"evening": {"schedule": {"every": "day", "at": "18:00"}, "late_by": "1y"}}
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely({}, BIRTHDAY_NEVER))
    here.enrol()
    here.buy("p1")

    # Published while time stood still for three days, so that nobody has looked.
    for clock, triggers in (("2026-03-02T12:00+01:00", daily), ("2026-03-05T12:00+01:00", both)):
        _clock(here, clock)
        with world.database.transaction() as tx:
            publish(tx, Program.model_validate(timely(triggers, BIRTHDAY_NEVER)), "test", mode="test")
    here.advance("2026-03-06T00:00+01:00")

    assert happened(here) == [
        ("daily", "2026-03-03 09:00"),
        ("daily", "2026-03-04 09:00"),
        ("daily", "2026-03-05 09:00"),
        ("evening", "2026-03-05 18:00"),
    ]
    with world.database.transaction() as tx:
        since = triggers_since(tx, here.program_id, 3)
    assert since == {"daily": at("2026-03-02T12:00+01:00"), "evening": at("2026-03-05T12:00+01:00")}


def test_inactivity_and_levels_that_end(world: World) -> None:
    triggers = {"gone": {"inactive": {"after": "60d", "counting": ["purchase", "visit"]}}}
    campaigns = {
        "base": {"on": "purchase", "earn": {"status": "1 per 1.00"}},
        "come_back": {"on": "gone", "earn": {"stars": 20}},
        "told": {"on": "tier_ending", "when": "event.data.missing > 50", "tag": ["will_fall"]},
    }
    whole = timely(triggers, campaigns)
    whole["tiers"] = [
        {
            "id": "club",
            "metric": "points.status.earned",
            "window": "calendar_year",
            "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 100}],
        }
    ]
    here = TryOut.begin(world, "2025-10-01T12:00+02:00", whole)
    member = here.enrol()
    here.buy("p1", "120.00")
    here.advance("2026-01-10T12:00+01:00")
    here.made("POST", "/v1/events", type="visit", external_id="v1", member={"card": "1"})
    here.advance("2027-01-02T00:00+01:00")

    assert happened(here) == [
        ("gone", "2025-11-30 12:00"),
        ("gone", "2026-03-11 12:00"),
        ("tier_ending", "2026-12-02 00:00"),
    ]
    assert here.call("GET", f"/v1/members/{member}").json()["tags"] == ["will_fall"]
    assert here.call("GET", f"/v1/members/{member}/tiers").json()["tiers"][0]["level"] == "green"
    assert sound(world, here)


def test_nobody_sends_what_time_does(world: World) -> None:
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    here.enrol()
    for kind in ("birthday", "tier_ending"):
        for path in ("/v1/events", "/v1/calculate"):
            event = {"type": kind, "external_id": "x", "member": {"card": "1"}, "data": {"date": "2026-03-20"}}
            answer = here.call("POST", path, json=event)
            body = assert_problem(answer, 422, "invalid_event")
            assert body["errors"][0]["message"] == f"'{kind}' is made by time, not sent."
    body = assert_problem(here.call("POST", "/v1/events", json={"type": "x", "external_id": "x"}), 422, "invalid_event")
    assert "birthday" not in body["errors"][0]["hint"]
    assert "tier_ending" not in body["errors"][0]["hint"]


def test_many_members_are_settled_in_chunks_with_few_statements(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # given more members than one chunk holds, all with a gift every day
    monkeypatch.setattr(settling, "CHUNK", 4)
    gift = {"gift": {"on": "daily", "earn": {"stars": 1}}}
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely({"daily": {"schedule": {"every": "day"}}}, gift))
    members = [here.enrol(str(card)) for card in range(10)]

    here.advance("2026-03-04T00:00+01:00")
    here.advance("2026-03-04T00:00+01:00")

    assert {here.stars(member) for member in members} == {(2, 0)}
    assert len(happened(here)) == 20
    assert sound(world, here)


def test_a_commit_that_fails_keeps_nothing(world: World) -> None:
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, BIRTHDAY))
    here.enrol(attributes={"birthday": "1990-03-20"})
    world.refuse_commits_to("posting")
    # Whoever cannot be settled keeps nobody else from it; nothing of it is kept.
    here.advance("2026-03-21T00:00+01:00")
    assert happened(here) == []
    assert rows(world, "SELECT count(*) FROM journal WHERE program_id = %s", here.program_id) == [(1,)]


def test_many_workers_make_each_event_once(world: World) -> None:
    # given thirty members whose day it is, and a budget that they share
    campaigns = {"gift": {"on": "daily", "earn": {"stars": 1}, "limits": [{"per": "all", "every": "day", "uses": 20}]}}
    here = TryOut.begin(world, "2026-03-01T12:00+01:00", timely({"daily": {"schedule": {"every": "day"}}}, campaigns))
    members = [here.enrol(str(card)) for card in range(30)]
    _clock(here, "2026-03-02T12:00+01:00")
    now = at("2026-03-02T12:00+01:00")

    # when workers settle them at the same time, in small chunks, and events come for some of them
    def settle(_: int) -> int:
        return settling.settle_due(world.database, LivePrograms(world.database), here.program_id, now)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as threads:
        patch.setattr(settling, "CHUNK", 7)
        runs = threads.map(settle, range(3))
        bought = [here.buy(f"p{card}", card=str(card)) for card in range(0, 30, 3)]
        assert sum(runs) <= 30 + len(bought)
    settle(0)

    # then each had one event, and no more than twenty a star
    assert len(happened(here)) == 30
    assert sum(here.stars(member)[0] for member in members) == 20
    assert rows(world, "SELECT used FROM budget") == [(20,)]
    assert sound(world, here)


def test_who_books_again_with_locked_budgets_gets_the_same(world: World) -> None:
    campaigns = {
        **BIRTHDAY_NEVER,
        "happy": {"on": ["birthday", "purchase"], "earn": {"stars": 50}, "limits": [{"per": "all", "uses": 1}]},
    }
    here = TryOut.begin(world, "2026-03-15T12:00+01:00", timely({"birthday": {"birthday": {}}}, campaigns))
    member = here.enrol(attributes={"birthday": "1990-03-20"})
    _clock(here, "2026-03-20T12:00+01:00")
    programs = LivePrograms(world.database)

    def again(tx: sa.Connection) -> None:
        with world.database.raw_connection() as other:
            live = programs.live(other, here.program_id)
        booking = Booking(driver_connection(tx), live, at("2026-03-20T12:00+01:00"))
        found: dict[MemberReference, Resolved] = {MemberReference(parse_id("mem", member), ()): parse_id("mem", member)}
        booking.open([], [], found, budgets_locked=True)
        booking.finish()

    world.database.run(again)
    assert here.stars(member) == (50, 0)
    assert rows(world, "SELECT used FROM budget") == [(1,)]
    assert here.buy("p1")["granted"] == {"stars": 10}
    assert happened(here) == [("birthday", "2026-03-20 09:00")]
