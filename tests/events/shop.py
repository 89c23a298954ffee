"""Short words for what the tests of the way in do: publish a program, send events, look at what is kept."""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from httpx import Response

from api_world import World, definition
from setia.events.arrivals import Arrival, arrive, draft
from setia.events.live import LiveProgram, ready
from setia.ledger.verify import Finding, verify
from setia.program.definition import Program
from setia.versions.service import publish

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
LINE: dict[str, Any] = {"sku": "latte", "amount": "10.00"}
EVENTS = {
    "survey": {
        "data": {
            "type": "object",
            "properties": {"score": {"type": "integer", "minimum": 0}, "tips": {"type": "array"}},
            "required": ["score"],
            "additionalProperties": False,
        }
    }
}
WELCOME = {"welcome": {"on": "member_enrolled", "earn": {"stars": 50}}}
STATUS = {
    "id": "status",
    "metric": "points.stars.earned",
    "window": "calendar_year",
    "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 100}],
}
BASE = {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}}


def program(unknown: str = "refuse", **more: Any) -> dict[str, Any]:
    """The program of `api_world`, with other campaigns, or other parts; what is not said stays."""
    whole = definition(**more)
    whole["members"]["unknown"] = unknown
    return whole


def go_live(world: World, whole: Mapping[str, Any]) -> int:
    """Publish a version; give its number."""
    with world.database.transaction() as tx:
        return publish(tx, Program.model_validate(whole), "test").version.number


def purchase(external_id: str | None, amount: str = "10.00", **more: Any) -> dict[str, Any]:
    """A purchase with one line, of the member with the card 1."""
    return {
        "type": "purchase",
        "external_id": external_id,
        "member": {"card": "1"},
        "lines": [{"sku": "latte", "amount": amount}],
        **more,
    }


def send(world: World, event: Mapping[str, Any], **more: Any) -> Response:
    """Send one event."""
    return world.call("POST", "/v1/events", json=dict(event), **more)


def booked(world: World, event: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Send one event that must be accepted; give the answer."""
    answer = send(world, event, **more)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def batch(world: World, *events: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Send a batch; give the answer."""
    answer = world.call("POST", "/v1/events/batch", json={"events": list(events)}, **more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def calculated(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """What an event would do."""
    answer = world.call("POST", "/v1/calculate", json=dict(event))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ago(**time: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(**time)).isoformat()


def enrolled(world: World, card: str = "1", *, days_ago: int = 0, **more: Any) -> str:
    """Enrol somebody, some days ago; give the id."""
    sent = {"identifiers": {"card": card}, "enrolled_at": ago(days=days_ago), **more}
    answer = world.call("POST", "/v1/members", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def rows(world: World, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read what is stored."""
    with world.database.raw_connection() as connection:
        return connection.execute(query, values or None).fetchall()


TABLES = (
    "event",
    "kept_event",
    "budget",
    "journal",
    "posting",
    "wallet",
    "lot",
    "member_state",
    "member",
    "member_identifier",
    "idempotency_key",
)


def counts(world: World) -> dict[str, int]:
    """How many rows each table has that an event could touch."""
    [found] = rows(world, "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES))
    return dict(zip(TABLES, found, strict=True))


def findings(world: World) -> list[Finding]:
    """What `setia verify` finds."""
    return verify(world.database).findings


def live(**more: Any) -> LiveProgram:
    """A program that is ready, without a database."""
    return ready(1, Program.model_validate(definition(**more)), 1)


def arrived(event: Mapping[str, Any] | bytes, program: LiveProgram | None = None) -> Arrival:
    """Bring one event through the reader and the checks."""
    raw = event if isinstance(event, bytes) else json.dumps(event, default=_plain).encode()
    return arrive(program or live(events=EVENTS), draft(raw, NOW))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value))
