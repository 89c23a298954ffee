"""`/v1/clock`: what time it is for the program of the key, and in test mode moving it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from setia.api.documented import problems
from setia.api.idempotency import REPLAYED, Keyed, KeyInFlight, KeyReused, OptionalKey
from setia.api.strict import StrictRoute
from setia.clock import service
from setia.clock.problems import ClockBusy, InvalidAdvance, NoTestClock
from setia.clock.schemas import AdvancedOut, AdvanceIn, ClockOut
from setia.db.engine import Database, driver_connection
from setia.events.live import LivePrograms
from setia.identity.caller import ProgramReader, ProgramWriter
from setia.versions.service import NothingPublished, get_program

router = APIRouter(prefix="/v1/clock", tags=["program"], route_class=StrictRoute)


@router.get("", summary="Read the clock", responses=problems(NothingPublished))
def get_clock(caller: ProgramReader, request: Request) -> ClockOut:
    """What time it is for the program: the real time, or in test mode where its clock stands."""
    database: Database = request.app.state.database
    programs: LivePrograms = request.app.state.programs
    with database.transaction() as tx:
        zone = programs.live(driver_connection(tx), caller.program_id).compiled.zone
        return ClockOut.of(get_program(tx, caller.program_id), zone.key)


@router.post(
    "",
    summary="Advance the clock of a test program",
    responses=problems(NothingPublished, NoTestClock, ClockBusy, InvalidAdvance, KeyReused, KeyInFlight),
)
def advance_clock(
    caller: ProgramWriter,
    body: AdvanceIn,
    request: Request,
    response: Response,
    idempotency_key: OptionalKey = None,
) -> AdvancedOut:
    """Move the time on, and do what comes due, day by day: points end, or become available. It answers when it is done.

    With an Idempotency-Key the same request again goes to the moment that the first one meant, and no further.
    """
    write = None
    if idempotency_key is not None:
        write = Keyed.of(caller.program_id, "POST /v1/clock", idempotency_key, body.model_dump(mode="json"))
    advanced = service.advance(
        request.app.state.database, request.app.state.programs, caller.program_id, body.goal, write=write
    )
    if advanced.replayed:
        response.headers[REPLAYED] = "true"
    return AdvancedOut.of(advanced)
