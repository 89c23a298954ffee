"""The first answer of a write, kept in the transaction of its effect, and given again for the same key.

`claim` before the effect, `keep` after it, both inside its transaction. Rows are kept for ever: a key that moved points
a year ago must not move them again.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Header
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from setia.api.tables import idempotency_key
from setia.db.engine import LOCK_NOT_AVAILABLE, sqlstate
from setia.problems import BadRequest, Conflict, Unprocessable

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_PATTERN = r"^[\x21-\x7e]{1,200}$"
_MEANING = "1 to 200 visible ASCII characters of your choice. The same key and body give the first answer again."
OptionalKey = Annotated[str | None, Header(alias=HEADER, pattern=_PATTERN, description=_MEANING)]


class KeyRequired(BadRequest):
    """The write needs an `Idempotency-Key`, and came without."""

    code = "idempotency_key_required"
    title = "This request needs an Idempotency-Key header"


class KeyReused(Unprocessable):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key belongs to another request"


class KeyInFlight(Conflict):
    """The first request with this key has not ended yet."""

    code = "idempotency_key_in_flight"
    title = "The first request with this Idempotency-Key is still under way"


@dataclass(frozen=True, slots=True)
class Keyed:
    """A write as it is known again: who may repeat it, where, under which key, and what it said."""

    program_id: int
    endpoint: str
    key: str
    digest: bytes

    @classmethod
    def of(cls, program_id: int, endpoint: str, key: str, body: Any) -> "Keyed":
        """`endpoint` holds the path with its ids; `body` is what JSON can say. Key order does not matter."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return cls(program_id, endpoint, key, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer: its status and its body as JSON text."""

    status: int
    body: str


def require(key: str | None) -> str:
    """The key, or the problem that there is none."""
    if key is None:
        raise KeyRequired(f"Send the header {HEADER} with a new text for each new movement of points.")
    return key


def claim(tx: sa.Connection, write: Keyed) -> Answer | None:
    """Take the key for this transaction, or give the answer that was kept.

    Waits for another transaction that holds the same key, and no longer than the lock timeout: then `KeyInFlight`.
    Raises `KeyReused` when the key was used for another body.
    """
    row = insert(idempotency_key).values(
        program_id=write.program_id, endpoint=write.endpoint, key=write.key, digest=write.digest
    )
    try:
        claimed = tx.execute(row.on_conflict_do_nothing().returning(idempotency_key.c.key)).first()
    except OperationalError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise KeyInFlight("Send the same request again in a moment.", headers={"Retry-After": "1"}) from error
        raise
    if claimed is not None:
        return None
    found = tx.execute(sa.select(idempotency_key).where(*_is(write))).one()
    if found.digest != write.digest:
        raise KeyReused("It was used with another body. Use a new key for a new request.")
    return Answer(found.status, found.body)


def keep(tx: sa.Connection, write: Keyed, status: int, body: str) -> None:
    """Keep the answer beside its effect; `body` is JSON text without personal data."""
    tx.execute(sa.update(idempotency_key).where(*_is(write)).values(status=status, body=body))


def _is(write: Keyed) -> tuple[sa.ColumnElement[bool], ...]:
    table = idempotency_key.c
    return (table.program_id == write.program_id, table.endpoint == write.endpoint, table.key == write.key)
