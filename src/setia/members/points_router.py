"""`/v1/members/{id}/wallets`, `/statement` and `/adjustments`."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, TypeAlias

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, KeyRequired, KeyReused, OptionalKey, require
from setia.api.languages import preferred
from setia.api.pages import Cursor, Limit, Page, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.db.engine import driver_connection
from setia.db.ids import format_id
from setia.identity.caller import MembersReader, PointsAdjuster
from setia.ledger.adjustments import Adjusted, Adjustment, Watcher, adjust
from setia.ledger.freezing import PointsFrozen
from setia.ledger.refusals import InsufficientPoints, InvalidAdjustment
from setia.ledger.statement import read_statement
from setia.ledger.states import levels_held
from setia.ledger.wallets import load_balances, wallets_as_of
from setia.members import service
from setia.members.dependencies import DatabaseOf, MemberId, live_definition, outlook_of, settled
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.points import AdjustmentIn, AdjustmentOut, EntryOut, Sentences, WalletsOut, terms_of, wallets_out
from setia.members.service import NoSuchMember, StatusConflict
from setia.problems import ErrorItem
from setia.velocity.problems import VelocityExceeded
from setia.versions import service as versions
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1/members/{member_id}", tags=["members"], route_class=StrictRoute)

LANGUAGES = ("en", "de", "ms")
_LIST = "statement"
Watching: TypeAlias = Callable[[sa.Connection, int, Adjustment, dt.datetime], Watcher]
"""Who counts points that are given by hand; `app.state.by_hand` holds it."""
_LARGEST_SEQ = 2**63 - 1

Locale = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35, description="Language of texts, as `de`."),
]
Moment = Annotated[AwareDatetime | None, Query(description="A past moment, as `2026-03-01T09:00:00Z`.")]
AcceptLanguage = Annotated[str | None, Header(description="Language of texts, where `locale` says none.")]


@router.get("/wallets", summary="Read a member's wallets", responses=problems(NoSuchMember, NothingPublished))
def get_wallets(
    caller: MembersReader,
    member_id: MemberId,
    request: Request,
    database: DatabaseOf,
    at: Moment = None,
    locale: Locale = None,
    accept_language: AcceptLanguage = None,
) -> WalletsOut:
    """What the member holds of each point type, and what it is worth; with `at`, what it was booked to be then."""
    with database.transaction() as tx:
        service.get_member(tx, caller.program_id, member_id)
        definition = live_definition(request, tx, caller.program_id)
        connection = driver_connection(tx)
        if at is None:
            outlook = outlook_of(request, tx, caller.program_id, member_id)
            balances = load_balances(connection, [member_id])[member_id]
        else:
            outlook, balances = None, wallets_as_of(connection, member_id, at)
    language = preferred(locale or accept_language, LANGUAGES, definition.program.locale)
    return wallets_out(definition, format_id(MEMBER_PREFIX, member_id), balances, language, outlook)


@router.get("/statement", summary="Read a member's statement", responses=problems(NoSuchMember, NothingPublished))
def get_statement(  # noqa: PLR0913, PLR0917 - query parameters
    caller: MembersReader,
    member_id: MemberId,
    request: Request,
    database: DatabaseOf,
    limit: Limit = 50,
    cursor: Cursor = None,
    locale: Locale = None,
    accept_language: AcceptLanguage = None,
) -> Page[EntryOut]:
    """Everything that was booked for the member, the newest first, with the balance after each line."""
    # The member is part of the list's name: a cursor of another member's statement is a wrong one.
    listed = f"{_LIST} {format_id(MEMBER_PREFIX, member_id)}"
    place = read_cursor(listed, cursor, _seq)
    before = None if place is None else place[0]
    with database.transaction() as tx:
        service.get_member(tx, caller.program_id, member_id)
        definition = live_definition(request, tx, caller.program_id)
        settled(request, tx, caller.program_id, member_id)
        page = read_statement(driver_connection(tx), member_id, before=before, limit=limit)
    language = preferred(locale or accept_language, LANGUAGES, definition.program.locale)
    sentences: Sentences = request.app.state.sentences
    return Page(
        items=[EntryOut.of(entry, sentences(definition, entry, language)) for entry in page.entries],
        next_cursor=None if page.before is None else write_cursor(listed, page.before),
    )


@router.post(
    "/adjustments",
    status_code=201,
    summary="Give or take points by hand",
    responses=problems(
        *(NoSuchMember, NothingPublished, KeyRequired, KeyReused, InvalidAdjustment, InsufficientPoints),
        *(StatusConflict, PointsFrozen, VelocityExceeded),
    ),
)
def adjust_points(
    caller: PointsAdjuster,
    member_id: MemberId,
    body: AdjustmentIn,
    request: Request,
    response: Response,
    database: DatabaseOf,
    idempotency_key: OptionalKey = None,
) -> AdjustmentOut:
    """Book points for or against a member, with a reason, once for each Idempotency-Key, for ever."""
    key = require(idempotency_key)

    def work(tx: sa.Connection) -> Adjusted:
        definition = live_definition(request, tx, caller.program_id)
        member = service.lock_member(tx, caller.program_id, member_id)
        if body.points not in definition.points:
            known = ", ".join(definition.points)
            item = ErrorItem(pointer="#/points", message="The program has no such points.", hint=f"It has: {known}.")
            raise InvalidAdjustment("The adjustment was not booked.", errors=[item])
        if member.status == "closed":
            raise StatusConflict("A closed member's points stay as they are.")
        settled(request, tx, caller.program_id, member_id)
        now = versions.program_now(tx, caller.program_id)
        asked = Adjustment(
            member_id=member_id,
            point_type=body.points,
            amount=body.amount,
            reason=body.reason,
            actor=caller.actor,
            idempotency_key=key,
            expires_at=body.expires_at,
            though_frozen=body.though_frozen,
        )
        connection = driver_connection(tx)
        version, held = versions.live_number(tx, caller.program_id), levels_held(connection, member_id)
        terms = terms_of(definition, version, body.points, now, held)
        watch: Watching = request.app.state.by_hand
        watcher = watch(tx, caller.program_id, asked, now) if definition.velocity else None
        return adjust(connection, asked, terms, now, watcher)

    adjusted = database.run(work)
    if adjusted.replayed:
        response.headers[REPLAYED] = "true"
    return AdjustmentOut.of(adjusted)


def _seq(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_SEQ:
        raise ValueError("no place in a statement")
    return value
