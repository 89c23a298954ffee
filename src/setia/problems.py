"""What can go wrong, as classes: each has a status, a code that never changes, and a title (RFC 9457).

A service raises a problem; the API answers it as `application/problem+json`, the command line prints it. Domains
declare their own beside their services, by deriving from the classes here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class ErrorItem(BaseModel):
    """One fault in what was sent: where it is, what is wrong, and what to do about it."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(description="JSON pointer to the value, with `#` first, as in `#/lines/0/quantity`.")
    message: str = Field(description="What is wrong with it.")
    hint: str | None = Field(default=None, description="What to do about it.")


class ProblemDetails(BaseModel):
    """The body of every answer that is not a success (RFC 9457)."""

    # Some problems carry further members, for instance the balance that was too low.
    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:setia:problem:` and the code.")
    title: str = Field(description="The kind of problem, the same words each time.")
    status: int
    code: str = Field(description="The kind of problem, for programs. It never changes its meaning.")
    detail: str | None = Field(default=None, description="This occurrence, in a sentence.")
    request_id: str | None = Field(default=None, description="Quote it when you ask for help.")
    errors: list[ErrorItem] = Field(default_factory=list)


class Problem(Exception):  # noqa: N818 - it is called a problem in the RFC, in the API and in the documentation
    """The base of everything a caller can be told.

    `extra` becomes further members of the body; `headers` go out with the answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong inside Setia"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Iterable[ErrorItem] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        """The URI that names this kind of problem."""
        return f"urn:setia:problem:{self.code}"

    def details(self, request_id: str | None = None) -> ProblemDetails:
        """The body of the answer."""
        return ProblemDetails(
            type=self.type,
            title=self.title,
            status=self.status,
            code=self.code,
            detail=self.detail,
            request_id=request_id,
            errors=list(self.errors),
            **self.extra,
        )

    def as_dict(self, request_id: str | None = None) -> dict[str, Any]:
        """The body of the answer as plain values, without members that are empty."""
        return self.details(request_id).model_dump(mode="json", exclude_none=True)


class InternalError(Problem):
    """A fault of ours. Its detail never says more than the request id, because it goes to strangers."""


class BadRequest(Problem):
    """The request cannot be read, or lacks something it must have."""

    status = 400
    code = "bad_request"
    title = "The request cannot be understood"


class Unauthorized(Problem):
    """Nobody is known to be asking."""

    status = 401
    code = "unauthorized"
    title = "Sign in or send an API key"

    def __init__(self, detail: str | None = None, *, scheme: str = "Bearer", **members: Any) -> None:
        members["headers"] = {"WWW-Authenticate": scheme, **(members.get("headers") or {})}
        super().__init__(detail, **members)


class Forbidden(Problem):
    """The caller is known, may see the thing, and may not do this to it."""

    status = 403
    code = "forbidden"
    title = "You may not do this"


class NotFound(Problem):
    """There is no such thing, or the caller may not know of it: the answer is the same."""

    status = 404
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "This method is not allowed here"


class Conflict(Problem):
    """The request is right, the present state is not."""

    status = 409
    code = "conflict"
    title = "The present state does not allow this"


class Gone(Problem):
    """It was here, and is no longer."""

    status = 410
    code = "gone"
    title = "This is no longer here"


class PayloadTooLarge(Problem):
    """The body is longer than `SETIA_MAX_BODY_BYTES`."""

    status = 413
    code = "payload_too_large"
    title = "The body is too large"


class UnsupportedMediaType(Problem):
    """The body is of a type nothing here reads."""

    status = 415
    code = "unsupported_media_type"
    title = "This type of body is not read here"


class Unprocessable(Problem):
    """The request was read, and breaks a rule; `errors` say which value breaks which."""

    status = 422
    code = "unprocessable"
    title = "The request breaks a rule"


class TooManyRequests(Problem):
    """A limit was reached; `Retry-After` says how many seconds to wait."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **members: Any) -> None:
        members["headers"] = {"Retry-After": str(retry_after), **(members.get("headers") or {})}
        super().__init__(detail, **members)


class Unavailable(Problem):
    """Not now: the database is away, or too much is waiting. Nothing was kept, so the same request may be repeated."""

    status = 503
    code = "unavailable"
    title = "Not available at the moment"

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **members: Any) -> None:
        members["headers"] = {"Retry-After": str(retry_after), **(members.get("headers") or {})}
        super().__init__(detail, **members)
