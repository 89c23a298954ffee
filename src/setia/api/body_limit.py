"""No request body is longer than the limit, whatever its headers claim."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from setia.api.answers import REQUEST_ID, problem_response
from setia.problems import BadRequest, PayloadTooLarge, Problem


class BodyLimit:
    """Refuses by `Content-Length` before anything is read, and counts what arrives without one."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self._by_header(scope)
        if refused is not None:
            await problem_response(refused, scope.get(REQUEST_ID))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self.most:
                    # FastAPI turns anything else that is raised while it reads a body into a 400.
                    raise HTTPException(413, self._sentence())
            return message

        await self.app(scope, counted, send)

    def _by_header(self, scope: Scope) -> Problem | None:
        for name, value in scope["headers"]:
            if name == b"content-length":
                # `int` would read "+5" and "1_000" too.
                if not value.isdigit() or len(value) > 18:
                    return BadRequest("Content-Length must be a whole number of bytes.")
                if int(value) > self.most:
                    return PayloadTooLarge(self._sentence())
        return None

    def _sentence(self) -> str:
        return f"The body may have at most {self.most} bytes (SETIA_MAX_BODY_BYTES). Send it in smaller parts."
