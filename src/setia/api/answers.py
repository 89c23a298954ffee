"""Every answer that is not a success is a problem (RFC 9457): what FastAPI, Starlette and the database raise, too."""

import json
import re
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from setia.db.engine import DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE, sqlstate
from setia.logs import get_logger
from setia.problems import (
    MEDIA_TYPE,
    BadRequest,
    ErrorItem,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    Unauthorized,
    Unavailable,
    Unprocessable,
    UnsupportedMediaType,
)

REQUEST_ID = "setia.request_id"
"""The key in the ASGI scope under which the id of a request lies."""

_BY_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        PayloadTooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    )
}
_QUERY_CANCELED = "57014"
_BUSY = frozenset({LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE, DEADLOCK_DETECTED, _QUERY_CANCELED})
# A fault list is for people; a batch of 5,000 bad rows has its own shape.
_MOST_ERRORS = 100
_log = get_logger("setia.api")


class ValidationFailed(Unprocessable):
    """The request does not have the documented shape; `errors` points at every value that is wrong."""

    code = "validation_failed"
    title = "The request does not have the documented shape"


class MalformedJson(BadRequest):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"
    title = "The body is not JSON"


def problem_response(problem: Problem, request_id: str | None) -> Response:
    """The answer that tells a problem."""
    body = json.dumps(problem.as_dict(request_id), ensure_ascii=False, separators=(",", ":"))
    return Response(
        # A value that was sent may be quoted in a detail, and may hold half a surrogate pair.
        body.encode("utf-8", "replace"),
        problem.status,
        problem.headers,
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Make problems of all that is raised. What is not known here falls through to `Edge`, which logs it."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(PoolTimeout, _answer_database)
    app.add_exception_handler(DBAPIError, _answer_database)
    app.add_exception_handler(psycopg.Error, _answer_database)


# Steps that Pydantic puts into a path for its own schemas, such as `constrained-str` and `function-after[...]`.
_NOT_A_PLACE = re.compile(r"[\[\]()]|^(constrained|function|lax|strict)-|^(str|int|list|dict|bool|float)$")


def items(errors: Sequence[Any], *, root: str = "body") -> list[ErrorItem]:
    """Pydantic's faults as error items. What was sent is never repeated: it may be personal."""
    found: list[ErrorItem] = []
    for error in errors[:_MOST_ERRORS]:
        place = list(error["loc"])
        if place and place[0] == root:
            place = place[1:]
        inside = [part for part in place if not (isinstance(part, str) and _NOT_A_PLACE.search(part))]
        pointer = "#" + "".join(f"/{_escape(part)}" for part in inside)
        # A value that may be one of several types gets a fault for each: the first is of the type people mean.
        if len(inside) < len(place) and any(item.pointer == pointer for item in found):
            continue
        item = ErrorItem(pointer=pointer, message=_sentence(error))
        if item not in found:
            found.append(item)
    return found


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _sentence(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "There is no such field. Check its spelling, or remove it."
        case "missing":
            return "This field is required."
        case "value_error":
            return str(error["msg"]).removeprefix("Value error, ")
    return str(error["msg"]).rstrip(".") + "."


def _request_id(request: Request) -> str | None:
    return cast("str | None", request.scope.get(REQUEST_ID))


async def _answer_problem(request: Request, error: Exception) -> Response:
    return problem_response(cast("Problem", error), _request_id(request))


async def _answer_http(request: Request, error: Exception) -> Response:
    return problem_response(http_problem(cast("HTTPException", error)), _request_id(request))


def http_problem(raised: HTTPException) -> Problem:
    """The problem that Starlette's own exception means."""
    kind = _BY_STATUS.get(raised.status_code)
    if kind is None:
        kind = BadRequest if raised.status_code < 500 else Problem
    standard = {"Not Found", "Method Not Allowed"}
    problem = kind(None if raised.detail in standard else raised.detail)
    problem.headers.update(raised.headers or {})
    return problem


async def _answer_validation(request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    for fault in faults:
        if fault["loc"] == ("body",) and fault["type"] == "missing":
            return problem_response(
                ValidationFailed("A JSON body is required.", errors=items(faults)), _request_id(request)
            )
        if fault["loc"] == ("body",) and isinstance(fault.get("input"), bytes):
            problem = UnsupportedMediaType("Send JSON with the header Content-Type: application/json.")
            return problem_response(problem, _request_id(request))
    outside = [fault["loc"][0] for fault in faults if fault["loc"] and fault["loc"][0] != "body"]
    detail = f"Wrong in: {', '.join(sorted(set(map(str, outside))))}." if outside else None
    return problem_response(ValidationFailed(detail, errors=items(faults)), _request_id(request))


async def _answer_database(request: Request, error: Exception) -> Response:
    problem = database_problem(error)
    if problem is None:
        raise error
    return problem_response(problem, _request_id(request))


def database_problem(error: Exception) -> Problem | None:
    """The problem of a database that is busy or away; None where something else is wrong."""
    state = sqlstate(error)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    problem: Problem | None = None
    if isinstance(error, PoolTimeout) or state in _BUSY:
        problem = Unavailable("The database is busy. Nothing was kept; send the same request again.")
    elif lost or (
        isinstance(error, DBAPIError | psycopg.OperationalError) and (state or "08")[:2] in {"08", "53", "57"}
    ):
        # Whether a commit that broke off was kept is not known, so the sentence does not say that it was not.
        problem = Unavailable(
            "The database did not answer. Send the same request again, with the same Idempotency-Key if it had one."
        )
    if problem is not None:
        _log.warning("database_unavailable", sqlstate=state, kind=type(error).__name__)
    return problem
