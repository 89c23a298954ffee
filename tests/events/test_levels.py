"""Tiers in time through the API: reviews on the test clock, levels given by hand, what a member is told."""

from __future__ import annotations

from typing import Any

import pytest

from api_world import World, assert_problem
from clock.try_out import TryOut, at, program
from events.shop import rows
from setia.events.rebuild import rebuild_states
from setia.events.verify import verify
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish

LEVELS = [
    {"id": "green", "from": 0},
    {"id": "gold", "from": 100, "keep_from": 80},
    {"id": "black", "from": 500},
]


def tiers(**settings: Any) -> list[dict[str, Any]]:
    return [{"id": "status", "metric": "spend", "window": "calendar_year", "levels": LEVELS, **settings}]


def begin(world: World, clock: str = "2025-01-15T12:00Z", *, stars: Any = None, **settings: Any) -> TryOut:
    return TryOut.begin(world, clock, program(**(stars or {})) | {"tiers": tiers(**settings)})


def change(here: TryOut, whole: dict[str, Any]) -> None:
    with here.world.database.transaction() as tx:
        publish(tx, Program.model_validate(whole), "test", mode="test")


def standing(here: TryOut, member: str) -> dict[str, Any]:
    answer = here.call("GET", f"/v1/members/{member}/tiers")
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["tiers"]
    whole: dict[str, Any] = found
    return whole


def give(here: TryOut, member: str, level: str, until: str | None = None, reason: str = "Status match") -> Any:
    body = {"level": level, "reason": reason} | ({} if until is None else {"until": until})
    return here.call("PUT", f"/v1/members/{member}/tiers/status", json=body)


def entries(here: TryOut, kind: str) -> list[tuple[Any, ...]]:
    return rows(
        here.world,
        "SELECT occurred_at, actor, reason, outcome::jsonb -> 'tiers' FROM journal "
        "WHERE program_id = %s AND kind = %s ORDER BY booked_at, seq",
        here.program_id,
        kind,
    )


def history(here: TryOut) -> list[tuple[Any, ...]]:
    query = "SELECT kind, outcome::jsonb #>> '{tiers,0,after}' FROM journal WHERE program_id = %s ORDER BY seq"
    return rows(here.world, query, here.program_id)


def jump(here: TryOut, moment: str) -> None:
    """Set the clock on without doing anything: a job that did not run."""
    with here.world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE program SET clock = %s WHERE id = %s", (at(moment), here.program_id))


@pytest.fixture(autouse=True)
def _all_is_proved(world: World) -> Any:
    """Whatever a test did: nothing is wrong, and everything can be counted again."""
    yield
    assert verify(world.database).findings == []


