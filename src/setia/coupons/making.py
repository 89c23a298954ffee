"""Coupons in bulk: made by Setia, or brought along with codes that others made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from setia.codes.book import LONGEST, plain
from setia.codes.book import hint_of as end_of
from setia.coupons.codes import CouponCodes, hint_of, number_of
from setia.coupons.problems import InvalidCoupons
from setia.db.ids import new_id
from setia.engine.calendar import after
from setia.engine.compiled_campaigns import compile_schedule
from setia.problems import ErrorItem
from setia.program.coupons import Coupons
from setia.program.currencies import minor_digits
from setia.program.definition import Program
from setia.program.nearest import hint as nearest_hint

MOST_AT_ONCE = 10_000
SHORTEST = 6
_INSERT = """
INSERT INTO coupon (id, member_id, created_at, starts, ends, number, worth, uses, program_id, campaign, batch, actor,
                    hint, hash)
SELECT c.id, c.member_id, %b, %b, %b, c.number, %b, %b, %b, %b, %b, %b, c.hint, c.hash
FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) AS c (id, member_id, number, hint, hash)
ON CONFLICT (program_id, hash) DO NOTHING
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Coupons that somebody wants made: of which promotion, with how much money each, and from when until when.

    `members` are the holders, one coupon each; without them `count` coupons are made that everybody can use.
    """

    campaign: str
    amount: int | None = None
    uses: int | None = None
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    batch: str | None = None


class Imported(NamedTuple):
    """What became of codes: new ones, those that were there, and the places (from 1) of texts that are no codes."""

    added: int
    known: int
    unusable: list[int]


class Coupon(NamedTuple):
    """A coupon that was made: its id, whose it is, and its code."""

    id: UUID
    member: UUID | None
    code: str


class Making:
    """Makes coupons of one program, in the caller's transaction."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        program_id: int,
        definition: Program,
        codes: CouponCodes,
        now: dt.datetime,
    ) -> None:
        self._connection, self._program_id, self._definition = connection, program_id, definition
        self._codes, self._now = codes, now

    def generate(self, wanted: Wanted, holders: Sequence[UUID | None], actor: str) -> list[Coupon]:
        """Make a coupon for each holder (None: everybody can use it); raises `InvalidCoupons`."""
        made = [(new_id(), holder) for holder in holders]
        numbers = [number_of(coupon) for coupon, _ in made]
        hints = [hint_of(number) for number in numbers]
        self._insert(wanted, actor, made, numbers=numbers, hints=hints, hashes=[None] * len(made))
        return [Coupon(coupon, holder, self._codes.code_of(self._program_id, coupon)) for coupon, holder in made]

    def bring(self, wanted: Wanted, texts: Sequence[str], actor: str) -> Imported:
        """Make a coupon for each code; those the program knows stay as they are, so that a file can be sent again."""
        public = {
            code.casefold()
            for campaign in self._definition.campaigns.values()
            if campaign.discount is not None
            for code in campaign.discount.codes
        }
        # Of a code that Setia made only the number is looked up: such a coupon would never be found.
        good = [
            _is_code(text) and text.casefold() not in public and not self._codes.is_own(self._program_id, text)
            for text in texts
        ]
        chosen = [text for text, is_good in zip(texts, good, strict=True) if is_good]
        # In the order of their hashes: two imports that share codes wait for each other, and never in a ring.
        found = sorted({self._codes.hash_of(self._program_id, text): text for text in chosen}.items())
        added = self._insert(
            wanted,
            actor,
            [(new_id(), None) for _ in found],
            numbers=[None] * len(found),
            hints=[f"…{end_of(text)}" for _, text in found],
            hashes=[digest for digest, _ in found],
        )
        return Imported(added, sum(good) - added, [place for place, is_good in enumerate(good, start=1) if not is_good])

    def _insert(
        self,
        wanted: Wanted,
        actor: str,
        made: Iterable[tuple[UUID, UUID | None]],
        *,
        numbers: Sequence[int | None],
        hints: Sequence[str],
        hashes: Sequence[bytes | None],
    ) -> int:
        terms = self._terms(wanted)
        starts = wanted.starts or self._now
        made = list(made)
        uses = None if terms.amount == "own" else wanted.uses or terms.uses
        return self._connection.execute(
            _INSERT,
            (
                *(self._now, starts, self._ends(wanted, terms, starts), wanted.amount, uses),
                *(self._program_id, wanted.campaign, wanted.batch, actor),
                *([coupon for coupon, _ in made], [holder for _, holder in made]),
                *(list(numbers), list(hints), list(hashes)),
            ),
        ).rowcount

    def _terms(self, wanted: Wanted) -> Coupons:
        discounts = {name: one.discount for name, one in self._definition.campaigns.items()}
        names = [name for name, one in discounts.items() if one is not None and one.coupon is not None]
        discount = discounts.get(wanted.campaign)
        if discount is None or discount.coupon is None:
            hint = nearest_hint(wanted.campaign, names, of="promotions with coupons")
            raise _wrong("campaign", f"The live version has no promotion {wanted.campaign!r} with coupons.", hint)
        if discount.by_own_amount and not wanted.amount:
            raise _wrong("amount", "Its coupons hold money.", "Say how much: an amount in the smallest unit.")
        if not discount.by_own_amount and wanted.amount is not None:
            raise _wrong("amount", "Its discount says what its coupons take off.", "Leave it out.")
        if discount.by_own_amount and wanted.uses is not None:
            raise _wrong("uses", "Its coupons are used until they are empty.", "Leave it out.")
        return discount.coupon

    def _ends(self, wanted: Wanted, terms: Coupons, starts: dt.datetime) -> dt.datetime | None:
        zone = ZoneInfo(self._definition.program.timezone)
        ends = wanted.ends
        if ends is None and terms.valid_for is not None:
            ends = after(starts, terms.valid_for, zone)
        schedule = compile_schedule(self._definition.campaigns[wanted.campaign].schedule, zone)
        known = [one for one in (ends, None if schedule is None else schedule.ends) if one is not None]
        end = min(known, default=None)
        if end is not None and end <= starts:
            raise _wrong("ends", "It ends before it can be used.", "Correct the moments, or the promotion's schedule.")
        return end


def _is_code(text: str) -> bool:
    return SHORTEST <= len(plain(text)) <= LONGEST and text.isprintable() and text.isascii() and text == text.strip()


def _wrong(field: str, message: str, hint: str) -> InvalidCoupons:
    return InvalidCoupons("Nothing was made.", errors=[ErrorItem(pointer=f"#/{field}", message=message, hint=hint)])


def digits_of(definition: Program) -> int:
    """The decimals of the program's currency."""
    return minor_digits(definition.program.currency)
