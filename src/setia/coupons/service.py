"""What can be done with coupons by hand: each a transaction, committed before the answer is made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa

from setia.api.idempotency import Keyed, claim, keep
from setia.codes import guesses
from setia.coupons import coupon
from setia.coupons.codes import CouponCodes
from setia.coupons.coupon import CouponRow, UseRow
from setia.coupons.making import Coupon, Imported, Making, Wanted
from setia.coupons.problems import NoSuchCoupon
from setia.db.engine import Database, driver_connection
from setia.members.service import NoSuchMember, StatusConflict, get_member, load_facts
from setia.program.definition import Program
from setia.versions.service import program_now

T = TypeVar("T")
Definitions = Callable[[sa.Connection, int], Program]


class Made(NamedTuple):
    """Coupons that were made, and whether by the same request before."""

    coupons: list[Coupon]
    replayed: bool


class Shown(NamedTuple):
    """A coupon as it stands at a moment of its program, with its code where Setia made that."""

    row: CouponRow
    code: str | None
    now: dt.datetime
    uses: Sequence[UseRow] = ()


class CouponDesk:
    """The coupons of all programs of a database."""

    def __init__(self, database: Database, codes: CouponCodes, definitions: Definitions) -> None:
        self._database, self._codes, self._definitions = database, codes, definitions

    def generate(self, write: Keyed, wanted: Wanted, count: int, members: Sequence[UUID], *, actor: str) -> Made:
        """Make coupons: one for each member, else `count` that everybody can use. Once for each key.

        Raises `InvalidCoupons`, `NoSuchMember`, `StatusConflict`, and what `claim` raises.
        """

        def work(tx: sa.Connection) -> Made:
            answer = claim(tx, write)
            if answer is not None:
                return Made([_again(one, self._codes, write.program_id) for one in json.loads(answer.body)], True)
            connection = driver_connection(tx)
            known = load_facts(connection, write.program_id, members) if members else {}
            if missing := [member for member in members if member not in known]:
                raise NoSuchMember(f"{len(missing)} of the members are none of this program. Nothing was made.")
            # Who was merged into another member would have a coupon that nobody can use.
            holders = [known[member].merged_into or member for member in members]
            _check_open(connection, write.program_id, holders)
            made = self._making(tx, write.program_id).generate(wanted, holders or [None] * count, actor)
            # The codes follow from the ids: they are kept nowhere.
            body = json.dumps([[str(one.id), None if one.member is None else str(one.member)] for one in made])
            keep(tx, write, 201, body)
            return Made(made, False)

        return self._database.run(work)

    def bring(self, program_id: int, wanted: Wanted, codes: Sequence[str], *, actor: str) -> Imported:
        """Make a coupon for each code; raises `InvalidCoupons`."""
        return self._database.run(lambda tx: self._making(tx, program_id).bring(wanted, codes, actor))

    def find(self, program_id: int, coupon_id: UUID) -> Shown:
        """One coupon with what it was used for; raises `NoSuchCoupon`."""

        def work(tx: sa.Connection) -> Shown:
            return self._with_uses(tx, program_id, coupon.find(driver_connection(tx), program_id, coupon_id))

        return self._database.run(work)

    def find_by_code(self, program_id: int, text: str, *, who: str, now: dt.datetime) -> Shown:
        """The coupon that has a code. `who` asks, at the real time.

        Raises `NoSuchCoupon`, and `TooManyGuesses` for who has asked for too many codes that are none.
        """
        code = next(iter(self._codes.shown(program_id, [text]).values()), None)
        if code is None:
            raise NoSuchCoupon

        def work(tx: sa.Connection) -> Shown:
            connection = driver_connection(tx)
            guesses.check(connection, program_id, who, now)
            row = coupon.find_by_code(connection, program_id, code.number, code.hash)
            return self._with_uses(tx, program_id, row)

        try:
            return self._database.run(work)
        except NoSuchCoupon:
            self._database.run(lambda tx: guesses.count(driver_connection(tx), program_id, who, now))
            raise

    def of_member(self, program_id: int, member: UUID, *, before: UUID | None, most: int) -> list[Shown]:
        """A member's own coupons, the newest first; raises `NoSuchMember`."""

        def work(tx: sa.Connection) -> list[Shown]:
            get_member(tx, program_id, member)
            rows = coupon.of_member(driver_connection(tx), program_id, member, before=before, most=most)
            return self._all(tx, program_id, rows)

        return self._database.run(work)

    def listed(
        self,
        program_id: int,
        campaign: str | None,
        batch: str | None,
        *,
        after: UUID | None,
        most: int,
    ) -> list[Shown]:
        """The coupons of a program, the oldest first."""

        def work(tx: sa.Connection) -> list[Shown]:
            rows = coupon.listed(driver_connection(tx), program_id, campaign, batch, after=after, most=most)
            return self._all(tx, program_id, rows)

        return self._database.run(work)

    def void(self, program_id: int, coupon_id: UUID, *, actor: str) -> Shown:
        """Let nobody use a coupon any more; orders that have used it keep what they have. Raises `NoSuchCoupon`."""

        def work(tx: sa.Connection) -> Shown:
            connection = driver_connection(tx)
            coupon.void(connection, program_id, coupon_id, actor, program_now(tx, program_id))
            return self._with_uses(tx, program_id, coupon.find(connection, program_id, coupon_id))

        return self._database.run(work)

    def _making(self, tx: sa.Connection, program_id: int) -> Making:
        definition = self._definitions(tx, program_id)
        return Making(driver_connection(tx), program_id, definition, self._codes, program_now(tx, program_id))

    def _with_uses(self, tx: sa.Connection, program_id: int, row: CouponRow | None) -> Shown:
        if row is None:
            raise NoSuchCoupon
        [shown] = self._all(tx, program_id, [row])
        return shown._replace(uses=coupon.uses_of(driver_connection(tx), row.id))

    def _all(self, tx: sa.Connection, program_id: int, rows: Sequence[CouponRow]) -> list[Shown]:
        moment = program_now(tx, program_id)
        return [
            Shown(row, None if row.number is None else self._codes.code_of(program_id, row.id), moment) for row in rows
        ]


def _check_open(connection: psycopg.Connection[Any], program_id: int, holders: Sequence[UUID]) -> None:
    """Raise `StatusConflict` where somebody whose membership has ended would be given a coupon."""
    known = load_facts(connection, program_id, holders) if holders else {}
    if closed := sum(known[member].status == "closed" for member in holders):
        raise StatusConflict(f"{closed} of the members are closed. Leave them out; nothing was made.")


def _again(kept: list[str | None], codes: CouponCodes, program_id: int) -> Coupon:
    coupon_id, member = UUID(str(kept[0])), None if kept[1] is None else UUID(kept[1])
    return Coupon(coupon_id, member, codes.code_of(program_id, coupon_id))
