"""A program of a case's own behind the real API: the whole app in this process, on a real database."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from httpx import Response

from asgi_client import Client
from cases.draft import LADDER, POINTS
from cases.published import Data
from setia.db.embedded import EmbeddedServer
from setia.db.engine import Database
from setia.db.migrate import upgrade
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.program.lint import compile_check
from setia.server import build
from setia.settings import Settings
from setia.versions.service import publish


class Server:
    """The app, and the database for the programs of all cases."""

    def __init__(self, database: Database, client: Client) -> None:
        self.database = database
        self.client = client
        self._opened = 0

    def open(self, definition: Data, clock: dt.datetime) -> Shop:
        """A new program in test mode, with a clock of its own that stands at `clock`."""
        self._opened += 1
        definition["program"]["id"] += f"-{self._opened}"
        program = Program.model_validate(definition)
        errors = [str(finding) for finding in compile_check(program) if finding.severity == "error"]
        if errors:
            raise AssertionError(f"the definition is wrong: {errors}")
        with self.database.transaction() as tx:
            program_id = publish(tx, program, "cases", mode="test", clock=clock).version.program_id
            key = str(create_key(tx, program_id, "test", list(Scope)))
        return Shop(self.client, key, program, clock)


@contextmanager
def serving(database: Database) -> Iterator[Server]:
    """The app on a migrated database."""
    with Client(build(Settings(), database, rate_limit=0, access_log=False)) as client:
        yield Server(database, client)


@contextmanager
def scratch() -> Iterator[Server]:
    """The app on a database that is made for it and gone afterwards."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a name of its own is made in it
    # The database may run as a system user of its own, who is not let into other people's folders.
    folder = Path(tempfile.mkdtemp(prefix="setia-cases-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o711)
    try:
        with EmbeddedServer(folder / "data", durable=False) as embedded, Database(embedded.url("postgres")) as database:
            upgrade(database)
            with serving(database) as server:
                yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Refused(Exception):  # noqa: N818 - it is an answer
    """The API refused something that a case takes for granted."""


@dataclass(frozen=True)
class Answer:
    """What the API answered; `problem` is the code of a refusal."""

    body: Data
    problem: str | None = None
    replayed: bool = False

    @property
    def effects(self) -> list[Data]:
        """The effects of an event."""
        return list(self.body.get("effects", []))


@dataclass
class Shop:
    """The API, in the words of a case. Points are whole points; members are called by the names of the case."""

    client: Client
    key: str
    program: Program
    now: dt.datetime
    attributes: Data = field(default_factory=dict)
    """What everybody is enrolled with."""
    members: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, Data] = field(default_factory=dict)
    """Identifiers that somebody has beside the name."""
    _sent: int = 0

    @property
    def digits(self) -> int:
        """The decimals of the case's points."""
        return self.program.points[POINTS].decimals

    def whole(self, units: int, points: str = POINTS) -> Decimal:
        """An amount of the API, which is in smallest units, in whole points."""
        return Decimal(units).scaleb(-self.program.points[points].decimals)

    def units(self, amount: Decimal, points: str = POINTS) -> int:
        """An amount of whole points in smallest units."""
        return int(amount.scaleb(self.program.points[points].decimals))

    def move_clock(self, to: dt.datetime) -> None:
        """Let time pass. All that falls due until then is done, day by day."""
        if to > self.now:
            self._must("POST", "/v1/clock", {"to": to.isoformat()})
            self.now = to

    def enrol(self, name: str, **more: Any) -> str:
        """Make sure that somebody is a member; give the id."""
        if name not in self.members:
            identifiers = {"external_id": name, **self.contacts.get(name, {})}
            body = {"identifiers": identifiers, "attributes": self.attributes, **more}
            self.members[name] = str(self._must("POST", "/v1/members", body)["id"])
        return self.members[name]

    def find(self, name: str) -> str | None:
        """The id of who is known by a name now."""
        found = self._must("GET", f"/v1/members?external_id={name}")["items"]
        return str(found[0]["id"]) if found else None

    def set_attributes(self, name: str, **attributes: Any) -> None:
        """Change what is known of a member."""
        self._must("PATCH", f"/v1/members/{self.enrol(name)}", {"attributes": attributes})

    def send(self, event: Data, name: str | None, at: dt.datetime) -> Answer:
        """Send an event. What the API would have said to the same as a question must be what it does."""
        self._sent += 1
        body: Data = {"external_id": f"e{self._sent}", "occurred_at": at.isoformat(), **event}
        if name is not None:
            body["member"] = {"id": self.enrol(name)}
        asked = self._call("POST", "/v1/calculate", body)
        answer = self._call("POST", "/v1/events", body)
        done = _answer(answer)
        # A repeated event is answered as the first time, and a question knows of no repetition; for a guest it says
        # what a member would get; what comes back is no basket.
        is_basket = name is not None and not done.replayed and event["type"] not in {"return", "cancel"}
        if is_basket and asked.status_code == 200 and asked.json()["granted"] != done.body.get("granted"):
            message = f"calculate said {asked.json()['granted']}, the event did {done.body.get('granted')}"
            raise AssertionError(message)
        return done

    def adjust(self, name: str, amount: Decimal, points: str = POINTS, **more: Any) -> Answer:
        """Give or take points by hand."""
        self._sent += 1
        body = {"points": points, "amount": self.units(amount, points), "reason": "the case says so", **more}
        path = f"/v1/members/{self.enrol(name)}/adjustments"
        return _answer(self._call("POST", path, body, {"Idempotency-Key": f"a{self._sent}"}))

    def wallet(self, name: str, points: str = POINTS) -> dict[str, Decimal]:
        """What a member has: available, pending, held."""
        found = self._must("GET", f"/v1/members/{self.enrol(name)}/wallets")["wallets"]
        [wallet] = [one for one in found if one["points"] == points]
        return {state: self.whole(wallet[state], points) for state in ("available", "pending", "held")}

    def worth(self, name: str) -> Decimal:
        """What a member's points are worth in money."""
        found = self._must("GET", f"/v1/members/{self.enrol(name)}/wallets")["wallets"]
        return Decimal(found[0]["value"])

    def lots(self, name: str) -> list[Data]:
        """A member's points by lot, in the order in which they were earned."""
        return list(self._must("GET", f"/v1/members/{self.enrol(name)}/lots")["lots"])

    def statement(self, name: str) -> list[Data]:
        """Everything that was booked for a member, the oldest first."""
        items = self._must("GET", f"/v1/members/{self.enrol(name)}/statement?limit=200")["items"]
        return list(reversed(items))

    def standing(self, name: str) -> Data | None:
        """A member's place on the ladder; None where there is no ladder."""
        found = self._must("GET", f"/v1/members/{self.enrol(name)}/tiers")["tiers"]
        return dict(found[0]) if found else None

    def give_level(self, name: str, level: str) -> None:
        """Give a member a level by hand, to stand on without end."""
        body = {"level": level, "reason": "the case says so"}
        self._must("PUT", f"/v1/members/{self.enrol(name)}/tiers/{LADDER}", body)

    def gift_card(self, card: str) -> Data:
        """How a gift card stands."""
        return self._must("GET", f"/v1/gift-cards/{card}")

    def explanation(self, event_id: str) -> Data:
        """Why an event did what it did."""
        return self._must("GET", f"/v1/events/{event_id}/explanation")

    def get(self, path: str) -> Data:
        """Read anything else."""
        return self._must("GET", path)

    def post(self, path: str, body: Data, headers: dict[str, str] | None = None) -> Answer:
        """Send anything else."""
        return _answer(self._call("POST", path, body, headers))

    def _must(self, method: str, path: str, body: Any = None) -> Data:
        answer = _answer(self._call(method, path, body))
        if answer.problem is not None:
            raise Refused(f"{method} {path}: {answer.body.get('title')} {answer.body.get('detail')}")
        return answer.body

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        more = {} if body is None else {"json": body}
        allowed = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.client.request(method, path, headers=allowed, **more)


def _answer(answer: Response) -> Answer:
    body = dict(answer.json())
    replayed = answer.headers.get("Idempotent-Replayed") == "true"
    return Answer(body, None if answer.status_code < 400 else str(body.get("code")), replayed)
