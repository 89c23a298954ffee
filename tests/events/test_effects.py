"""What booking does to members: effects, budgets, and what a new version of the program changes."""

import datetime as dt

from api_world import World
from events.shop import BASE, STATUS, ago, batch, booked, enrolled, findings, go_live, program, purchase, rows, send


class TestEffects:
    def test_attributes_and_tags_are_written_and_read_by_the_next_event(self, world: World) -> None:
        whole = program(
            campaigns={
                "mark": {
                    "on": "purchase",
                    "set": {"size": '"l"', "visits_a_week": "3", "spent": "event.total * 0.5", "day": '"2026-03-01"'},
                    "tag": ["vip"],
                    "untag": ["new"],
                },
                "read": {
                    "on": "visit",
                    "when": '"vip" in member.tags && !("new" in member.tags) && member.attributes.size == "l" '
                    "&& member.attributes.visits_a_week == 3 && member.attributes.spent == 6.25",
                    "earn": {"stars": 5},
                },
            }
        )
        whole["members"]["attributes"] |= {"spent": {"type": "number"}, "day": {"type": "string"}}
        go_live(world, whole)
        member = enrolled(world, tags=["new", "early"])
        first = send(world, purchase("1", "12.50"))
        assert [effect for effect in first.json()["effects"] if effect["kind"] != "earn"] == [
            {"kind": "attribute", "name": "size", "value": "l"},
            {"kind": "attribute", "name": "visits_a_week", "value": 3},
            {"kind": "attribute", "name": "spent", "value": 6.25},
            {"kind": "attribute", "name": "day", "value": "2026-03-01"},
            {"kind": "tag", "name": "vip"},
            {"kind": "untag", "name": "new"},
        ]
        assert send(world, purchase("1", "12.50")).content == first.content
        found = world.call("GET", f"/v1/members/{member}").json()
        assert (found["attributes"], found["tags"]) == (
            {"size": "l", "visits_a_week": 3, "spent": 6.25, "day": "2026-03-01"},
            ["early", "vip"],
        )
        assert booked(world, {"type": "visit", "external_id": "2", "member": {"card": "1"}})["granted"] == {"stars": 5}

    def test_custom_effects_are_handed_to_the_caller_the_same_each_time(self, world: World) -> None:
        effect = {"name": "open_gate", "values": {"total": "event.total", "n": "size(event.lines)"}}
        go_live(world, program(campaigns={"gate": {"on": "purchase", "effect": effect}}))
        enrolled(world)
        first = send(world, purchase("1", "12.50"))
        assert first.json()["effects"] == [
            {"kind": "custom", "campaign": "gate", "name": "open_gate", "value": {"total": "12.50", "n": 1}}
        ]
        assert send(world, purchase("1", "12.50")).content == first.content

    def test_points_are_taken_from_the_lots_that_end_first(self, world: World) -> None:
        whole = program(
            campaigns={
                **BASE,
                "fee": {"on": "visit", "deduct": {"stars": 25}},
                "both": {"on": "purchase", "when": "event.total >= 100", "deduct": {"stars": 15}},
            }
        )
        go_live(world, whole)
        enrolled(world)
        visit = {"type": "visit", "member": {"card": "1"}}
        # In one batch: the lots it takes from were opened by the events before it in the same transaction.
        answer = batch(
            world,
            purchase("1", "10.00"),
            purchase("2", "20.00"),
            visit | {"external_id": "3"},
            purchase("4", "100.00"),
            visit | {"external_id": "5"},
        )
        assert [result["event"]["balances"]["stars"]["available"] for result in answer["results"]] == [
            10, 30, 5, 90, 65,
        ]  # fmt: skip
        assert rows(world, "SELECT granted, burned FROM lot ORDER BY seq, line") == [(10, 10), (20, 20), (100, 35)]
        assert findings(world) == []

    def test_no_more_is_taken_than_there_is(self, world: World) -> None:
        go_live(world, program(campaigns={**BASE, "fee": {"on": "visit", "deduct": {"stars": 25}}}))
        enrolled(world)
        booked(world, purchase("1"))
        visit = {"type": "visit", "external_id": "2", "member": {"card": "1"}}
        body = booked(world, visit)
        assert (body["granted"], body["balances"]["stars"]["available"]) == ({"stars": -10}, 0)
        assert [(effect["amount"], effect["wanted"]) for effect in body["effects"]] == [(-10, -25)]
        assert booked(world, visit | {"external_id": "3"})["balances"]["stars"]["available"] == 0
        assert findings(world) == []

    def test_a_wallet_may_go_below_zero_where_the_program_allows_it(self, world: World) -> None:
        whole = program(campaigns={**BASE, "fee": {"on": "visit", "deduct": {"stars": 25}}})
        whole["points"]["stars"]["negative"] = "allow"
        go_live(world, whole)
        enrolled(world)
        booked(world, purchase("1"))
        visit = {"type": "visit", "external_id": "2", "member": {"card": "1"}}
        assert booked(world, visit)["balances"]["stars"]["available"] == -15
        assert booked(world, visit | {"external_id": "3"})["balances"]["stars"]["available"] == -40
        assert booked(world, purchase("4"))["balances"]["stars"]["available"] == -30
        assert findings(world) == []

    def test_points_without_lots_are_taken_too(self, world: World) -> None:
        campaigns = {"up": {"on": "purchase", "earn": {"status": 10}}, "down": {"on": "visit", "deduct": {"status": 4}}}
        go_live(world, program(campaigns=campaigns))
        enrolled(world)
        booked(world, purchase("1"))
        body = booked(world, {"type": "visit", "external_id": "2", "member": {"card": "1"}})
        assert (body["balances"]["status"]["available"], world.count("lot")) == (6, 0)
        assert findings(world) == []

    def test_pending_points_wait(self, world: World) -> None:
        whole = program()
        whole["points"]["stars"] |= {"available_after": "14d", "expiry": {"after": "6mo", "align": "month_end"}}
        go_live(world, whole)
        enrolled(world)
        first = send(world, purchase("1"))
        body = first.json()
        assert body["balances"]["stars"] == {"available": 0, "pending": 10, "held": 0}
        [effect] = body["effects"]
        waits = dt.datetime.fromisoformat(effect["available_at"]) - dt.datetime.fromisoformat(body["received_at"])
        assert abs(waits - dt.timedelta(days=14)) < dt.timedelta(hours=2)
        assert send(world, purchase("1")).content == first.content
        assert findings(world) == []

    def test_a_tier_rises_at_once_and_is_told(self, world: World) -> None:
        go_live(world, program(tiers=[STATUS]))
        enrolled(world)
        assert booked(world, purchase("1", "99.00"))["tiers"] == {"status": "green"}
        body = booked(world, purchase("2", "1.00"))
        assert body["tiers"] == {"status": "gold"}
        assert body["effects"][-1] == {"kind": "tier", "tier_set": "status", "before": "green", "after": "gold"}
        [standing] = world.call("GET", f"/v1/members/{body['member']}/tiers").json()["tiers"]
        assert (standing["level"], standing["value"], standing["next_level"]) == ("gold", 100, None)


