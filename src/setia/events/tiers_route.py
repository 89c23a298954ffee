"""`/v1/members/{id}/tiers`: where a member stands, until when, what is missing; and levels given by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Annotated, NamedTuple

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from setia.api.documented import problems
from setia.api.languages import preferred
from setia.api.moments import GivenMoment
from setia.api.strict import StrictRoute
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.engine.compiled import CompiledProgram
from setia.engine.outlook import Foreseen, Outlook, outlook
from setia.engine.state import Floor
from setia.engine.tier_sentences import level_name
from setia.engine.tiers import Need, Standing, standings
from setia.events.levels import ByHand, InvalidLevel, NoSuchTierSet, give_level
from setia.events.live import LivePrograms
from setia.events.members_in_play import read_in_play
from setia.events.points_outlook import foreseen_of
from setia.events.settling import settle_one
from setia.identity.caller import MembersReader, PointsAdjuster
from setia.ledger.wallets import all_open_lots
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId
from setia.members.points_router import AcceptLanguage, Locale
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.versions.service import NothingPublished

tiers_router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"], route_class=StrictRoute)

_GIVEN: dict[str, JsonValue] = {
    "level": "gold",
    "until": "2099-01-01T00:00:00Z",
    "reason": "Status match with a partner",
}
TierSetId = Annotated[str, Path(max_length=63, description="The tier set's id.", examples=["status"])]


class Wish(NamedTuple):
    """The language in which somebody wants names: said, or by the header."""

    locale: str | None = None
    header: str | None = None

    def of(self, program: CompiledProgram) -> str:
        """Of those in which levels have names the one that is liked best."""
        if self.locale is not None:
            return self.locale
        names = [level.name.root for one in program.tier_sets for level in one.definition.levels if level.name]
        known = dict.fromkeys(language for name in names if isinstance(name, dict) for language in name)
        return preferred(self.header, tuple(known), program.definition.program.locale)


class NeedOut(BaseModel):
    """One criterion of a level. Amounts are whole numbers of the metric's smallest unit (see `decimals`)."""

    metric: str = Field(examples=["spend"])
    value: int = Field(description="What there is, in the criterion's window.", examples=[120])
    needed: int = Field(examples=[300])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50.", examples=[0])

    @classmethod
    def of(cls, need: Need) -> NeedOut:
        """The criterion as the API says it."""
        return cls(metric=need.metric, value=need.value, needed=need.needed, decimals=need.digits)


class StandingOut(BaseModel):
    """A member's place on one ladder. Amounts are whole numbers of the metric's smallest unit (see `decimals`)."""

    tier_set: str = Field(examples=["status"])
    level: str = Field(examples=["green"])
    level_name: str = Field(description="In the language asked for; its id where it has no name.", examples=["Green"])
    value: int = Field(description="The metric in its current window.", examples=[120])
    next_level: str | None = Field(examples=["gold"])
    next_level_name: str | None = Field(description="Likewise.", examples=["Gold"])
    missing: int = Field(description="How much is missing to the next level; 0 at the top.", examples=[180])
    decimals: int = Field(description="With 2, an amount of 150 is 1.50.", examples=[0])
    needs: list[NeedOut] = Field(description="Every criterion of the next level.")
    any_needed: bool = Field(description="Whether one of the criteria is enough.", examples=[False])
    valid_until: dt.datetime | None = Field(
        description="Until when it is held (exclusive): when it falls, or, where it is kept at its next review "
        "already, the end of the period after that; null where nothing ends it.",
        examples=["2026-12-31T23:00:00Z"],
    )
    falls_to: str | None = Field(
        description="The level it will fall to then, unless `keep` is reached; null where it would be kept.",
        examples=[None],
    )
    keep: list[NeedOut] = Field(description="What keeping the level asks for.")
    any_kept: bool = Field(description="Whether one of these is enough.", examples=[False])
    in_grace: bool = Field(description="Whether a review was not passed and the level is in its grace.")
    given_level: str | None = Field(description="A level given by hand: the member does not fall below it.")
    given_until: dt.datetime | None = Field(description="When that ends; null where it does not.")

    @classmethod
    def of(cls, standing: Standing, view: Outlook, name: Callable[[str], str]) -> StandingOut:
        """A place and its outlook, as the API says them; `name` gives that of a level."""
        return cls(
            tier_set=standing.tier_set,
            level=standing.level,
            level_name=name(standing.level),
            value=standing.value,
            next_level=standing.next_level,
            next_level_name=None if standing.next_level is None else name(standing.next_level),
            missing=standing.missing,
            decimals=standing.digits,
            needs=[NeedOut.of(need) for need in standing.needs],
            any_needed=standing.any_of,
            valid_until=view.valid_until,
            falls_to=view.falls_to,
            keep=[NeedOut.of(need) for need in view.keep],
            any_kept=view.keep_any_of,
            in_grace=view.in_grace,
            given_level=view.floor,
            given_until=view.floor_until,
        )


