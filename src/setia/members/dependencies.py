"""What several member endpoints take: the id in the path, and the live definition."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Path, Request

from setia.api.ids import read_id
from setia.db.engine import Database, driver_connection
from setia.members.identifiers import MEMBER_PREFIX
from setia.members.merges import main_of
from setia.members.points import Outlook
from setia.members.schemas import MEMBER_EXAMPLE
from setia.members.service import NoSuchMember
from setia.program.definition import Program
from setia.versions import service as versions
from setia.versions.cache import VersionCache


def _member_id(
    request: Request,
    member_id: Annotated[
        str,
        Path(
            max_length=100,
            description="The member's id, `mem_...`.",
            openapi_examples={"id": {"value": MEMBER_EXAMPLE}},
        ),
    ],
) -> UUID:
    found = read_id(MEMBER_PREFIX, member_id, NoSuchMember)
    # Who was merged is answered for by the other one, in the same program; the endpoint checks that it is the caller's.
    database: Database = request.app.state.database
    with database.transaction() as tx:
        return main_of(driver_connection(tx), [found]).get(found, found)


MemberId = Annotated[UUID, Depends(_member_id)]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseOf = Annotated[Database, Depends(_database)]


def live_definition(request: Request, tx: sa.Connection, program_id: int) -> Program:
    """The definition that is live in this transaction, parsed once per process."""
    definitions: VersionCache[Program] = request.app.state.definitions
    return definitions.get(program_id, versions.live_number(tx, program_id))


def settled(request: Request, tx: sa.Connection, program_id: int, member_id: UUID) -> None:
    """Book what time has done to the member, in this transaction, so that what is read or changed next is true now."""
    settle: Callable[[sa.Connection, int, UUID], None] = request.app.state.settle
    settle(tx, program_id, member_id)


def outlook_of(request: Request, tx: sa.Connection, program_id: int, member_id: UUID) -> Outlook:
    """What time will do to the member's points; what it has done is booked first, in this transaction."""
    outlook: Callable[[sa.Connection, int, UUID], Outlook] = request.app.state.outlook
    return outlook(tx, program_id, member_id)
