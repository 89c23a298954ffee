"""A program in test mode beside the live one of `api_world`, and short words for what happens in it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from httpx import Response

from api_world import World, definition
from setia.clock.service import Advanced, advance
from setia.events.live import LivePrograms
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.program.names import Period
from setia.versions.service import get_program, publish


def at(text: str) -> dt.datetime:
    """A moment, UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def program(zone: str = "Europe/Berlin", campaigns: dict[str, Any] | None = None, **stars: Any) -> dict[str, Any]:
    """The program of `api_world` in another zone, with other campaigns, or with stars that end or wait."""
    parts: dict[str, Any] = {} if campaigns is None else {"campaigns": campaigns}
    whole = definition(**parts)
    whole["program"]["timezone"] = zone
    whole["points"]["stars"] |= stars
    return whole


@dataclass
class TryOut:
    """The program in test mode, with a key that may do everything."""

    world: World
    program_id: int
    key: str

    @classmethod
    def begin(cls, world: World, clock: str, whole: dict[str, Any] | None = None) -> "TryOut":
        """Publish in test mode, with the clock at a moment."""
        sent = Program.model_validate(whole or program())
        with world.database.transaction() as tx:
            found = publish(tx, sent, "test", mode="test", clock=at(clock)).version.program_id
            key = str(create_key(tx, found, "test", list(Scope)))
        return cls(world, found, key)

    @property
    def now(self) -> dt.datetime:
        """Where the clock stands."""
        with self.world.database.transaction() as tx:
            clock = get_program(tx, self.program_id).clock
        assert clock is not None
        return clock.astimezone(dt.UTC)

    def advance(self, goal: str) -> Advanced:
        """Let time pass: up to a moment, or by a period."""
        wanted = at(goal) if "T" in goal else Period.model_validate(goal)
        return advance(self.world.database, LivePrograms(self.world.database), self.program_id, wanted)

    def call(self, method: str, path: str, **more: Any) -> Response:
        """Send a request with the test key."""
        return self.world.call(method, path, key=self.key, **more)

    def made(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Send a body that must be accepted; give the answer."""
        headers = {"Idempotency-Key": body.pop("idempotency_key", "none")}
        answer = self.call(method, path, json=body, headers=headers if headers["Idempotency-Key"] != "none" else {})
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def enrol(self, card: str = "1", **more: Any) -> str:
        """Enrol somebody; give the id."""
        return str(self.made("POST", "/v1/members", identifiers={"card": card}, **more)["id"])

    def buy(self, external_id: str, amount: str = "10.00", card: str = "1", **more: Any) -> dict[str, Any]:
        """A purchase with one line."""
        lines = [{"sku": "latte", "amount": amount}]
        return self.made(
            "POST", "/v1/events", type="purchase", external_id=external_id, member={"card": card}, lines=lines, **more
        )

    def stars(self, member: str) -> tuple[int, int]:
        """What a member has: available and pending."""
        wallets = self.call("GET", f"/v1/members/{member}/wallets").json()["wallets"]
        [stars] = [wallet for wallet in wallets if wallet["points"] == "stars"]
        return stars["available"], stars["pending"]

    def journal(self, kind: str) -> list[tuple[dt.datetime, dt.datetime]]:
        """Of the entries of a kind: when it happened, and when it was booked."""
        with self.world.database.raw_connection() as connection:
            query = (
                "SELECT occurred_at, booked_at FROM journal WHERE program_id = %s AND kind = %s ORDER BY booked_at, id"
            )
            return [(row[0], row[1]) for row in connection.execute(query, (self.program_id, kind))]