class TiersOut(BaseModel):
    """A member's place on every ladder of the program."""

    member: str = Field(examples=[MEMBER_EXAMPLE])
    tiers: list[StandingOut]


class LevelIn(BaseModel):
    """A level to stand on, until a moment or without end."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_GIVEN]})

    level: str = Field(max_length=63, examples=["gold"])
    until: GivenMoment | None = Field(default=None, examples=["2099-01-01T00:00:00Z"])
    reason: str = Field(min_length=1, max_length=1000, examples=["Status match with a partner"])


class NoLevelIn(BaseModel):
    """Why a level that was given is taken away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Status match has ended"}]})

    reason: str = Field(min_length=1, max_length=1000, examples=["Status match has ended"])


@tiers_router.get("/tiers", summary="Read a member's tiers", responses=problems(NoSuchMember, NothingPublished))
def get_tiers(
    caller: MembersReader,
    member_id: MemberId,
    request: Request,
    database: DatabaseOf,
    locale: Locale = None,
    accept_language: AcceptLanguage = None,
) -> TiersOut:
    """The level in each tier set, what counts for it, until when it is held, and how far the next level is."""
    wish = Wish(locale, accept_language)
    return database.run(lambda tx: _read(tx, request, caller.program_id, member_id, wish))


@tiers_router.put(
    "/tiers/{tier_set}",
    summary="Give a level by hand",
    responses=problems(NoSuchMember, NothingPublished, NoSuchTierSet, InvalidLevel),
)
def put_level(
    caller: PointsAdjuster,
    member_id: MemberId,
    tier_set: TierSetId,
    body: LevelIn,
    request: Request,
    database: DatabaseOf,
) -> TiersOut:
    """The member rises to the level at once, and falls below it when it ends. The same again changes nothing."""
    floor = Floor(body.level, body.until)
    by = ByHand(caller.actor, body.reason)
    return database.run(lambda tx: _give(tx, request, caller.program_id, member_id, tier_set, floor, by))


@tiers_router.post(
    "/tiers/{tier_set}/end",
    summary="End a level given by hand",
    responses=problems(NoSuchMember, NothingPublished, NoSuchTierSet),
)
def end_level(
    caller: PointsAdjuster,
    member_id: MemberId,
    tier_set: TierSetId,
    body: NoLevelIn,
    request: Request,
    database: DatabaseOf,
) -> TiersOut:
    """The level becomes the one that the member has reached without it. Where none was given, nothing changes."""
    by = ByHand(caller.actor, body.reason)
    return database.run(lambda tx: _give(tx, request, caller.program_id, member_id, tier_set, None, by))


def _give(
    tx: sa.Connection,
    request: Request,
    program_id: int,
    member_id: MemberId,
    tier_set: str,
    floor: Floor | None,
    by: ByHand,
) -> TiersOut:
    service.lock_member(tx, program_id, member_id)
    programs: LivePrograms = request.app.state.programs
    connection = driver_connection(tx)
    live = programs.live(connection, program_id)
    give_level(connection, live, member_id, tier_set, floor, by, live.now(dt.datetime.now(dt.UTC)))
    return _read(tx, request, program_id, member_id)


def _read(
    tx: sa.Connection, request: Request, program_id: int, member_id: MemberId, wish: Wish | None = None
) -> TiersOut:
    programs: LivePrograms = request.app.state.programs
    service.get_member(tx, program_id, member_id)
    connection = driver_connection(tx)
    live = programs.live(connection, program_id)
    program, now = live.compiled, live.now(dt.datetime.now(dt.UTC))
    settle_one(connection, live, member_id, now)
    state = read_in_play(connection, program, program_id, member_id).state
    today = now.astimezone(program.zone).date()
    available = {points: balance.available for points, balance in state.balances.items()}
    places = standings(program, state.counters, available, today, state.enrolled_at)
    coming: list[Foreseen] = []
    if any(tier_set.by_balance for tier_set in program.tier_sets):
        coming = foreseen_of(all_open_lots(connection, [member_id])[member_id], program, state)
    locale = (wish or Wish()).of(program)
    return TiersOut(
        member=format_id("mem", member_id),
        tiers=[
            StandingOut.of(
                place,
                outlook(program, tier_set, state, now, coming),
                partial(level_name, program, tier_set.id, locale=locale),
            )
            for place, tier_set in zip(places, program.tier_sets, strict=True)
        ],
    )
