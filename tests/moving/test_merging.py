"""Merging members and parting them again: what moves, what is refused, and who bears what was spent meanwhile."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from api_world import World, assert_problem
from moving.movers import available, findings, give, lots, member, moved, open_club, post, rows, sound, told
from moving.pairs import merge, merged, parted, undo, whole
from setia.db.engine import driver_connection
from setia.rewards.redeeming import Asked, Wanted
from setia.rewards.redeeming import redeem as redeem_together
from setia.rewards.stock import StockExhausted

REWARDS = {"coffee": {"kind": "voucher", "cost": {"stars": 40}, "per_member": {"uses": 2}}}
LIMITED = {
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
    "visit": {"on": "visit", "earn": {"stars": 5}, "limits": [{"per": "member", "every": "ever", "uses": 2}]},
    "card": {"on": "purchase", "offer": {"for": "everybody", "progress": {"orders": 5}}, "earn": {"stars": 100}},
}


@pytest.fixture
def two(world: World) -> tuple[str, str]:
    """Somebody with 80 stars, and a duplicate with 120."""
    open_club(world, rewards=REWARDS, campaigns=LIMITED)
    return member(world, "1", 80), member(world, "2", 120)


def buy(world: World, card: str, external_id: str, amount: str = "10.00", **more: Any) -> Any:
    event = {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": card},
        "lines": [{"sku": "a", "amount": amount}],
        **more,
    }
    return world.call("POST", "/v1/events", json=event)


def redeem(world: World, who: str, reference: str, **more: Any) -> Any:
    body = {"member": who, "reward": "coffee", "reference": reference, **more}
    return world.call("POST", "/v1/redemptions", json=body)


def test_balances_are_added_and_the_higher_level_wins(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    level = {"level": "gold", "reason": "x"}
    assert world.call("PUT", f"/v1/members/{duplicate}/tiers/status", json=level).status_code == 200
    done = merge(world, main, duplicate).json()
    assert (done["member"], done["duplicate"], done["undone_at"]) == (main, duplicate, None)
    assert available(world, main) == 200
    tiers = world.call("GET", f"/v1/members/{main}/tiers").json()["tiers"]
    assert tiers[0]["level"] == "gold"
    # Whoever asks for the duplicate is told of the member who stays.
    for path in ("", "/wallets", "/tiers", "/lots", "/statement", "/offers", "/merges"):
        assert world.call("GET", f"/v1/members/{duplicate}{path}").json() == (
            world.call("GET", f"/v1/members/{main}{path}").json()
        )
    assert world.call("GET", "/v1/members?card=2").json()["items"][0]["id"] == main
    assert [one["id"] for one in world.call("GET", "/v1/members").json()["items"]] == [main]
    words = [f"120 stars of member {duplicate}, who was merged with you.", "You have reached gold."]
    assert told(world, main) == words
    german = f"120 Sterne von Mitglied {duplicate}, das mit dir zusammengeführt wurde."
    assert told(world, main, "de")[0] == german
    sound(world)


def test_events_of_the_duplicate_are_the_others(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    merged(world, main, duplicate)
    assert buy(world, "2", "by-card").json()["member"] == main
    assert buy(world, "2", "by-id", member={"id": duplicate}).json()["member"] == main
    assert available(world, main) == 220
    give(world, duplicate, 5)
    assert redeem(world, duplicate, "1", confirm=True).json()["member"] == main
    assert moved(world, duplicate, member(world, "3"), 10)["from"] == main
    assert available(world, main) == 220 + 5 - 40 - 10
    body = {"type": "purchase", "member": {"id": duplicate}, "lines": [{"sku": "a", "amount": "7.00"}]}
    assert world.call("POST", "/v1/calculate", json=body).json()["granted"] == {"stars": 7}
    sound(world)


def test_lots_keep_their_ends(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9)).replace(microsecond=0)
    give(world, duplicate, 7, expires_at=soon.isoformat())
    merged(world, main, duplicate)
    assert lots(world, main) == [(80, None), (120, None), (7, soon.isoformat().replace("+00:00", "Z"))]
    sound(world)


def test_parted_at_once_everything_is_as_before(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    for number, card in enumerate(["1", "2", "2"]):
        assert buy(world, card, f"b{number}", "400.00").status_code == 201
    visit = {"type": "visit", "external_id": "v", "member": {"card": "2"}}
    assert world.call("POST", "/v1/events", json=visit).status_code == 201
    patch = {"attributes": {"size": "m"}, "tags": ["regular"]}
    assert world.call("PATCH", f"/v1/members/{duplicate}", json=patch).status_code == 200
    assert redeem(world, duplicate, "1", confirm=True).status_code == 201
    assert redeem(world, duplicate, "2").status_code == 201
    before = whole(world, main), whole(world, duplicate)
    identity = merged(world, main, duplicate)
    sound(world)
    [(counters,)] = rows(world, "SELECT counters FROM member_state WHERE member_id = %s", main.removeprefix("mem_"))
    assert counters["lifetime"]["spend"] == 120000
    assert counters["offers"]["card"]["progress"] == 3
    assert counters["tiers"] == {"status": "gold"}  # what both have earned together reaches it
    assert world.call("GET", f"/v1/members/{main}").json()["attributes"] == {"size": "m"}
    parted(world, identity)
    after = whole(world, main), whole(world, duplicate)
    assert after == before
    assert told(world, duplicate, "ms")[0].endswith(f"kembali daripada ahli {main}: penggabungan dibatalkan.")
    assert buy(world, "2", "later").json()["member"] == duplicate
    sound(world)


def test_redemptions_go_along(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    held = redeem(world, duplicate, "1").json()["id"]
    spent = redeem(world, duplicate, "2", confirm=True).json()["id"]
    identity = merged(world, main, duplicate)
    assert available(world, main) == 120
    # Both count against the limit of the member who stays.
    assert_problem(redeem(world, main, "3"), 409, "reward_unavailable")
    assert [one["member"] for one in world.call("GET", f"/v1/redemptions?member={main}").json()["items"]] == [main] * 2
    assert world.call("POST", f"/v1/redemptions/{held}/confirm").json()["state"] == "confirmed"
    assert world.call("POST", f"/v1/redemptions/{spent}/refund").json()["state"] == "refunded"
    assert available(world, main) == 160
    sound(world)
    parted(world, identity)
    # What it was refunded is the duplicate's, and so is what it confirmed.
    assert (available(world, main), available(world, duplicate)) == (80, 80)
    assert world.call("POST", f"/v1/redemptions/{held}/refund").json()["member"] == duplicate
    assert (available(world, main), available(world, duplicate)) == (80, 120)
    sound(world)


def test_who_has_spent_since_bears_it(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    identity = merged(world, main, duplicate)
    give(world, main, -90)
    # The oldest lots gave first: 80 of the one who stays, and 10 that were the duplicate's.
    body = assert_problem(undo(world, identity), 409, "merge_spent")
    assert body["missing"] == {"stars": 10}
    assert available(world, duplicate) == 110
    give(world, main, 50)
    parted(world, identity)
    assert (available(world, main), available(world, duplicate)) == (40, 120)
    sound(world)


def test_what_nobody_has_any_more_the_duplicate_may_do_without(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    identity = merged(world, main, duplicate)
    give(world, main, -90)
    parted(world, identity, short=True)
    assert (available(world, main), available(world, duplicate)) == (0, 110)
    sound(world)


def test_two_who_are_not_two(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    third = member(world, "3", 5)
    assert_problem(merge(world, main, main), 422, "invalid_merge")
    assert_problem(merge(world, main, "mem_" + "0" * 32), 404, "member_not_found")
    assert_problem(merge(world, main, "x"), 404, "member_not_found")
    answer = merge(world, main, duplicate)
    again = merge(world, main, duplicate)
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", answer.json())
    # The other way round they are one and the same.
    assert_problem(merge(world, duplicate, main), 422, "invalid_merge")
    assert_problem(merge(world, third, duplicate), 409, "merge_conflict")
    assert world.call("POST", f"/v1/members/{third}/close", json={"reason": "x"}).status_code == 200
    assert_problem(merge(world, main, third), 409, "merge_conflict")
    assert_problem(merge(world, third, main), 409, "merge_conflict")
    assert available(world, main) == 200


def test_strangers_are_nobody(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    theirs = world.call("POST", "/v1/members", json={"identifiers": {"card": "1"}}, key=world.stranger).json()["id"]
    assert_problem(merge(world, main, theirs), 404, "member_not_found")
    body, headers = {"duplicate": duplicate, "reason": "x"}, {"Idempotency-Key": "x"}
    path = f"/v1/members/{theirs}/merge"
    answer = world.call("POST", path, json=body, headers=headers, key=world.stranger)
    assert_problem(answer, 404, "member_not_found")
    identity = merged(world, main, duplicate)
    for method, tail, sent in (("GET", "", None), ("POST", "/undo", {"reason": "x"})):
        answer = world.call(method, f"/v1/merges/{identity}{tail}", json=sent, headers=headers, key=world.stranger)
        assert_problem(answer, 404, "merge_not_found")
    assert_problem(world.call("GET", "/v1/merges/x"), 404, "merge_not_found")
    assert world.call("GET", f"/v1/merges/{identity}").json()["duplicate"] == duplicate


def test_a_chain_is_undone_from_its_end(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    top = member(world, "3", 1)
    first, second = merged(world, main, duplicate), merged(world, top, main)
    assert available(world, duplicate) == 201
    assert buy(world, "2", "b").json()["member"] == top
    assert_problem(undo(world, first), 409, "merge_conflict")
    parted(world, second)
    # The purchase stays with the one who stood for all three.
    assert (available(world, top), available(world, main)) == (11, 200)
    assert world.call("GET", f"/v1/members/{duplicate}").json()["id"] == main
    parted(world, first)
    assert (available(world, main), available(world, duplicate)) == (80, 120)
    again = undo(world, first)
    assert again.headers["idempotent-replayed"] == "true"
    sound(world)


def test_two_are_merged_and_the_first_parts_first(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    other = member(world, "3", 30)
    before = whole(world, other)
    first, second = merged(world, main, duplicate), merged(world, main, other)
    parted(world, first)
    assert (available(world, main), available(world, duplicate)) == (110, 120)
    sound(world)
    parted(world, second)
    assert whole(world, other) == before
    sound(world)


def test_a_failing_commit_keeps_nothing(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    world.refuse_commits_to("member_merge")
    assert merge(world, main, duplicate).status_code >= 500
    assert (available(world, main), available(world, duplicate)) == (80, 120)
    assert (world.count("member_merge"), findings(world)) == (0, [])


def test_it_is_merged_again_after_it_was_parted(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    parted(world, merged(world, main, duplicate))
    identity = merged(world, duplicate, main)
    assert available(world, main) == 200
    assert world.call("GET", f"/v1/members/{main}").json()["id"] == duplicate
    parted(world, identity)
    assert (available(world, main), available(world, duplicate)) == (80, 120)
    assert len(world.call("GET", f"/v1/members/{main}/merges").json()["merges"]) == 2
    assert_problem(post(world, f"/v1/merges/{identity}/undo", {"reason": "x"}), 400, "idempotency_key_required")
    sound(world)


def test_coupons_go_along_and_come_back(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    campaigns = {"ten": {"on": "purchase", "discount": {"percent": 10, "coupon": True}}}
    open_club(world, campaigns=campaigns)
    asked = {"campaign": "ten", "members": [duplicate]}
    answer = post(world, "/v1/coupons", asked, key="c")
    assert answer.status_code == 201, answer.text
    identity = merged(world, main, duplicate)
    assert len(world.call("GET", f"/v1/members/{main}/coupons").json()["items"]) == 1
    parted(world, identity)
    assert world.call("GET", f"/v1/members/{main}/coupons").json()["items"] == []
    assert len(world.call("GET", f"/v1/members/{duplicate}/coupons").json()["items"]) == 1
    sound(world)


def back(world: World, card: str, order: str, external_id: str) -> Any:
    event = {"type": "return", "external_id": external_id, "member": {"card": card}, "data": {"order": order}}
    return world.call("POST", "/v1/events", json=event)


def test_an_order_of_the_duplicate_comes_back(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    assert buy(world, "2", "o", "30.00").status_code == 201
    identity = merged(world, main, duplicate)
    answer = back(world, "2", "o", "r")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["member"], available(world, main)) == (main, 200)
    # Out of the very lot that moved along.
    assert [left for left, _ in lots(world, main)] == [80, 120]
    [(counters,)] = rows(world, "SELECT counters FROM member_state WHERE member_id = %s", main.removeprefix("mem_"))
    assert counters["lifetime"] == {"orders": 0, "spend": 0}
    # Nothing is left of it: the same again takes nothing.
    assert (back(world, "2", "o", "again").json()["effects"], available(world, main)) == ([], 200)
    sound(world)
    parted(world, identity)
    # It came back for the duplicate: neither has it, and nobody can return it again.
    for who in two:
        [(counters,)] = rows(world, "SELECT counters FROM member_state WHERE member_id = %s", who.removeprefix("mem_"))
        assert counters.get("lifetime", {}).get("spend", 0) == 0
    assert (available(world, main), available(world, duplicate)) == (80, 120)
    assert back(world, "2", "o", "once more").json()["effects"] == []
    assert available(world, duplicate) == 120
    sound(world)


def test_an_order_comes_back_after_the_members_were_parted(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    assert buy(world, "2", "o", "30.00").status_code == 201
    parted(world, merged(world, main, duplicate))
    assert available(world, duplicate) == 150
    assert back(world, "2", "o", "r").status_code == 201
    assert [left for left, _ in lots(world, duplicate)] == [120]
    sound(world)


def test_who_is_in_a_household_leaves_it_first(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    open_club(world, households={})
    answer = post(world, "/v1/households", {"owner": duplicate}, key="h")
    assert answer.status_code == 201, answer.text
    assert_problem(merge(world, main, duplicate), 409, "merge_conflict")


def test_two_requests_of_one_who_was_two_are_decided_after_each_other(world: World, two: tuple[str, str]) -> None:
    main, duplicate = two
    merged(world, main, duplicate)
    asked = [
        Wanted(
            asked=Asked(member=UUID(who.removeprefix("mem_")), reward="coffee", confirm=True, reference=who),
            actor="x",
            key=None,
            now=dt.datetime.now(dt.UTC),
        )
        for who in two
    ]
    with world.database.transaction() as tx:
        connection = driver_connection(tx)
        live = world.app.state.programs.live(connection, world.program_id)
        with pytest.raises(StockExhausted):
            redeem_together(connection, live, world.app.state.rewards.book, asked)
    for who in two:
        assert redeem(world, who, who, confirm=True).status_code == 201
    assert_problem(redeem(world, duplicate, "3", confirm=True), 409, "reward_unavailable")
