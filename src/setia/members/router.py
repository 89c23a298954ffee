"""`/v1/members`: enrol, find, change."""

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyReused, OptionalKey
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.db.engine import driver_connection
from setia.identity.caller import MembersReader, MembersWriter
from setia.members import service
from setia.members.attributes import InvalidAttributes
from setia.members.dependencies import DatabaseOf, MemberId, live_definition
from setia.members.enrolment import (
    Enrol,
    IdentifierTaken,
    Introduce,
    InvalidEnrolment,
    UnknownReferralCode,
    by_kind,
    checked_member,
)
from setia.members.identifiers import InvalidIdentifier, MemberReference, read_reference
from setia.members.member import Member, NewMember, Status
from setia.members.resolve import MemberAmbiguous, resolve
from setia.members.schemas import EnrolmentIn, IdentifierText, MemberOut, MemberPatch, StatusReason, lists_of
from setia.members.service import NoSuchMember, StatusConflict
from setia.versions import service as versions
from setia.versions.service import NothingPublished

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=StrictRoute)

_LIST = "members"
Lookup = Annotated[IdentifierText | None, Query(description="Find the member with this identifier.")]


@router.post(
    "",
    status_code=201,
    summary="Enrol a member",
    responses=problems(
        IdentifierTaken,
        InvalidIdentifier,
        InvalidAttributes,
        InvalidEnrolment,
        KeyReused,
        KeyInFlight,
        NothingPublished,
        UnknownReferralCode,
    ),
)
def enrol_member(
    caller: MembersWriter,
    body: EnrolmentIn,
    request: Request,
    response: Response,
    database: DatabaseOf,
    idempotency_key: OptionalKey = None,
) -> MemberOut:
    """Enrol a member, with the effects that campaigns have for `member_enrolled`.

    Identifiers belong to one member: the same request again gives the same member, with `Idempotent-Replayed: true`.
    A `referral_code` says by whom the member was referred; `fingerprints` tell friends from oneself.
    """
    with database.transaction() as tx:
        definition = live_definition(request, tx, caller.program_id)
        now = versions.program_now(tx, caller.program_id)
    new = checked_member(
        definition.members,
        now=now,
        identifiers=body.identifiers.given(),
        attributes=body.attributes,
        tags=body.tags,
        locale=body.locale,
        enrolled_at=body.enrolled_at,
    )
    write = None
    if idempotency_key is not None:
        # What came later does not count while it says nothing: requests from before are known again.
        late = {name for name in ("referral_code", "fingerprints") if not getattr(body, name)}
        said = body.model_dump(mode="json", exclude=late)
        write = Keyed.of(caller.program_id, "POST /v1/members", idempotency_key, said)
    introduce: Introduce = request.app.state.introduce
    introduction = introduce(
        caller.program_id, new, code=body.referral_code, fingerprints=lists_of(body.fingerprints or {})
    )
    enrol: Enrol = request.app.state.enrol
    try:
        enrolled = enrol(caller.program_id, new, actor=caller.actor, write=write, introduction=introduction)
    except IdentifierTaken:
        with database.transaction() as tx:
            found = _same_member(tx, caller.program_id, new)
        if found is None or write is not None:
            raise
        response.headers[REPLAYED] = "true"
        return MemberOut.of(found)
    with database.transaction() as tx:
        member = service.get_member(tx, caller.program_id, enrolled.member_id)
    if enrolled.replayed:
        response.headers[REPLAYED] = "true"
    return MemberOut.of(member)