class TestReviews:
    def test_a_level_is_kept_and_lost_at_the_turn_of_the_year(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        here.buy("p1", "100.00")
        now = standing(here, member)
        assert (now["level"], now["valid_until"], now["falls_to"]) == ("gold", "2026-12-31T23:00:00Z", None)
        here.advance("2026-03-01T12:00Z")
        now = standing(here, member)
        assert (now["level"], now["valid_until"], now["falls_to"]) == ("gold", "2026-12-31T23:00:00Z", "green")
        [keep] = now["keep"]
        assert (keep["metric"], keep["value"], keep["needed"], keep["decimals"]) == ("spend", 0, 8000, 2)
        here.buy("p2", "80.00")
        assert standing(here, member)["falls_to"] is None

        # nothing more for two years
        here.advance("2028-06-01T12:00Z")

        assert [(moment, change and change[0]["after"]) for moment, _, _, change in entries(here, "review")] == [
            (at("2026-01-01T00:00+01:00"), None),
            (at("2027-01-01T00:00+01:00"), None),
            (at("2028-01-01T00:00+01:00"), "green"),
        ]
        assert standing(here, member)["valid_until"] is None

    def test_reviews_that_are_late_are_booked_before_the_next_event(self, world: World) -> None:
        """Nothing ran for two years, and the purchase of today meets the level that is left."""
        here = begin(world)
        here.enrol()
        here.buy("p1", "100.00")
        jump(here, "2028-02-01T12:00Z")
        assert here.buy("p2", "1.00")["tiers"] == {"status": "green"}
        assert history(here) == [
            ("event", None),
            ("event", "gold"),
            ("review", None),
            ("review", "green"),
            ("event", None),
        ]

    def test_a_grace_is_told(self, world: World) -> None:
        here = begin(world, grace="2mo")
        member = here.enrol()
        here.buy("p1", "100.00")
        here.advance("2027-01-10T12:00Z")
        now = standing(here, member)
        assert (now["level"], now["in_grace"], now["falls_to"]) == ("gold", True, "green")
        assert now["valid_until"] == "2027-02-28T23:00:00Z"
        here.advance("2027-03-01T12:00Z")
        assert standing(here, member)["level"] == "green"

    def test_points_are_reset_at_each_review(self, world: World) -> None:
        here = begin(world, reset_points=["stars"])
        member = here.enrol()
        here.buy("p1", "100.00")
        here.advance("2025-12-31T22:59Z")
        assert here.stars(member) == (100, 0)
        here.advance("2025-12-31T23:00Z")
        assert here.stars(member) == (0, 0)
        assert [moment for moment, _ in here.journal("expiry")] == [at("2026-01-01T00:00+01:00")]
        # what is pending at a review is not reset
        here.buy("p2", "20.00")
        assert here.stars(member) == (20, 0)

    def test_pending_points_are_not_reset(self, world: World) -> None:
        here = begin(world, "2025-12-30T12:00Z", stars={"available_after": "14d"}, reset_points=["stars"])
        member = here.enrol()
        here.buy("p1", "100.00")
        here.advance("2026-01-02T12:00Z")
        assert here.stars(member) == (0, 100)
        here.advance("2026-02-01T12:00Z")
        assert here.stars(member) == (100, 0)

    def test_a_floor_that_ends_resets_nothing(self, world: World) -> None:
        here = begin(world, reset_points=["stars"])
        member = here.enrol()
        here.buy("p1", "10.00")
        give(here, member, "gold", "2025-06-01T12:00Z")
        here.advance("2025-07-01T12:00Z")
        assert here.stars(member) == (10, 0)

    def test_two_tier_sets_go_each_its_own_way(self, world: World) -> None:
        often = {
            "id": "often",
            "metric": "orders",
            "window": "rolling 30d",
            "levels": [{"id": "one", "from": 0}, {"id": "two", "from": 2}],
        }
        here = TryOut.begin(world, "2025-01-15T12:00Z", program() | {"tiers": [*tiers(), often]})
        member = here.enrol()
        here.buy("p1", "60.00")
        here.buy("p2", "60.00")
        found = here.call("GET", f"/v1/members/{member}/tiers").json()["tiers"]
        assert [one["level"] for one in found] == ["gold", "two"]
        assert found[1]["valid_until"] == "2025-02-13T23:00:00Z"
        here.advance("2025-02-14T12:00Z")
        found = here.call("GET", f"/v1/members/{member}/tiers").json()["tiers"]
        assert [one["level"] for one in found] == ["gold", "one"]


class TestBalance:
    def test_a_level_on_a_balance_follows_the_points(self, world: World) -> None:
        whole = program("UTC", available_after="14d", expiry={"after": "30d"})
        whole["tiers"] = [{"id": "status", "metric": "points.stars.balance", "levels": LEVELS}]
        here = TryOut.begin(world, "2025-01-15T12:00Z", whole)
        member = here.enrol()
        here.buy("p1", "100.00")
        assert standing(here, member)["level"] == "green"
        # pending points become available: the member rises without an event
        here.advance("2025-01-29T12:00Z")
        assert standing(here, member)["level"] == "gold"
        # points taken by hand, and points that end, let fall
        taken = {"points": "stars", "amount": -30, "reason": "Mistake"}
        answer = here.call("POST", f"/v1/members/{member}/adjustments", json=taken, headers={"Idempotency-Key": "k1"})
        assert answer.status_code == 201, answer.text
        assert standing(here, member)["level"] == "green"
        given = taken | {"amount": 40}
        here.call("POST", f"/v1/members/{member}/adjustments", json=given, headers={"Idempotency-Key": "k2"})
        assert standing(here, member)["level"] == "gold"
        here.advance("2025-03-15T12:00Z")
        assert standing(here, member)["level"] == "green"


class TestByHand:
    def test_a_level_is_given_until_a_moment(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        here.buy("p1", "100.00")
        answer = give(here, member, "black", "2025-06-15T12:00:00Z")
        assert answer.status_code == 200, answer.text
        [now] = answer.json()["tiers"]
        assert (now["level"], now["given_level"], now["given_until"]) == ("black", "black", "2025-06-15T12:00:00Z")
        assert (now["valid_until"], now["falls_to"]) == ("2025-06-15T12:00:00Z", "gold")
        [(_, actor, reason, moved)] = entries(here, "level")
        assert (reason, moved[0]["before"], moved[0]["after"]) == ("Status match", "gold", "black")
        assert actor.startswith("key:")
        here.advance("2025-06-15T12:00Z")
        now = standing(here, member)
        assert (now["level"], now["given_level"], now["valid_until"]) == ("gold", None, "2026-12-31T23:00:00Z")

    def test_the_same_again_changes_nothing(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        first = give(here, member, "gold")
        assert give(here, member, "gold", reason="Once more").json() == first.json()
        assert len(entries(here, "level")) == 1
        [now] = first.json()["tiers"]
        assert (now["given_level"], now["given_until"], now["valid_until"]) == ("gold", None, None)

    def test_a_given_level_ends_by_hand(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        give(here, member, "gold")
        ended = here.call("POST", f"/v1/members/{member}/tiers/status/end", json={"reason": "Over"})
        assert ended.status_code == 200, ended.text
        assert ended.json()["tiers"][0]["level"] == "green"
        again = here.call("POST", f"/v1/members/{member}/tiers/status/end", json={"reason": "Over"})
        assert again.json() == ended.json()
        assert [reason for _, _, reason, _ in entries(here, "level")] == ["Status match", "Over"]

    def test_what_is_due_is_booked_first(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        here.buy("p1", "100.00")
        jump(here, "2027-02-01T12:00Z")
        give(here, member, "gold")
        assert [kind for kind, _ in history(here)] == ["event", "event", "review", "review", "level"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"level": "platinum", "reason": "x"}, "#/level"),
            ({"level": "gold", "reason": "x", "until": "2025-01-15T12:00:00Z"}, "#/until"),
            ({"level": "gold"}, "#/reason"),
            ({"level": "gold", "reason": ""}, "#/reason"),
            ({"level": "gold", "reason": "x", "until": "2025-01-15T12:00:00"}, "#/until"),
            ({"level": "gold", "reason": "x", "for": "ever"}, "#/for"),
        ],
    )
    def test_what_cannot_be_given(self, world: World, body: dict[str, Any], pointer: str) -> None:
        here = begin(world)
        answer = here.call("PUT", f"/v1/members/{here.enrol()}/tiers/status", json=body)
        assert answer.status_code == 422
        assert [item["pointer"] for item in answer.json()["errors"]] == [pointer]
        assert entries(here, "level") == []

    def test_tier_sets_and_members_that_are_not_there(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        body = {"level": "gold", "reason": "x"}
        answer = here.call("PUT", f"/v1/members/{member}/tiers/rank", json=body)
        assert "It has: status." in assert_problem(answer, 404, "tier_set_not_found")["detail"]
        stranger = world.enrol(card="9")["id"]
        assert here.call("PUT", f"/v1/members/{stranger}/tiers/status", json=body).status_code == 404
        assert world.call("POST", f"/v1/members/{stranger}/tiers/status/end", json={"reason": "x"}).status_code == 404

    def test_it_takes_the_right_to_adjust(self, world: World) -> None:
        here = begin(world)
        path = f"/v1/members/{here.enrol()}/tiers/status"
        with world.database.transaction() as tx:
            here.key = str(create_key(tx, here.program_id, "test", ["members:read"], label="test"))
        assert_problem(here.call("PUT", path, json={"level": "gold", "reason": "x"}), 403, "missing_scope")
        assert_problem(here.call("POST", f"{path}/end", json={"reason": "x"}), 403, "missing_scope")

    def test_a_commit_that_fails_keeps_nothing(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        world.refuse_commits_to("journal")
        assert give(here, member, "gold").status_code >= 500
        assert entries(here, "level") == []
        floors = "SELECT counters::jsonb -> 'floors' FROM member_state WHERE program_id = %s"
        assert rows(world, floors, here.program_id) == [(None,)]


DEARER = [{"id": "green", "from": 0}, {"id": "gold", "from": 300}]


class TestNewSettings:
    @pytest.mark.parametrize(("on_change", "level"), [("at_once", "green"), ("at_review", "gold")])
    def test_what_publishing_does_to_levels(self, world: World, on_change: str, level: str) -> None:
        here = begin(world, on_change=on_change)
        member = here.enrol()
        here.buy("p1", "100.00")
        change(here, program() | {"tiers": tiers(on_change=on_change, levels=DEARER)})
        assert rows(world, "SELECT due_at FROM member_state WHERE program_id = %s", here.program_id) == [(here.now,)]
        assert standing(here, member)["level"] == level
        here.advance("2026-01-01T12:00Z")
        assert standing(here, member)["level"] == "green"
        assert rebuild_states(world.database, here.program_id, check=True).different == 0

    def test_a_change_of_something_else_judges_nobody(self, world: World) -> None:
        here = begin(world, on_change="at_once")
        member = here.enrol()
        here.buy("p1", "100.00")
        here.advance("2026-03-01T12:00Z")
        other = program() | {"tiers": tiers(on_change="at_once"), "late": {"accept_within": "5d"}}
        change(here, other)
        # counted anew by somebody who judges nobody: that is left to do for whoever settles
        rebuild_states(world.database, here.program_id)
        assert standing(here, member)["level"] == "gold"

    def test_a_rebuild_leaves_the_judgement_to_be_made(self, world: World) -> None:
        here = begin(world, on_change="at_once")
        member = here.enrol()
        here.buy("p1", "100.00")
        change(here, program() | {"tiers": tiers(on_change="at_once", levels=DEARER, grace="1mo")})
        found = rebuild_states(world.database, here.program_id)
        assert (found.stale, found.different) == (1, 0)
        assert standing(here, member)["level"] == "green"
        assert rebuild_states(world.database, here.program_id, check=True).stale == 0

    def test_a_level_that_is_gone(self, world: World) -> None:
        here = begin(world)
        member = here.enrol()
        here.buy("p1", "100.00")
        renamed = [{"id": "green", "from": 0}, {"id": "silver", "from": 50}]
        change(here, program() | {"tiers": tiers(levels=renamed)})
        assert here.buy("p2", "1.00")["tiers"] == {"status": "silver"}
        assert standing(here, member)["level"] == "silver"
        [(*_, [moved])] = entries(here, "review")
        assert (moved["before"], moved["after"]) == ("gold", "silver")
