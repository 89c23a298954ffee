"""Frozen points: whatever would spend them is refused, everything else goes on, and the history says who and why."""

import re
from pathlib import Path
from typing import Any

import pytest

import setia
from api_world import World, assert_problem
from events.shop import booked, calculated, enrolled, findings, go_live, program, purchase, rows, send
from moving import movers
from rewards.counter import REWARDS, ask, give
from setia.events.rebuild import rebuild_states

CAMPAIGNS = {
    "base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}},
    "fee": {"on": "visit", "deduct": {"stars": 5}},
}
POINTS = {"stars": {"value": "0.03"}, "status": {"spendable": False}}


@pytest.fixture
def who(world: World) -> str:
    """A member with 400 stars."""
    go_live(world, program(points=POINTS, campaigns=CAMPAIGNS, rewards={"coffee": REWARDS["coffee"]}))
    found = enrolled(world)
    give(world, found, 400)
    return found


def freeze(world: World, member: str, what: str = "freeze", reason: str = "Lost my card") -> dict[str, Any]:
    answer = world.call("POST", f"/v1/members/{member}/points/{what}", json={"reason": reason})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def adjusted(world: World, member: str, amount: int, **more: Any) -> Any:
    body = {"points": "stars", "amount": amount, "reason": "test", **more}
    headers = {"Idempotency-Key": f"{amount}-{more}".replace(" ", "")}
    return world.call("POST", f"/v1/members/{member}/adjustments", json=body, headers=headers)


def test_nothing_spends_frozen_points(world: World, who: str) -> None:
    assert freeze(world, who)["frozen"] is True
    problem = assert_problem(ask(world, who), 409, "reward_unavailable")
    assert {"code": "points_frozen"} in problem["reasons"]
    problem = assert_problem(adjusted(world, who, -5), 409, "points_frozen")
    assert problem["member"] == who
    visit = {"type": "visit", "external_id": "v1", "member": {"card": "1"}}
    assert_problem(send(world, visit), 409, "points_frozen")
    assert_problem(world.call("POST", "/v1/calculate", json=visit), 409, "points_frozen")
    assert rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'") == [(400,)]
    assert rows(world, "SELECT count(*) FROM event WHERE type = 'visit'") == [(0,)]


def test_an_operator_may_take_them_all_the_same(world: World, who: str) -> None:
    freeze(world, who)
    answer = adjusted(world, who, -5, though_frozen=True)
    assert answer.status_code == 201
    assert answer.json()["balance_after"]["available"] == 395
    again = adjusted(world, who, -5, though_frozen=True)
    assert again.headers["idempotent-replayed"] == "true"
    assert findings(world) == []


def test_everything_else_goes_on(world: World, who: str) -> None:
    freeze(world, who)
    assert booked(world, purchase("o1", "10.00"))["granted"] == {"stars": 10}
    assert calculated(world, purchase("c", "10.00"))["granted"] == {"stars": 10}
    back = {"type": "return", "external_id": "r1", "member": {"card": "1"}, "data": {"order": "o1"}}
    assert booked(world, back)["granted"] == {"stars": -10}
    assert adjusted(world, who, 7).status_code == 201
    ended = world.call(
        "POST",
        f"/v1/members/{who}/points/expire",
        json={"points": "stars", "amount": 7, "reason": "test"},
        headers={"Idempotency-Key": "end"},
    )
    assert ended.status_code == 201
    assert rows(world, "SELECT available FROM wallet WHERE point_type = 'stars'") == [(400,)]


def test_setting_free_ends_it(world: World, who: str) -> None:
    frozen = freeze(world, who)
    assert freeze(world, who, reason="again") == frozen
    assert world.call("GET", f"/v1/members/{who}/points/freeze").json() == frozen
    assert freeze(world, who, "unfreeze", "Found it")["frozen_at"] is None
    assert freeze(world, who, "unfreeze")["frozen"] is False
    assert ask(world, who).status_code == 201
    kinds = rows(world, "SELECT actor LIKE 'key:%%', reason FROM journal WHERE kind = 'freeze' ORDER BY seq")
    assert kinds == [(True, "Lost my card"), (True, "Found it")]