@router.get("", summary="List members, or find one", responses=problems(InvalidIdentifier, MemberAmbiguous))
def list_members(  # noqa: PLR0913, PLR0917 - query parameters
    caller: MembersReader,
    request: Request,
    database: DatabaseOf,
    external_id: Lookup = None,
    card: Lookup = None,
    phone: Lookup = None,
    email: Lookup = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[MemberOut]:
    """All members in the order in which they were made, or the one with the given identifiers.

    Identifiers are compared in their one form: spaces in a card or capitals in an address do not matter. New members
    come at the end, so pages shift nothing.
    """
    given = {"external_id": external_id, "card": card, "phone": phone, "email": email}
    wanted = {kind: value for kind, value in given.items() if value is not None}
    place = read_cursor(_LIST, cursor, UUID)
    with database.transaction() as tx:
        if wanted:
            definition = live_definition(request, tx, caller.program_id)
            reference = read_reference(definition.members, wanted, pointer="#/query")
            found = resolve(driver_connection(tx), caller.program_id, [reference])[reference]
            if isinstance(found, MemberAmbiguous):
                raise found
            members = [] if found is None else [service.get_member(tx, caller.program_id, found)]
            return Page(items=[MemberOut.of(member) for member in members], next_cursor=None)
        after = None if place is None else place[0]
        rows = service.list_members(tx, caller.program_id, after=after, most=limit + 1)
    page, following = cut(rows, limit, lambda member: write_cursor(_LIST, str(member.id)))
    return Page(items=[MemberOut.of(member) for member in page], next_cursor=following)


@router.get("/{member_id}", summary="Read a member", responses=problems(NoSuchMember))
def get_member(caller: MembersReader, member_id: MemberId, database: DatabaseOf) -> MemberOut:
    """One member with identifiers, attributes and tags."""
    with database.transaction() as tx:
        member = service.get_member(tx, caller.program_id, member_id)
    return MemberOut.of(member)


@router.patch(
    "/{member_id}", summary="Change a member", responses=problems(NoSuchMember, InvalidAttributes, StatusConflict)
)
def change_member(
    caller: MembersWriter, member_id: MemberId, body: MemberPatch, request: Request, database: DatabaseOf
) -> MemberOut:
    """Merge attributes (null removes one), and replace tags and locale where they are given."""
    fields: dict[str, Any] = {name: getattr(body, name) for name in ("tags", "locale") if name in body.model_fields_set}

    def work(tx: sa.Connection) -> Member:
        definition = live_definition(request, tx, caller.program_id)
        return service.change_member(
            tx, caller.program_id, member_id, definition.members, attributes=body.attributes, fields=fields
        )

    return MemberOut.of(database.run(work))


_STATUS_PROBLEMS = problems(NoSuchMember, StatusConflict)


@router.post("/{member_id}/suspend", summary="Suspend a member", responses=_STATUS_PROBLEMS)
def suspend_member(caller: MembersWriter, member_id: MemberId, body: StatusReason, database: DatabaseOf) -> MemberOut:
    """A suspended member earns and spends nothing until it is reactivated. Suspending again changes nothing."""
    return _change_status(database, caller, member_id, "suspended", body)


@router.post("/{member_id}/reactivate", summary="Reactivate a member", responses=_STATUS_PROBLEMS)
def reactivate_member(
    caller: MembersWriter, member_id: MemberId, body: StatusReason, database: DatabaseOf
) -> MemberOut:
    """A suspended member is active again. An active one stays so."""
    return _change_status(database, caller, member_id, "active", body)


@router.post("/{member_id}/close", summary="Close a member", responses=_STATUS_PROBLEMS)
def close_member(caller: MembersWriter, member_id: MemberId, body: StatusReason, database: DatabaseOf) -> MemberOut:
    """A closed member stays closed; its history stays readable. Closing again changes nothing."""
    return _change_status(database, caller, member_id, "closed", body)


def _change_status(
    database: DatabaseOf, caller: MembersWriter, member_id: UUID, status: Status, body: StatusReason
) -> MemberOut:
    member = database.run(
        lambda tx: service.change_status(
            tx, caller.program_id, member_id, status, reason=body.reason, actor=caller.actor
        )
    )
    return MemberOut.of(member)


def _same_member(tx: sa.Connection, program_id: int, new: NewMember) -> Member | None:
    """The member that this very request enrolled before, if all that it says is still so."""
    reference = MemberReference(None, new.identifiers)
    found = resolve(driver_connection(tx), program_id, [reference])[reference]
    if not isinstance(found, UUID):
        return None
    member = service.get_member(tx, program_id, found)
    same = (member.identifiers, member.attributes, member.tags, member.locale) == (
        by_kind(new.identifiers),
        new.attributes,
        new.tags,
        new.locale,
    )
    return member if same and member.status != "closed" else None