class TestBudgets:
    def test_a_budget_over_all_members_is_cut_exactly(self, world: World) -> None:
        campaigns = {"promo": {"on": "purchase", "earn": {"stars": 10}, "limits": [{"in_all": "25 stars"}]}}
        go_live(world, program("enrol", campaigns=campaigns))
        answer = batch(world, *(purchase(str(n), member={"card": str(n)}) for n in range(4)))
        assert [result["event"]["granted"] for result in answer["results"]] == [
            {"stars": 10}, {"stars": 10}, {"stars": 5}, {"stars": 0},
        ]  # fmt: skip
        third = answer["results"][2]["event"]["effects"]
        assert [(effect["amount"], effect["wanted"]) for effect in third] == [(5, 10)]
        assert rows(world, "SELECT key, used FROM budget") == [("promo#0", 25)]
        assert booked(world, purchase("5", member={"card": "5"}))["granted"] == {"stars": 0}
        assert findings(world) == []

    def test_a_budget_of_uses_by_day(self, world: World) -> None:
        limits = [{"in_all": "2 uses", "every": "day"}]
        campaigns = {"promo": {"on": "purchase", "earn": {"stars": 10}, "limits": limits}}
        go_live(world, program(campaigns=campaigns))
        enrolled(world, days_ago=10)
        days = [ago(days=days) for days in (1, 1, 1, 3)]
        granted = [booked(world, purchase(str(n), occurred_at=day))["granted"] for n, day in enumerate(days)]
        assert granted == [{"stars": 10}, {"stars": 10}, {}, {"stars": 10}]
        assert [used for (used,) in rows(world, "SELECT used FROM budget ORDER BY period")] == [1, 2]


