"""`/v1/members/{id}/points/freeze`: points that nobody may spend for now."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from setia.api.documented import problems
from setia.api.strict import StrictRoute
from setia.api.values import Reason
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.events.acts import By
from setia.events.freezing import freeze
from setia.events.live import LivePrograms
from setia.events.members_in_play import read_in_play
from setia.identity.caller import MembersReader, MembersWriter
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember, StatusConflict
from setia.versions.service import NothingPublished

freezing_router = APIRouter(prefix="/v1/members/{member_id}/points", tags=["members"], route_class=StrictRoute)


class FreezeIn(BaseModel):
    """Why points are frozen, or set free."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Lost my card"}]})

    reason: Reason


class FrozenOut(BaseModel):
    """Whether a member's points are frozen."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    frozen: bool = Field(examples=[True])
    frozen_at: dt.datetime | None = Field(description="Since when.", examples=["2026-03-01T09:00:00Z"])


_PROBLEMS = problems(NoSuchMember, NothingPublished, StatusConflict)


@freezing_router.get(
    "/freeze", summary="Read whether points are frozen", responses=problems(NoSuchMember, NothingPublished)
)
def get_frozen(caller: MembersReader, member_id: MemberId, request: Request, database: DatabaseOf) -> FrozenOut:
    """Frozen points come in, end and are taken back as ever; nobody spends them."""

    def work(tx: sa.Connection) -> FrozenOut:
        service.get_member(tx, caller.program_id, member_id)
        programs: LivePrograms = request.app.state.programs
        connection = driver_connection(tx)
        program = programs.live(connection, caller.program_id).compiled
        return _out(member_id, read_in_play(connection, program, caller.program_id, member_id).state.counters.frozen_at)

    return database.run(work)


@freezing_router.post("/freeze", summary="Freeze points", responses=_PROBLEMS)
def freeze_points(
    caller: MembersWriter, member_id: MemberId, body: FreezeIn, request: Request, database: DatabaseOf
) -> FrozenOut:
    """Refuse whatever would spend the member's points, until they are set free. Earning goes on."""
    by = By(caller.actor, body.reason)
    return database.run(lambda tx: _freeze(tx, request, caller.program_id, member_id, by, frozen=True))


@freezing_router.post("/unfreeze", summary="Set frozen points free", responses=_PROBLEMS)
def unfreeze_points(
    caller: MembersWriter, member_id: MemberId, body: FreezeIn, request: Request, database: DatabaseOf
) -> FrozenOut:
    """Let points be spent again. Where they are not frozen, nothing changes."""
    by = By(caller.actor, body.reason)
    return database.run(lambda tx: _freeze(tx, request, caller.program_id, member_id, by, frozen=False))


def _freeze(
    tx: sa.Connection, request: Request, program_id: int, member_id: MemberId, by: By, *, frozen: bool
) -> FrozenOut:
    member = service.lock_member(tx, program_id, member_id)
    if member.status == "closed":
        raise StatusConflict("A closed member's points stay as they are.")
    programs: LivePrograms = request.app.state.programs
    connection = driver_connection(tx)
    live = programs.live(connection, program_id)
    return _out(member_id, freeze(connection, live, member_id, by, dt.datetime.now(dt.UTC), frozen=frozen))


def _out(member_id: MemberId, frozen_at: dt.datetime | None) -> FrozenOut:
    return FrozenOut(member=format_id("mem", member_id), frozen=frozen_at is not None, frozen_at=frozen_at)
