"""Whatever people and tills do in whatever order: no cent is lost or made, no balance is below zero."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from api_world import World
from gift_cards.drawer import end, findings, issued, open_shop, post, rows, use

pytestmark = pytest.mark.slow

STEP = st.tuples(
    st.sampled_from(
        ["take", "hold", "some", "capture", "part", "release", "refund", "load", "move", "block", "unblock", "pay"]
    ),
    st.integers(0, 3),
    st.integers(1, 700),
)


class Play:
    """Two cards, the uses of both, and a plain model of what should be on them."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number, self.step_number = world, number, 0
        self.cards = [issued(world, 1000), issued(world, 500)]
        self.there = [1000, 500]
        self.uses: list[dict[str, Any]] = []
        self.blocked = [False, False]

    def step(self, what: str, subject: int, amount: int) -> None:
        self.step_number += 1
        getattr(self, f"_{what}")(subject, amount)

    def _use(self, subject: int, amount: int, **more: Any) -> None:
        place = subject % 2
        answer = use(self.world, self.cards[place], amount, f"{self.number}/{self.step_number}", **more)
        allowed = not self.blocked[place] and self.there[place] > 0
        fits = amount <= self.there[place] or more.get("partly", False)
        assert (answer.status_code == 201) == (allowed and fits), answer.text
        if answer.status_code == 201:
            taken = min(amount, self.there[place])
            self.there[place] -= taken
            held = not more.get("capture", True)
            self.uses.append(
                {"id": answer.json()["id"], "card": place, "held": taken * held, "left": taken * (not held)}
            )

    def _take(self, subject: int, amount: int) -> None:
        self._use(subject, amount)

    def _hold(self, subject: int, amount: int) -> None:
        self._use(subject, amount, capture=False)

    def _some(self, subject: int, amount: int) -> None:
        self._use(subject, amount, partly=True)

    def _capture(self, subject: int, _amount: int) -> None:
        self._part(subject, None)

    def _part(self, subject: int, amount: int | None) -> None:
        if not self.uses:
            return
        one = self.uses[subject % len(self.uses)]
        body: dict[str, Any] = {} if amount is None else {"amount": amount}
        answer = end(self.world, one, "capture", **body)
        wanted = one["held"] if amount is None else amount
        if one["held"] and wanted <= one["held"]:
            assert answer.status_code == 200, answer.text
            self.there[one["card"]] += one["held"] - wanted
            one.update(held=0, left=wanted)
        else:
            assert answer.status_code in {200, 409, 422}

    def _release(self, subject: int, _amount: int) -> None:
        if self.uses:
            one = self.uses[subject % len(self.uses)]
            answer = end(self.world, one, "release")
            if one["held"]:
                assert answer.status_code == 200, answer.text
                self.there[one["card"]] += one["held"]
                one["held"] = 0

    def _refund(self, subject: int, amount: int) -> None:
        if self.uses:
            one = self.uses[subject % len(self.uses)]
            answer = end(self.world, one, "refund", f"r{self.number}/{self.step_number}", amount=amount)
            assert (answer.status_code == 200) == (amount <= one["left"]), answer.text
            if answer.status_code == 200:
                self.there[one["card"]] += amount
                one["left"] -= amount

    def _load(self, subject: int, amount: int) -> None:
        answer = self._post(subject, "load", amount=amount)
        if answer.status_code == 200:
            self.there[subject % 2] += amount

    def _move(self, subject: int, amount: int) -> None:
        other = self.cards[(subject + 1) % 2]["id"]
        if self._post(subject, "transfer", to=other, amount=amount, reason="x").status_code == 200:
            self.there[subject % 2] -= amount
            self.there[(subject + 1) % 2] += amount

    def _pay(self, subject: int, amount: int) -> None:
        if self._post(subject, "pay-out", amount=amount, reason="x").status_code == 200:
            self.there[subject % 2] -= amount

    def _block(self, subject: int, _amount: int) -> None:
        self._post(subject, "block", reason="x")
        self.blocked[subject % 2] = True

    def _unblock(self, subject: int, _amount: int) -> None:
        self._post(subject, "unblock", reason="x")
        self.blocked[subject % 2] = False

    def _post(self, subject: int, what: str, **body: Any) -> Any:
        key = f"p{self.number}/{self.step_number}"
        answer = post(self.world, f"gift-cards/{self.cards[subject % 2]['id']}/{what}", key, **body)
        assert answer.status_code in {200, 409}, answer.text
        return answer


def test_nothing_is_lost_or_made(world: World) -> None:
    open_shop(world)
    played = 0

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEP, max_size=14))
    def play(steps: list[tuple[str, int, int]]) -> None:
        nonlocal played
        played += 1
        shop = Play(world, played)
        for step in steps:
            shop.step(*step)
        ids = [card["id"].removeprefix("gfc_") for card in shop.cards]
        query = "SELECT balance, held FROM gift_card WHERE id = ANY (%s::uuid[]) ORDER BY id"
        held = [sum(one["held"] for one in shop.uses if one["card"] == place) for place in range(2)]
        assert rows(world, query, ids) == list(zip(shop.there, held, strict=True))
        assert min(shop.there) >= 0
        assert findings(world) == []
        report = world.call("GET", "/v1/reports/gift-cards").json()
        assert report["agrees"] is True

    play()