class TestVersions:
    def test_each_event_names_the_version_that_decided_it(self, world: World) -> None:
        enrolled(world)
        assert booked(world, purchase("1"))["program_version"] == 1
        assert go_live(world, program(campaigns={"base": {"on": "purchase", "earn": {"stars": 7}}})) == 2
        second = booked(world, purchase("2"))
        assert (second["program_version"], second["granted"]) == (2, {"stars": 7})
        why = world.call("GET", f"/v1/events/{second['id']}/explanation").json()
        assert why["program_version"] == 2
        assert [version for (version,) in rows(world, "SELECT program_version FROM journal ORDER BY seq")] == [1, 1, 2]

    def test_a_new_limit_counts_what_was_before_it(self, world: World) -> None:
        campaigns = {"gift": {"on": "visit", "earn": {"stars": 5}}}
        go_live(world, program(campaigns=campaigns))
        enrolled(world)
        visit = {"type": "visit", "member": {"card": "1"}}
        for number in range(3):
            booked(world, visit | {"external_id": str(number)})
        limited = {"gift": campaigns["gift"] | {"limits": [{"per": "member", "uses": 4}]}}
        go_live(world, program(campaigns=limited))
        assert [booked(world, visit | {"external_id": f"x{n}"})["granted"] for n in range(3)] == [{"stars": 5}, {}, {}]

    def test_a_new_tier_counts_what_was_before_it(self, world: World) -> None:
        enrolled(world)
        for number in range(3):
            booked(world, purchase(str(number), "40.00"))
        go_live(world, program(tiers=[STATUS]))
        member = booked(world, {"type": "visit", "external_id": "v", "member": {"card": "1"}})
        assert member["tiers"] == {"status": "gold"}

    def test_counters_are_the_same_as_if_the_last_version_had_always_been_there(self, world: World) -> None:
        limits = [{"per": "member", "every": "month", "uses": 3}, {"per": "member", "earn": "100 stars"}]
        base = {"base": BASE["base"] | {"limits": limits}}
        for card, first in (("1", program(tiers=[STATUS], campaigns=base)), ("2", program())):
            go_live(world, first)
            enrolled(world, card, days_ago=60)
            for number in range(2):
                moment = dt.datetime(2026, 11, 1, number, tzinfo=dt.UTC).isoformat()
                booked(world, purchase(f"{card}/{number}", member={"card": card}, occurred_at=moment))
        go_live(world, program(tiers=[STATUS], campaigns=base))
        for card in ("1", "2"):
            moment = dt.datetime(2026, 11, 2, tzinfo=dt.UTC).isoformat()
            booked(world, purchase(f"{card}/last", member={"card": card}, occurred_at=moment))
        one, two = (counters | {"tiers": {}} for (counters,) in rows(world, "SELECT counters::jsonb FROM member_state"))
        assert one == two
