"""What can be done with points that move: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.db.engine import Database, driver_connection
from setia.events.acts import By
from setia.events.live import LiveProgram, LivePrograms
from setia.members.identifiers import read_reference
from setia.members.merges import family_of
from setia.members.resolve import MemberAmbiguous, resolve
from setia.members.service import NoSuchMember, get_member
from setia.moving import exchanged, transfer
from setia.moving import exchanging as exchanging_module
from setia.moving import transferring as transferring_module
from setia.moving.exchanging import ExchangeAsked, ExchangeDone, exchange_points
from setia.moving.problems import NoSuchTransfer
from setia.moving.reversing import reverse_transfer
from setia.moving.transfer import Transfer
from setia.moving.transferring import TransferAsked, Transferred, transfer_points

T = TypeVar("T")
Moved = TypeVar("Moved", Transferred, ExchangeDone)
Named = Mapping[str, str]
"""How a request names a member: by `id`, or by identifiers."""


class TransferWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, with the members as the request names them."""

    giver: dict[str, str]
    receiver: dict[str, str]
    points: str
    amount: int
    gift: bool = False
    source: str = "api"
    reference: str | None = None


class ExchangeWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, with the member as the request names it."""

    member: dict[str, str]
    exchange: str
    amount: int
    source: str = "api"
    reference: str | None = None


class _Undone(Exception):  # noqa: N818 - it carries what would have happened out of its transaction
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


class Moving:
    """The transfers and exchanges of all programs of a database."""

    def __init__(self, database: Database, programs: LivePrograms) -> None:
        self._database, self._programs = database, programs

    def transfer(
        self, program_id: int, wish: TransferWish, *, actor: str, key: str | None, now: dt.datetime
    ) -> Transferred:
        """Move points from one member to another; see `transferring.transfer_points`."""
        write = _keyed(program_id, "POST /v1/transfers", key, wish)

        def work(tx: sa.Connection, live: LiveProgram) -> Transferred:
            connection = driver_connection(tx)

            def again(known: UUID) -> Transferred:
                return transferring_module.told_again(connection, _there(transfer.find(connection, program_id, known)))

            def move() -> Transferred:
                # Before anybody is looked for: the names of the request may mean nobody, or somebody else, by now.
                done = transferring_module.made_before(connection, live, wish.source, wish.reference, _digest(wish))
                return done or transfer_points(
                    connection, live, self._transfer_asked(connection, live, wish), actor, now
                )

            return _once(tx, write, again, move)

        return self._run(program_id, work)

    def preview_transfer(self, program_id: int, wish: TransferWish, *, actor: str, now: dt.datetime) -> Transferred:
        """The same, and nothing kept."""

        def work(tx: sa.Connection, live: LiveProgram) -> Transferred:
            connection = driver_connection(tx)
            asked = msgspec.structs.replace(self._transfer_asked(connection, live, wish), reference=None)
            return transfer_points(connection, live, asked, actor, now)

        return self._undo(program_id, work)

    def reverse(self, program_id: int, transfer_id: UUID, by: By, *, partly: bool, now: dt.datetime) -> Transferred:
        """Take a transfer back."""
        return self._run(
            program_id,
            lambda tx, live: reverse_transfer(driver_connection(tx), live, transfer_id, by, now, partly=partly),
        )

    def find_transfer(self, program_id: int, transfer_id: UUID) -> Transfer:
        """One transfer; raises `NoSuchTransfer`."""
        return self._database.run(lambda tx: _there(transfer.find(driver_connection(tx), program_id, transfer_id)))

    def transfers_of(self, program_id: int, member: UUID, *, before: UUID | None, most: int) -> list[Transfer]:
        """What a member, and who was merged into it, gave and was given; the newest first."""

        def work(tx: sa.Connection) -> list[Transfer]:
            get_member(tx, program_id, member)
            connection = driver_connection(tx)
            return transfer.of_members(connection, family_of(connection, member), before=before, most=most)

        return self._database.run(work)

    def exchange(
        self, program_id: int, wish: ExchangeWish, *, actor: str, key: str | None, now: dt.datetime
    ) -> ExchangeDone:
        """Exchange points for points of another type; see `exchanging.exchange_points`."""
        write = _keyed(program_id, "POST /v1/exchanges", key, wish)

        def work(tx: sa.Connection, live: LiveProgram) -> ExchangeDone:
            connection = driver_connection(tx)

            def again(known: UUID) -> ExchangeDone:
                row = exchanged.find(connection, program_id, known)
                if row is None:
                    raise LookupError(known)
                return exchanging_module.told_again(connection, row)

            def move() -> ExchangeDone:
                done = exchanging_module.made_before(connection, live, wish.source, wish.reference, _digest(wish))
                return done or exchange_points(
                    connection, live, self._exchange_asked(connection, live, wish), actor, now
                )

            return _once(tx, write, again, move)

        return self._run(program_id, work)

    def preview_exchange(self, program_id: int, wish: ExchangeWish, *, actor: str, now: dt.datetime) -> ExchangeDone:
        """The same, and nothing kept."""

        def work(tx: sa.Connection, live: LiveProgram) -> ExchangeDone:
            connection = driver_connection(tx)
            asked = msgspec.structs.replace(self._exchange_asked(connection, live, wish), reference=None)
            return exchange_points(connection, live, asked, actor, now)

        return self._undo(program_id, work)

    def _transfer_asked(
        self, connection: psycopg.Connection[Any], live: LiveProgram, wish: TransferWish
    ) -> TransferAsked:
        giver = _member(connection, live, wish.giver, "from")
        receiver = _member(connection, live, wish.receiver, "to")
        return TransferAsked(
            giver=giver,
            receiver=receiver,
            points=wish.points,
            amount=wish.amount,
            digest=_digest(wish),
            gift=wish.gift,
            source=wish.source,
            reference=wish.reference,
        )

    def _exchange_asked(
        self, connection: psycopg.Connection[Any], live: LiveProgram, wish: ExchangeWish
    ) -> ExchangeAsked:
        return ExchangeAsked(
            member=_member(connection, live, wish.member, "member"),
            exchange=wish.exchange,
            amount=wish.amount,
            digest=_digest(wish),
            source=wish.source,
            reference=wish.reference,
        )

    def _run(self, program_id: int, work: Callable[[sa.Connection, LiveProgram], T]) -> T:
        return self._database.run(lambda tx: work(tx, self._programs.live(driver_connection(tx), program_id)))

    def _undo(self, program_id: int, work: Callable[[sa.Connection, LiveProgram], T]) -> T:
        """Do something and keep nothing of it: the same code decides, on the same rows."""

        def undone(tx: sa.Connection, live: LiveProgram) -> T:
            raise _Undone(work(tx, live))

        try:
            return self._run(program_id, undone)
        except _Undone as done:
            result: T = done.result
            return result


def _keyed(
    program_id: int,
    endpoint: Literal["POST /v1/transfers", "POST /v1/exchanges"],
    key: str | None,
    wish: TransferWish | ExchangeWish,
) -> Keyed | None:
    return None if key is None else Keyed.of(program_id, endpoint, key, msgspec.to_builtins(wish))


def _digest(wish: TransferWish | ExchangeWish) -> bytes:
    return hashlib.sha256(msgspec.json.encode(wish, order="sorted")).digest()


def _once(tx: sa.Connection, write: Keyed | None, again: Callable[[UUID], Moved], move: Callable[[], Moved]) -> Moved:
    """What the key has made before, told `again`; else `move`, and the key stands for what it made."""
    answer = None if write is None else claim(tx, write)
    if answer is not None:
        return again(UUID(json.loads(answer.body)["id"]))
    done = move()
    if write is not None:
        keep(tx, write, 201, json.dumps({"id": done.row.id.hex}))
    return done


def _there(row: Transfer | None) -> Transfer:
    if row is None:
        raise NoSuchTransfer
    return row


def _member(connection: psycopg.Connection[Any], live: LiveProgram, named: Named, field: str) -> UUID:
    reference = read_reference(live.compiled.definition.members, named, pointer=f"#/{field}")
    found = resolve(connection, live.program_id, [reference])[reference]
    if isinstance(found, MemberAmbiguous):
        raise found
    if found is None:
        raise NoSuchMember(f"Nobody is known by what `{field}` says.")
    return found
