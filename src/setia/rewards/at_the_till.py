"""Codes at the till: is it good, use it, take the use back; each known by the till's own reference."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from setia.db.ids import new_id
from setia.engine.compiled_rewards import CompiledReward
from setia.engine.occurrences import Line
from setia.engine.rewards import worth_of
from setia.engine.state import MemberState
from setia.engine.till_discounts import Basket, needs, off_basket
from setia.events.live import LiveProgram
from setia.events.members_in_play import read_in_play
from setia.members.merges import main_of
from setia.problems import ErrorItem
from setia.program.rewards import Worth
from setia.rewards.codes import CodeBook, digest_of, hint_of, plain
from setia.rewards.problems import CodeUnusable, InvalidRedemption, NoSuchCode, NoSuchUse, ReferenceUsed
from setia.rewards.terms import terms_of

Why = Literal["void", "not_yet", "expired", "used", "not_handed_out", "total_too_low", "nothing_to_take_off"]
Missing = Literal["total", "lines", "shipping"]

_CODE = """
SELECT c.id, c.reward, c.redemption_id, r.member_id, c.valid_from, c.valid_until, c.voided_at, c.uses, c.used, c.worth,
       c.spent, c.hint, c.pool, r.program_version
FROM reward_code c LEFT JOIN redemption r ON r.id = c.redemption_id WHERE c.program_id = %b AND c.hash = %b
"""
_LOCK = "SELECT FROM reward_code WHERE program_id = %b AND hash = %b FOR UPDATE"
_USE = "UPDATE reward_code SET used = used + 1, spent = spent + %b::bigint WHERE id = %b"
_UNUSE = "UPDATE reward_code SET used = used - 1, spent = spent - %b::bigint WHERE id = %b"
_USES = """
SELECT u.id, u.code_id, u.redeemed_at, u.released_at, u.amount, u.till, u.reference, u.digest
FROM code_use u WHERE u.program_id = %b AND u.till = %b AND u.reference = %b
"""
_INSERT = """
INSERT INTO code_use (id, code_id, redeemed_at, amount, program_id, till, reference, digest, actor)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
_RELEASE = "UPDATE code_use SET released_at = %b WHERE id = %b AND released_at IS NULL"
# A code that is everybody's gets a row when somebody asks for it first, so that its uses have something to name.
_STATIC = """
INSERT INTO reward_code (id, created_at, valid_from, program_id, reward, hint, hash) VALUES (%b, %b, %b, %b, %b, %b, %b)
ON CONFLICT DO NOTHING
"""
_BY_ID = _CODE.replace("c.program_id = %b AND c.hash = %b", "c.program_id = %b AND c.id = %b")


class CodeRow(NamedTuple):
    """A code as it is kept. Money is in the smallest unit of the currency."""

    id: UUID
    reward: str | None
    redemption_id: UUID | None
    member_id: UUID | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    voided_at: dt.datetime | None
    uses: int | None
    used: int
    worth: int | None
    spent: int
    hint: str
    pool: str | None
    version: int | None
    """Under which its redemption was made; None where it has none."""

    @property
    def left(self) -> int | None:
        """The money it still holds; None where it holds none."""
        return None if self.worth is None else self.worth - self.spent

    @property
    def is_everybodys(self) -> bool:
        """Whether it is a static code, whose uses are not counted."""
        return self.pool is None and self.redemption_id is None

    def fault(self, now: dt.datetime) -> Why | None:
        """Why it cannot be used at a moment; None where it can."""
        if self.voided_at is not None:
            return "void"
        if (self.redemption_id is None and not self.is_everybodys) or self.valid_from is None:
            return "not_handed_out"
        if (self.uses is not None and self.used >= self.uses) or self.left == 0:
            return "used"
        if now < self.valid_from:
            return "not_yet"
        return "expired" if self.valid_until is not None and now >= self.valid_until else None


