"""`/v1/program`: the program of the key, and its versions."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request

from setia.api.documented import problems
from setia.api.pages import Cursor, Limit, Page, cut, read_cursor, write_cursor
from setia.api.strict import StrictRoute
from setia.db.engine import Database
from setia.identity.caller import ProgramReader, ProgramWriter
from setia.problems import ErrorItem
from setia.program.yaml_text import validate
from setia.versions import service
from setia.versions.checking import InvalidDefinition, checked
from setia.versions.schemas import DefinedVersionOut, FindingOut, PublishedOut, PublishIn, VersionOut
from setia.versions.service import NoSuchVersion, NothingPublished, Version

router = APIRouter(prefix="/v1/program", tags=["program"], route_class=StrictRoute)

_LIST = "versions"


@router.get("", summary="Read the live program", responses=problems(NothingPublished))
def get_program(caller: ProgramReader, request: Request) -> DefinedVersionOut:
    """The definition that decides new events."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        shown = _shown(tx, caller.program_id, service.live_number(tx, caller.program_id))
    return DefinedVersionOut.with_definition(*shown)


@router.get("/versions", summary="List published versions", responses=problems())
def list_versions(
    caller: ProgramReader, request: Request, limit: Limit = 50, cursor: Cursor = None
) -> Page[VersionOut]:
    """Every version ever published, the newest first."""
    place = read_cursor(_LIST, cursor, int)
    database: Database = request.app.state.database
    with database.transaction() as tx:
        rows = service.list_versions(tx, caller.program_id, below=None if place is None else place[0], most=limit + 1)
    page, following = cut(rows, limit, lambda version: write_cursor(_LIST, version.number))
    return Page(items=[VersionOut.of(version) for version in page], next_cursor=following)


@router.get("/versions/{number}", summary="Read a published version", responses=problems(NoSuchVersion))
def get_version(
    caller: ProgramReader,
    number: Annotated[int, Path(ge=1, le=2**31 - 1, openapi_examples={"first": {"value": 1}})],
    request: Request,
) -> DefinedVersionOut:
    """One version with its definition."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        shown = _shown(tx, caller.program_id, number)
    return DefinedVersionOut.with_definition(*shown)


@router.post("/versions", status_code=201, summary="Publish a version", responses=problems(InvalidDefinition))
def publish_version(caller: ProgramWriter, body: PublishIn, request: Request) -> PublishedOut:
    """Make a definition live. The one that is live already makes no new version, so a repeated request does no harm."""
    definition, findings = checked(validate(body.definition), pointer="#/definition")
    if definition.program.id != caller.program_key:
        item = ErrorItem(
            pointer="#/definition/program/id",
            message=f"This key belongs to the program {caller.program_key!r}.",
            hint="Use a key of the program you publish.",
        )
        raise InvalidDefinition("Nothing was published.", errors=[item])
    database: Database = request.app.state.database
    mode: service.Mode = "test" if caller.mode == "test" else "live"
    published = database.run(lambda tx: service.publish(tx, definition, caller.actor, body.note, mode=mode))
    warnings = [
        FindingOut(code=found.code, message=found.message, hint=found.hint, pointer=f"#/definition{found.path}")
        for found in (*findings, *published.changes)
    ]
    return PublishedOut.of_published(published, warnings)


def _shown(tx: sa.Connection, program_id: int, number: int) -> tuple[Version, str]:
    return service.get_version(tx, program_id, number), service.get_text(tx, program_id, number)
