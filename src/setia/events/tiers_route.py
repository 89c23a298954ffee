"""`GET /v1/members/{id}/tiers`: where a member stands, and what is missing to the next level."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from setia.api.documented import problems
from setia.api.strict import StrictRoute
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.engine.tiers import standings
from setia.events.live import LivePrograms
from setia.events.members_in_play import read_state
from setia.identity.caller import MembersReader
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.versions.service import NothingPublished

tiers_router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"], route_class=StrictRoute)


class StandingOut(BaseModel):
    """A member's place on one ladder. Amounts are whole numbers of the metric's smallest unit (see `decimals`)."""

    tier_set: str = Field(examples=["status"])
    level: str = Field(examples=["green"])
    value: int = Field(description="The metric in its current window.", examples=[120])
    next_level: str | None = Field(examples=["gold"])
    missing: int = Field(description="How much is missing to the next level; 0 at the top.", examples=[180])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50.", examples=[0])


class TiersOut(BaseModel):
    """A member's place on every ladder of the program."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    tiers: list[StandingOut]


@tiers_router.get("/tiers", summary="Read a member's tiers", responses=problems(NoSuchMember, NothingPublished))
def get_tiers(caller: MembersReader, member_id: MemberId, request: Request, database: DatabaseOf) -> TiersOut:
    """The level in each tier set, the metric that counts for it, and how far the next level is."""
    programs: LivePrograms = request.app.state.programs
    with database.transaction() as tx:
        service.get_member(tx, caller.program_id, member_id)
        connection = driver_connection(tx)
        program = programs.live(connection, caller.program_id).compiled
        now = dt.datetime.now(dt.UTC)
        state = read_state(connection, program, caller.program_id, member_id, now)
    today = now.astimezone(program.zone).date()
    available = {points: balance.available for points, balance in state.balances.items()}
    return TiersOut(
        member=format_id("mem", member_id),
        tiers=[
            StandingOut(
                tier_set=standing.tier_set,
                level=standing.level,
                value=standing.value,
                next_level=standing.next_level,
                missing=standing.missing,
                decimals=standing.digits,
            )
            for standing in standings(program, state.counters, available, today, state.enrolled_at)
        ],
    )
