"""The app factory. Which routers there are is said in `setia.server`: what all endpoints share knows none of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

import setia
from setia.api import answers, health, reference
from setia.api.body_limit import BodyLimit
from setia.api.edge import Edge
from setia.api.lanes import Lanes
from setia.api.openapi import Fragment, describe
from setia.db import migrate
from setia.db.engine import Database
from setia.settings import Settings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_TAGS = [
    {"name": "events", "description": "What happens to members: send it, ask what it would earn, and why it did."},
    {"name": "members", "description": "Who they are, what they hold, and why."},
    {"name": "rewards", "description": "What points buy: the catalogue, redemptions, and codes at tills."},
    {"name": "gift cards", "description": "Money on codes: issued, loaded, taken at tills, refunded, ended by law."},
    {"name": "reward links", "description": "Links worth an amount, for which the recipient chooses a reward."},
    {"name": "points", "description": "Paid with, bought, reviewed before they count, and shared by a household."},
    {"name": "referrals", "description": "Members bring friends: codes, invitations, states, and the funnel."},
    {"name": "program", "description": "The definition and its published versions."},
    {"name": "reports", "description": "Where all points went, and what they are worth."},
    {"name": "operation", "description": "For the people and machines that run Setia."},
]


@dataclass(frozen=True, slots=True)
class Part:
    """What one domain adds to the app.

    - `routers`: typed FastAPI routers.
    - `routes`: raw Starlette routes, for the hot path; they come first, so that they are found first.
    - `openapi`: the part of the document that describes the raw routes.
    - `state`: named objects for `request.app.state`.
    - `lifespans`: entered when the process starts, left in reverse order when it ends.
    """

    routers: Sequence[APIRouter] = ()
    routes: Sequence[BaseRoute] = ()
    openapi: Sequence[Fragment] = ()
    state: dict[str, Any] = field(default_factory=dict)
    lifespans: Sequence[Lifespan] = ()


class _App(FastAPI):
    """FastAPI, with the lanes in front of it."""

    def open_lanes(self, lanes: Lanes, front: ASGIApp) -> None:
        """Answer by `front` what `lanes` has."""
        self._lanes = lanes
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the beginning and end of the process."""
        if self._lanes.fits(scope):
            scope["app"] = self
            await self._front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, database: Database, parts: Sequence[Part], *, access_log: bool = True) -> FastAPI:
    """Make the app of one process.

    It closes nothing that it was given: who opened the database closes it.
    """
    lifespans = [lifespan for part in parts for lifespan in part.lifespans]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for enter in lifespans:
                await stack.enter_async_context(enter(app))
            yield

    app = _App(
        title="Setia",
        summary="Self-hosted loyalty platform",
        description="Points and money are whole numbers of the smallest unit. Times are RFC 3339 in UTC.",
        version=setia.__version__,
        openapi_tags=_TAGS,
        # A redirect would drop the body of a POST; a wrong path is a 404.
        redirect_slashes=False,
        # FastAPI's own pages load from elsewhere; see `setia.api.reference`.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.head = migrate.head()
    answers.install(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, most=settings.max_body_bytes)
    app.add_middleware(Edge, access_log=access_log)
    for part in parts:
        for name, value in part.state.items():
            setattr(app.state, name, value)
        app.router.routes[:0] = part.routes
    for router in [*(router for part in parts for router in part.routers), health.router]:
        # Their routes and not the routers: FastAPI would match an included router twice for each request.
        app.router.routes.extend(router.routes)
    app.router.routes.extend(reference.routes())
    fragments = [fragment for part in parts for fragment in part.openapi]
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(describe(app, fragments))
        return document

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents it
    lanes = Lanes([route for part in parts for route in part.routes])
    app.open_lanes(lanes, Edge(BodyLimit(lanes, most=settings.max_body_bytes), access_log=access_log))
    return app
