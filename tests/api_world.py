"""A whole app in the process: two programs, and the three people who try everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from pydantic import SecretStr

from asgi_client import Client
from setia.api.app import Part
from setia.db.engine import Database
from setia.identity.scopes import Scope
from setia.identity.service import create_key
from setia.program.definition import Program
from setia.server import build
from setia.settings import Settings
from setia.versions.service import publish

PROBLEM = "application/problem+json"
SECRET = "a secret that is long enough for tests"


def definition(key: str = "coffee-stars", **more: Any) -> dict[str, Any]:
    """A small program as JSON."""
    return {
        "program": {"id": key, "name": "Coffee Stars", "currency": "EUR", "timezone": "Europe/Berlin"},
        "points": {"stars": {"value": "0.03"}, "status": {"spendable": False}},
        "members": {
            "attributes": {
                "birthday": {"type": "date", "personal": True},
                "size": {"values": ["s", "m", "l"]},
                "visits_a_week": {"type": "integer"},
            },
            "phone_region": "DE",
        },
        "campaigns": {"base": {"on": "purchase", "earn": {"stars": "1 per 1.00"}}},
        **more,
    }


@dataclass
class World:
    """`owner` may do everything, `colleague` nothing, `stranger` everything in another program."""

    app: FastAPI
    client: Client
    database: Database
    program_id: int
    other_program_id: int
    owner: str
    colleague: str
    stranger: str

    def call(self, method: str, path: str, *, key: str | None = "", headers: Any = None, **more: Any) -> Response:
        """Send a request; as the owner when nothing else is said, as nobody with `key=None`."""
        given = dict(headers or {})
        if key is not None:
            given.setdefault("Authorization", f"Bearer {key or self.owner}")
        return self.client.request(method, path, headers=given, **more)

    def enrol(self, **identifiers: Any) -> dict[str, Any]:
        """Enrol a member and give it as the API shows it."""
        answer = self.call("POST", "/v1/members", json={"identifiers": identifiers})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def key(self, *scopes: str, program_id: int | None = None) -> str:
        """Make a key."""
        with self.database.transaction() as tx:
            return str(create_key(tx, program_id or self.program_id, "live", scopes, label="test"))

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with self.database.transaction() as tx:
            return int(tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    def refuse_commits_to(self, table: str) -> None:
        """Let every commit fail that changed the table, after all its statements succeeded."""
        with self.database.transaction() as tx:
            tx.exec_driver_sql(
                f"""
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = 'check_violation'; END $$;
                CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table}
                  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
                """
            )


def make_world(database: Database, *, parts: tuple[Part, ...] = (), access_log: bool = False) -> World:
    """Make the app and its people."""
    with database.transaction() as tx:
        mine = publish(tx, Program.model_validate(definition()), "test").version.program_id
        other = publish(tx, Program.model_validate(definition("other-shop")), "test").version.program_id
        owner = str(create_key(tx, mine, "live", list(Scope)))
        # A key has one scope at least; this one is asked for nowhere among the routes with a member.
        colleague = str(create_key(tx, mine, "live", [Scope.CALCULATE]))
        stranger = str(create_key(tx, other, "live", list(Scope)))
    app = build(Settings(secret_key=SecretStr(SECRET)), database, parts, rate_limit=0, access_log=access_log)
    client = Client(app)
    return World(app, client, database, mine, other, owner, colleague, stranger)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """The app, without any limit of requests."""
    made = make_world(database)
    with made.client:
        yield made


def assert_problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    """Check the shape of a problem, and give its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:setia:problem:{code}"
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert isinstance(body["errors"], list)
    for item in body["errors"]:
        assert item["pointer"].startswith("#")
        assert item["message"]
    return body
