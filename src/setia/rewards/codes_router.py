"""`/v1/codes` and `/v1/code-pools`: codes at the till, and codes that were made elsewhere."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED
from setia.api.strict import StrictRoute
from setia.db.ids import format_id
from setia.identity.caller import CodeRedeemer, CodesWriter
from setia.members.identifiers import MEMBER_PREFIX
from setia.problems import ErrorItem
from setia.rewards.at_the_till import CodeRow, Judged, Presented, Used
from setia.rewards.problems import (
    CodeUnusable,
    InvalidRedemption,
    NoSuchCode,
    NoSuchUse,
    ReferenceUsed,
    TooManyGuesses,
)
from setia.rewards.redemption import REDEMPTION_PREFIX
from setia.rewards.router import RewardsOf
from setia.rewards.schemas import (
    CodeOut,
    ImportedOut,
    ImportIn,
    PoolOut,
    PoolsOut,
    ReleaseIn,
    UseOut,
)
from setia.rewards.till_schemas import UseIn, ValidateIn
from setia.versions.service import NothingPublished

codes_router = APIRouter(prefix="/v1", tags=["rewards"], route_class=StrictRoute)

PoolName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="The pool, as rewards name it.")]


@codes_router.post(
    "/codes/validate",
    summary="Ask whether a code is good",
    responses=problems(NothingPublished, NoSuchCode, InvalidRedemption, TooManyGuesses),
)
def validate_code(caller: CodeRedeemer, body: ValidateIn, rewards: RewardsOf) -> CodeOut:
    """Whether it can be used now, and what it takes off a basket. Nothing changes."""
    asked = _presented(body, "")
    judged = rewards.validate_code(caller.program_id, asked, who=caller.actor, now=_now())
    return _code(judged)


@codes_router.post(
    "/codes/redeem",
    summary="Use a code",
    responses=problems(NothingPublished, NoSuchCode, CodeUnusable, InvalidRedemption, ReferenceUsed, TooManyGuesses),
)
def redeem_code(caller: CodeRedeemer, body: UseIn, rewards: RewardsOf, response: Response) -> UseOut:
    """Use it once. The same reference and body give the first answer again."""
    asked = _presented(body, body.till, body.reference)
    used = rewards.redeem_code(caller.program_id, asked, who=caller.actor, now=_now())
    return _use(used, response)


@codes_router.post(
    "/codes/release",
    summary="Take the use of a code back",
    responses=problems(NothingPublished, NoSuchUse, TooManyGuesses),
)
def release_code(caller: CodeRedeemer, body: ReleaseIn, rewards: RewardsOf, response: Response) -> UseOut:
    """As if it had not been used, by the reference under which it was. Again, it changes nothing."""
    used = rewards.release_code(caller.program_id, body.till, body.reference, who=caller.actor, now=_now())
    return _use(used, response)


@codes_router.get("/code-pools", summary="Read the pools of codes", responses=problems())
def get_pools(caller: CodesWriter, rewards: RewardsOf) -> PoolsOut:
    """How many codes each has had, and how many are left."""
    pools = rewards.pools(caller.program_id)
    return PoolsOut(pools=[PoolOut(pool=one.name, codes=one.codes, left=one.left) for one in pools])


@codes_router.post("/code-pools/{pool}/codes", summary="Import codes into a pool", responses=problems())
def import_codes(caller: CodesWriter, pool: PoolName, body: ImportIn, rewards: RewardsOf) -> ImportedOut:
    """Up to 10,000 at once. Those the program knows stay as they are, so the same request can be sent again."""
    done = rewards.import_codes(caller.program_id, pool, body.codes, _now())
    return ImportedOut(pool=pool, added=done.added, known=done.known, unusable=done.unusable)


def _presented(body: ValidateIn, till: str, reference: str = "") -> Presented:
    lines = tuple(line.line for line in body.lines)
    if lines and body.total is not None:
        item = ErrorItem(pointer="#/total", message="stands beside `lines`", hint="Leave one of them out.")
        raise InvalidRedemption("The basket is said by its total, or by its lines.", errors=[item])
    return Presented(
        code=body.code, till=till, reference=reference, total=body.total, lines=lines, shipping=body.shipping
    )


def _code(judged: Judged) -> CodeOut:
    row = judged.row
    return CodeOut(
        hint=row.hint,
        valid=judged.why_not is None,
        reason=judged.why_not,
        reward=row.reward,
        kind=judged.kind,
        member=None if row.member_id is None else format_id(MEMBER_PREFIX, row.member_id),
        redemption=None if row.redemption_id is None else format_id(REDEMPTION_PREFIX, row.redemption_id),
        uses_left=_uses_left(row),
        money_left=row.left,
        off=judged.off,
        by_line=judged.by_line,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _use(used: Used, response: Response) -> UseOut:
    if used.replayed:
        response.headers[REPLAYED] = "true"
    use, row = used.use, used.row
    return UseOut(
        till=use.till,
        reference=use.reference,
        amount=use.amount,
        redeemed_at=use.redeemed_at,
        released_at=use.released_at,
        reward=row.reward,
        uses_left=_uses_left(row),
        money_left=row.left,
    )


def _uses_left(row: CodeRow) -> int | None:
    return None if row.uses is None else row.uses - row.used


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
