"""The fast lane of `POST /v1/redemptions`: what tills send, read and written without FastAPI's layers.

It takes what is as documented and has nothing unusual. Everything else, and so every fault of a body, goes to the
typed route as it came: that is where it is judged, so that there is one place that says what is wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import AsyncExitStack
from typing import Annotated

import msgspec
from fastapi.routing import APIRoute
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from setia.api.idempotency import HEADER, REPLAYED
from setia.identity import scopes
from setia.identity.caller import authenticate
from setia.rewards.redeeming import Asked, Wanted
from setia.rewards.router import member_of, need_name, router
from setia.rewards.schemas import plain_redemption
from setia.rewards.service import Rewards

PATH = "/v1/redemptions"
_JSON = b"application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEY_HEADER = HEADER.lower().encode()
# A `$` would let a line feed through.
_Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}\Z")]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The usual body. How long it is held stands in few, and is read by the typed route."""

    member: Annotated[str, Meta(max_length=100)]
    reward: _Name
    quantity: Annotated[int, Meta(ge=1, le=10**9)] = 1
    date: _Name | None = None
    confirm: bool = False
    till: Annotated[str, Meta(min_length=1, max_length=63)] = "api"
    reference: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether its texts hold letters and signs only, as those of all tills do."""
        return self.till.isprintable() and (self.reference is None or self.reference.isprintable())


_read = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode


def _unusual(scope: Scope) -> bool:
    """Whether anything but the body asks to be looked at."""
    media_type = next((value for name, value in scope["headers"] if name == b"content-type"), None)
    return bool(scope["query_string"]) or media_type != _JSON


def _key(scope: Scope) -> str | None:
    found = next((value for name, value in scope["headers"] if name == _KEY_HEADER), None)
    return None if found is None else found.decode("latin-1")


class RedemptionLane:
    """The route."""

    def __init__(self, rewards: Rewards) -> None:
        self._rewards = rewards
        self._typed = next(
            route
            for route in router.routes
            if isinstance(route, APIRoute) and route.path == PATH and "POST" in (route.methods or ())
        )

    def routes(self) -> list[Route]:
        """The routes, for the app."""
        return [Route(PATH, self.post, methods=["POST"])]

    async def post(self, request: Request) -> Response:
        """Redeem, and answer when it is committed."""
        body = await request.body()
        key = _key(request.scope)
        try:
            sent = _read(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _Typed(self._typed, body)
        if _unusual(request.scope) or not sent.is_plain or (key is not None and not _KEY.fullmatch(key)):
            return _Typed(self._typed, body)
        caller = await authenticate(request, scopes.Scope.REWARDS_REDEEM)
        need_name(key, sent.reference)
        asked = Asked(
            member=member_of(sent.member),
            reward=sent.reward,
            quantity=sent.quantity,
            date=sent.date,
            confirm=sent.confirm,
            till=sent.till,
            reference=sent.reference,
        )
        wanted = Wanted(asked=asked, actor=caller.actor, key=key, now=dt.datetime.now(dt.UTC))
        done = await self._rewards.redeem_soon(caller.program_id, wanted)
        told = plain_redemption(done.row, done.row.created_at, done.code, done.balances)
        headers = {REPLAYED: "true"} if done.replayed else None
        return Response(_encode(told), 201, headers, media_type="application/json")


class _Typed(Response):
    """The answer of the typed route to a body that has been read already."""

    def __init__(self, route: APIRoute, sent: bytes) -> None:
        super().__init__()
        self._route, self._sent = route, sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - a body is read once
        """Serve the request there."""

        async def again() -> Message:
            return {"type": "http.request", "body": self._sent, "more_body": False}

        # What the layers in front of the router would have put there: problems are told as everywhere.
        scope["starlette.exception_handlers"] = (scope["app"].exception_handlers, {})
        scope["path_params"] = {}
        async with AsyncExitStack() as files:
            scope["fastapi_middleware_astack"] = files
            await self._route.app(scope, again, send)
