"""Spending what is pooled, in the caller's transaction: contributions, draws, and redemptions from the pool."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from setia.codes.book import CodeBook
from setia.engine.reward_reasons import Reason
from setia.engine.rewards import price_for
from setia.engine.state import Balance
from setia.events.acts import By
from setia.events.live import LiveProgram
from setia.households.pool import Inside, Pool
from setia.households.problems import InvalidHousehold, MayNotSpend, PoolTooSmall
from setia.ledger.freezing import refuse_frozen
from setia.problems import ErrorItem, Problem
from setia.rewards import redemption
from setia.rewards.redeeming import Asked, Redeemed, Wanted, redeem, unavailable
from setia.rewards.stock import StockExhausted


def contribute(pool: Pool, inside: Inside, points: str, amount: int, by: By) -> None:
    """Put points that are the member's own into the pool: no point moves, the household may spend them from now on.

    Raises:
        InvalidHousehold: the points are not pooled, or not the member's to give, or the member is not active.
        PointsFrozen: what is frozen counts as nothing in the pool, so it could be given again and again.
    """
    _check_points(pool, points)
    refuse_frozen(inside.member.state.id, inside.member.state.counters)
    if inside.member.state.status != "active":
        item = ErrorItem(pointer="#/member", message=f"the member is {inside.member.state.status}")
        raise InvalidHousehold("Nothing was given.", errors=[item])
    available = inside.member.state.balances.get(points, Balance()).available
    own = available - pool.contributions()[points][inside.stay.member_id]
    if amount > own:
        message = f"the member has {max(0, own)} that are not in the pool"
        raise InvalidHousehold("Nothing was given.", errors=[ErrorItem(pointer="#/amount", message=message)])
    pool.note(inside.stay, points, amount, "given", by)


def draw(pool: Pool, inside: Inside, points: str, amount: int, by: By) -> int:
    """Move points of the pool into the wallet of a member who may spend them; gives how many came from others.

    Raises:
        MayNotSpend, PoolTooSmall, InvalidHousehold, PointsFrozen.
    """
    _check_points(pool, points)
    _check_spender(pool, inside)
    refuse_frozen(inside.member.state.id, inside.member.state.counters)  # they would be frozen with the others there
    there = sum(pool.contributions()[points].values())
    if amount > there:
        message = f"{amount} {points} are wanted, and {there} are in the pool."
        raise PoolTooSmall(message, extra={"points": points, "available": there, "wanted": amount})
    return pool.draw(inside, points, amount, by)


def redeem_from_pool(
    connection: psycopg.Connection[Any],
    live: LiveProgram,
    book: CodeBook,
    household: UUID,
    wanted: Wanted,
) -> Redeemed:
    """Redeem a reward for a member with what is pooled, the member's own points paying what is missing.

    What comes from others moves to the member first; where the redemption is refused, nothing has moved.

    Raises:
        What `redeeming.redeem` raises or gives, and what drawing raises.
    """
    pool = Pool(connection, live, household, wanted.now)
    asked = wanted.asked
    inside = pool.inside(asked.member)
    _check_spender(pool, inside)
    spent = {}
    if not _known(connection, live, wanted):
        spent = _draw_price(pool, inside, asked, By(wanted.actor))
    try:
        [done] = redeem(connection, live, book, [wanted])
    except StockExhausted as error:
        raise unavailable([Reason("out_of_stock", left=0)]) from error
    if isinstance(done, Problem):
        raise done
    for points, amount in spent.items():
        pool.note(inside.stay, points, -amount, "spent", By(wanted.actor), reference=str(done.row.id))
    return done


def _draw_price(pool: Pool, inside: Inside, asked: Asked, by: By) -> dict[str, int]:
    """Draw what a reward costs, so far as it is pooled; what of each point type the pool pays."""
    reward = pool.live.compiled.rewards.get(asked.reward)
    if reward is None:
        return {}
    price = price_for(pool.live.compiled, reward, inside.member.state, pool.acts.now, asked.quantity)
    spent = {}
    for points, cost in price.points.items():
        if points in pool.points:
            amount = min(cost, sum(pool.contributions()[points].values()))
            if amount:
                pool.draw(inside, points, amount, by)
                spent[points] = amount
    return spent


def _known(connection: psycopg.Connection[Any], live: LiveProgram, wanted: Wanted) -> bool:
    """Whether the request was made before: then nothing is drawn for it again."""
    asked = wanted.asked
    known = redemption.made_before(connection, live.program_id, wanted.key, asked.till, asked.reference)
    return known is not None


def _check_spender(pool: Pool, inside: Inside) -> None:
    if inside.stay.role not in pool.rules.may_spend:
        allowed = ", ".join(pool.rules.may_spend) or "nobody"
        raise MayNotSpend(f"The role {inside.stay.role!r} may not; these may: {allowed}.")
    if inside.member.state.status != "active":
        raise MayNotSpend(f"The member is {inside.member.state.status}.")


def _check_points(pool: Pool, points: str) -> None:
    if points not in pool.points:
        item = ErrorItem(
            pointer="#/points", message="These points are not pooled.", hint=f"Pooled are: {', '.join(pool.points)}."
        )
        raise InvalidHousehold("Nothing was moved.", errors=[item])