def test_the_history_tells_it_and_counts_it_again(world: World, who: str) -> None:
    freeze(world, who)
    booked(world, purchase("o1", "10.00"))
    assert findings(world) == []
    assert rebuild_states(world.database, world.program_id, check=True).different == 0
    with world.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE member_state SET counters = '{}'")
    assert rebuild_states(world.database, world.program_id).different == 1
    assert world.call("GET", f"/v1/members/{who}/points/freeze").json()["frozen"] is True
    for locale, words in (("en", "Points frozen"), ("de", "Punkte eingefroren"), ("ms", "Mata dibekukan")):
        items = world.call("GET", f"/v1/members/{who}/statement?locale={locale}").json()["items"]
        [sentence] = next(item["sentences"] for item in items if item["kind"] == "freeze")
        assert sentence.startswith(words)
        assert "Lost my card" in sentence


def test_a_version_that_counts_anew_leaves_them_frozen(world: World, who: str) -> None:
    freeze(world, who)
    sums = {"spent": {"metric": "spend", "window": "lifetime"}}
    go_live(world, program(points=POINTS, campaigns=CAMPAIGNS, rewards={"coffee": REWARDS["coffee"]}, sums=sums))
    assert_problem(ask(world, who), 409, "reward_unavailable")
    assert findings(world) == []


def test_a_closed_member_and_a_failing_commit_keep_nothing(world: World, who: str) -> None:
    world.refuse_commits_to("journal")
    assert world.call("POST", f"/v1/members/{who}/points/freeze", json={"reason": "x"}).status_code == 500
    assert world.call("GET", f"/v1/members/{who}/points/freeze").json()["frozen"] is False
    assert world.call("POST", f"/v1/members/{who}/close", json={"reason": "x"}).status_code == 200
    answer = world.call("POST", f"/v1/members/{who}/points/freeze", json={"reason": "x"})
    assert_problem(answer, 409, "member_status_conflict")


GUARDED = {
    "events/acts.py": "Acts.take refuses",
    "ledger/adjustments.py": "adjust refuses, unless the operator says otherwise",
    "events/postings.py": "what events deduct: Deciding.decide refuses before",
    "events/taking_back.py": "returns go on",
    "ledger/debts.py": "a debt is paid by what comes in",
    "events/points_by_hand.py": "an operator ends or extends points",
    "rewards/paying_again.py": "pay_again refuses: an order whose return is cancelled spends again",
    "events/settling.py": "points end by themselves",
    "moving/merging.py": "an operator merges members",
    "moving/unmerging.py": "and undoes it",
}
_AGAIN = ("rewards/paying_again.py",)
TAKES = re.compile(r"^from setia\.ledger\.lots import .*\b(?:burn|earliest)\b", re.MULTILINE)


def test_every_place_that_chooses_lots_is_known_here() -> None:
    """Whoever takes points chooses lots: a new place fails this until it refuses frozen points, or says why not."""
    root = Path(setia.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.name != "lots.py" and TAKES.search(path.read_text(encoding="utf-8"))
    }
    assert found <= set(GUARDED)
    for name in ("events/acts.py", "ledger/adjustments.py", "events/deciding.py", "events/calculating.py", *_AGAIN):
        assert "refuse_frozen(" in (root / name).read_text(encoding="utf-8")


def test_frozen_points_do_not_move_to_others_nor_into_other_points(world: World) -> None:
    movers.open_club(world)
    who, friend = movers.member(world, "1", 400), movers.member(world, "2")
    movers.give(world, who, 500, "miles")
    freeze(world, who)
    assert movers.ask(world, who, friend).status_code == 409
    assert movers.exchange(world, who, 100).status_code == 409
    assert movers.available(world, who) == 400
    # To be given points is no spending.
    movers.give(world, friend, 50)
    assert movers.ask(world, friend, who).status_code == 201
    assert findings(world) == []
