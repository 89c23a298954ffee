"""Reading request bodies: strict JSON in UTF-8, or a problem that says where it is not."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from setia.api.answers import REQUEST_ID, MalformedJson, ValidationFailed, problem_response
from setia.problems import ErrorItem

_MALFORMED = 400
_MARK = "setia.malformed_json"


class StrictRequest(Request):
    """A request whose `json()` takes no NaN, no half surrogate pairs, no endless nesting and no invalid UTF-8.

    Python's own parser takes the first two and lets the database stumble over them.
    """

    async def json(self) -> Any:
        """Read the body; raise a 400 with line and column when it is not JSON."""
        if not hasattr(self, "_json"):
            try:
                self._json = from_json(await self.body(), allow_inf_nan=False)
            except ValueError as error:
                self.scope[_MARK] = str(error)
                raise HTTPException(_MALFORMED) from None
        return self._json


def _query_parameters(dependant: Dependant) -> set[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*(_query_parameters(inner) for inner in dependant.dependencies))


def unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse query parameters that mean nothing here: misspelt ones would silently change what the answer says."""
    if request.scope["query_string"]:
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            hint = f"Known are: {', '.join(sorted(known))}." if known else "There are none here."
            errors = [
                ErrorItem(pointer=f"?{name}", message="There is no such parameter.", hint=hint) for name in unknown
            ]
            raise ValidationFailed("Wrong in: query.", errors=errors)


class StrictRoute(APIRoute):
    """The route class of every typed router."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler, so that bodies are read strictly."""
        inner = super().get_route_handler()
        known = _query_parameters(self.dependant)

        async def handle(request: Request) -> Response:
            unknown_parameters(request, known)
            try:
                return await inner(StrictRequest(request.scope, request.receive))
            except HTTPException:
                fault = request.scope.get(_MARK)
                if fault is None:
                    raise
                problem = MalformedJson(f"{str(fault)[:1].upper()}{str(fault)[1:]}.")
                return problem_response(problem, request.scope.get(REQUEST_ID))

        return handle
