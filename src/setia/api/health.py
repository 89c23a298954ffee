"""Whether the process lives, whether it can serve, and what it counts. Open to all: nothing here names anybody."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from setia.api.documented import OPEN, problems
from setia.db import migrate
from setia.db.engine import Database
from setia.problems import Unavailable

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(examples=["ok"])


class Readiness(Health):
    """The process can serve."""

    migration: str | None = Field(description="The revision of the database.", examples=["0003"])


class NotReady(Unavailable):
    """The database is away, or its tables are not those of this version."""

    code = "not_ready"
    title = "This process cannot serve yet"


@router.get("/healthz", summary="Is the process alive?", responses=problems(base=OPEN))
async def healthz() -> Health:
    """Answers as long as the process does. It does not look at the database: a restart would not mend that."""
    return Health(status="ok")


@router.get("/readyz", summary="Can it serve?", responses=problems(NotReady, base=OPEN))
def readyz(request: Request) -> Readiness:
    """Answers 200 when the database answers and has the tables of this version, and 503 otherwise."""
    database: Database = request.app.state.database
    if not database.healthy():
        raise NotReady("The database does not answer.")
    try:
        current = migrate.current(database)
    except SQLAlchemyError as error:
        raise NotReady("The database does not answer.") from error
    head: str | None = request.app.state.head
    if current != head:
        raise NotReady(f"The database is at revision {current}, this version needs {head}. Run `setia migrate`.")
    return Readiness(status="ok", migration=current)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={**problems(base=OPEN), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics() -> Response:
    """Figures of this process in the text format of Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
