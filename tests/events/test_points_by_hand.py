"""Points ended, extended and taken back by hand, and what ends soon."""

from typing import Any

import pytest
from httpx import Response

from api_world import World, assert_problem
from clock.try_out import TryOut
from events.test_points_in_time import QUIET, STATUS, begin, ends, sentences, wallet
from setia.events.verify import verify

MONTHS: dict[str, Any] = {"expiry": {"after": "1mo", "align": "month_end"}}


@pytest.fixture(autouse=True)
def _nothing_is_wrong(world: World) -> Any:
    yield
    assert verify(world.database).findings == []


def by_hand(here: TryOut, member: str, what: str, key: str = "k", **body: Any) -> Response:
    sent = {"reason": "asked for", **body}
    return here.call("POST", f"/v1/members/{member}/points/{what}", json=sent, headers={"Idempotency-Key": key})


def done(answer: Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def faults(answer: Response) -> list[str]:
    body = assert_problem(answer, 422, "invalid_points_change") or answer.json()
    return [error["pointer"] for error in body["errors"]]


def lots(here: TryOut, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = here.call("GET", f"/v1/members/{member}/lots").json()["lots"]
    return found


def shopper(world: World, stars: dict[str, Any], **more: Any) -> tuple[TryOut, str]:
    """Ten stars of January and seven of February, on 10 February."""
    here = begin(world, stars, **more)
    member = here.enrol()
    here.buy("p1")
    here.advance("2026-02-10T12:00+01:00")
    here.buy("p2", "7.00")
    return here, member


def test_what_ends_first_is_ended_first(world: World) -> None:
    here, member = shopper(world, MONTHS)
    body = done(by_hand(here, member, "expire", points="stars", amount=12))
    assert [(lot["what"], lot["amount"], lot["campaign"]) for lot in body["lots"]] == [
        ("expired", 10, "base"),
        ("expired", 2, "base"),
    ]
    assert body["balances_after"]["stars"] == {"available": 5, "pending": 0, "held": 0}
    assert sentences(here, member)[0] == "12 stars ended by hand. Reason: asked for."
    assert sentences(here, member, "de")[0] == "12 stars von Hand beendet. Grund: asked for."
    [lot] = lots(here, member)
    done(by_hand(here, member, "expire", "k2", points="stars", lot=lot["lot"], amount=None))
    assert here.stars(member) == (0, 0)


def test_a_key_books_once_and_belongs_to_its_request(world: World) -> None:
    here, member = shopper(world, MONTHS)
    other = here.enrol("2")
    first = by_hand(here, member, "expire", points="stars", amount=3)
    again = by_hand(here, member, "expire", points="stars", amount=3)
    assert (done(first), first.headers.get("Idempotent-Replayed")) == (done(again), None)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert here.stars(member) == (14, 0)
    for somebody, amount in ((member, 4), (other, 3)):
        answer = by_hand(here, somebody, "expire", points="stars", amount=amount)
        assert_problem(answer, 422, "idempotency_key_reused")
    missing = here.call("POST", f"/v1/members/{member}/points/expire", json={"points": "stars", "reason": "x"})
    assert missing.status_code == 400


def test_extended_points_keep_what_they_are_and_end_later(world: World) -> None:
    here, member = shopper(world, MONTHS)
    assert ends(here, member) == [(10, "2026-02-28T23:00:00+00:00"), (7, "2026-03-31T22:00:00+00:00")]
    body = done(by_hand(here, member, "extend", points="stars", amount=4, expires_at="2026-07-01T00:00:00+02:00"))
    assert body["lots"][0]["what"] == "extended"
    assert ends(here, member) == [
        (6, "2026-02-28T23:00:00+00:00"),
        (7, "2026-03-31T22:00:00+00:00"),
        (4, "2026-06-30T22:00:00+00:00"),
    ]
    assert {lot["earned_at"][:10] for lot in lots(here, member) if lot["campaign"] == "base"} == {
        "2026-01-01",
        "2026-02-10",
    }
    assert sentences(here, member)[0] == "4 stars can now be used through 2026-06-30. Reason: asked for."
    # everything without an end: the one that ends latest too
    done(by_hand(here, member, "extend", "k2", points="stars", expires_at=None))
    assert {end for _, end in ends(here, member)} == {None}
    assert sentences(here, member)[0] == "17 stars no longer end. Reason: asked for."
    here.advance("2y")
    assert here.stars(member) == (17, 0)


def test_pending_points_of_an_order_are_taken_back(world: World) -> None:
    here, member = shopper(world, {"available_on": "shipped"}, tiers=[STATUS])
    body = done(by_hand(here, member, "cancel", order="p1"))
    assert [(lot["what"], lot["amount"], lot["order"]) for lot in body["lots"]] == [("cancelled", 10, "p1")]
    assert sentences(here, member)[0] == "10 pending stars of order p1 taken back. Reason: asked for."
    assert here.call("GET", f"/v1/members/{member}/tiers").json()["tiers"][0]["value"] == 7
    assert faults(by_hand(here, member, "cancel", "k2", order="p1")) == ["#/order"]
    [waiting] = lots(here, member)
    assert (waiting["pending"], waiting["available_at"]) == (True, None)
    assert faults(by_hand(here, member, "extend", "k3", points="stars", lot=waiting["lot"], expires_at=None)) == [
        "#/lot"
    ]
    done(by_hand(here, member, "expire", "k4", points="stars", lot=waiting["lot"], amount=None))
    assert faults(by_hand(here, member, "cancel", "k5", points="stars")) == ["#/points"]
    assert here.stars(member) == (0, 0)


@pytest.mark.parametrize(
    ("what", "body", "pointers"),
    [
        ("expire", {"points": "stras"}, ["#/points"]),
        ("expire", {"points": "status"}, ["#/points"]),
        ("expire", {"points": "stars", "lot": "2.0", "amount": 1}, ["#/amount"]),
        ("expire", {"points": "stars", "lot": "99.0"}, ["#/lot"]),
        ("extend", {"points": "stars", "expires_at": "2026-02-01T00:00:00Z"}, ["#/expires_at"]),
        ("extend", {"points": "stars", "expires_at": "2026-02-15T00:00:00Z"}, ["#/points"]),
    ],
)
def test_what_cannot_be_done_is_said_with_its_place(
    world: World, what: str, body: dict[str, Any], pointers: list[str]
) -> None:
    here, member = shopper(world, MONTHS)
    assert faults(by_hand(here, member, what, **body)) == pointers
    assert here.stars(member) == (17, 0)


def test_more_than_there_is_and_a_closed_member_are_refused(world: World) -> None:
    here, member = shopper(world, MONTHS)
    assert_problem(by_hand(here, member, "expire", points="stars", amount=18), 409, "insufficient_points")
    here.made("POST", f"/v1/members/{member}/close", reason="asked")
    assert by_hand(here, member, "expire", "k2", points="stars", amount=1).status_code == 409


def test_points_that_end_together_are_not_extended_one_by_one(world: World) -> None:
    here, member = shopper(world, QUIET)
    assert faults(by_hand(here, member, "extend", points="stars", expires_at=None)) == ["#/points"]


def test_nothing_is_kept_when_the_commit_fails(world: World) -> None:
    here, member = shopper(world, MONTHS)
    world.refuse_commits_to("journal")
    answer = by_hand(here, member, "expire", points="stars", amount=1)
    assert answer.status_code >= 500
    world.database.engine.dispose()
    with world.database.transaction() as tx:
        tx.exec_driver_sql("DROP FUNCTION refuse CASCADE")
    assert here.stars(member) == (17, 0)


def test_what_ends_soon_is_told_by_the_last_day(world: World) -> None:
    here, member = shopper(world, MONTHS)
    path = f"/v1/members/{member}/points/expiring"
    soon = here.call("GET", path, params={"within": "30d"}).json()
    assert soon["expiring"] == {"stars": [{"date": "2026-02-28", "amount": 10}]}
    assert soon["until"] == "2026-03-12T11:00:00Z"
    assert here.call("GET", path, params={"within": "2mo"}).json()["expiring"]["stars"][1] == {
        "date": "2026-03-31",
        "amount": 7,
    }
    assert here.call("GET", path, params={"within": "1d"}).json()["expiring"] == {}
    assert here.call("GET", path, params={"within": "soon"}).status_code == 422
    assert wallet(here, member)["expiring"][0] == {"date": "2026-02-28", "amount": 10}
    past = here.call("GET", f"/v1/members/{member}/wallets", params={"at": "2026-01-02T00:00:00Z"}).json()
    assert past["wallets"][0]["expiring"] is None
