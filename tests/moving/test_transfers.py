"""Transfers through the API: lots, limits, who may, what both statements say, and taking one back."""

import datetime as dt
import itertools
from typing import Any

import pytest

from api_world import World, assert_problem, definition
from moving.movers import ask, available, give, lots, member, moved, open_club, post, rows, sound, told
from moving.pairs import merged
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.versions.service import publish


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    """A program in which stars can be given, somebody with 200 and somebody without."""
    open_club(world)
    return member(world, "1", 200), member(world, "2")


def test_points_become_anothers_lot_by_lot(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).replace(microsecond=0)
    give(world, giver, 20, expires_at=soon.isoformat())
    done = moved(world, giver, receiver, 100)
    assert (done["amount"], done["lots"], done["reversed"], done["gift"]) == (100, 2, 0, False)
    assert done["from_after"]["available"] == 120
    assert done["to_after"]["available"] == 100
    # What ends first goes first, and keeps its end.
    assert lots(world, receiver) == [(20, soon.isoformat().replace("+00:00", "Z")), (80, None)]
    assert lots(world, giver) == [(120, None)]
    [ages] = rows(
        world,
        "SELECT array_agg(DISTINCT g.earned_at) = array_agg(DISTINCT r.earned_at), min(r.campaign) FROM lot g, lot r "
        "WHERE g.member_id <> r.member_id",
    )
    assert ages == (True, "adjustment")
    sound(world)


def test_both_statements_name_the_other_side(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    moved(world, giver, receiver)
    assert told(world, giver) == [f"50 stars given to member {receiver}."]
    assert told(world, receiver) == [f"50 stars from member {giver}."]
    assert told(world, giver, "de") == [f"50 Sterne an Mitglied {receiver} übertragen."]
    assert told(world, receiver, "ms") == [f"50 bintang daripada ahli {giver}."]
    moved(world, giver, receiver, 10, gift=True)
    assert told(world, giver) == [f"10 stars given as a gift to member {receiver}."]
    assert told(world, receiver, "de") == [f"10 Sterne als Geschenk von Mitglied {giver}."]
    named = rows(
        world,
        "SELECT j.outcome::jsonb -> 'moved' ->> 'other', (j.outcome::jsonb -> 'moved' ->> 'seq')::bigint, j.seq, "
        "j.member_id::text FROM journal j WHERE j.kind = 'transfer' ORDER BY j.seq, j.member_id",
    )
    sides = {(f"mem_{who.replace('-', '')}", seq) for _, _, seq, who in named}
    assert {(other, seq) for other, seq, _, _ in named} == sides


def test_a_fresh_end_counts_from_now(world: World) -> None:
    open_club(world, transfers={"miles": {"expiry": "fresh"}})
    giver, receiver = member(world, "1"), member(world, "2")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).isoformat()
    give(world, giver, 30, "miles", expires_at=soon)
    moved(world, giver, receiver, 30, points="miles")
    give(world, receiver, 1, "miles")
    (_, moved_end), (_, fresh_end) = lots(world, receiver)
    assert moved_end == fresh_end
    sound(world)


def test_the_same_request_moves_once(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    first = moved(world, giver, receiver, reference="t-1")
    moved(world, giver, receiver, 5)
    again = ask(world, giver, receiver, reference="t-1")
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()) == (201, "true", first)
    assert_problem(ask(world, giver, receiver, 51, reference="t-1"), 409, "reference_used")
    by_key = moved(world, giver, receiver, 7, key="k")
    again = ask(world, giver, receiver, 7, key="k")
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", by_key)
    assert_problem(ask(world, giver, receiver, 8, key="k"), 422, "idempotency_key_reused")
    body = {"from": {"id": giver}, "to": {"id": receiver}, "points": "stars", "amount": 1}
    assert_problem(post(world, "/v1/transfers", body), 400, "idempotency_key_required")
    assert available(world, giver) == 200 - 50 - 5 - 7
    sound(world)


