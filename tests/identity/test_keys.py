"""API keys: shown once, stored as a hash, refused when they end."""

import asyncio
import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from api_world import World, assert_problem
from setia.identity import service
from setia.identity.keyring import InvalidKey, KeyRing
from setia.identity.scopes import MEANINGS, Scope
from setia.identity.secrets import KeyText
from setia.identity.service import NoSuchKey, create_key, list_keys, revoke_key
from setia.identity.tables import api_key
from setia.problems import Unprocessable


def test_a_key_has_its_form_and_enough_secret() -> None:
    text = KeyText.new("test")
    assert re.fullmatch(r"setia_test_[0-9A-Za-z]{10}_[0-9A-Za-z]{24}", str(text))
    assert 62**24 > 2**128
    assert KeyText.parse(str(text)) == text
    assert text.secret not in repr(text)


@pytest.mark.parametrize("text", ["", "setia_live_x_y", "setia_prod_0123456789_" + "0" * 24, " "])
def test_what_is_no_key(text: str) -> None:
    assert KeyText.parse(text) is None


def test_every_scope_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Scope)


def test_the_secret_is_not_stored(world: World) -> None:
    text = KeyText.parse(world.key("members:read"))
    assert text is not None
    with world.database.transaction() as tx:
        row = tx.execute(sa.select(api_key).where(api_key.c.prefix == text.prefix)).one()
    assert row.hash == text.hash
    assert text.secret not in str(row)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {wrong_secret}",
        "Bearer {wrong_mode}",
        "Bearer setia_live_0000000000_" + "0" * 24,
    ],
)
def test_a_bad_key_is_refused_and_not_explained(world: World, header: str) -> None:
    text = KeyText.parse(world.owner)
    assert text is not None
    sent = header.format(
        key=world.owner,
        wrong_secret=KeyText(text.mode, text.prefix, "0" * 24),
        wrong_mode=KeyText("test", text.prefix, text.secret),
    )
    answer = world.call("GET", "/v1/members", headers={"Authorization": sent})
    assert_problem(answer, 401, "invalid_key")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_ends_within_seconds(world: World) -> None:
    clock = [0.0]
    world.app.state.keyring = KeyRing(world.database, clock=lambda: clock[0])
    key = world.key("members:read")
    text = KeyText.parse(key)
    assert text is not None
    assert world.call("GET", "/v1/members", key=key).status_code == 200
    with world.database.transaction() as tx:
        first = revoke_key(tx, world.program_id, text.prefix).revoked_at
    with world.database.transaction() as tx:
        assert revoke_key(tx, world.program_id, text.prefix).revoked_at == first
    clock[0] = KeyRing.SECONDS
    assert_problem(world.call("GET", "/v1/members", key=key), 401, "invalid_key")


def test_an_expired_key_is_refused(world: World) -> None:
    now = dt.datetime.now(dt.UTC)
    with world.database.transaction() as tx:
        over = create_key(tx, world.program_id, "live", ["members:read"], expires_at=now)
        good = create_key(tx, world.program_id, "live", ["members:read"], expires_at=now + dt.timedelta(days=1))
    assert_problem(world.call("GET", "/v1/members", key=str(over)), 401, "invalid_key")
    assert world.call("GET", "/v1/members", key=str(good)).status_code == 200


def test_the_last_use_is_noted_once_a_minute(world: World) -> None:
    def noted() -> dt.datetime | None:
        with world.database.transaction() as tx:
            return list_keys(tx, world.program_id)[0].last_used_at

    clock = [0.0]
    world.app.state.keyring = KeyRing(world.database, clock=lambda: clock[0])
    assert noted() is None
    world.call("GET", "/v1/members")
    first = noted()
    assert first is not None
    clock[0] = 10
    world.call("GET", "/v1/members")
    assert noted() == first


def test_scopes_are_checked(world: World) -> None:
    with world.database.transaction() as tx:
        with pytest.raises(Unprocessable) as raised:
            create_key(tx, world.program_id, "live", ["members:read", "members:eat"])
        with pytest.raises(Unprocessable):
            create_key(tx, world.program_id, "live", [])
        assert len(list_keys(tx, world.program_id)) == 2
    assert raised.value.errors[0].pointer == "#/scopes/1"


def test_the_key_of_another_program_cannot_be_revoked(world: World) -> None:
    text = KeyText.parse(world.owner)
    assert text is not None
    with world.database.transaction() as tx, pytest.raises(NoSuchKey):
        revoke_key(tx, world.other_program_id, text.prefix)
    assert world.call("GET", "/v1/members").status_code == 200


def test_many_who_ask_at_once_ask_the_database_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = KeyRing(world.database)
    asked: list[str] = []
    original = service.find_key

    def counting(tx: Any, prefix: str) -> Any:
        asked.append(prefix)
        return original(tx, prefix)

    monkeypatch.setattr(service, "find_key", counting)

    async def crowd() -> list[Any]:
        first = asyncio.ensure_future(keyring.check(f"Bearer {world.owner}"))
        await asyncio.sleep(0)
        first.cancel()  # whoever asked first goes away
        wrong = world.owner[:-4] + ("aaaa" if not world.owner.endswith("aaaa") else "bbbb")
        checks = [keyring.check(f"Bearer {world.owner}") for _ in range(20)] + [keyring.check(f"Bearer {wrong}")]
        return await asyncio.gather(*checks, return_exceptions=True)

    *good, bad = asyncio.run(crowd())
    assert {key.prefix for key in good} == {asked[0]}
    assert isinstance(bad, InvalidKey)
    assert len(asked) == 2, "once for the key, once for the one with another secret"
