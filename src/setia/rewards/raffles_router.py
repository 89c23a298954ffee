"""`/v1/raffles`: draws that are promised before tickets close, and can be drawn again by anybody."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.ids import read_id
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.api.values import PlainText
from setia.db.ids import format_id, parse_id
from setia.engine.raffle import Ticket
from setia.identity.caller import RaffleDrawer, RewardsReader
from setia.members.schemas import MEMBER_EXAMPLE
from setia.rewards.problems import NoSuchDraw, NoSuchReward, RaffleDrawn
from setia.rewards.raffles import Draw
from setia.rewards.router import RewardsOf
from setia.rewards.schemas import REDEMPTION_EXAMPLE
from setia.versions.service import NothingPublished

raffles_router = APIRouter(prefix="/v1", tags=["rewards"], route_class=StrictRoute)

DRAW_PREFIX = "drw"
_EXAMPLE = f"drw_{'0' * 32}"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MOMENT = "2026-03-01T09:00:00Z"
Raffle = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="The reward of kind `raffle`.")]


def _draw_id(
    draw_id: Annotated[str, Path(max_length=100, description="The draw's id.", examples=[_EXAMPLE])],
) -> UUID:
    return read_id(DRAW_PREFIX, draw_id, NoSuchDraw)


DrawId = Annotated[UUID, Depends(_draw_id)]


class DrawIn(BaseModel):
    """How many win, and what nobody knew when the draw was promised."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"winners": 3, "entropy": "6 aus 49: 3 9 17 25 31 44"}]}
    )

    winners: int = Field(strict=True, ge=1, le=10_000, examples=[3])
    entropy: Annotated[PlainText, Field(max_length=500)] = Field(
        default="", description="Something public from outside, such as the numbers of a lottery drawn since."
    )


class WonOut(BaseModel):
    """A redemption that won, and whose it is."""

    redemption: str = Field(examples=[REDEMPTION_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])


class DrawOut(BaseModel):
    """A draw. Seed, digest and winners are null until it is drawn."""

    id: str = Field(examples=[_EXAMPLE])
    reward: str = Field(examples=["weekend"])
    promised_at: dt.datetime = Field(examples=[_MOMENT])
    promise: str = Field(description="SHA-256 of the seed, in hex.", examples=[_HASH])
    drawn_at: dt.datetime | None
    seed: str | None = Field(examples=[None])
    digest: str | None = Field(description="SHA-256 of the list of tickets.", examples=[None])
    entropy: str | None = Field(examples=[None])
    tickets: int | None = Field(description="How many took part.", examples=[None])
    won: list[WonOut] | None = Field(description="In the order of the draw; of each member one at most.")

    @classmethod
    def of(cls, draw: Draw) -> DrawOut:
        """A draw as the API says it."""
        return cls(
            id=format_id(DRAW_PREFIX, draw.id),
            reward=draw.reward,
            promised_at=draw.promised_at,
            promise=draw.promise,
            drawn_at=draw.drawn_at,
            seed=draw.seed,
            digest=draw.digest,
            entropy=draw.entropy,
            tickets=draw.tickets,
            won=None if draw.won is None else [WonOut(**one) for one in draw.won],
        )


class DrawsOut(BaseModel):
    """The draws of a raffle, the newest first."""

    draws: list[DrawOut]


class TicketsOut(BaseModel):
    """The tickets of one redemption."""

    redemption: str = Field(examples=[REDEMPTION_EXAMPLE])
    member: str = Field(examples=[MEMBER_EXAMPLE])
    quantity: int = Field(examples=[2])


@raffles_router.post(
    "/raffles/{reward}/draws",
    status_code=201,
    summary="Promise the draw of a raffle",
    responses=problems(NoSuchReward, NothingPublished),
)
def promise_draw(caller: RaffleDrawer, reward: Raffle, rewards: RewardsOf) -> DrawOut:
    """Publish the `promise` before tickets close. While a draw is promised and not drawn, this gives it again."""
    return DrawOut.of(rewards.promise_draw(caller.program_id, reward, actor=caller.actor))


@raffles_router.get(
    "/raffles/{reward}/draws", summary="Read the draws of a raffle", responses=problems(NothingPublished)
)
def get_draws(caller: RewardsReader, reward: Raffle, rewards: RewardsOf) -> DrawsOut:
    """At most 200."""
    return DrawsOut(draws=[DrawOut.of(one) for one in rewards.draws(caller.program_id, reward)])


@raffles_router.post(
    "/raffle-draws/{draw_id}/draw",
    summary="Draw the winners",
    responses=problems(NoSuchDraw, RaffleDrawn, NothingPublished),
)
def draw_winners(caller: RaffleDrawer, draw_id: DrawId, body: DrawIn, rewards: RewardsOf) -> DrawOut:
    """From all tickets that are redeemed now and were in no draw before. The same again gives the same winners."""
    done = rewards.draw_winners(caller.program_id, draw_id, winners=body.winners, entropy=body.entropy)
    return DrawOut.of(done)


@raffles_router.get(
    "/raffle-draws/{draw_id}/tickets",
    summary="Read the tickets of a draw",
    responses=problems(NoSuchDraw, NothingPublished),
)
def get_tickets(
    caller: RewardsReader, draw_id: DrawId, rewards: RewardsOf, limit: Limit = 50, cursor: Cursor = None
) -> Page[TicketsOut]:
    """In the order in which they are counted; a line of the hashed list is `redemption member quantity`."""
    listed = f"tickets {draw_id}"
    place = read_cursor(listed, cursor, str)
    after = None if place is None else parse_id("red", place[0])
    tickets = rewards.tickets(caller.program_id, draw_id, after=after, most=limit + 1)
    page, following = cut(tickets, limit, lambda ticket: write_cursor(listed, ticket.redemption))
    return Page(items=[_ticket(one) for one in page], next_cursor=following)


def _ticket(ticket: Ticket) -> TicketsOut:
    return TicketsOut(redemption=ticket.redemption, member=ticket.member, quantity=ticket.quantity)