def test_members_are_named_by_what_they_are_known_by(world: World, pair: tuple[str, str]) -> None:
    giver, _ = pair
    body = {"from": {"card": "1"}, "to": {"card": "2"}, "points": "stars", "amount": 1}
    assert post(world, "/v1/transfers", body, key="a").status_code == 201
    body["to"] = {"card": "none"}
    assert_problem(post(world, "/v1/transfers", body, key="b"), 404, "member_not_found")
    body["to"] = {}
    assert_problem(post(world, "/v1/transfers", body, key="c"), 422, "invalid_identifier")
    body["to"] = {"card": "2", "id": giver}
    assert_problem(post(world, "/v1/transfers", body, key="d"), 409, "member_ambiguous")


def reasons(world: World, *asked: Any, **more: Any) -> list[dict[str, Any]]:
    body = assert_problem(ask(world, *asked, **more), 409, "move_refused")
    found: list[dict[str, Any]] = body["reasons"]
    return found


def test_what_cannot_be_moved_says_why(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    assert reasons(world, giver, giver, 1) == [{"code": "same_member"}]
    assert reasons(world, giver, receiver, 201) == [{"code": "points_missing", "needed": 201, "left": 200}]
    assert_problem(ask(world, giver, receiver, points="miles"), 422, "points_not_transferable")
    assert_problem(ask(world, giver, receiver, points="status"), 422, "points_not_transferable")
    assert world.call("POST", f"/v1/members/{receiver}/suspend", json={"reason": "x"}).status_code == 200
    assert reasons(world, giver, receiver) == [{"code": "member_not_active", "side": "receiver"}]
    assert reasons(world, receiver, giver, 1)[0] == {"code": "member_not_active"}


def test_amounts_limits_and_levels(world: World) -> None:
    open_club(
        world,
        transfers={
            "stars": {
                "least": 10,
                "most": 100,
                "gives": [{"every": "month", "points": 150}, {"every": "day", "times": 3}],
                "receives": {"every": "year", "points": 160},
                "from_level": {"status": "gold"},
                "when": 'member.tags.exists(t, t == "vip")',
                "receiver_when": '!member.tags.exists(t, t == "staff")',
            }
        },
    )
    giver, receiver, other = member(world, "1", 500), member(world, "2"), member(world, "3", tags=["staff"])
    found = reasons(world, giver, other, 5)
    assert [(one["code"], one.get("side", "giver")) for one in found] == [
        ("too_few", "giver"),
        ("level_needed", "giver"),
        ("not_for_member", "giver"),
        ("not_for_member", "receiver"),
    ]
    assert found[0]["least"] == 10
    assert found[1] == {"code": "level_needed", "tier_set": "status", "level": "gold"}
    assert found[2]["clause"] == 'member.tags.exists(t, t == "vip")'
    assert world.call("PATCH", f"/v1/members/{giver}", json={"tags": ["vip"]}).status_code == 200
    level = {"level": "gold", "reason": "x"}
    assert world.call("PUT", f"/v1/members/{giver}/tiers/status", json=level).status_code == 200
    assert reasons(world, giver, receiver, 101) == [{"code": "too_many", "most": 100}]
    moved(world, giver, receiver, 100)
    [limit] = reasons(world, giver, receiver, 51)
    assert (limit["code"], limit["period"], limit["most"], limit["left"]) == ("limit", "month", 150, 50)
    assert "until" in limit
    moved(world, giver, receiver, 30)
    assert [(one["side"], one["left"]) for one in reasons(world, giver, receiver, 40) if "side" in one] == [
        ("receiver", 30)
    ]
    moved(world, giver, receiver, 10)
    [limit] = reasons(world, giver, receiver, 10)
    assert (limit["period"], limit["times"], limit["left"]) == ("day", True, 0)
    sound(world)


def test_cooling_time_of_points_and_members(world: World) -> None:
    open_club(world, transfers={"stars": {"points_older_than": "7d", "members_older_than": "1d"}})
    long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=30)).isoformat()
    giver, young = member(world, "1", 100, enrolled_at=long_ago), member(world, "2", 5)
    [reason] = reasons(world, young, giver, 1)
    assert (reason["code"], "until" in reason) == ("member_too_new", True)
    assert reasons(world, giver, young, 1) == [{"code": "points_too_young", "needed": 1, "left": 0}]
    old = {
        "type": "purchase",
        "external_id": "old",
        "member": {"id": giver},
        "occurred_at": (dt.datetime.now(dt.UTC) - dt.timedelta(days=8)).isoformat(),
        "lines": [{"sku": "a", "amount": "40.00"}],
    }
    assert world.call("POST", "/v1/events", json=old).status_code == 201
    # A purchase that came late was earned when it came: its points are as young as the others.
    assert reasons(world, giver, young, 1) == [{"code": "points_too_young", "needed": 1, "left": 0}]
    sound(world)