class UseRow(NamedTuple):
    """One use of a code."""

    id: UUID
    code_id: UUID
    redeemed_at: dt.datetime
    released_at: dt.datetime | None
    amount: int | None
    till: str
    reference: str
    digest: bytes


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A code at a till. `total` is the basket, or its `lines` are, and what `shipping` costs."""

    code: str
    till: str
    reference: str = ""
    total: int | None = None
    lines: tuple[Line, ...] = ()
    shipping: int = 0

    @property
    def digest(self) -> bytes:
        """By which the same request is known again. What came later does not count while it says nothing."""
        said = (self.code, self.till, self.reference, self.total)
        more = (self.lines, self.shipping) if self.lines or self.shipping else ()
        return digest_of(*said, *more)

    def basket(self, now: dt.datetime) -> Basket:
        """What is sold; of a total one line that nothing is known of."""
        lines = self.lines
        if not lines and self.total is not None:
            lines = (Line("", Decimal(1), self.total),)
        return Basket(lines=lines, shipping=self.shipping, at=now)

    def missing(self, worth: Worth) -> Missing | None:
        """What has to be said of the basket to know what a discount takes off; None where nothing is missing."""
        wanted = needs(worth)
        if wanted is not None and not getattr(self, wanted):
            return wanted
        known = bool(self.lines) or self.total is not None
        return None if known or (wanted == "shipping" and not worth.least_total) else "total"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A code and whether it can be used; `off` is what it takes off the basket, where enough of it was said.

    `by_line` is its part of each line, where lines were sent. `missing` is what has to be said to know it.
    """

    row: CodeRow
    why_not: Why | None
    kind: str | None = None
    off: int | None = None
    by_line: list[int] | None = None
    missing: Missing | None = None


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a code, and the code after it."""

    use: UseRow
    row: CodeRow
    replayed: bool = False


class Tills:
    """What tills do with codes, in the caller's transaction."""

    def __init__(
        self, connection: psycopg.Connection[Any], live: LiveProgram, book: CodeBook, now: dt.datetime
    ) -> None:
        self._connection, self._live, self._book = connection, live, book
        self._now = live.now(now)

    def validate(self, asked: Presented) -> Judged:
        """Whether a code can be used, and what it would take off; nothing changes. Raises `NoSuchCode`."""
        return self._judged(self._find(asked.code), asked)

    def redeem(self, asked: Presented, actor: str) -> Used:
        """Use a code once; the same reference and the same request give the first answer again.

        Raises `NoSuchCode`, `CodeUnusable` with its reason, `InvalidRedemption`, `ReferenceUsed`.
        """
        digest = asked.digest
        program_id = self._live.program_id
        code_hash = self._book.hash_of(program_id, asked.code)
        self._connection.execute(_LOCK, (program_id, code_hash), prepare=True)
        # After the lock, so that of two requests with one reference the second one finds the first.
        earlier = self._use(asked.till, asked.reference)
        if earlier is not None:
            if bytes(earlier.digest) != digest:
                raise ReferenceUsed(f"{asked.till} used {asked.reference!r} for another code. Use a new one.")
            return Used(use=earlier, row=self._find(asked.code), replayed=True)
        row = self._find(asked.code)
        judged = self._judged(row, asked)
        if judged.why_not is not None:
            raise CodeUnusable(f"Why not: {judged.why_not}.", extra={"reason": judged.why_not})
        amount = _amount(judged)
        use = UseRow(new_id(), row.id, self._now, None, amount, asked.till, asked.reference, digest)
        values = (use.id, use.code_id, use.redeemed_at, amount, program_id, use.till, use.reference, digest, actor)
        try:
            self._connection.execute(_INSERT, values, prepare=True)
        except errors.UniqueViolation as error:
            raise ReferenceUsed(f"{asked.till} used {asked.reference!r} for another code. Use a new one.") from error
        self._connection.execute(_USE, (0 if row.worth is None else amount or 0, row.id), prepare=True)
        return Used(use=use, row=self._find(asked.code))

    def release(self, till: str, reference: str) -> Used:
        """Take a use back, as if it had not been: the sale was not made. Again, it changes nothing."""
        use = self._use(till, reference)
        if use is None:
            raise NoSuchUse(f"The till {till!r} has redeemed nothing under {reference!r}.")
        [row] = self._rows(_BY_ID + " FOR UPDATE OF c", use.code_id)
        done = self._connection.execute(_RELEASE, (self._now, use.id), prepare=True).rowcount
        if done:
            self._connection.execute(_UNUSE, (0 if row.worth is None else use.amount or 0, row.id), prepare=True)
        [after] = self._rows(_BY_ID, use.code_id)
        return Used(use=self._use(till, reference) or use, row=after, replayed=not done)

    def _judged(self, row: CodeRow, asked: Presented) -> Judged:
        why = row.fault(self._now) or (self._static_fault(row, asked.code) if row.is_everybodys else None)
        program = self._live.compiled if row.version is None else terms_of(self._live, row.version).compiled
        reward = program.rewards.get(row.reward or "")
        kind = None if reward is None else reward.definition.kind
        if reward is None or reward.definition.worth is None or kind != "discount":
            return Judged(row=row, why_not=why, kind=kind)
        if (missing := asked.missing(reward.definition.worth)) is not None:
            return Judged(row=row, why_not=why, kind=kind, missing=missing)
        basket = asked.basket(self._now)
        left = worth_of(program, reward, 1) if row.is_everybodys else row.left
        cuts = off_basket(program, reward, basket, left, self._holder(row, reward))
        if not cuts:
            low = Decimal(basket.total) < reward.definition.worth.least_total.scaleb(program.currency_digits)
            why = why or ("total_too_low" if low else "nothing_to_take_off")
        by_line = [cuts.get(place, 0) for place in range(len(asked.lines))] if asked.lines else None
        return Judged(row=row, why_not=why, kind=kind, off=sum(cuts.values()), by_line=by_line)

    def _holder(self, row: CodeRow, reward: CompiledReward) -> MemberState:
        """The member whose code it is, where a condition could ask; else nobody."""
        if row.member_id is None or reward.lines is None:
            return MemberState(id="", enrolled_at=self._now)
        member = main_of(self._connection, [row.member_id]).get(row.member_id, row.member_id)
        return read_in_play(self._connection, self._live.compiled, self._live.program_id, member).state

    def _static_fault(self, row: CodeRow, text: str) -> Why | None:
        """Why a code that is everybody's cannot be used: it is what the live version says of it."""
        reward = self._live.compiled.rewards.get(row.reward or "")
        code = None if reward is None else reward.definition.code
        if reward is None or code is None or code.static is None or plain(code.static) != plain(text):
            return "void"
        schedule = reward.schedule
        if not reward.definition.enabled or (
            schedule is not None and schedule.ends is not None and self._now >= schedule.ends
        ):
            return "expired"
        here = self._now.astimezone(self._live.compiled.zone)
        return None if schedule is None or schedule.covers(self._now, here) else "not_yet"

    def _find(self, text: str) -> CodeRow:
        code_hash = self._book.hash_of(self._live.program_id, text)
        rows = self._rows(_CODE, code_hash)
        if not rows and (reward := self._everybodys(text)) is not None:
            values = (new_id(), self._now, self._now, self._live.program_id, reward, hint_of(text), code_hash)
            self._connection.execute(_STATIC, values, prepare=True)
            rows = self._rows(_CODE, code_hash)
        if rows and rows[0].is_everybodys:
            # The row remembers who had it first; a later version may give it to another reward.
            rows = [rows[0]._replace(reward=self._everybodys(text) or rows[0].reward)]
        if not rows:
            raise NoSuchCode("Check it for a slip; after too many wrong ones the key has to wait.")
        return rows[0]

    def _everybodys(self, text: str) -> str | None:
        """The reward whose static code this is."""
        wanted = plain(text)
        for name, reward in self._live.compiled.definition.rewards.items():
            if reward.code is not None and reward.code.static is not None and plain(reward.code.static) == wanted:
                return name
        return None

    def _rows(self, query: str, value: object) -> list[CodeRow]:
        rows = self._connection.execute(query, (self._live.program_id, value), prepare=True)
        return [CodeRow(*row) for row in rows]

    def _use(self, till: str, reference: str) -> UseRow | None:
        row = self._connection.execute(_USES, (self._live.program_id, till, reference), prepare=True).fetchone()
        return None if row is None else UseRow(*row)


def _amount(judged: Judged) -> int | None:
    """What the use takes off this basket, where it is a discount's."""
    if judged.missing is not None:
        message, hint = _MISSING[judged.missing]
        item = ErrorItem(pointer=f"#/{judged.missing}", message=message, hint=hint)
        raise InvalidRedemption("The code was not used.", errors=[item])
    return judged.off


_MISSING = {
    "total": ("is needed for a discount", "Send what the basket costs."),
    "lines": ("are needed: the discount is one of some lines", "Send the lines of the basket."),
    "shipping": ("is needed: the discount is one on shipping", "Send what shipping costs."),
}
