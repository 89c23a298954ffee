"""What an endpoint says about its refusals in the OpenAPI document."""

from typing import Any

from setia.api.answers import MalformedJson, ValidationFailed
from setia.problems import (
    MEDIA_TYPE,
    BadRequest,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    ProblemDetails,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)

OPEN: tuple[type[Problem], ...] = (NotFound, MethodNotAllowed, PayloadTooLarge, BadRequest, InternalError)
"""What every endpoint can answer."""
KEYED: tuple[type[Problem], ...] = (
    *OPEN,
    Unauthorized,
    Forbidden,
    UnsupportedMediaType,
    MalformedJson,
    ValidationFailed,
    TooManyRequests,
    Unavailable,
)
"""What every endpoint that asks for a key can answer."""
SCHEMA = "#/components/schemas/ProblemDetails"


def problems(*kinds: type[Problem], base: tuple[type[Problem], ...] = KEYED) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an endpoint: the problems it can answer with, added to those of `base`.

    Several of one status stand as several examples, by their codes.
    """
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in (*base, *kinds):
        answer = answers.setdefault(
            kind.status,
            {"description": kind.title, "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}, "examples": {}}}},
        )
        # Without an instance: some kinds need more to be made than is known here.
        example = ProblemDetails(
            type=f"urn:setia:problem:{kind.code}", title=kind.title, status=kind.status, code=kind.code
        ).model_dump(exclude_none=True)
        answer["content"][MEDIA_TYPE]["examples"][kind.code] = {"summary": kind.title, "value": example}
    for answer in answers.values():
        titles = [example["summary"] for example in answer["content"][MEDIA_TYPE]["examples"].values()]
        answer["description"] = ". ".join(titles) + "."
    return answers