def test_a_preview_decides_and_keeps_nothing(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    body = {"from": {"id": giver}, "to": {"id": receiver}, "points": "stars", "amount": 60}
    answer = post(world, "/v1/transfers/preview", body)
    assert (answer.status_code, answer.json()["from_after"]["available"]) == (200, 140)
    assert (available(world, giver), world.count("transfer")) == (200, 0)
    body["amount"] = 300
    assert_problem(post(world, "/v1/transfers/preview", body), 409, "move_refused")


def test_a_list_of_both_sides(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    first, second = moved(world, giver, receiver, 5), moved(world, receiver, giver, 3)
    page = world.call("GET", f"/v1/members/{giver}/transfers?limit=1").json()
    assert [one["id"] for one in page["items"]] == [second["id"]]
    page = world.call("GET", f"/v1/members/{giver}/transfers?limit=1&cursor={page['next_cursor']}").json()
    assert ([one["id"] for one in page["items"]], page["next_cursor"]) == ([first["id"]], None)
    assert world.call("GET", f"/v1/transfers/{first['id']}").json()["from"] == giver
    assert_problem(world.call("GET", "/v1/transfers/xfr_" + "0" * 32), 404, "transfer_not_found")
    assert_problem(world.call("GET", "/v1/transfers/x"), 404, "transfer_not_found")
    assert_problem(world.call("GET", f"/v1/transfers/{first['id']}", key=world.stranger), 404, "transfer_not_found")


def reverse(world: World, done: dict[str, Any], **more: Any) -> Any:
    return post(world, f"/v1/transfers/{done['id']}/reverse", {"reason": "taken over", **more})


def test_a_reversal_gives_everything_back(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    give(world, giver, 30)
    before = lots(world, giver)
    done = moved(world, giver, receiver, 210)
    answer = reverse(world, done)
    assert (answer.status_code, answer.json()["reversed"]) == (200, 210)
    assert (available(world, giver), available(world, receiver), lots(world, giver)) == (230, 0, before)
    assert told(world, giver) == [f"210 stars came back that were given to member {receiver}."]
    assert told(world, receiver, "de") == [f"210 Sterne von Mitglied {giver} wieder zurückgenommen."]
    again = reverse(world, done)
    assert (again.headers["idempotent-replayed"], again.json()["reversed"]) == ("true", 210)
    # What was made is still what was answered then.
    sound(world)


def test_what_was_spent_does_not_come_back(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    done = moved(world, giver, receiver, 100)
    give(world, receiver, -30)
    body = assert_problem(reverse(world, done), 409, "transfer_spent")
    assert (body["wanted"], body["left"]) == (100, 70)
    assert reverse(world, done, partly=True).json()["reversed"] == 70
    assert_problem(reverse(world, done, partly=True), 409, "transfer_spent")
    assert (available(world, giver), available(world, receiver)) == (170, 0)
    sound(world)


def test_a_failing_commit_keeps_nothing(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    world.refuse_commits_to("transfer")
    assert ask(world, giver, receiver).status_code >= 500
    assert (available(world, giver), available(world, receiver), world.count("transfer")) == (200, 0, 0)
    assert world.count("idempotency_key") == 0


def test_points_given_to_who_owes_pay_the_debt(world: World) -> None:
    open_club(world, points={"stars": {"negative": "allow"}})
    giver, receiver = member(world, "1", 100), member(world, "2")
    give(world, receiver, -30)
    assert moved(world, giver, receiver, 50)["to_after"]["available"] == 20
    assert lots(world, receiver) == [(20, None)]
    sound(world)


def test_points_that_end_by_inactivity_begin_anew_with_who_had_none(world: World) -> None:
    open_club(world, points={"stars": {"expiry": {"inactivity": "30d"}}})
    long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=300)).isoformat()
    giver, receiver = member(world, "1", 100), member(world, "2", enrolled_at=long_ago)
    moved(world, giver, receiver, 50)
    assert available(world, receiver) == 50
    sound(world)


def test_frozen_points_stay(world: World, pair: tuple[str, str]) -> None:
    giver, receiver = pair
    answer = world.call("POST", f"/v1/members/{giver}/points/freeze", json={"reason": "lost my phone"})
    assert answer.status_code == 200, answer.text
    assert_problem(ask(world, giver, receiver), 409, "points_frozen")
    assert moved(world, member(world, "3", 10), giver, 10)["to_after"]["available"] == 210
    sound(world)


def test_points_are_given_when_they_are_old_enough(world: World) -> None:
    whole = definition(points={"stars": {}}, transfers={"stars": {"points_older_than": "7d"}}, campaigns={})
    clock = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with world.database.transaction() as tx:
        made = publish(tx, Program.model_validate(whole), "test", mode="test", clock=clock)
        key = str(create_key(tx, made.version.program_id, "test", list(Scope)))

    keys = itertools.count()

    def send(path: str, body: Any) -> Any:
        return world.call("POST", path, json=body, key=key, headers={"Idempotency-Key": f"k-{next(keys)}"})

    giver, receiver = (send("/v1/members", {"identifiers": {"card": card}}).json()["id"] for card in "12")
    for days in (0, 5):
        assert send("/v1/clock", {"to": (clock + dt.timedelta(days=days)).isoformat()}).status_code == 200
        body = {"points": "stars", "amount": 10, "reason": f"day {days}"}
        assert send(f"/v1/members/{giver}/adjustments", body).status_code == 201
    assert send("/v1/clock", {"to": (clock + dt.timedelta(days=8)).isoformat()}).status_code == 200
    asked = {"from": {"id": giver}, "to": {"id": receiver}, "points": "stars"}
    [reason] = assert_problem(send("/v1/transfers", asked | {"amount": 11}), 409, "move_refused")["reasons"]
    assert reason == {"code": "points_too_young", "needed": 11, "left": 10}
    assert send("/v1/transfers", asked | {"amount": 10}).status_code == 201
    # Given on, they are as old as they were.
    back = {"from": {"id": receiver}, "to": {"id": giver}, "points": "stars", "amount": 10}
    assert send("/v1/transfers", back).status_code == 201


def test_what_members_gave_before_they_were_merged_counts(world: World) -> None:
    open_club(world, transfers={"stars": {"gives": {"every": "month", "points": 100}}})
    one, other, third = member(world, "1", 100), member(world, "2", 100), member(world, "3")
    moved(world, one, third, 60)
    merged(world, other, one)
    [limit] = reasons(world, other, third, 50)
    assert (limit["code"], limit["left"]) == ("limit", 40)
    assert len(world.call("GET", f"/v1/members/{other}/transfers").json()["items"]) == 1
