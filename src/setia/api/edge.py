"""The outermost layer of every request: its id, its headers, its log line, its figures, and the net under it."""

import re
import time
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from setia.api.answers import REQUEST_ID, problem_response
from setia.db.ids import new_id
from setia.logs import get_logger
from setia.problems import InternalError

RATE_HEADERS = "setia.rate_headers"
"""The key in the ASGI scope for the headers that say how much of a limit is left."""

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
# Answers hold personal data and balances: no proxy may keep them.
_NO_STORE = (b"cache-control", b"no-store")

requests_total = Counter("setia_http_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram(
    "setia_http_request_seconds",
    "Time from the first byte of a request to the first of its answer.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_log = get_logger("setia.access")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """One pure ASGI layer for what would be five, because each layer costs every request of the hot path."""

    def __init__(self, app: ASGIApp, *, access_log: bool = True) -> None:
        self.app = app
        self.access_log = access_log
        # `labels()` locks and joins strings; there are few routes, so their children are kept.
        self._figures: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever the app raises becomes a problem, and never a broken connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope[REQUEST_ID] = request_id
        status = 0
        seconds = 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = time.perf_counter() - started
                headers = message["headers"] = list(message.get("headers", ()))
                headers.append((b"x-request-id", request_id.encode()))
                headers.extend(_HEADERS)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
                headers.extend(scope.get(RATE_HEADERS, ()))
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            _log.exception("request_failed", method=scope["method"], route=_route(scope))
            if status:
                # The answer has begun; cutting the connection is the only way left to say that it is not whole.
                raise
            await problem_response(InternalError(), request_id)(scope, receive, send_with_headers)
        finally:
            self._record(scope, status, seconds)
            structlog.contextvars.unbind_contextvars("request_id")

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        key = (method, route, status)
        figures = self._figures.get(key)
        if figures is None:
            figures = (requests_total.labels(method, route, str(status)), request_seconds.labels(method, route))
            self._figures[key] = figures
        figures[0].inc()
        figures[1].observe(seconds)
        if self.access_log and route not in _QUIET:
            # The route and not the path: a path or query may hold a card number or an address.
            _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))


def _request_id(scope: Scope) -> str:
    """The id the caller sent, when it is one; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode("ascii") if _SANE_ID.fullmatch(value) else new_id().hex
    return new_id().hex


def _route(scope: Scope) -> str:
    """The path as it is declared, so that figures and logs hold no ids; all unknown paths are one."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "(unknown)"
