"""The keys a process has seen lately, so that the hot path asks the database once in a few seconds."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from setia.db.engine import Database
from setia.identity import service
from setia.identity.secrets import KeyText
from setia.identity.service import ApiKey
from setia.logs import get_logger
from setia.problems import Unauthorized

_MOST_KEYS = 10_000
_log = get_logger("setia.identity")


class InvalidKey(Unauthorized):
    """There was a key, and it is not good (any more). The answer does not say which, because it goes to strangers."""

    code = "invalid_key"
    title = "This API key is not valid"


class KeyRing:
    """Checks keys. A revoked key is refused after at most `SECONDS`, in every process."""

    SECONDS: ClassVar[float] = 3.0

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._seen: dict[str, tuple[float, ApiKey | None]] = {}
        self._asking: dict[str, asyncio.Future[ApiKey | None]] = {}
        """Whole keys and not prefixes: a look-up notes the use of a key whose secret was right."""

    async def check(self, authorization: str | None) -> ApiKey:
        """The key of an `Authorization` header, or 401. Only a key not seen lately leaves the event loop."""
        if authorization is None:
            raise Unauthorized("Send the header Authorization: Bearer <API key>. `setia key create` makes one.")
        scheme, _, token = authorization.partition(" ")
        text = KeyText.parse(token.strip()) if scheme.lower() == "bearer" else None
        if text is None:
            raise InvalidKey("An API key looks like setia_live_..., sent as Authorization: Bearer <API key>.")
        until, key = self._seen.get(text.prefix, (0.0, None))
        if until <= self._clock():
            key = await self._asked(text)
        return self._good(text, key)

    async def _asked(self, text: KeyText) -> ApiKey | None:
        """Ask the database, once for all who want to know at the same time.

        Otherwise each request that is under way would take a thread and a connection at the moment a key is forgotten.
        """
        asking = self._asking.get(str(text))
        if asking is None or asking.get_loop() is not asyncio.get_running_loop():
            asking = self._asking[str(text)] = asyncio.ensure_future(run_in_threadpool(self._look_up, text))
            asking.add_done_callback(lambda _: self._asking.pop(str(text), None))
        # Shielded: the first who asks may go away, and the others still want to know.
        return await asyncio.shield(asking)

    def _good(self, text: KeyText, key: ApiKey | None) -> ApiKey:
        # Compared even when there is none, so that a stranger cannot time which prefixes exist.
        matches = text.matches(key.hash if key is not None else bytes(32))
        if key is None or not matches or text.mode != key.mode or key.revoked_at is not None:
            raise InvalidKey
        if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
            raise InvalidKey
        return key

    def _look_up(self, text: KeyText) -> ApiKey | None:
        # Before the question, so that the answer is never older than it claims.
        until = self._clock() + self.SECONDS
        with self._database.transaction() as tx:
            key = service.find_key(tx, text.prefix)
        if len(self._seen) >= _MOST_KEYS:
            self._seen.clear()
        self._seen[text.prefix] = (until, key)
        if key is not None and key.revoked_at is None and text.matches(key.hash):
            self._note_use(key)
        return key

    def _note_use(self, key: ApiKey) -> None:
        """In a transaction of its own: that a note fails is no reason to refuse a request."""
        if key.last_used_at is not None and (datetime.now(UTC) - key.last_used_at).total_seconds() < 60:
            return
        try:
            with self._database.transaction() as tx:
                service.note_use(tx, key.id)
        except (SQLAlchemyError, psycopg.Error) as error:
            _log.warning("key_use_not_noted", key=str(key.id), kind=type(error).__name__)
