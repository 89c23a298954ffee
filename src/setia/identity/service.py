"""API keys: make, list, revoke, find."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from setia.db.ids import new_id
from setia.identity.scopes import Scope
from setia.identity.secrets import KeyText
from setia.identity.tables import api_key
from setia.problems import ErrorItem, NotFound, Unprocessable

# A reference by name and not an import: the table belongs to `setia.versions`, and only its key and mode are read here.
_program = sa.table("program", sa.column("id"), sa.column("key"), sa.column("mode"))


class NoSuchKey(NotFound):
    """No key of this program begins like that."""

    code = "key_not_found"
    title = "There is no such API key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: everything but the secret."""

    id: UUID
    program_id: int
    program_key: str
    mode: str
    prefix: str
    hash: bytes
    scopes: frozenset[Scope]
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def create_key(
    tx: sa.Connection,
    program_id: int,
    mode: str,
    scopes: Iterable[str],
    *,
    label: str = "",
    expires_at: datetime | None = None,
) -> KeyText:
    """Make a key. The returned text holds the secret, which cannot be shown again."""
    text = KeyText.new(mode)
    tx.execute(
        sa.insert(api_key).values(
            id=new_id(),
            program_id=program_id,
            prefix=text.prefix,
            hash=text.hash,
            scopes=sorted(read_scopes(scopes)),
            label=label,
            expires_at=expires_at,
        )
    )
    return text


def read_scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    """Check the names of scopes; there must be one at least."""
    found: set[Scope] = set()
    errors: list[ErrorItem] = []
    hint = f"Use: {', '.join(Scope)}."
    for index, name in enumerate(scopes):
        try:
            found.add(Scope(name))
        except ValueError:
            errors.append(ErrorItem(pointer=f"#/scopes/{index}", message=f"{name!r} is not a scope.", hint=hint))
    if not found and not errors:
        errors.append(ErrorItem(pointer="#/scopes", message="A key needs at least one scope.", hint=hint))
    if errors:
        raise Unprocessable("A key must say what it may do.", errors=errors)
    return frozenset(found)


def list_keys(tx: sa.Connection, program_id: int) -> list[ApiKey]:
    """All keys of a program, the oldest first, revoked ones too."""
    return [_read(row) for row in tx.execute(_keys().where(api_key.c.program_id == program_id).order_by(api_key.c.id))]


def find_key(tx: sa.Connection, prefix: str) -> ApiKey | None:
    """The key with this prefix, whatever its state."""
    row = tx.execute(_keys().where(api_key.c.prefix == prefix)).one_or_none()
    return None if row is None else _read(row)


def revoke_key(tx: sa.Connection, program_id: int, prefix: str) -> ApiKey:
    """End a key. Processes that know it stop taking it within `KeyRing.SECONDS`; revoking again changes nothing."""
    revoked = tx.execute(
        sa.update(api_key)
        .where(api_key.c.program_id == program_id, api_key.c.prefix == prefix)
        .values(revoked_at=sa.func.coalesce(api_key.c.revoked_at, sa.func.now()))
        .returning(api_key.c.id)
    ).first()
    found = find_key(tx, prefix)
    if revoked is None or found is None:
        raise NoSuchKey(f"There is no key {prefix!r} in this program. `setia key list` shows them.")
    return found


def note_use(tx: sa.Connection, key_id: UUID) -> None:
    """Write down that a key was used, at most once a minute."""
    stale = sa.or_(
        api_key.c.last_used_at.is_(None), api_key.c.last_used_at < sa.func.now() - sa.text("interval '1 minute'")
    )
    tx.execute(sa.update(api_key).where(api_key.c.id == key_id, stale).values(last_used_at=sa.func.now()))


def _keys() -> sa.Select[tuple[object, ...]]:
    columns = [_program.c.key.label("program_key"), _program.c.mode, *api_key.c]
    return sa.select(*columns).join_from(api_key, _program, _program.c.id == api_key.c.program_id)


def _read(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to the names of a row
    values["scopes"] = frozenset(Scope(name) for name in values["scopes"] if name in set(Scope))
    return ApiKey(**values)
