"""Fast lanes: raw routes without parameters are answered in front of FastAPI, its layers and its router.

Measured under load, those took more than a quarter of the event loop's time of a purchase, and the route itself a
tenth. A request that no lane fits goes the usual way, which knows the same routes: wrong methods are refused there.
"""

from collections.abc import Sequence

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from setia.api.answers import REQUEST_ID, database_problem, http_problem, problem_response
from setia.problems import Problem


class Lanes:
    """An ASGI app for requests that `fits` says it has. Endpoints take a request, return a response, raise problems."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._lanes = {
            (method, route.path): route
            for route in routes
            if isinstance(route, Route) and not route.param_convertors
            for method in route.methods or ()
        }

    def fits(self, scope: Scope) -> bool:
        """Whether a request is answered here."""
        return scope["type"] == "http" and (scope["method"], scope["path"]) in self._lanes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = scope["route"] = self._lanes[scope["method"], scope["path"]]
        try:
            response = await route.endpoint(Request(scope, receive))
        except Problem as problem:
            response = problem_response(problem, scope.get(REQUEST_ID))
        except HTTPException as error:
            response = problem_response(http_problem(error), scope.get(REQUEST_ID))
        except (DBAPIError, PoolTimeout, psycopg.Error) as error:
            away = database_problem(error)
            if away is None:
                raise
            response = problem_response(away, scope.get(REQUEST_ID))
        await response(scope, receive, send)
